# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of figures has those that were measured, and says of the others that they were not."""

from __future__ import annotations

import json
import re
import typing as t

import pytest

from ansible_collections.dom0.xen.tests.bench.link.__main__ import everything
from ansible_collections.dom0.xen.tests.tools import bench_figures, performance
from ansible_collections.dom0.xen.tests.tools.bench_figures import BENCHES, NotForThePage
from ansible_collections.dom0.xen.tests.tools.places import ROOT

TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
WHERE = {"date": "2026-11-29", "commit": "abc", "machine": "2 processors (x)", "note": "All was still."}


def lab(**changes: t.Any) -> dict[str, t.Any]:
    """A document of make lab-bench, as far as it is looked at."""
    times = {key: {"xl migrate": 2000.0, "dom0.xen": 1500.0, "ratio": 0.75} for key in bench_figures.TIMES}
    moves = [{"pair": pair // 2, "peak_memory_kib": {"source": 40_960, "destination": None}} for pair in range(10)]
    check = {"name": "median stop_ms", "value": 1.1, "needed": "at most 1.0", "ok": False}
    return {"rate": None, "gate_share": 0.0312, "summary": times, "moves": moves, "checks": [check], **changes}


def link(rounds: int, left_out: tuple[str, ...] = (), **changes: t.Any) -> dict[str, t.Any]:
    """A document of make bench, without what has one of these names."""
    rates = {"ssh": 100.0, "default": 200.0}
    full = {"networks": ["10G", "1G"], "streams": ["pvh", "hvm"], "ways": list(rates)}
    networks, streams, ways = ([name for name in names if name not in left_out] for names in full.values())
    told = {way: {"mb_s": rates[way], "cpu_s_per_gb": 3.4, "raw": [{}] * rounds} for way in ways}
    measured = {network: dict.fromkeys(streams, told) for network in networks}
    missed = {"name": "1G pvh: default against ssh", "value": 2.0, "needed": "at least 5.0", "ok": False}
    return {"all": full, "networks": measured, "checks": [missed], **changes}


FLEET = {"dom0s": 200, "domains": 50, "bytes": 10_000_000, "write_s": 5.0, "read_s": 11.0, "list_s": 1.0}
SMALL = {"cases": 50, "feasible": 27, "found": 27, "as_cheap": 26}
SIZE = {"fleets": 4, "missed": 0, "gap_largest": 0.012, "builtin_slowest_cpu_s": 1.07}
GATE = {"pairs": 15, "plain_ms": 0.76, "ours_ms": 12.4, "added_ms": 11.64, "flush_ms": 1.28, "checks": []}
DOCUMENTS: dict[str, dict[str, t.Any]] = {
    "lab": lab(),
    "link": link(5),
    "gate": GATE,
    "plan": {"small": SMALL, "medium": {**SIZE, "gap_largest": None}, "large": SIZE},
    "fleet": {**FLEET, "compare_s": 4.0},
}


def test_the_page_is_made_of_the_figures() -> None:
    """make figures makes it anew; what is changed by hand is not what was measured."""
    data = json.loads(performance.DATA.read_text(encoding="utf-8"))
    assert performance.PAGE.read_text(encoding="utf-8") == performance.page(data)


def test_what_was_not_measured_is_said_to_be_that() -> None:
    """Each bench is on the page, with the command that repeats it."""
    text = performance.page({})
    assert text.count("**Not measured yet**") == len(BENCHES)
    for bench in BENCHES:
        assert f"``make {bench.target}`` repeats it." in text and bench.target in TARGETS


def test_what_was_measured_is_told_with_where_and_what_it_missed() -> None:
    """A time without a machine says nothing, and a bound that does not hold is no secret."""
    assert set(DOCUMENTS) == {bench.name for bench in BENCHES}
    data = {bench.name: {**WHERE, "figures": bench.keep(DOCUMENTS[bench.name])} for bench in BENCHES}
    # They are kept as JSON.
    text = performance.page(json.loads(json.dumps(data)))
    assert "Not measured" not in text
    assert text.count("2026-11-29, sources abc, 2 processors (x). All was still.") == len(BENCHES)
    assert "Bounds that do not hold:\n\n- median stop_ms is 1.1, to be at most 1.0\n" in text
    assert f"   xl migrate  {'█' * 40}  2000 ms\n   dom0.xen    {'█' * 30}{' ' * 10}  1500 ms\n" in text
    assert (
        "the ratio is 0.75:" in text and "stop time: 3.1%. The most memory of a sender or receiver: 40.0 MiB." in text
    )
    assert f"   ssh      {'█' * 20}{' ' * 20}  100 MB/s, 3.4 CPU s a GB\n" in text
    assert "added                  " in text and "11.6 ms" in text
    assert "at most 1.2%" in text and "not known" in text
    assert "200 dom0s with 50 domains each, 10 MB of facts:" in text


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("lab", lab(moves=lab()["moves"][:8])),
        ("lab", lab(rate=2000)),
        ("lab", lab(summary={**lab()["summary"], "stop_ms": {"xl migrate": 2000.0, "dom0.xen": float("nan")}})),
        ("link", link(4)),
        ("link", link(5, ("1G",))),
        ("link", link(5, ("hvm",))),
        ("link", link(5, ("ssh",))),
        ("link", link(5, networks={**link(5)["networks"], **link(5, ("hvm",))["networks"]})),
        ("link", link(5, all={})),
        ("link", link(5, all={"networks": ["10G"], "streams": [], "ways": ["ssh"]})),
        ("link", {"networks": {}}),
        ("gate", {**GATE, "pairs": 3}),
        ("plan", {**DOCUMENTS["plan"], "small": {**SMALL, "cases": 5}}),
        ("fleet", {**DOCUMENTS["fleet"], "dom0s": 40}),
    ],
)
def test_a_bench_that_was_cut_short_is_not_for_the_page(name: str, document: dict[str, t.Any]) -> None:
    """Whoever has tried something quickly does not publish it by mistake."""
    keep = next(bench.keep for bench in BENCHES if bench.name == name)
    with pytest.raises(NotForThePage):
        keep(document)


def test_the_bench_says_what_a_full_one_has() -> None:
    """Whatever was asked for: the page cannot know which captures there are."""
    told = everything(["pvh", "hvm"])
    assert told["streams"] == ["pvh", "hvm"] and {"loopback", "1G"} < set(told["networks"])
    assert {"ssh", "socat", "default", "tls-none", "tcp-none"} < set(told["ways"])
    assert all(len(set(names)) == len(names) for names in told.values())


def test_something_is_seen_of_what_is_little() -> None:
    """A bar without length looks like a figure that is missing; one of nothing has none."""
    assert performance.stroke(0.1, 1000) == "█" and performance.stroke(0, 1000) == "" and performance.stroke(0, 0) == ""
