# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run over many hosts: what is done, what is left, what stands in the way (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks.maintenance import DONE, EMPTY, OVER, place
from ansible_collections.dom0.xen.plugins.plugin_utils._columns import columns
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import NoDestination
from ansible_collections.dom0.xen.plugins.plugin_utils._task_files import shape_trouble

Noted = t.Mapping[str, t.Any]
# The state of a host whose turn has not come.
NOT_BEGUN = "not begun"
_UNTIL = "is closed to arrivals until it is done"


class CannotBeMaintained(Dom0XenError):
    """There is something in the way on at least one of the hosts."""

    code = "cannot_be_maintained"
    remedy = "Do away with what is said above. Nothing has been begun."


class TasksInvalid(Dom0XenError):
    """The caller's file of tasks is none."""

    code = "tasks_invalid"
    remedy = "Give a file with a list of tasks, that can be read on the controller: -e maintain_tasks=FILE"


@dataclasses.dataclass(frozen=True)
class Course:
    """The hosts in their turns: those ``done``, and those ``left``, of which some have been emptied ``already``."""

    done: tuple[str, ...]
    left: tuple[str, ...]
    already: tuple[str, ...]


def course(selected: t.Sequence[str], notes: t.Mapping[str, Noted | None], run: str) -> Course:
    """Say how far the run of these words has come on each host, by what is noted there.

    Raises CannotBeMaintained for a host that is in the middle of another one.
    """
    others = {name: note for name in selected if (note := notes.get(name)) and note.get("run") != run}
    if others:
        lines = [
            f"{name} is in the middle of `{note.get('run')}`, which was not brought to its end."
            for name, note in others.items()
        ]
        raise CannotBeMaintained(
            "\n".join(lines), remedy="Run that one again; or begin anew, with -e maintain_anew=true."
        )
    places = {name: place(note.get("stage")) for name in selected if (note := notes.get(name))}
    # Where one says that all were done, marks were being taken away.
    if any(each >= place(OVER) for each in places.values()):
        return Course(tuple(selected), (), ())
    done = tuple(name for name in selected if places.get(name, -1) >= place(DONE))
    left = tuple(name for name in selected if name not in done)
    return Course(done, left, tuple(name for name in left if places.get(name, -1) >= place(EMPTY)))


def opened(
    answers: t.Mapping[str, t.Mapping[str, t.Any]], hosts: t.Collection[str], runs: t.Collection[str]
) -> dict[str, t.Any]:
    """Return what the dom0s told, as if some were open to arrivals: these ``runs`` close each only for its turn.

    What a person, or another run, has closed is closed.
    """
    found: dict[str, t.Any] = {}
    for name, info in answers.items():
        told = info.get("host")
        mark = told.get("closed") if isinstance(told, dict) else None
        ours = name in hosts and isinstance(mark, dict) and mark.get("run") in runs
        found[name] = {**info, "host": {**dict(told or {}), "closed": None}} if ours else info
    return found


def unstartable(stops: t.Iterable[t.Mapping[str, t.Any]], answers: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Return a sentence for each domain that would be shut down and could not be started again."""
    found = []
    for stop in stops:
        domains = answers[stop["host"]].get("domains") or ()
        files = next((each.get("config_files") for each in domains if each.get("uuid") == stop["uuid"]), None)
        if not files or len(files) > 1:
            what = f"{len(files)} configuration files" if files else "no configuration file"
            found.append(
                f"{stop['name']} is to be shut down on {stop['host']} and could not be started again: the host has"
                f" {what} for it in /etc/xen."
            )
    return found


def require(
    left: t.Sequence[str],
    plans: t.Mapping[str, t.Mapping[str, t.Any]],
    answers: t.Mapping[str, t.Mapping[str, t.Any]],
    shut_down: bool,
) -> None:
    """Raise CannotBeMaintained with everything that stands in the way on any of the hosts, each thing once.

    ``shut_down``: domains that cannot leave are shut down.
    """
    lines: list[str] = []
    for name in left:
        if not isinstance((answers.get(name) or {}).get("host"), dict):
            why = " ".join(str((answers.get(name) or {}).get("msg") or "it told nothing").split())[:300]
            lines.append(f"{name} does not answer: {why}")
            continue
        plan = plans.get(name) or {}
        # Whether it has failed was not to matter to the task that made it.
        if plan.get("code"):
            lines += str(plan.get("msg") or "").splitlines()
        unmovable = list(plan.get("unmovable") or ())
        dealt_with = {each["uuid"] for each in unmovable}
        # Such as a copy that a migration has left, or a domain that is on two hosts: nobody shuts these down.
        lines += [
            f"{each['name']} cannot leave {name}, and is not to be shut down: {each['why']}"
            for each in plan.get("blockers") or ()
            if each["uuid"] not in dealt_with and not plan.get("code")
        ]
        stops = [*(plan.get("stops") or ()), *(unmovable if shut_down else ())]
        lines += unstartable(stops, answers)
    if lines:
        raise CannotBeMaintained("\n".join(dict.fromkeys(lines)))


def require_others(selected: t.Sequence[str], inventory: t.Sequence[str]) -> None:
    """Raise NoDestination where there is no other host that domains could go to."""
    if len(set(inventory)) < 2:
        raise NoDestination(f"{', '.join(selected)} is the only dom0 of the inventory: domains could go nowhere.")


def tasks_of(content: t.Any, path: str) -> int:
    """Return how many tasks a file has. Raises TasksInvalid when it is no list of tasks."""
    trouble = shape_trouble(path, content)
    if trouble:
        raise TasksInvalid(trouble)
    return len(content)


def reported(selected: t.Sequence[str], reports: t.Mapping[str, Noted]) -> list[dict[str, t.Any]]:
    """Return what came of each host, in the order of their turns. One that was lost says nothing itself."""
    found = []
    for name in selected:
        report = {"name": name, "state": NOT_BEGUN, **(reports.get(name) or {})}
        if report["state"] not in (DONE, NOT_BEGUN) and not report.get("why"):
            report["why"] = "it did not answer any more, and the run was over for it."
        found.append(report)
    return found


def moves(hosts: t.Sequence[Noted]) -> list[Noted]:
    """Return what was moved for each host of :func:`reported`: away from it first, then back to it."""
    return [move for report in hosts for key in ("moved", "returned") for move in report.get(key) or ()]


def table(hosts: t.Sequence[Noted]) -> list[str]:
    """Return what :func:`reported` returned as a table, with what a person has to know besides below it."""
    rows: list[tuple[str, ...]] = [("host", "state", "Xen", "away", "back", "started")]
    for report in hosts:
        counts = [str(len(report.get(key) or ())) for key in ("moved", "returned", "started")]
        rows.append((str(report["name"]), str(report["state"]), str(report.get("xen") or "?"), *counts))
    lines = columns(rows)
    for report in hosts:
        name = report["name"]
        lines += [f"{name}: {report['why']}"] if report.get("why") else []
        lines += [f"{each['name']} did not come back to {name}: {each['why']}" for each in report.get("missed") or ()]
        if report.get("closed"):
            command = _commands.module(str(name), "dom0.xen.host_arrivals", "state=open")
            how = "stays closed to arrivals, as it was before this run" if report["state"] == DONE else _UNTIL
            lines.append(f"{name} {how}; to open it all the same: {command}")
    if any(report["state"] != DONE for report in hosts):
        lines.append("The same command goes on from here.")
    return lines
