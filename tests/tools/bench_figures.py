# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a bench's document is kept for the page of figures: few numbers, and only of a bench that was run in full.

Pure: documents of ``build/bench`` in, plain dicts out.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import typing as t

Document = t.Mapping[str, t.Any]
Figures = dict[str, t.Any]

# Of what ``make lab-bench`` has of each tool, the figures that are told, in milliseconds.
TIMES = ("total_ms", "stop_ms", "gap_ms", "wall_ms")
# How the two tools are called in that document.
PLAIN, OURS = "xl migrate", "dom0.xen"


class NotForThePage(Exception):
    """A bench was run with less than it takes by itself; its figures are for whoever ran it."""


@dataclasses.dataclass(frozen=True)
class Bench:
    """A bench: the target that runs it, which is its document's name in build/bench, and what is kept of it."""

    name: str
    target: str
    keep: t.Callable[[Document], Figures]


def of_lab(document: Document) -> Figures:
    """Keep the medians of both tools, and the most memory. Raises NotForThePage."""
    pairs = len({move["pair"] for move in document["moves"]})
    _require("pairs", pairs, 5)
    if document.get("rate") is not None:
        raise NotForThePage("the guest was given another rate of writing than the usual one")
    summary = document["summary"]
    missing = [key for key in TIMES if not all(math.isfinite(summary[key][tool]) for tool in (PLAIN, OURS))]
    if missing:
        raise NotForThePage(f"{', '.join(missing)} was not seen")
    peaks = [peak for move in document["moves"] for peak in (move.get("peak_memory_kib") or {}).values() if peak]
    return {
        "pairs": pairs,
        **{key: {tool: summary[key][tool] for tool in (PLAIN, OURS)} for key in TIMES},
        "gate_share": document.get("gate_share"),
        "peak_memory_mib": round(max(peaks) / 1024, 1),
        "failed": _failed(document),
    }


def of_link(document: Document) -> Figures:
    """Keep rate and processor time of each way, on all networks, with all captures, and which bounds do not hold.

    Raises NotForThePage.
    """
    _require_all(document)
    measured = [
        (network, stream, way, told)
        for network, streams in document["networks"].items()
        for stream, ways in streams.items()
        for way, told in ways.items()
    ]
    rounds = min((len(told["raw"]) for *dummy, told in measured), default=0)
    _require("rounds", rounds, 5)
    rows = [
        {"network": network, "stream": stream, "way": way, **{key: told[key] for key in ("mb_s", "cpu_s_per_gb")}}
        for network, stream, way, told in measured
    ]
    return {"rounds": rounds, "rows": rows, "failed": _failed(document)}


def _require_all(document: Document) -> None:
    """Raise NotForThePage where something of what the bench takes by itself (``all``) was left out."""
    there = document.get("all") or {}
    wanted = set(itertools.product(*(there.get(key) or () for key in ("networks", "streams", "ways"))))
    if not wanted:
        raise NotForThePage("it is not said what a full one has")
    measured = {
        (network, stream, way)
        for network, streams in document["networks"].items()
        for stream, ways in streams.items()
        for way in ways
    }
    if missing := sorted(wanted - measured):
        raise NotForThePage(f"{' '.join(missing[0])} was left out, and {len(missing) - 1} more")


def of_gate(document: Document) -> Figures:
    """Keep the medians, in milliseconds. Raises NotForThePage."""
    _require("pairs", document["pairs"], 15)
    times = {key: round(document[key], 2) for key in ("plain_ms", "ours_ms", "added_ms", "flush_ms")}
    return {"pairs": document["pairs"], **times, "failed": _failed(document)}


def of_plan(document: Document) -> Figures:
    """Keep how good plans are, and the longest that they took, in seconds. Raises NotForThePage."""
    _require("cases", document["small"]["cases"], 50)
    small = {key: document["small"][key] for key in ("cases", "feasible", "found", "as_cheap")}
    sizes = {
        size: {
            "fleets": document[size]["fleets"],
            "missed": document[size]["missed"],
            "gap_largest": document[size]["gap_largest"],
            "slowest_cpu_s": document[size]["builtin_slowest_cpu_s"],
        }
        for size in ("medium", "large")
    }
    return {"small": small, **sizes}


def of_fleet(document: Document) -> Figures:
    """Keep all: it is little. Raises NotForThePage."""
    _require("dom0s", document["dom0s"], 200)
    _require("domains on each", document["domains"], 50)
    return {key: document[key] for key in ("dom0s", "domains", "bytes", "write_s", "read_s", "list_s", "compare_s")}


BENCHES = (
    Bench("lab", "lab-bench", of_lab),
    Bench("link", "bench", of_link),
    Bench("gate", "bench-gate", of_gate),
    Bench("plan", "bench-plan", of_plan),
    Bench("fleet", "bench-fleet", of_fleet),
)


def _require(what: str, there: int, least: int) -> None:
    if there < least:
        raise NotForThePage(f"{what}: {there}, and fewer than {least} say too little")


def _failed(document: Document) -> list[str]:
    """Return the bounds that did not hold: a figure that missed its own goal is told with that."""
    return [
        f"{check['name']} is {check['value']}, to be {check['needed']}"
        for check in document["checks"]
        if not check["ok"]
    ]
