# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others at work on domains of this host, as /proc shows them (private to the collection).

An ``xl save`` or ``xl migrate`` of somebody else sees the suspend that we ask for as its own, fails later, and resumes
the domain (tools/xl/xl_migrate.c migrate_domain, tools/xl/xl_saverestore.c save_domain). A look at /proc narrows that
window and cannot close it: the next process may start a moment after the look.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._records import Hand

# The commands of xl that take a domain away, stop it, start it or give it another name, with the options of each that
# have a value (tools/xl/xl_cmdtable.c; the option strings are in the main_ functions).
_COMMANDS = {
    "destroy": "",
    "migrate": "Cs",
    "pause": "",
    "reboot": "",
    "remus": "iNs",
    "rename": "",
    "resume": "",
    "save": "",
    "shutdown": "",
    "suspend": "",
    "trigger": "",
    "unpause": "",
}
Lines = t.Mapping[int, t.Sequence[str]]

_XENSTORE = "XENSTORED_PATH"

# main_shutdown_or_reboot in tools/xl/xl_vmcontrol.c
_MAY_MEAN_ALL = ("shutdown", "reboot")
_PROGRAMS = ("xl", "xen")  # Debian's /usr/sbin/xen is a wrapper that runs xl
_INTERPRETERS = ("bash", "dash", "python", "sh")


def hands(lines: Lines, ours: t.Container[int] = (), proc: str = _procfs.PROC) -> tuple[Hand, ...]:
    """Return the processes that change domains, by pid, without ``ours`` and all that descend from them.

    ``lines`` is what ``_procfs.command_lines`` saw. No process is started.
    """
    found = (_hand(pid, arguments) for pid, arguments in sorted(lines.items()))
    return tuple(
        hand
        for hand in found
        if hand is not None
        and same_xenstore(hand.pid, proc)
        and not _descends(hand.pid, ours, proc)
        # Last: of one that has ended meanwhile nothing else can be told, and it changes nothing any more.
        and _procfs.runs_on(hand.pid, lines[hand.pid], proc)
    )


def hand_on(domid: int, name: str, ours: t.Container[int], proc: str = _procfs.PROC) -> Hand | None:
    """Look at /proc once; return a process that works on the domain and is neither of ``ours`` nor below them."""
    found = hands(_procfs.command_lines(proc), ours, proc)
    return next((hand for hand in found if hand.works_on(domid, name)), None)


def _hand(pid: int, arguments: t.Sequence[str]) -> Hand | None:
    domid = _procfs.sent_domid(arguments)
    if domid is not None:
        return Hand(pid, _procfs.SAVE_HELPER, str(domid))
    command, rest = xl_command(arguments)
    if command not in _COMMANDS:
        return None
    target = None
    options: list[str] = []
    for argument in rest:
        # Whatever stands behind an option that has a value is that value.
        if options and not options[-1].startswith("--") and options[-1][-1] in _COMMANDS[command]:
            options.append("--")
        elif argument.startswith("-"):
            options.append(argument)
        else:
            target = argument
            break
    everything = any(option == "--all" or (option[:2] != "--" and "a" in option) for option in options)
    if command in _MAY_MEAN_ALL and everything:
        return Hand(pid, f"xl {command}", None)
    return Hand(pid, f"xl {command}", target) if target is not None else None


def xl_command(arguments: t.Sequence[str]) -> tuple[str, t.Sequence[str]]:
    """Return the command of xl in a command line and what stands behind it; an empty command where there is none."""
    place = _xl(arguments)
    rest = [] if place is None else list(arguments[place + 1 :])
    while rest and rest[0].startswith("-"):  # options of xl itself: -v, -f, -t, -T, -N
        rest.pop(0)
    return (rest[0], rest[1:]) if rest else ("", ())


def _xl(arguments: t.Sequence[str]) -> int | None:
    """Return where in a command line xl stands: first, or behind an interpreter and its options."""
    for place, argument in enumerate(arguments[:6]):
        base = os.path.basename(argument)
        if base in _PROGRAMS:
            return place
        known = base.rstrip(".0123456789") in _INTERPRETERS if place == 0 else argument.startswith("-")
        if not known:
            return None
    return None


def same_xenstore(pid: int, proc: str) -> bool:
    """Say whether a process works on the dom0 that we work on."""
    # Where we are told of another XenStore than the machine's own (tools/libs/store/xs.c xs_daemon_socket), /proc holds
    # processes of several dom0s: stand-ins on one machine.
    here = os.environ.get(_XENSTORE)
    return here is None or _procfs.variable(pid, _XENSTORE, proc) in (here, None)


def _descends(pid: int, ours: t.Container[int], proc: str) -> bool:
    seen: set[int] = set()
    current: int | None = pid
    while current and current not in seen:
        if current in ours:
            return True
        seen.add(current)
        current = _procfs.parent_of(current, proc)
    return False
