# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long guests stand still at the gate for the controller, beyond the caller's own tasks, when it has much to do."""

from __future__ import annotations

import json
import pathlib
import re
import statistics
import typing as t

from ansible_collections.dom0.xen.tests.scale.figures import Figure, Part
from ansible_collections.dom0.xen.tests.scale.fleet import Fleet, fleet

SIZE = 8
FORKS = 2
BEYOND_S = 0.5
# The caller's own tasks: somebody is asked, which takes a moment. The first and the last of them only tell the time.
_TASKS = """\
---
- name: Note when the caller's tasks begin
  ansible.builtin.debug:
    msg: "AT-GATE {{ migrate_domain }} began {{ '%.4f' % now().timestamp() }}"
- name: Ask for the change
  ansible.builtin.wait_for:
    timeout: 2
  delegate_to: localhost
- name: Note when the caller's tasks are over
  ansible.builtin.debug:
    msg: "AT-GATE {{ migrate_domain }} ended {{ '%.4f' % now().timestamp() }}"
"""
_SAID = re.compile(r"AT-GATE (\S+) (began|ended) ([0-9.]+)")


# What the sender puts on record: the gate is reached, the controller has noticed, it has permitted.
_STEPS = ("permission_held", "gate_tasks_started", "commit_requested")


def own(log: str) -> dict[str, tuple[float, float]]:
    """Return when the caller's tasks began and ended for each domain, by its UUID, in seconds since 1970."""
    said = {(domain, what): float(at) for domain, what, at in _SAID.findall(log)}
    return {d: (said[d, "began"], said[d, "ended"]) for d, what in said if what == "began" and (d, "ended") in said}


def times(journal: str, mine: tuple[float, float]) -> dict[str, float] | None:
    """Return how long the gate was held, by the sender's journal, and what of it went where; None for no such gate.

    ``beyond_s`` is what the caller's own tasks did not take: until the controller had noticed, and this was on record;
    until the first of these tasks; and from their end until it had permitted.
    """
    records = [json.loads(line) for line in journal.splitlines()]
    at = {record["step"]: record for record in records}
    if not set(_STEPS) <= set(at):
        return None
    held, noticed, permitted = (float(at[step]["monotonic_s"]) for step in _STEPS)
    return {
        "held_s": permitted - held,
        "own_s": mine[1] - mine[0],
        "beyond_s": permitted - held - (mine[1] - mine[0]),
        "until_noticed_s": noticed - held,
        "until_own_s": mine[0] - float(at["gate_tasks_started"]["unix_s"]),
        "until_permitted_s": float(at["commit_requested"]["unix_s"]) - mine[1],
    }


def measure(size: int = SIZE) -> Part:
    """Empty a host of so many domains on two forks, with somebody at the gate."""
    with fleet(("xen1", "xen2", "xen3")) as found:
        found.fill(("xen1",), size)
        tasks = found.folder / "gate.yml"
        tasks.write_text(_TASKS)
        run = found.empty(
            ("xen1",),
            *("--forks", str(FORKS), "-e", "migrate_gate=controller", "-e", f"migrate_gate_tasks={tasks}"),
        )
        if run.status:
            print(run.log[-6000:], flush=True)
        rows = _rows(found, run.log)
        beyond = [row["beyond_s"] for row in rows]
        figures = (
            Figure("moves_at_the_gate", len(rows), least=size),
            Figure("exit_status", run.status, most=0),
            Figure("beyond_the_callers_tasks_median_s", statistics.median(beyond) if beyond else None),
            Figure("beyond_the_callers_tasks_worst_s", max(beyond, default=None), most=BEYOND_S),
            Figure("domains_not_exactly_once", found.not_once(), most=0),
        )
    return Part("gate", figures, {"domains": size, "forks": FORKS}, tuple(rows))


def _rows(found: Fleet, log: str) -> list[dict[str, t.Any]]:
    mine = own(log)
    folder: pathlib.Path = found.site["xen1"].paths.lib / "dom0-xen"
    rows = []
    for move in found.moves():
        path = folder / f"{move['session']}.sender" / "journal"
        if move["domain"]["uuid"] in mine and path.exists():
            rows.append(times(path.read_text(), mine[move["domain"]["uuid"]]))
    return [row for row in rows if row is not None]
