# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move that is only rehearsed, as a user runs it."""

from __future__ import annotations

import pytest
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User, where
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts

pytestmark = pytest.mark.timeout(900)

REHEARSE = ("-e", "migrate_rehearse=true")
WAY = ("-e", "migrate_rate_limit=64", "-e", "migrate_compression=none")


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Two hosts, a guest on xen1 that writes faster than the way carries it."""
    return two_hosts.writing(make_site, **two_hosts.BUSY)


def test_it_succeeds_and_predicts(user: User) -> None:
    """With no task failed on the way, no task of the caller run, and nothing left; the move itself comes after."""
    tasks = user.folder / "never.yml"
    tasks.write_text("- name: Never\n  ansible.builtin.fail:\n    msg: it was run\n")
    own = [word for when in ("before", "after") for word in ("-e", f"migrate_{when}_tasks={tasks}")]
    log = user.move("xen2", *REHEARSE, *WAY, *own)
    assert "failed=0" in log and "rescued=0" in log and "ignored=0" in log and "failed=1" not in log
    assert where(user.site) == "xen1" and user.site["xen1"].passed("suspend.request") == []
    result = user.result
    assert (result["end_state"], result["rehearsed"], result["error"]) == ("stayed", True, None)
    told = result["stop_prediction"]
    assert told["predicted_total_ms"] == result["total_ms"] + told["predicted_ms"]
    assert "The move of centos from xen1 to xen2 was rehearsed: it would take" in log
    assert "Moves planned: 1, rehearsed: 1." in log
    assert user.site["xen2"].domains() == []
    for host in user.site.hosts.values():
        left = {path.name for path in (host.paths.run / "dom0-xen").glob("*") if path.is_dir()}
        assert left <= {"code"}, "what the next session is started from stays"
    user.site["xen1"].behave("centos", dirty_pages_per_s=0.0)
    user.move("xen2", *WAY)
    assert where(user.site) == "xen2" and user.result["rehearsed"] is False


def test_playbooks_that_empty_hosts_refuse_it(user: User) -> None:
    """They would wait for a host that nobody empties."""
    process = user.start("dom0.xen.evacuate", "-e", "dom0s=xen1", *REHEARSE)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2 and "migrate_rehearse is for the playbook dom0.xen.migrate" in log
    assert where(user.site) == "xen1"
