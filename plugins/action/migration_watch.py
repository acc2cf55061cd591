# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch a migration from the controller; see plugins/modules/migration_watch.py."""

from __future__ import annotations

import os
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.process.control import ANSWER_S, GATE_START
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import WATCH
from ansible_collections.dom0.xen.plugins.plugin_utils._asking import ANSWER, asking_script, parse_answer
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import progress_line, seconds
from ansible_collections.dom0.xen.plugins.plugin_utils._progress_record import ProgressRecord
from ansible_collections.dom0.xen.plugins.plugin_utils._remote import run_script
from ansible_collections.dom0.xen.plugins.plugin_utils._watching import (
    CALL_LIMIT_S,
    MARKERS,
    Ending,
    Reading,
    Watch,
    parse_reading,
    reading_script,
)

# ssh does not notice by itself that a host has lost its power. Only a connection that this task opens heeds it.
_KEEPALIVE = "-o ServerAliveInterval=10 -o ServerAliveCountMax=3"
# The process ends just after it has written its last word; waiting for that leaves nothing behind when the task ends.
_TIDY_S = 3.0


class StillRunning(Dom0XenError):
    """The time for watching is over, the migration is not."""

    code = "watch_timeout"
    remedy = "Nothing was stopped. Run the same command again: it finds this session and watches it to its end."


class OutOfReach(Dom0XenError):
    """The source has not answered for so long that somebody should know."""

    code = "watch_out_of_reach"
    remedy = (
        "Nothing was stopped. Run the same command again when it answers: it finds the session and its outcome. "
        "If it is off for good, see what the guide for the person on call says of dom0.xen.settle and settle_gone."
    )


# That the tasks begin is on record as soon as the source has heard it, and its answer may be what is missing.
_AT_THE_GATE = (
    "Nothing was stopped from here. But where the move has come to its gate, the guest stands still there: without a"
    " permission until migrate_gate_undo_tasks have been run. Run the same command again as soon as {} answers: it"
    " finds the session, has undone what was begun, and tells the outcome. If it is off for good, see what the guide"
    " for the person on call says of dom0.xen.settle and settle_gone."
)


class ActionModule(ActionBase):
    """Look at the status of a session until it ends, and say how far it is."""

    _requires_connection = True
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the last status; fail only when the time for watching is over, or the source is out of reach."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(WATCH)
        if self._task.check_mode:
            result.update(skipped=True, msg="There is nothing to watch in check mode.")
            return result
        self._keep_alive()
        now = time.monotonic()
        interval = max(1.0, options["interval"])
        begins = options["gate_tasks"] and options["gate"] == "controller" and options["until"] == "gate"
        who = (options["pid"], options["gate"], begins)
        watch = Watch(options["until"], interval, options["silence_timeout"], now, *who)
        path = os.path.expanduser(options["progress_path"])
        self._record = ProgressRecord(path, options["source"], options["destination"])
        try:
            ending = self._watch(watch, options, deadline=now + options["timeout"])
        except (OutOfReach, StillRunning) as exc:
            result.update(failed=True, continues=True, status=watch.last, **exc.as_result())
            return result
        result.update(changed=watch.begun, ending=ending.value, owner=watch.owner(ending), status=watch.last)
        result.update(tasks_begun=watch.begun)
        return result

    def _watch(self, watch: Watch, options: t.Mapping[str, t.Any], deadline: float) -> Ending:
        said, wait = "", 0.0
        while True:
            left = deadline - time.monotonic()
            reading = self._read(watch, options, wait, min(CALL_LIMIT_S, watch.silence_s, left))
            now = time.monotonic()
            if reading is None:
                if watch.unreachable(now):
                    self._say(options, f"{options['source']} does not answer; the migration goes on, trying again")
                self._keep(None, now, watch.unreachable_for(now))
                if watch.unreachable_for(now) >= options["silence_timeout"]:
                    silence = seconds(watch.unreachable_for(now))
                    raise OutOfReach(
                        f"{options['source']} has not answered for {silence}.",
                        host=options["source"],
                        remedy=_AT_THE_GATE.format(options["source"]) if watch.begins else None,
                    )
                ending = None
            else:
                ending = watch.take(reading, now)
                self._keep(watch.last, now)
                said = self._tell(watch, options, said, now)
            if ending is Ending.ENDED and reading is not None and reading.alive:
                self._read(watch, options, _TIDY_S, _TIDY_S)
            if ending is not None:
                return ending
            now = time.monotonic()
            if now >= deadline:
                raise StillRunning(
                    f"the migration was watched for {seconds(options['timeout'])} and goes on.", host=options["source"]
                )
            wait = min(watch.pause(now), max(1.0, deadline - now))
            if reading is None or reading.status is None:
                # There is nothing on the host to wait at.
                time.sleep(wait)

    def _read(self, watch: Watch, options: t.Mapping[str, t.Any], wait: float, limit: float) -> Reading | None:
        """Return a reading, or None when the host cannot be reached."""
        paths = (options["status_path"], options["result_path"])
        folder = os.path.dirname(options["status_path"])
        begin = asking_script([folder], {"command": GATE_START}, ANSWER_S) if watch.begins else ""
        script = reading_script(*paths, watch.pid, wait, limit, options["beat_path"], begin)
        try:
            answer = run_script(self, script)
        except AnsibleConnectionFailure:
            return None
        first, last, process = MARKERS
        told = parse_answer(answer.line_after(ANSWER)) or {}
        return parse_reading(answer.between(first, last), answer.line_after(process), told.get("accepted") is True)

    def _tell(self, watch: Watch, options: t.Mapping[str, t.Any], said: str, now: float) -> str:
        if watch.last is None or (watch.last.get("phase") == "ended" and not said):
            # An end that was there at the first look is no progress; the verdict tells it.
            return said
        line = progress_line(watch.last, options["source"], options["destination"])
        if line != said:
            Display().display(line)
        elif watch.quiet_for(now) > 2 * watch.interval:
            Display().display(f"{line} (no news for {seconds(watch.quiet_for(now))})")
        return line

    def _keep(self, status: t.Mapping[str, t.Any] | None, now: float, unanswered_s: float = 0.0) -> None:
        try:
            if status is not None:
                self._record.take(status, now, time.time())
            elif unanswered_s:
                self._record.silent(unanswered_s, time.time())
        except OSError as exc:
            self._record = ProgressRecord("", "", "")
            Display().warning(f"{exc.filename or 'the record of the progress'} is not written: {exc.strerror or exc}")

    def _say(self, options: t.Mapping[str, t.Any], text: str) -> None:
        Display().display(f"[{options['source']} → {options['destination']}] {text}")

    def _keep_alive(self) -> None:
        if self._connection.transport == "ssh":
            arguments = self._connection.get_option("ssh_extra_args") or ""
            self._connection.set_option("ssh_extra_args", f"{arguments} {_KEEPALIVE}".strip())
