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
from ansible_collections.dom0.xen.plugins.plugin_utils._maintaining import course

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


def test_a_maintenance_names_what_a_person_has_to_look_at() -> None:
    """A node for failures knows which hosts are not done or still closed, and which domains are not at home."""
    hosts = course.reported(
        ("xen1", "xen2", "xen3"),
        {
            "xen1": {"state": "done", "closed": False, "moved": [{}, {}], "returned": [{}], "started": [{}]},
            "xen2": {"state": "empty", "closed": True, "why": "it is not back " * 9_000, "moved": [{}]},
        },
    )
    hosts[0]["missed"] = [{"name": "a", "uuid": UUID, "place": "xen3", "why": "no room " * 9_000}]
    assert handing_on.of_maintained(hosts) == {
        **{"complete": False, "moved": 3, "returned": 1, "started": 1, "done": ["xen1"], "closed": ["xen2"]},
        "not_done": [{"name": "xen2", "state": "empty"}, {"name": "xen3", "state": "not begun"}],
        "missed": [{"name": "a", "uuid": UUID, "host": "xen1"}],
        "more": 0,
    }
    assert handing_on.of_maintained(hosts[:1])["complete"]


def test_it_has_a_bound() -> None:
    """AWX keeps it in its database, and in the variables of every node that follows."""
    moves = handing_on.of_moves([FAILED] * 1_000, 0, False)
    hosts = handing_on.of_hosts([host(f"xen{number}", *"abcdefghij") for number in range(100)], 0, 0)
    missed = [{"name": "a", "uuid": UUID}] * 10
    reports = [{"name": f"xen{number}", "state": "empty", "closed": True, "missed": missed} for number in range(100)]
    maintained = handing_on.of_maintained(reports)
    assert (moves["planned"], len(moves["not_done"]), moves["more"]) == (1_000, 50, 950)
    assert (len(hosts["not_empty"]), len(hosts["left"]), hosts["more"]) == (50, 50, 50 + 950)
    assert [len(maintained[key]) for key in ("done", "not_done", "closed", "missed")] == [0, 50, 50, 50]
    assert maintained["more"] == 50 + 50 + 950
    assert max(len(json.dumps(each)) for each in (moves, hosts, maintained)) < 16_384
