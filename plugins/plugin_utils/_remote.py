# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small shell scripts on a dom0, run through the connection of the running action (private to the collection).

What has to stay secret goes through standard input and nowhere else. A module option would be written to the host's
disk in the module's payload when pipelining is off, a word of the command shows in the process list, and both show in
the log at verbosity 3; ``in_data`` of a connection's ``exec_command`` is logged nowhere (ansible-core,
lib/ansible/plugins/connection/ssh.py and local.py: at most its length, with ANSIBLE_DEBUG).
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible.plugins.action import ActionBase


class SecretNotSendable(Dom0XenError):
    """The connection offers no standard input that is safe for a secret."""

    code = "secret_not_sendable"
    remedy = "Use the ssh or local connection, without a forced terminal, and sudo for become."


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a script said; ``stdout`` has plain line ends, also when the connection used a terminal."""

    rc: int
    stdout: str
    stderr: str

    def line_after(self, marker: str) -> str | None:
        """Return the rest of the first line that starts with this marker, in whichever stream it stands."""
        for line in (self.stdout + "\n" + self.stderr).splitlines():
            if line.startswith(marker):
                return line[len(marker) :].strip()
        return None

    def between(self, begin: str, end: str) -> str | None:
        """Return the text between two marker lines of standard output, or None when they are not both there."""
        dummy, found, rest = self.stdout.partition(begin + "\n")
        body, closed, dummy = rest.partition(end + "\n")
        return body if found and closed else None


def run_script(action: ActionBase, script: str, secret: bytes | None = None) -> Answer:
    """Run a one-line ``sh`` script on the host the action works on, as the user that become names.

    ``secret`` is the script's standard input. Raises SecretNotSendable when the connection cannot give it one, and
    AnsibleConnectionFailure when the host cannot be reached.
    """
    with _standard_input(action) if secret is not None else contextlib.nullcontext():
        result = action._low_level_execute_command(script, in_data=secret)
    return Answer(int(result["rc"]), result["stdout"].replace("\r\n", "\n"), result["stderr"].replace("\r\n", "\n"))


@contextlib.contextmanager
def _standard_input(action: ActionBase) -> t.Iterator[None]:
    """Make the connection take ``in_data``, whatever the user has set for pipelining.

    The local connection gives sudo a terminal when it expects a password prompt and pipelining is off, and then drops
    ``in_data`` (lib/ansible/plugins/connection/local.py, exec_command): so pipelining is on for this one command.
    """
    connection = action._connection
    if not getattr(connection, "has_pipelining", False):
        raise SecretNotSendable(f"the connection {connection.transport} has no standard input for data.")
    become = connection.become
    if become is not None and not become.pipelining and become.get_option("become_pass"):
        raise SecretNotSendable(f"the become method {become.name} reads its password from a terminal.")
    # A terminal would echo what is typed into it.
    terminal_forced = getattr(connection, "_is_tty_requested", None)
    if terminal_forced is not None and terminal_forced():
        raise SecretNotSendable("the ssh arguments force a terminal, which echoes its input.")
    try:
        before = connection.get_option("pipelining")
    except KeyError:
        yield
        return
    connection.set_option("pipelining", True)
    try:
        yield
    finally:
        connection.set_option("pipelining", before)
