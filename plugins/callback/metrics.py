# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs did, for monitoring."""

from __future__ import annotations

DOCUMENTATION = r"""
name: metrics
type: aggregate
short_description: Keep what runs did, as JSON lines and as numbers for node_exporter
version_added: 0.1.0
description:
  - Writes a line of JSON for each move that ended, each host that was to be emptied or maintained, and each failure of
    a task of this collection, and adds them up in a file that node_exporter's textfile collector reads.
  - Nothing is written in check mode, or by a run that has no task of this collection.
  - No task's arguments and no message are written, but names of hosts and domains, UUIDs, codes and figures.
  - A file that cannot be written is one warning, and no harm to the run.
requirements:
  - to be named in C(callbacks_enabled)
  - C(prometheus_client) for the Python that runs Ansible, for O(textfile_path) only
options:
  events_path:
    description:
      - File to which the lines are appended, each as soon as it is known. It is opened anew for each, so that it may be
        rotated at any time. Empty for none.
    type: str
    default: ""
    ini:
      - section: dom0_xen_metrics
        key: events_path
    env:
      - name: DOM0_XEN_METRICS_EVENTS_PATH
  textfile_path:
    description:
      - File with the numbers of all runs so far, in a folder that node_exporter reads
        (C(--collector.textfile.directory)). Its name has to end in C(.prom). Empty for none.
      - It is written aside and renamed at each event. A file C(.lock) beside it lets several runs add to it.
    type: str
    default: ""
    ini:
      - section: dom0_xen_metrics
        key: textfile_path
    env:
      - name: DOM0_XEN_METRICS_TEXTFILE_PATH
author:
  - dom0.xen contributors (@dom0-xen)
"""

import errno
import json
import os
import stat
import time
import typing as t
import uuid

from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._metrics import textfile
from ansible_collections.dom0.xen.plugins.plugin_utils._metrics.events import (
    COLLECTION,
    Course,
    Event,
    RunBegan,
    RunEnded,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._metrics.tally import Changes

FORMAT = 1


class CallbackModule(CallbackBase):
    """Takes results as they come; what it cannot write it keeps for the next time."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "dom0.xen.metrics"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: t.Any, **options: t.Any) -> None:
        super().__init__(*arguments, **options)
        self._run = uuid.uuid4().hex[:16]
        self._playbook = "unknown"
        self._began_s: float | None = None
        self._course = Course()
        self._lines: list[str] = []
        self._changes = Changes()
        self._warned: set[str] = set()
        # Hosts that did not answer, and whose silence Ansible has not been told to forget.
        self._silent: set[str] = set()

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Note what is run."""
        self._playbook = os.path.splitext(os.path.basename(str(getattr(playbook, "_file_name", "") or "unknown")))[0]
        if not (self.get_option("events_path") or self.get_option("textfile_path")):
            self._warn("options", "neither events_path nor textfile_path is set, so nothing is kept.")

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Forget who did not answer where the play does: the run may end well, and its statistics keep them."""
        if self._silent and any(_forgets(task) for block in play.tasks for task in block.block):
            self._silent -= set(play.get_variable_manager().get_vars(play=play)["ansible_play_hosts_all"])

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Take a result."""
        self._take(result, failed=False)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Take a failure."""
        self._take(result, failed=not ignore_errors, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Take a host that is out of reach."""
        minded = not result.task.ignore_unreachable
        if minded:
            self._silent.add(result.host.get_name())
        if self._ours(result) and minded:
            self._note(self._course.unreachable(result.host.get_name(), _action(result), _delegated(result)))

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Tell how the run ended."""
        if self._began_s is None:
            return
        succeeded = not self._silent and not any(stats.summarize(host)["failures"] for host in stats.processed)
        duration = round(time.time() - self._began_s, 3)
        self._note([*self._course.end(), RunEnded(self._playbook, succeeded, duration)])

    def _take(self, result: t.Any, failed: bool, ignored: bool = False) -> None:
        if not self._ours(result):
            return
        told = result.result
        if isinstance(told, dict) and not told.get("skipped"):
            name, on = result.host.get_name(), _delegated(result)
            self._note(self._course.take(name, _action(result), told, failed, on, ignored))

    def _ours(self, result: t.Any) -> bool:
        """Whether it is of a task of the collection that does something; the first one begins the run's account."""
        if context.CLIARGS.get("check") or not _action(result).startswith(COLLECTION):
            return False
        if self._began_s is None:
            self._began_s = time.time()
            self._note([RunBegan(self._playbook)])
        return True

    def _note(self, events: t.Sequence[Event]) -> None:
        now = time.time()
        for event in events:
            head = {"format": FORMAT, "time_s": round(now, 3), "run": self._run, "event": event.EVENT}
            self._lines.append(json.dumps({**head, **event.to_result()}) + "\n")
            self._changes.take(event, now)
        if events:
            self._write()

    def _write(self) -> None:
        events_path, textfile_path = self.get_option("events_path"), self.get_option("textfile_path")
        try:
            if events_path and self._lines:
                _append(events_path, self._lines)
            self._lines.clear()
        except OSError as exc:
            self._warn("events_path", f"{events_path} cannot be written: {exc.strerror}.")
        try:
            if textfile_path and self._changes:
                textfile.update(textfile_path, self._changes)
            self._changes = Changes()
        except Dom0XenError as exc:
            self._warn("textfile_path", str(exc.as_result()["msg"]))
        except OSError as exc:
            self._warn("textfile_path", f"{textfile_path} cannot be written: {exc.strerror}.")

    def _warn(self, what: str, message: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            self._display.warning(f"{self.CALLBACK_NAME}: {message}")


def _append(path: str, lines: list[str]) -> None:
    """Append lines, and take out of the list what was written. Raises OSError.

    Each is one write, which does not mix with that of another run. What a full disk has cut off there is ended first.
    """
    target = os.path.abspath(os.path.expanduser(path))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    fd = os.open(target, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        while lines:
            line = ("\n" if _cut_off(fd) else "").encode() + lines[0].encode()
            if os.write(fd, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            del lines[0]
    finally:
        os.close(fd)


def _forgets(task: t.Any) -> bool:
    """Whether a task has Ansible forget, for all hosts of its play, that they did not answer."""
    meta = getattr(task, "action", "") in ("meta", "ansible.builtin.meta")
    return meta and task.args.get("_raw_params") == "clear_host_errors" and not task.when


def _cut_off(fd: int) -> bool:
    found = os.fstat(fd)
    return stat.S_ISREG(found.st_mode) and found.st_size > 0 and os.pread(fd, 1, found.st_size - 1) != b"\n"


def _action(result: t.Any) -> str:
    return str(getattr(result.task, "resolved_action", None) or result.task.action)


def _delegated(result: t.Any) -> str | None:
    told = result.result.get("_ansible_delegated_vars")
    host = told.get("ansible_delegated_host") if isinstance(told, dict) else None
    return str(host) if host else None
