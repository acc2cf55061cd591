# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long the guest may stand still, and what is done when it would be longer: as a user runs it."""

from __future__ import annotations

import pytest
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._session.budget.learned import ASSUMED_MS
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User, read_until, where
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts

pytestmark = pytest.mark.timeout(900)

# As in the tests of the sender: 8 MiB, all of it written again in each round, over a way of 64 Mbit/s.
BUDGET = (
    *("-e", f"migrate_max_stop_ms={ASSUMED_MS + 500}"),
    *("-e", "migrate_rate_limit=64", "-e", "migrate_compression=none"),
)
RETRY = ("-e", "migrate_on_over_budget=retry", "-e", "migrate_over_budget_retries=1")
# A sudo that refuses, for all but the hosts of the double.
BECOME = """\
all:
  vars: {ansible_become: true, ansible_become_user: daemon, ansible_become_exe: /bin/false}
dom0:
  vars: {ansible_become: false}
"""


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Two hosts, a guest on xen1 that writes faster than the way carries it."""
    return two_hosts.writing(make_site, **two_hosts.BUSY)


def run(user: User, *arguments: str) -> tuple[int, str]:
    """Try to move the guest to xen2; return the status and the log."""
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *BUDGET, *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    return process.returncode, log


def given_up(user: User, attempts: int) -> None:
    """The guest runs on, was never asked to suspend, and the result says why, after so many attempts."""
    assert where(user.site) == "xen1"
    assert user.site["xen1"].passed("suspend.request") == []
    assert len(user.site["xen1"].passed("migrate.begin")) == attempts
    result = user.result
    assert (result["end_state"], result["error"]["code"]) == ("stayed", "stop_over_budget")
    assert result["settled"] and user.site["xen2"].domains() == []


def test_a_guest_that_never_comes_to_rest(user: User) -> None:
    """It is tried as often as was asked for, and then the run fails with the cause and what can be done."""
    status, log = run(user, *RETRY, "-e", "migrate_over_budget_pause=1")
    assert status != 0
    given_up(user, attempts=2)
    assert "migrate_max_stop_ms" in user.result["error"]["remedy"] and user.result["error"]["remedy"] in log
    assert log.count("centos was not moved from xen1 to xen2") >= 2
    told = user.result["stop_prediction"]
    assert told["over_budget"] and told["predicted_ms"] > told["budget_ms"]


def test_a_guest_that_comes_to_rest(user: User) -> None:
    """The move is made again, with all that belongs to it, and the run succeeds.

    Also where all hosts of the inventory take sudo, which the controller, that waits meanwhile, may not have.
    """
    (user.folder / "all.yml").write_text(BECOME)
    arguments = ("-i", "all.yml", *BUDGET, *RETRY, "-e", "migrate_over_budget_pause=8")
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *arguments)
    log = read_until(process, "Give the guest time to write less")
    assert where(user.site) == "xen1" and user.site["xen1"].passed("suspend.request") == []
    user.site["xen1"].behave("centos", dirty_pages_per_s=0.0)
    log += process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 0, log[-4000:]
    assert where(user.site) == "xen2"
    assert len(user.site["xen1"].passed("migrate.begin")) == 2
    told, stop_ms = user.result["stop_prediction"], user.result["stop_ms"]
    assert user.result["end_state"] == "moved" and not told["over_budget"]
    assert told["off_ms"] == stop_ms - told["predicted_ms"]
    assert ", predicted " in log


def test_a_time_that_cannot_be_kept_is_refused_at_once(user: User) -> None:
    """Nothing is sent, and it is not tried again: it says that nothing is known of the destination."""
    status, log = run(user, *RETRY, "-e", "migrate_max_stop_ms=10")
    assert status != 0
    given_up(user, attempts=0)
    assert "it is not known how long it takes" in log


def test_it_is_moved_all_the_same(user: User) -> None:
    """With a warning that names what was predicted, what it was, and what was allowed."""
    status, log = run(user, "-e", "migrate_on_over_budget=continue")
    assert status == 0, log[-4000:]
    assert where(user.site) == "xen2"
    (remark,) = [each for each in user.result["remarks"] if each["code"] == "stood_still_longer"]
    assert f"{ASSUMED_MS + 500} ms were allowed" in remark["msg"] and remark["msg"] in log
