# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with xl or with the host it runs on (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError


class ToolstackError(Dom0XenError):
    """Base of everything that goes wrong around xl."""

    code = "toolstack_error"


class XlMissing(ToolstackError):
    """There is no xl to run."""

    code = "xl_missing"
    remedy = (
        "Install the Xen toolstack from the distribution's packages (Debian and Ubuntu: xen-system-amd64)"
        " and boot the host with Xen."
    )


class NotXen(ToolstackError):
    """The host has not been booted with Xen, or xl cannot reach the hypervisor."""

    code = "no_xen"
    remedy = "Boot the host with Xen, and see that it is a dom0: /proc/xen/capabilities must read control_d."


class NotRoot(ToolstackError):
    """xl needs root and the connection did not give it."""

    code = "not_root"
    remedy = "Connect as root, or set become: true for the host."


class XlFailed(ToolstackError):
    """A command of xl ended with an exit status other than 0.

    Details: ``cmd`` (list), ``rc``, ``stdout``, ``stderr``.
    """

    code = "xl_failed"
    remedy = "See the lines of xl in stderr, and the hypervisor's messages with xl dmesg."

    def __init__(self, message: str, *, cmd: t.Sequence[str], rc: int, stdout: str = "", stderr: str = "") -> None:
        super().__init__(message, cmd=list(cmd), rc=rc, stdout=stdout, stderr=stderr)
        self.cmd = list(cmd)
        self.rc = rc
        self.stdout = stdout
        self.stderr = stderr


class DomainMissing(XlFailed):
    """The domain that was named does not exist on this host."""

    code = "domain_missing"
    remedy = "List the domains of the host with xl list."


class XlTimeout(XlFailed):
    """A command of xl did not end in time and was killed."""

    code = "xl_timeout"
    remedy = "Look for another xl that holds the lock of the toolstack, and at the hypervisor's messages with xl dmesg."


class OutputNotUnderstood(ToolstackError):
    """xl printed something that this collection cannot read."""

    code = "xl_output"
    remedy = 'Leave output_format in /etc/xen/xl.conf at its default "json", and report the output that is shown.'
