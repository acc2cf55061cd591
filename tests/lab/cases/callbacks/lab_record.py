# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a run did and when (``at``, seconds since the epoch), one JSON object a line, to DOM0_LAB_RECORD."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: lab_record
type: aggregate
short_description: Write what a run did to a file, for the lab's tests
description:
  - Writes failures with their messages, tasks that changed something, and the recap.
options: {}
"""

FIELDS = ("msg", "code", "host", "remedy", "end_state", "action", "changed")


class CallbackModule(CallbackBase):
    """Records; shows nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "lab_record"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, **event: t.Any) -> None:
        with open(os.environ["DOM0_LAB_RECORD"], "a", encoding="utf-8") as file:
            file.write(json.dumps({"at": time.time(), **event}, default=str) + "\n")

    def _task(self, kind: str, result: t.Any, **more: t.Any) -> None:
        values = result.result
        delegated = (values.get("_ansible_delegated_vars") or {}).get("ansible_delegated_host")
        self._write(
            kind=kind,
            task=result.task.get_name(),
            on=delegated or result.host.get_name(),
            result={name: values[name] for name in FIELDS if name in values},
            **more,
        )

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """A task failed."""
        self._task("failed", result, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host did not answer."""
        self._task("unreachable", result)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A task succeeded."""
        self._task("changed" if result.result.get("changed") else "ok", result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """The run is over."""
        self._write(kind="recap", hosts={host: stats.summarize(host) for host in stats.processed})
