# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domains have a process that handles their end, as /proc shows it (private to the collection).

An ``xl`` that has made a domain stays behind as a daemon (tools/xl/xl_vmcontrol.c create_domain). It keeps the command
line that it was started with, which does not tell the domain. Its standard output is the log ``xl-NAME.log``
(tools/xl/xl_utils.c do_daemonize), which later ones of that name move away to ``xl-NAME.log.1`` and so on
(tools/libs/light/libxl_utils.c libxl_create_logfile). There it says for each domain that it watches, at first and after
each reboot: "Waiting for domain NAME (domid N) to die [pid PID]".

With -F it stays in the foreground, as a service has it, and writes elsewhere; then its file tells the domain's name.
"""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._facts.hands import Lines, same_xenstore, xl_command
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, MIGRATED_AWAY, Monitor

# main_create in tools/xl/xl_vmcontrol.c, main_restore in xl_saverestore.c, main_migrate_receive in xl_migrate.c
_COMMANDS = ("create", "restore", "migrate-receive")
_FOREGROUND = "F"
# Whether a domain still has one.
KEPT = "kept"
LOST = "lost"
# Its driver for Xen handles the end of its domains itself (src/libxl/libxl_driver.c of libvirt).
_MANAGERS = ("libvirtd", "virtxend")

_LOG = re.compile(r"\Axl-(?P<name>.+)\.log(?:\.\d+)?(?: \(deleted\))?\Z", re.DOTALL)
_WAITING = re.compile(rb"^Waiting for domain (.*) \(domid (\d+)\) to die \[pid (\d+)\]$", re.MULTILINE)
# A guest that reboots every hour writes this much in a year.
_LOG_TAIL_BYTES = 4 * 1024 * 1024


def monitors(lines: Lines, proc: str = _procfs.PROC) -> tuple[Monitor, ...]:
    """Return the processes that make or watch domains, by pid.

    ``lines`` is what ``_procfs.command_lines`` saw. No process is started; one that has ended meanwhile is left out.
    """
    found = (_monitor(pid, arguments, proc) for pid, arguments in sorted(lines.items()))
    return tuple(
        monitor
        for monitor in found
        if monitor is not None
        and same_xenstore(monitor.pid, proc)
        and _procfs.runs_on(monitor.pid, lines[monitor.pid], proc)
    )


def monitor_of(domid: int, name: str, found: t.Sequence[Monitor]) -> str | None:
    """Return whether one of these handles the end of a domain, ``kept`` or ``lost``; None when one does not tell whose.

    ``name`` is the domain's own.
    """
    watching = [monitor for monitor in found if monitor.watching]
    names = (name, name + INCOMING, name + MIGRATED_AWAY)
    for monitor in watching:
        if monitor.domid == domid or (monitor.domid is None and monitor.name in names):
            return KEPT
    return None if any(silent(monitor) for monitor in watching) else LOST


def silent(monitor: Monitor) -> bool:
    """Whether it does not tell which domain is its own."""
    return monitor.watching and not (monitor.domid or monitor.name)


def _monitor(pid: int, arguments: t.Sequence[str], proc: str) -> Monitor | None:
    if arguments and os.path.basename(arguments[0]) in _MANAGERS:
        return Monitor(pid, os.path.basename(arguments[0]), watching=True)
    command, rest = xl_command(arguments)
    if command not in _COMMANDS:
        return None
    output = os.path.join(proc, str(pid), "fd", "1")
    try:
        match = _LOG.match(os.path.basename(os.readlink(output)))
    except OSError:
        match = None
    if match is None:
        in_foreground = any(word[:1] == "-" and word[:2] != "--" and _FOREGROUND in word for word in rest)
        name = _named_in_file(pid, rest, proc) if in_foreground else None
        return Monitor(pid, f"xl {command}", watching=in_foreground, name=name)
    domid, name = _last_watched(output, pid)
    return Monitor(pid, f"xl {command}", watching=True, domid=domid, name=name or match.group("name"))


def _named_in_file(pid: int, arguments: t.Sequence[str], proc: str) -> str | None:
    """Return the name that the configuration file among these arguments gives."""
    folder = os.path.join(proc, str(pid), "cwd")
    for word in arguments:
        identity = None if word.startswith("-") else autostart.config_identity(os.path.join(folder, word))
        if identity is not None and identity[0] is not None:
            return identity[0]
    return None


def _last_watched(log: str, pid: int) -> tuple[int | None, str | None]:
    """Return domid and name of the domain that the process with this pid said last that it waits for."""
    for name, domid, writer in reversed(_WAITING.findall(_tail(log))):
        if int(writer) == pid:
            return int(domid), name.decode("utf-8", "replace")
    return None, None


def _tail(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return b""
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return b""
        return os.pread(fd, _LOG_TAIL_BYTES, max(0, status.st_size - _LOG_TAIL_BYTES))
    except OSError:
        return b""
    finally:
        os.close(fd)
