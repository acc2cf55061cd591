# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a workflow's next node is given counts everything, and has a bound however much there is."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._applying import handing_on
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.outcome import Outcome

UUID = "1c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
DONE = Outcome(1, UUID, "a", "xen1", "xen2", True, True, "", "")
BEFORE = dataclasses.replace(DONE, number=2, changed=False)
FAILED = dataclasses.replace(
    DONE, number=3, done=False, changed=False, code="not_enough_memory", why="no room " * 9_000
)


def host(name: str, *guests: str, answers: bool = True) -> dict[str, t.Any]:
    """A host as evacuation_result tells it."""
    told = [{"name": guest, "uuid": UUID, "why": "no room " * 9_000} for guest in guests]
    return {"name": name, "empty": answers and not guests, "answers": answers, "guests": told}


def test_moves_are_counted_and_those_not_done_are_named() -> None:
    """A move that was done before this job is done, and this job has not made it."""
    found = handing_on.of_moves([DONE, BEFORE, FAILED], 1, False)
    assert {key: value for key, value in found.items() if key != "not_done"} == {
        **{"complete": False, "planned": 3, "done": 2},
        **{"moved": 1, "stays": 1, "more": 0},
    }
    entry = {"name": "a", "uuid": UUID, "source": "xen1", "destination": "xen2", "code": "not_enough_memory"}
    assert found["not_done"] == [entry]


def test_hosts_that_are_not_empty_are_named_and_a_silent_one_is_none_that_is() -> None:
    """What a host has that does not answer is not known."""
    found = handing_on.of_hosts([host("xen1"), host("xen2", "a"), host("xen3", answers=False)], 2, 0)
    assert (found["complete"], found["moved"], found["not_empty"]) == (False, 2, ["xen2", "xen3"])
    assert found["left"] == [{"name": "a", "uuid": UUID, "host": "xen2"}]
    assert handing_on.of_hosts([host("xen1")], 2, 0)["complete"]
    assert not handing_on.of_hosts([host("xen1")], 2, 1)["complete"]


def test_it_has_a_bound() -> None:
    """AWX keeps it in its database, and in the variables of every node that follows."""
    moves = handing_on.of_moves([FAILED] * 1_000, 0, False)
    hosts = handing_on.of_hosts([host(f"xen{number}", *"abcdefghij") for number in range(100)], 0, 0)
    assert (moves["planned"], len(moves["not_done"]), moves["more"]) == (1_000, 50, 950)
    assert (len(hosts["not_empty"]), len(hosts["left"]), hosts["more"]) == (50, 50, 50 + 950)
    assert max(len(json.dumps(each)) for each in (moves, hosts)) < 16_384
