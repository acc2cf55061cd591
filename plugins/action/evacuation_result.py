# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say whether hosts are empty; documented in plugins/modules/evacuation_result.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import EVACUATION_RESULT
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as report
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host
from ansible_collections.dom0.xen.plugins.plugin_utils._applying import handing_on, rounds
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.table import table
from ansible_collections.dom0.xen.plugins.plugin_utils._inventory import named, of_this_run

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Judges by what the hosts were seen to have, and by nothing else; on the controller only."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return the state of each host; fail unless all are empty."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(EVACUATION_RESULT)
        selected, history = options["selected"], options["history"]
        facts = facts_by_host(options["seen"])
        found = rounds.look(facts, selected)
        moved = [each for each in options["moves"] if each.get("changed")]
        hosts = [
            {
                "name": name,
                "answers": name not in found.silent,
                "closed": _closed(facts.get(name), options["opened"].get(name) or {}),
                "closed_before": _closed_before(options["opened"].get(name) or {}),
                "empty": name not in found.silent and not any(guest.host == name for guest in found.guests),
                "guests": [_told(guest, history) for guest in found.guests if guest.host == name],
            }
            for name in selected
        ]
        empty = [host["name"] for host in hosts if host["empty"]]
        result.update(changed=False, format=1, empty=len(empty) == len(hosts), hosts=hosts, moves=moved)
        result.update(sessions=options["sessions"], complete=result["empty"] and not options["sessions"])
        result["table"] = table(moved)
        result["artifact"] = handing_on.of_hosts(hosts, len(moved), len(options["sessions"]))
        words = "\n".join([_words(hosts, moved, options["why"]), *map(_unsettled, options["sessions"])])
        result["msg"] = named(words, of_this_run(task_vars))
        if options["result_path"] and not self._task.check_mode:
            try:
                kept = {key: result[key] for key in ("format", "empty", "complete", "hosts", "moves", "sessions")}
                report.write(options["result_path"], kept)
            except report.ResultNotWritten as exc:
                result["warnings"] = [str(exc.as_result()["msg"])]
        if not result["empty"]:
            result.update(failed=True, code="not_empty")
        elif not result["complete"]:
            result.update(failed=True, code="unsettled")
        return result


def _closed(facts: HostFacts | None, opened: t.Mapping[str, t.Any]) -> bool | None:
    """Return whether the host takes no domains, None when that is not known."""
    if opened and not (opened.get("skipped") or opened.get("failed") or opened.get("unreachable")):
        return bool(opened.get("closed"))
    return None if facts is None else facts.closed is not None


def _closed_before(opened: t.Mapping[str, t.Any]) -> Result | None:
    """Return the mark of somebody else that was left when the host was to be opened."""
    mark = opened.get("mark")
    return dict(mark) if opened.get("closed") and isinstance(mark, dict) else None


def _told(guest: rounds.Guest, history: rounds.History) -> Result:
    entry = history.get(guest.uuid) or {}
    return {**guest.to_result(), "tries": entry.get("tries", 0), "why": entry.get("why", "")}


def _unsettled(session: t.Mapping[str, t.Any]) -> str:
    way = " to ".join(str(session.get(key) or "an unknown host") for key in ("source", "destination"))
    command = _commands.playbook("settle", f"-e domain={session['uuid']}")
    return f"The migration of {session.get('name') or session['uuid']} from {way} is not settled: {command}"


def _words(hosts: t.Sequence[Result], moved: t.Sequence[Result], why: str) -> str:
    lines = []
    for host in hosts:
        if not host["answers"]:
            lines.append(f"{host['name']} does not answer: what it has is not known.")
        elif host["empty"]:
            lines.append(f"{host['name']} is empty.")
        else:
            names = ", ".join(guest["name"] for guest in host["guests"])
            lines.append(f"{host['name']} is not empty, it still has: {names}.")
            lines += [f"  {guest['name']}: {guest['why']}" for guest in host["guests"] if guest["why"]]
        if host["closed"] is not False:
            how = "is still closed to arrivals" if host["closed"] else "may still be closed to arrivals"
            mark = host["closed_before"]
            if mark is not None:
                how += f", by {mark['by'] or 'somebody'} before this run"
            command = _commands.module(host["name"], "dom0.xen.host_arrivals", "state=open")
            lines.append(f"{host['name']} {how}; to open it: {command}")
    lines.append(f"Moved by this run: {len(moved)}.")
    return "\n".join([*lines, *([why] if why else [])])
