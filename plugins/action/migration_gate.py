# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speak with the sender at the gate; documented in plugins/modules/migration_gate.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import RUNTIME_FALLBACK, SENDER, session_folder
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import GATE
from ansible_collections.dom0.xen.plugins.plugin_utils._asking import ANSWER, asking_script, parse_answer
from ansible_collections.dom0.xen.plugins.plugin_utils._remote import run_script

_COMMANDS = {
    "started": control.GATE_START,
    "permitted": control.PERMIT,
    "refused": control.REFUSE,
    "undo_started": control.UNDO_START,
    "undone": control.UNDONE,
}


class GateClosed(Dom0XenError):
    """The sender did not take the word."""

    code = "gate_closed"
    remedy = "Look at the session's error; run dom0.xen.settle for the domain if it does not end by itself."


class ActionModule(ActionBase):
    """Say one word to the sender of a session, by one script on the source: the guest stands still meanwhile."""

    _requires_connection = True
    _supports_async = False
    _supports_check_mode = False
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return how far the session is; fail when the sender did not take the word, or could not be asked."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(GATE)
        try:
            told = self._told(options)
            if not told.get("accepted"):
                raise _closed(options["state"], told)
        except Dom0XenError as exc:
            exc.host = str(self._task.delegate_to or (task_vars or {}).get("inventory_hostname") or "") or None
            result.update(failed=True, **exc.as_result())
            return result
        result.update(changed=True, phase=told["phase"], owner=told["owner"])
        return result

    def _told(self, options: t.Mapping[str, t.Any]) -> control.Document:
        """Return the sender's answer. Raises SessionSilent and SessionNameInvalid."""
        # The host has only one of them (module_utils/_places.py): the second where the first does not lie in memory.
        roots = (options["runtime_path"], RUNTIME_FALLBACK)
        folders = [session_folder(root, options["session"], SENDER) for root in roots]
        request = {"command": _COMMANDS[options["state"]], "reason": options["reason"][: control.REASON_LENGTH]}
        answer = run_script(self, asking_script(folders, request, options["timeout"]))
        told = parse_answer(answer.line_after(ANSWER))
        if told is None:
            said = answer.stderr.strip() or answer.stdout.strip() or f"its program ended with {answer.rc}"
            why = said.splitlines()[-1]
            raise control.SessionSilent(
                f"the session's process does not answer: {why}", rc=answer.rc, stderr=answer.stderr[-2000:]
            )
        if "silent" in told:
            raise control.SessionSilent(told["silent"])
        return told


def _closed(state: str, answer: control.Document) -> GateClosed:
    error = answer.get("error") or {}
    phase, owner = answer.get("phase"), answer.get("owner")
    cause = f": {error['msg']}" if error.get("msg") else ""
    return GateClosed(
        f"the sender did not accept {state!r} in its phase {phase!r}{cause}", phase=phase, owner=owner, error=error
    )
