# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the credentials of one session to a host; documented in plugins/modules/migration_credentials.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import (
    PlaceError,
    check_session,
)
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import CREDENTIALS, CREDENTIALS_REQUIRED_IF
from ansible_collections.dom0.xen.plugins.plugin_utils import _credentials as credentials
from ansible_collections.dom0.xen.plugins.plugin_utils._moving import new_session
from ansible_collections.dom0.xen.plugins.plugin_utils._remote import Answer, run_script

_REASONS = {
    "symbolic_link": "is a symbolic link",
    "not_ours": "belongs to somebody else",
    "others_write": "can be written by others",
    "cannot_create": "cannot be created",
    "not_in_memory": "does not lie on a tmpfs, and keys must never reach a disk",
    "exists": "is there already",
    "cut_short": "could not be written: the key arrived cut short",
    "cannot_write": "could not be written",
    "cannot_remove": "could not be removed",
    "interrupted": "was given up: the connection broke",
}


class CredentialsRefused(PlaceError):
    """The host's folder for credentials cannot be used."""

    code = "credentials_refused"


class ActionModule(ActionBase):
    """Run on the controller; the private key leaves it through standard input of one command only."""

    _requires_connection = True
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``session``, ``certificate`` and ``ssh_public_key``; no private key is in any result."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(CREDENTIALS, required_if=CREDENTIALS_REQUIRED_IF)
        try:
            if options["session"]:
                check_session(options["session"], options["role"])
            change = self._present if options["state"] == "present" else self._absent
            result.update(change(options))
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
        return result

    def _present(self, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        session = options["session"] or new_session()
        made = credentials.make_credentials(f"{session}.{options['role']}")
        if options["ssh"]:
            made = made.with_ssh_key()
        if not self._task.check_mode:
            script = credentials.present_script(options["runtime_path"], session, options["role"], made)
            self._said(run_script(self, script, secret=made.key))
        told = {"certificate": made.certificate, "ssh_public_key": made.ssh_public_key}
        return {"changed": True, "session": session, **told}

    def _absent(self, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        if self._task.check_mode:
            return {"changed": False, "session": options["session"]}
        script = credentials.absent_script(options["runtime_path"], options["session"], options["role"])
        done = self._said(run_script(self, script))
        return {"changed": done in ("removed", "kept"), "session": options["session"], "kept": done == "kept"}

    def _said(self, answer: Answer) -> str:
        done = answer.line_after(credentials.DONE)
        if answer.rc == 0 and done is not None:
            return done
        code, dummy, path = (answer.line_after(credentials.REFUSED) or "").partition(" ")
        if code in _REASONS:
            raise CredentialsRefused(f"{path} {_REASONS[code]}.", host=self._host(), reason=code, path=path)
        raise CredentialsRefused(
            f"the command for the credentials ended with {answer.rc}.",
            host=self._host(),
            remedy="See stderr in the details.",
            rc=answer.rc,
            stderr=answer.stderr[-2000:],
        )

    def _host(self) -> str:
        return str(self._task.delegate_to or self._play_context.remote_addr)
