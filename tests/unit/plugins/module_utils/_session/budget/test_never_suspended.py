# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a guest may stand still, on two hosts of the double: sender, receiver, and an xl that decides by itself."""

from __future__ import annotations

import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._session.budget import learned
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import NAME, UUID

__all__ = ["make_site"]

pytestmark = pytest.mark.timeout(900)

# It writes all of its memory in each round, and this way moves 8 MiB in a second at best.
RATE = 8e6
# Of which the last round may have half.
BUDGET_MS = learned.ASSUMED_MS + 500


def moved(site: Site, **changes: t.Any) -> dict[str, t.Any]:
    """Move it to xen2, and what the sender says at its end."""
    return two_hosts.begin(site, "live", compression="none", rate_limit=RATE, **changes).result()


def never_suspended(site: Site) -> None:
    """The guest runs on the source, was not asked to suspend, and nothing writes down any more what it writes."""
    assert site["xen1"].passed("suspend.request") == [] and site["xen1"].passed("save.round3") != []
    assert site.overlaps(UUID) == []
    assert len(site.running(UUID)) == 1
    guest = site["xen1"].guest(NAME)
    assert guest and not guest["log_dirty"]
    assert [each["name"] for each in site["xen1"].domains()] == [NAME]
    two_hosts.until(lambda: site["xen2"].domains() == [])


def given_up(make_site: MakeSite) -> None:
    """A guest that writes its memory faster than the way carries it."""
    site = two_hosts.writing(make_site, **two_hosts.BUSY)
    result = moved(site, max_stop_ms=BUDGET_MS)
    assert (result["end_state"], result["owner"], result["error"]["code"]) == ("stayed", "source", "stop_over_budget")
    assert result["error"]["remedy"] and result["stop_ms"] is None
    told = result["stop_prediction"]
    assert told["over_budget"] and told["predicted_ms"] > BUDGET_MS == told["budget_ms"]
    assert len(result["rounds"]) == 5
    never_suspended(site)


def test_a_guest_that_writes_faster_than_the_way_is_never_suspended(make_site: MakeSite) -> None:
    """It is given up when xl would suspend it, with the guest running all the time."""
    given_up(make_site)


@pytest.mark.long
@pytest.mark.parametrize("attempt", range(20))
def test_twenty_of_twenty(make_site: MakeSite, attempt: int) -> None:
    """The same, as often as is promised."""
    given_up(make_site)


def test_a_guest_within_the_time_moves(make_site: MakeSite) -> None:
    """The result says how far off the prediction was, and the next move knows what this one took."""
    site = two_hosts.writing(make_site)
    result = moved(site, max_stop_ms=BUDGET_MS, peer_host="xen2")
    assert result["end_state"] == "moved", result["error"]
    told = result["stop_prediction"]
    assert not told["over_budget"] and told["base_known_by"] == "assumed"
    assert learned.ASSUMED_MS < told["predicted_ms"] <= BUDGET_MS
    assert told["off_ms"] == result["stop_ms"] - told["predicted_ms"]
    known = learned.base(str(site["xen1"].paths.lib / "dom0-xen"), UUID, "xen2", "engine")
    assert (known.known_by, known.moves) == ("domain", 1)
    assert 0 < known.milliseconds <= result["stop_ms"]
    assert site.overlaps(UUID) == [] and site["xen2"].guest(NAME)


def test_one_that_goes_on_all_the_same_is_told(make_site: MakeSite) -> None:
    """It is moved, and what was predicted is near to what the last round took."""
    site = two_hosts.writing(make_site, **two_hosts.BUSY)
    result = moved(site, max_stop_ms=BUDGET_MS, on_over_budget="continue")
    assert result["end_state"] == "moved", result["error"]
    told = result["stop_prediction"]
    assert told["over_budget"] and told["predicted_ms"] > BUDGET_MS
    last = result["rounds"][-1]
    assert last["kind"] == "final" and last["pages"] <= told["pages"]
    assert site.overlaps(UUID) == [] and site["xen2"].guest(NAME)


def test_a_sender_that_is_killed_in_the_last_live_round(make_site: MakeSite) -> None:
    """The pipe has lost its reader, which ends the save helper: the guest is not suspended, and settling finds that."""
    site = two_hosts.writing(make_site, **two_hosts.BUSY)
    move = two_hosts.begin(site, "live", compression="none", rate_limit=RATE, max_stop_ms=60_000)
    two_hosts.until(lambda: site["xen1"].passed("save.round3"))
    assert site["xen1"].kill("daemon", "sender")
    two_hosts.until(lambda: not any(_procfs.sent_domid(_procfs.command_line(pid)) for pid in site["xen1"].pids))
    assert site["xen1"].passed("suspend.request") == []
    assert move.settle().owner == "source"
    assert site.overlaps(UUID) == [] and len(site.running(UUID)) == 1 and site["xen1"].guest(NAME)
    two_hosts.until(lambda: site["xen2"].domains() == [])
