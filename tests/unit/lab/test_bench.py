# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks measure is what they say: the whole of the gate, and a guest as busy as it was asked to be."""

from __future__ import annotations

import json
import types
import typing as t
from dataclasses import asdict

import pytest
from proof import bench

from ansible_collections.dom0.xen.tests.bench.gate import gates, newest, parts, spread, summary
from ansible_collections.dom0.xen.tests.tools import bench_figures

# As a move in the lab tells them, shortened.
LINE = {
    "source_suspended": 26742,
    "journal_ready": 30000,
    "permission_held": 30160,
    "journal_commit_requested": 30170,
    "destination_journal_commit": 30200,
    "destination_running": 30742,
}


def test_the_gates_share_begins_with_ready() -> None:
    """Up to there the guest stands still for its memory; what xl and the sender do from then on is the gate's."""
    assert bench.gate_share({"timeline": LINE, "stop_ms": 4000}) == 0.05
    assert bench.gate_share({"timeline": {**LINE, "permission_held": 30199}, "stop_ms": 4000}) == 0.05


@pytest.mark.parametrize("missing", ["journal_ready", "destination_journal_commit"])
def test_a_share_of_which_a_moment_is_missing_is_not_guessed(missing: str) -> None:
    """The clocks of the hosts could not be compared, say."""
    line = {name: at for name, at in LINE.items() if name != missing}
    assert bench.gate_share({"timeline": line, "stop_ms": 4000}) is None
    assert bench.gate_share({"timeline": LINE, "stop_ms": None}) is None
    assert bench.gate_share({}) is None


def move(tool: str, **more: t.Any) -> bench.Move:
    """A move whose figures are as they should be."""
    figures: dict[str, t.Any] = dict.fromkeys(("total_ms", "stop_ms", "gap_ms", "wall_ms", "machine_ms"), 100)
    figures |= {"pair": 0, "rate": 200, "gate_share": None, "memory_verified": True, "boot_id_unchanged": True}
    return bench.Move(tool=tool, **{**figures, "steps": {}, "peak_memory_kib": {"sender": 1}, **more})


# At its bounds, beside 100 ms and 100 ms of plain xl.
FAST = {"total_ms": 70, "stop_ms": 80, "peak_memory_kib": {"sender": 65_536}}


def test_a_gate_above_its_limit_is_told_and_not_judged() -> None:
    """An emulated disk decides nothing about a real one; the figure and its limit lie side by side."""
    moves = [move(bench.PLAIN), *(move(bench.OURS, **FAST, gate_share=share) for share in (0.04, 0.2, 0.3))]
    assert bench.told_share(moves) == {"gate_share": 0.2, "gate_share_limit": 0.05}
    assert bench.told_share([move(bench.OURS)])["gate_share"] is None
    checks = bench.judge(moves)[1]
    assert not [check.name for check in checks if "gate" in check.name]
    assert {check.name for check in checks if not check.ok} == {"pairs"}


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        ({"total_ms": 71}, "median total_ms, ratio to xl migrate is 0.71, to be at most 0.7"),
        ({"stop_ms": 81}, "median stop_ms, ratio to xl migrate is 0.81, to be at most 0.8"),
        (
            {"peak_memory_kib": {"sender": 1, "receiver": 65_537}},
            "resident memory of sender and receiver, KiB is 65537, to be at most 65536",
        ),
    ],
)
def test_a_figure_is_judged_by_the_projects_own_bound(figures: dict[str, t.Any], missed: str) -> None:
    """Not by whether it is better than nothing: the page of figures tells the bound that a figure has missed."""
    moves = [move(tool, pair=pair, **own) for pair in range(5) for tool, own in ((bench.PLAIN, {}), (bench.OURS, FAST))]
    assert all(check.ok for check in bench.judge(moves)[1])
    summary, checks = bench.judge(
        [*moves[:1], *(move(bench.OURS, pair=pair, **{**FAST, **figures}) for pair in range(5))]
    )
    document = {
        "summary": summary,
        "moves": [asdict(each) for each in moves],
        "checks": [asdict(each) for each in checks],
    }
    assert bench_figures.of_lab(document)["failed"] == [missed]


def test_what_no_transport_saves_stands_beside_the_ratio() -> None:
    """Where plain xl was moved over bare TCP; else nothing is said of it."""
    moves = [move(bench.PLAIN), move(bench.OURS, total_ms=90), move(bench.BARE, total_ms=80)]
    summary = bench.judge(moves)[0]["total_ms"]
    assert (summary["ratio"], summary["bare_ratio"]) == (0.9, 0.8)
    assert "bare_ratio" not in bench.judge(moves[:2])[0]["total_ms"]


@pytest.mark.parametrize(("asked", "rate"), [(3000, 3000), (0, 0), (None, 200)])
def test_the_guest_is_as_busy_as_it_was_asked_to_be(asked: int | None, rate: int) -> None:
    """A reset takes every other rate away, since the snapshot has its own."""
    guest = types.SimpleNamespace(rate=1)
    guest.set_rate = lambda value: setattr(guest, "rate", value)
    lab = types.SimpleNamespace(guest=guest, reset=lambda: setattr(guest, "rate", 200))
    bench.prepare(t.cast("t.Any", lab), asked)
    assert guest.rate == rate


def test_the_newest_sessions_ready_counts() -> None:
    """Journals stay where they are, move after move; other steps say nothing of it."""
    texts = [
        "".join(json.dumps({"step": step, "monotonic_s": at}) + "\n" for step, at in steps)
        for steps in ([("ready", 7.5), ("commit_requested", 9.0)], [("opened", 1.0), ("ready", 3.0)])
    ]
    assert newest(texts, "ready") == 7.5


def test_the_figures_of_the_gate_tell_how_far_they_lie_apart() -> None:
    """A median alone would hide a gate that now and then takes long."""
    told = summary([1.0, 2.0, 3.0], [4.0, 5.0, 90.0])
    assert (told["plain_ms"], told["ours_ms"], told["added_ms"]) == (2.0, 5.0, 3.0)
    assert told["ours_spread_ms"]["most"] == 90.0 and told["plain_spread_ms"]["least"] == 1.0
    assert told["raw_ms"] == {"plain": [1.0, 2.0, 3.0], "ours": [4.0, 5.0, 90.0]}
    assert set(spread([7.0]).values()) == {7.0}


def test_the_gate_begins_when_the_source_knows_and_its_parts_make_up_the_whole() -> None:
    """What the destination's word takes over the link is not the gate's; whoever looks for what takes long finds it."""
    moments = [[0.5, 1.0, 1.002, 1.003, 1.005], [2.5, 3.0, 3.004, 3.005, 3.007]]
    assert [round(value, 6) for value in gates(moments)] == [5.0, 7.0]
    told = [round(value, 6) for value in parts(moments).values()]
    assert told == [500.0, 3.0, 1.0, 2.0]
    assert sum(told[1:]) == pytest.approx(sum(gates(moments)) / 2)
