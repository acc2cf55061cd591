# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell where a domain is from what both hosts showed; documented in plugins/modules/migration_verdict.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._ownership import (
    DESTINATION,
    MOVED,
    RUNNING_TWICE,
    STAYED,
    UNSETTLED,
    Evidence,
    Verdict,
    copies_running,
    verdict,
    verdict_same_host,
)
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import VERDICT
from ansible_collections.dom0.xen.plugins.plugin_utils import _aftermath as aftermath
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as report
from ansible_collections.dom0.xen.plugins.plugin_utils import _stop_told as stop_told
from ansible_collections.dom0.xen.plugins.plugin_utils._inventory import of_this_run

# What to tell when a watch ended without the session's last word.
_LAST_WORD_MISSING = {
    "gone": (
        "sender_gone",
        "the sender's process ended without leaving a result.",
        "See there with journalctl whether it was killed or the host restarted; then run the same command again.",
    ),
    "silent": (
        "sender_silent",
        "the sender's status has not changed for long.",
        "Run the same command again: it watches on, or settles what was interrupted. See what its process on the host"
        " is waiting for, and with xl list on both hosts where the domain is.",
    ),
    "missing": (
        "sender_missing",
        "the sender's status was never seen.",
        "See that the host was not restarted; then run the same command again.",
    ),
}


class ActionModule(ActionBase):
    """Pure judging on the controller; the result is also written to a file when asked for."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the result of the move; fail unless the domain runs at the destination and nothing is left to do."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(VERDICT)
        judged = _judge(options)
        domain, name = options["domain"], options["domain"]["name"]
        outcome = report.build(judged, _last_words(options), domain, options["source"], options["destination"])
        outcome["method_reason"] = options["method_reason"] or None
        outcome["findings"] = options["findings"]
        looks = (options["source_info"], options["destination_info"])
        outcome.update(aftermath.tell(outcome["session"], *looks, options["status"], outcome["end_state"]))
        outcome["monitor"] = aftermath.monitor(outcome["end_state"], *looks)
        outcome["after_tasks"] = aftermath.after(outcome["session"], *looks, options["after_tasks"])
        outcome["remarks"] = aftermath.remarks(outcome, options["source"], options["destination"])
        lifeless = aftermath.failure(outcome, name, options["destination"])
        error = _first_error(options) or lifeless
        outcome["rehearsed"] = rehearsed = judged.settled and _rehearsed(options, judged)
        if rehearsed:
            outcome["error"] = error = None
        if error:
            outcome["error"] = error
        # A verdict that had an objection a moment ago is no error by itself: this look counts.
        looked_again = "end_state" in options["error"]
        seen_well = judged.end_state == MOVED and judged.settled and lifeless is None
        succeeded = rehearsed or (seen_well and (looked_again or not options["error"]))
        result.update(changed=False, **outcome)
        tell = stop_told.rehearsal if rehearsed else report.sentence
        result["msg"] = tell(outcome, name) if succeeded else report.complaint(outcome, name, error)
        if outcome["after_tasks"] == aftermath.CAUGHT_UP:
            result["msg"] += " What an earlier run still owed of the tasks after the move has been run."
        if outcome["remarks"]:
            result["warnings"] = [aftermath.line(remark) for remark in outcome["remarks"]]
        if not succeeded:
            result.update(failed=True, code=(error or {}).get("code") or judged.end_state)
            if not judged.settled:
                command = _commands.playbook("settle", f"-e domain={domain['uuid']}", inventory=of_this_run(task_vars))
                result["msg"] += f" Bring it to its end: `{command}`"
        if options["result_path"] and not self._task.check_mode:
            try:
                report.write(options["result_path"], outcome)
            except Dom0XenError as exc:
                result.update(failed=True, msg=f"{result['msg']} {exc.as_result()['msg']}")
        return result


def _rehearsed(options: dict[str, t.Any], judged: Verdict) -> bool:
    """Whether a rehearsal that was asked for has ended as one: nothing else has failed, and the domain is here."""
    if not options["rehearse"] or options["error"] or judged.end_state != STAYED:
        return False
    return bool((options["status"].get("error") or {}).get("code") == stop_told.REHEARSED)


def _judge(options: dict[str, t.Any]) -> Verdict:
    name = options["domain"]["name"]
    destination = _evidence(options["destination"], options["destination_info"])
    told = _left_paused(options)
    if options["same_host"]:
        return verdict_same_host(name, destination, MOVED if told else options["status"].get("end_state"), told)
    left_paused = told or options["leave_paused"]
    if not options["source"]:
        # No other host had it when all were asked: the destination alone is the evidence.
        alive = [row for row in destination.copies if row.state.alive]
        there = alive if left_paused else copies_running(destination)
        if there:
            how = "is paused" if there[0].state.paused else "runs"
            return Verdict(DESTINATION, MOVED, f"It {how} on {destination.host}.", True)
    source = _evidence(options["source"], options["source_info"])
    judged = verdict(name, source, destination, left_paused)
    # One look shows a host in one moment: two copies on the same one are two.
    once = all(len(copies_running(host)) == 1 for host in (source, destination))
    return _seen_on_both(options) if judged.end_state == RUNNING_TWICE and once and _moves(options) else judged


def _moves(options: dict[str, t.Any]) -> bool:
    """Whether the sender was still at work when the source was looked at."""
    sender = aftermath.of_session(options["source_info"], None, SENDER)
    return bool(sender.get("alive")) and sender.get("phase") != "ended"


def _seen_on_both(options: dict[str, t.Any]) -> Verdict:
    reason = (
        f"It was seen running on {options['source']} and then on {options['destination']}, while a session moved it:"
        " hosts are not looked at in the same moment. Look again; if it still runs on both, pause both copies at once."
    )
    return Verdict(UNSETTLED, UNSETTLED, reason, False)


def _left_paused(options: dict[str, t.Any]) -> bool:
    """Whether a session of this move says that it has moved the domain, and was to leave it paused."""
    infos = (options["source_info"], options["destination_info"])
    words = [options["status"], *(session for info in infos for session in info.get("sessions") or ())]
    return any(word.get("leave_paused") and word.get("end_state") == MOVED for word in words)


def _last_words(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the sender's last status; what it was asked for from the receiver's, where the source has lost its own."""
    status = options["status"]
    receiver = aftermath.of_session(options["destination_info"], status.get("session"), RECEIVER)
    asked = {key: receiver[key] for key in report.CHOICES if receiver.get(key) is not None and key not in status}
    return {**status, **asked}


def _evidence(host: str, info: dict[str, t.Any]) -> Evidence:
    copies = info.get("copies")
    return Evidence(host, copies is not None, tuple(DomainRow.from_result(copy) for copy in copies or ()))


def _first_error(options: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """Return the error that came first, with its host: the session's own, which is nearer to the cause, or a task's."""
    told, failed = options["status"].get("error"), options["error"]
    sides = {"sender": options["source"], "receiver": options["destination"]}
    if told:
        return _with_host(told, sides.get(told.get("side"), ""))
    if options["ending"] in _LAST_WORD_MISSING and failed:
        code, message, remedy = _LAST_WORD_MISSING[options["ending"]]
        return _with_host({"code": code, "msg": message, "remedy": remedy}, options["source"])
    if not failed:
        return None
    if "end_state" in failed:
        return dict(failed["error"]) if failed.get("error") else None
    known = {key: failed[key] for key in ("msg", "code", "host", "remedy", "details") if failed.get(key)}
    return _with_host(known, options["error_host"])


def _with_host(error: t.Mapping[str, t.Any], otherwise: str) -> dict[str, t.Any]:
    host = error.get("host") or otherwise or None
    message = str(error.get("msg") or "a task failed")
    if host and not message.startswith(f"{host}: "):
        message = f"{host}: {message}"
    return {**error, "host": host, "msg": message}
