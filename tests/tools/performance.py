# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the page of figures from ``docs/performance.json``, and put into that what benches have written.

Without arguments the page is made anew; with names of benches (``lab``, ``link``, ``gate``, ``plan``, ``fleet``) what
is in ``build/bench`` is taken over first. Run it where the bench was run, and right after: it notes the machine.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import typing as t

from ansible_collections.dom0.xen.tests.tools.bench_figures import BENCHES, OURS, PLAIN, TIMES, NotForThePage
from ansible_collections.dom0.xen.tests.tools.places import BUILD, ROOT
from ansible_collections.dom0.xen.tests.tools.playbooks import wrap

DATA = ROOT / "docs" / "performance.json"
PAGE = ROOT / "docs" / "docsite" / "rst" / "performance.rst"
LABEL = "ansible_collections.dom0.xen.docsite"

Taken = t.Mapping[str, t.Any]
Figures = t.Mapping[str, t.Any]

HEAD = f"""..
  Copyright (c) 2026, dom0.xen contributors
  GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

..
  Made from docs/performance.json by tests/tools/performance.py: change it there.

.. _{LABEL}.performance:

How fast it is
==============

.. contents::
   :local:

Each figure here was written by a bench that is part of the collection, on a machine that did nothing else, and is
told with that machine and the state of the sources. What has not been measured so is said to be that; nothing is
guessed, and nothing is taken over from other projects. A figure that misses its own bound is told with the bound.

To repeat one, run its command in a checkout on Debian 12 or 13, as root: it sets itself up, and leaves everything
that it has measured, run by run, in ``build/bench``. ``make figures ARGS="lab link"`` puts the medians of these two
into ``docs/performance.json`` and makes this page anew. A bench that was run with fewer rounds than it takes by
itself, or with a part of what it measures, is not taken over.
"""

TITLES = {
    "lab": "Against plain xl migrate",
    "link": "The link between the hosts",
    "gate": "What the gate adds",
    "plan": "Planning",
    "fleet": "Large inventories",
}
# What is measured, and how.
WHAT = {
    "lab": (
        "The same guest, which keeps rewriting its memory, moved between two Xen hosts inside QEMU: by ``xl "
        "migrate`` over ssh as people type it, and by ``dom0.xen.migrate``, in turns. Both are measured from "
        "outside. The hosts are emulated, so the ratio of the two says something, and the times themselves do "
        "not. ``total_ms`` is from the start of ``xl migrate`` to its end, ``stop_ms`` the time for which the "
        "guest stood still, ``gap_ms`` the longest time without an answer of the guest, and ``wall_ms`` what "
        "somebody has waited who typed the command, Ansible included."
    ),
    "link": (
        "Streams that were recorded on real Xen, replayed through the whole sender and receiver, and through "
        "``ssh`` and ``socat``, in turns, on loopback and on links that are slowed down. ``default`` chooses "
        "how to pack by itself. MB/s are those of the stream, before it is packed; processor time is what the "
        "whole machine did meanwhile, for both ends and the link between them."
    ),
    "gate": (
        "The time from the moment at which the destination has all of a guest to the permission to run it, on "
        "the stand-in for Xen and a real disk: it is time in which the guest stands still. Here both hosts' "
        "disks have to have the decision first, which plain ``xl`` does not ask for."
    ),
    "plan": (
        "Plans for small fleets against trying every order of moves, for ten hosts against the best that "
        "OR-tools proves, and for 100 hosts with 1,000 domains against the best that it finds in its time."
    ),
    "fleet": (
        "Processor time of the controller for the facts of 200 dom0s with 10,000 domains: to write, read, "
        "list and compare them."
    ),
}
_WIDTH = 40


def stroke(value: float, largest: float) -> str:
    """Return a bar of text as long as the value's share of the largest one; one that is not nothing is seen."""
    return "█" * max(round(_WIDTH * value / largest), 1 if value > 0 else 0) if largest > 0 else ""


def plot(rows: t.Sequence[tuple[str, float, str]]) -> list[str]:
    """Return bars below one another, with a name before and the figure behind each, as a block of rst."""
    name = max(len(row[0]) for row in rows)
    largest = max(row[1] for row in rows)
    drawn = [f"   {row[0].ljust(name)}  {stroke(row[1], largest).ljust(_WIDTH)}  {row[2]}".rstrip() for row in rows]
    return [".. code-block:: text", "", *drawn, ""]


def _lab(found: Figures) -> list[str]:
    lines: list[str] = []
    for key in TIMES:
        plain, own = found[key][PLAIN], found[key][OURS]
        lines += [f"``{key}``, median of {found['pairs']} moves each; the ratio is {own / plain:.2f}:", ""]
        lines += plot([(tool, found[key][tool], f"{found[key][tool]:.0f} ms") for tool in (PLAIN, OURS)])
    share = found["gate_share"]
    told = "not known" if share is None else f"{share:.1%}"
    words = (
        f"The gate's share of the stop time: {told}. "
        f"The most memory of a sender or receiver: {found['peak_memory_mib']} MiB."
    )
    return [*lines, *wrap(words)]


def _link(found: Figures) -> list[str]:
    lines: list[str] = []
    for network, stream in dict.fromkeys((row["network"], row["stream"]) for row in found["rows"]):
        rows = [row for row in found["rows"] if (row["network"], row["stream"]) == (network, stream)]
        lines += [f"{network}, ``{stream}``, median of {found['rounds']}:", ""]
        lines += plot(
            [(row["way"], row["mb_s"], f"{row['mb_s']:.0f} MB/s, {row['cpu_s_per_gb']:.1f} CPU s a GB") for row in rows]
        )
    return lines


def _gate(found: Figures) -> list[str]:
    rows = [
        ("xl migrate", "plain_ms"),
        ("dom0.xen", "ours_ms"),
        ("added", "added_ms"),
        ("one flush of the disk", "flush_ms"),
    ]
    return [
        f"Median of {found['pairs']}:",
        "",
        *plot([(name, found[key], f"{found[key]:.1f} ms") for name, key in rows]),
    ]


def _plan(found: Figures) -> list[str]:
    small = found["small"]
    lines = wrap(
        f"Of {small['cases']} small fleets {small['feasible']} can be emptied; a plan was found for {small['found']}, "
        f"and for {small['as_cheap']} of them it moves no more memory than it must."
    )
    for size, words in (("medium", "ten hosts"), ("large", "100 hosts")):
        told = found[size]
        gap = "not known" if told["gap_largest"] is None else f"at most {told['gap_largest']:.1%}"
        lines += wrap(
            f"{told['fleets']} fleets of {words}: {told['missed']} without a plan where OR-tools has one; memory moved "
            f"beyond that of its plan: {gap}; processor time of the slowest: {told['slowest_cpu_s']:.1f} s."
        )
    return lines


def _fleet(found: Figures) -> list[str]:
    rows = [(name, found[f"{name}_s"], f"{found[f'{name}_s']:.1f} s") for name in ("write", "read", "list", "compare")]
    size = f"{found['dom0s']} dom0s with {found['domains']} domains each, {found['bytes'] / 1e6:.0f} MB of facts:"
    return [size, "", *plot(rows)]


_SECTIONS: dict[str, t.Callable[[Figures], list[str]]] = {
    "lab": _lab,
    "link": _link,
    "gate": _gate,
    "plan": _plan,
    "fleet": _fleet,
}


def section(name: str, target: str, taken: Taken | None) -> list[str]:
    """Return the part of the page about one bench, with figures or without."""
    title = TITLES[name]
    lines = [title, "-" * len(title), "", *wrap(WHAT[name]), f"``make {target}`` repeats it.", ""]
    if taken is None:
        return [*lines, "**Not measured yet** on a machine that did nothing else.", ""]
    note = f" {taken['note']}" if taken["note"] else ""
    lines += [f"{taken['date']}, sources {taken['commit']}, {taken['machine']}.{note}", ""]
    failed = taken["figures"].get("failed") or []
    if failed:
        lines += ["Bounds that do not hold:", "", *(f"- {each}" for each in failed), ""]
    return [*lines, *_SECTIONS[name](taken["figures"])]


def page(data: t.Mapping[str, Taken]) -> str:
    """Return the page."""
    parts = [HEAD.rstrip("\n"), ""]
    for bench in BENCHES:
        parts += section(bench.name, bench.target, data.get(bench.name))
    return "\n".join(parts).rstrip("\n") + "\n"


def machine() -> str:
    """Return what this machine is, in a few words."""
    cpus = re.findall(r"^model name\s*: (.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    model = cpus[0].strip() if cpus else platform.machine()
    size = f"{int(memory[1]) / 2**20:.0f} GiB" if memory else "memory unknown"
    python = platform.python_version()
    return f"{os.cpu_count()} processors ({model}), {size}, Linux {platform.release()}, Python {python}"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def take(name: str, note: str) -> dict[str, t.Any]:
    """Return what a bench has written here, with when, of which sources, and on what.

    Ends the program where there is nothing, or nothing for the page.
    """
    bench = next(each for each in BENCHES if each.name == name)
    path = BUILD / "bench" / f"{name}.json"
    try:
        figures = bench.keep(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise SystemExit(f"{path.relative_to(ROOT)} is not there: make {bench.target}") from None
    except NotForThePage as exc:
        raise SystemExit(f"{path.relative_to(ROOT)} is not for the page: {exc}.") from None
    date = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC).date().isoformat()
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    commit = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    return {"date": date, "commit": commit, "machine": machine(), "note": note, "figures": figures}


def main() -> int:
    """Take over what was asked for, and write the page."""
    parser = argparse.ArgumentParser(prog="make figures", description=__doc__)
    names = [bench.name for bench in BENCHES]
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=f"of {', '.join(names)}")
    parser.add_argument("--note", default="", help="a sentence that is told with the figures")
    options = parser.parse_args()
    if not set(options.benches) <= set(names):
        parser.error(f"benches are {', '.join(names)}")
    data = json.loads(DATA.read_text(encoding="utf-8"))
    for name in options.benches:
        data[name] = take(name, options.note)
    DATA.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(data), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
