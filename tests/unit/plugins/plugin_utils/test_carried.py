# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person is told which interfaces carried a move where that is proven, and warned where it was another way."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils import _aftermath as aftermath
from ansible_collections.dom0.xen.plugins.plugin_utils import _carried as carried
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as report

MIB = 1024 * 1024


def side(interface: str | None = "eth1", **changes: t.Any) -> dict[str, t.Any]:
    """What a side has told."""
    return {
        "planned_interface": "eth1",
        "connections": [{"local": "10.20.0.1", "peer": "10.20.0.2", "interface": interface, "count": 1}],
        "bytes": 100 * MIB,
        "counters": {"eth1": {"rx_bytes": MIB, "tx_bytes": 101 * MIB}},
        "shown": True,
        **changes,
    }


def test_the_sentence_names_what_is_proven() -> None:
    """Both sides, or nothing."""
    assert carried.over({"source": side(), "destination": side()}) == "over eth1"
    assert carried.over({"source": side(), "destination": side("xenbr1")}) == "from eth1 to xenbr1"
    for unproven in (None, side(shown=False), side(shown=None), side(None)):
        assert carried.over({"source": side(), "destination": unproven}) == ""
        assert carried.over({"source": unproven, "destination": side()}) == ""
    assert carried.over({}) == ""
    result = {"bytes": 100 * MIB, "destination": "xen2", "reason": "It runs on xen2.", "path": {}}
    assert report.sentence(result, "centos") == "centos is on xen2 (100 MiB). It runs on xen2."
    proven = {**result, "path": {"source": side(), "destination": side()}}
    assert report.sentence(proven, "centos") == "centos is on xen2 (100 MiB over eth1). It runs on xen2."


def test_nothing_is_said_of_what_was_planned() -> None:
    """Nor of a side that has not told, nor where nobody planned anything."""
    for quiet in (None, side(), side(shown=None, counters=None), side("eth9", planned_interface=None)):
        assert carried.remarks(quiet, "source", "xen1") == []


def test_another_interface_than_planned() -> None:
    """Each connection of it, with the command that shows the route."""
    (one,) = carried.remarks(side("xenbr0"), "source", "xen1")
    assert (one["code"], one["host"]) == ("path_other_interface", "xen1")
    assert one["msg"] == "the connection from 10.20.0.1 to 10.20.0.2 was one of xenbr0, not of eth1 as planned."
    assert "ip route get 10.20.0.2 from 10.20.0.1" in one["remedy"]
    (unknown,) = carried.remarks(side(None), "destination", "xen2")
    assert "no interface that is known" in unknown["msg"]


def test_an_interface_that_has_not_counted_the_bytes() -> None:
    """It has the address, and they went another way; who has carried as much is named."""
    counters = {
        "eth1": {"rx_bytes": 9 * MIB, "tx_bytes": MIB},
        "xenbr0": {"rx_bytes": 0, "tx_bytes": 102 * MIB},
    }
    (sent,) = carried.remarks(side(shown=False, counters=counters), "source", "xen1")
    assert sent["code"] == "path_not_counted"
    assert sent["msg"] == (
        "eth1 has sent 1 MiB, less than the 100 MiB of the move: they took another way; as much was sent by: xenbr0."
    )
    (received,) = carried.remarks(side(shown=False, counters=counters), "destination", "xen2")
    assert "eth1 has received 9 MiB, less than" in received["msg"]


def test_remarks_are_those_of_a_move() -> None:
    """Told with all others, by side; where the domain stayed nothing was to be carried."""
    looks = [
        {"sessions": [{"role": role, "session": "a" * 16, "path": side(interface)}]}
        for role, interface in (("sender", "eth1"), ("receiver", "xenbr0"))
    ]
    result = {"end_state": "moved", **aftermath.tell("a" * 16, looks[0], looks[1], {}, "moved")}
    assert [(one["code"], one["host"]) for one in aftermath.remarks(result, "xen1", "xen2")] == [
        ("path_other_interface", "xen2")
    ]
    assert aftermath.remarks({**result, "end_state": "stayed"}, "xen1", "xen2") == []
