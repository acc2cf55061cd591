# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What still runs of the ``xl`` that a session has started, or of what stands for it (private to the collection).

What stands for it has a session of its own (setsid(2)), which what it has started stays in when it is gone; the process
by which ``xl create`` watches its domain has left it (tools/xl/xl_utils.c do_daemonize).
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts.hands import xl_command
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import Left

_ONLY_READS = "-n"
_COMMAND_MAX = 120
# The start code of a saver, shutter or starter, in its command line.
_STAND_IN = re.compile(r"_session\.stand_ins\.(\w+) import main")


def members(leader: int) -> list[int]:
    """Return the processes of a session that live, by pid, its leader among them."""
    return sorted(pid for pid in _procfs.pids() if _procfs.session_of(pid) == leader and _procfs.is_alive(pid))


def works(leader: int) -> list[int]:
    """Return each ``xl`` of a session that lives. What else is there a script of a device may have left, for a guest
    that runs.
    """
    return [pid for pid in members(leader) if xl_command(_procfs.command_line(pid))[0]]


def makes(pid: int) -> bool:
    """Whether it is an ``xl`` that makes a domain: half way it would leave half of one."""
    command, rest = xl_command(_procfs.command_line(pid))
    return command == "create" and _ONLY_READS not in rest


def making(leader: int) -> bool:
    """Whether one of a session does."""
    return any(makes(pid) for pid in members(leader))


def described(pids: t.Iterable[int]) -> tuple[Left, ...]:
    """Return what is told of these processes; of one that has ended meanwhile nothing is."""
    found = ((pid, _procfs.command_line(pid), _procfs.state(pid)) for pid in pids)
    return tuple(Left(pid, _short(words), state or "", makes(pid)) for pid, words, state in found if words)


def _short(words: t.Sequence[str]) -> str:
    """Return a command line as a person knows it: what stands for xl is named by what it is."""
    stand_in = next((found.group(1) for word in words if (found := _STAND_IN.search(word))), "")
    own = [os.path.basename(word) if word.startswith("/") else word for word in words]
    if not own[0].startswith("xl"):
        own = next((own[place:] for place, word in enumerate(own[:3]) if word == "xl"), own)
    text = f"the session's {stand_in}" if stand_in else " ".join(own)
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:_COMMAND_MAX]


def end_works(leader: int) -> None:
    """End each ``xl`` of a session by force, and nothing else: the guest that it has made may run by now."""
    for pid in works(leader):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def end(leader: int) -> None:
    """End all of a session by force."""
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)
