# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a kind of fault on a site."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import time
import typing as t

from dom0_double import processes

from ansible_collections.dom0.xen.plugins.module_utils import _procfs

from . import person, truth
from .inside.disk import BROKEN, CLOCK, FULL, cut_back
from .kinds import LINK
from .names import DESTINATION, SOURCE

if t.TYPE_CHECKING:
    from .world import World

# Both longer than anybody in a session waits for the other side.
DARK_S = HANG_S = 4.5
# Not a fault: the receiver has verified the banner.
BANNER = "banner"
_DAY = 86400.0
# Longer than any run.
_LOST_S = 3600.0
# On which host, and what its command line has: all words of any of these. What stands for an xl counts as that one.
_WORDS: dict[str, tuple[str, tuple[tuple[bytes, ...], ...]]] = {
    "sender": (SOURCE, ((b"dom0_faults/inside/daemon.py", b"\0sender\0"),)),
    "receiver": (DESTINATION, ((b"dom0_faults/inside/daemon.py", b"\0receiver\0"),)),
    "xl-migrate": (
        SOURCE,
        ((b"xl\0migrate\0",), (b"_session.stand_ins.saver import",), (b"_session.stand_ins.shutter import",)),
    ),
    "xl-receive": (DESTINATION, ((b"xl\0migrate-receive\0",), (b"_session.stand_ins.starter import",))),
    "xl-save": (SOURCE, ((b"xl\0save\0",),)),
    "save-helper": (SOURCE, ((b"libxl-save-helper\0--save-domain\0",),)),
    "restore-helper": (DESTINATION, ((b"libxl-save-helper\0--restore-domain\0",),)),
    "shim": (SOURCE, ((b"shim.py",),)),
    # Between the two; before it has become that, the helper is one, too.
    "warden": (SOURCE, ((b"/warden\0--save-domain\0",),)),
}
_CREATE = b"xl\0create\0"


def _command_line(pid: int) -> bytes:
    try:
        return pathlib.Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return b""


def pids(world: World, process: str) -> list[int]:
    """Return the ids of a kind of process."""
    return _seen(world).get(process, [])


def alive(world: World) -> list[str]:
    """Return what could be hit now."""
    found = list(_seen(world))
    return [*found, LINK] if world.proxy is not None and world.proxy.up else found


def _seen(world: World) -> dict[str, list[int]]:
    """Look at all processes once."""
    lines: dict[str, list[tuple[int, bytes]]] = {
        name: [(pid, _command_line(pid)) for pid in world.host(name).pids] if world.powered(name) else []
        for name in (SOURCE, DESTINATION)
    }
    seen: dict[str, list[int]] = {}
    for process, (host, either) in _WORDS.items():
        found = [pid for pid, line in lines[host] if any(all(word in line for word in words) for words in either)]
        seen[process] = [pid for pid in found if processes.alive(pid)]
    if world.course.starts_anew:
        # Elsewhere nobody makes a domain from a file, and nothing depends on what handles a domain's end.
        made = [(name, pid) for name in lines for pid, line in lines[name] if _CREATE in line and processes.alive(pid)]
        watching = {(name, pid) for name, pid in made if world.host(name).is_monitor(pid)}
        seen["xl-create"] = [pid for name, pid in made if (name, pid) not in watching]
        seen["monitor"] = [pid for name, pid in watching if name == SOURCE]
    seen["controller"] = [one.pid for one in world.controllers if one.poll() is None]
    seen["settler"] = [one.pid for one in world.settlers if one.poll() is None]
    return {process: found for process, found in seen.items() if found}


def do(world: World, kind: str) -> None:
    """Let it happen."""
    deed, dash, rest = kind.partition("-")
    if kind == BANNER:
        world.banner_at_ns = time.monotonic_ns()
    elif deed == "kill":
        _kill(world, rest)
    elif deed == "hang":
        _hang(world, rest)
    elif deed == "stop":
        # For good: nobody wakes it up.
        _signal(_of_sessions(world, pids(world, rest)), signal.SIGSTOP)
    elif deed == "cancel":
        _signal(pids(world, rest), signal.SIGTERM)
    elif deed == "link":
        _link(world, rest)
    elif deed in ("power", "gone", "torn"):
        power_off(world, rest, keep_half=deed == "torn")
        if deed == "gone":
            world.gone.add(rest)
    elif deed == "full":
        (world.host(rest).paths.root / FULL).write_text("")
    elif deed == "eio":
        (world.host(rest).paths.root / BROKEN).write_text("")
    elif deed == "clock":
        way, dash, host = rest.partition("-")
        offset = 400 * _DAY if way == "forward" else -400 * _DAY
        (world.host(host).paths.root / CLOCK).write_text(str(offset))
    else:
        raise ValueError(f"no such kind as {kind}")


def _of_sessions(world: World, found: list[int]) -> list[int]:
    """Return those that a session has started: what xl forks off to handle the domain's end is left to itself."""
    others = set(person.all_pids(world)) - set(found)
    return [pid for pid in found if _procfs.parent_of(pid) in others]


def _kill(world: World, process: str) -> None:
    for pid in pids(world, process):
        with contextlib.suppress(ProcessLookupError):
            # ansible-playbook has processes of its own, which are the controller too.
            if process == "controller" and os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)


def _hang(world: World, process: str) -> None:
    found = pids(world, process)
    _signal(found, signal.SIGSTOP)
    world.later(HANG_S, lambda: _signal(found, signal.SIGCONT))


def _signal(found: list[int], number: int) -> None:
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _link(world: World, what: str) -> None:
    if world.proxy is None:
        return
    if what == "cut":
        world.proxy.cut()
    elif what == "vanish":
        world.proxy.vanish(DARK_S)
    elif what == "lost":
        world.proxy.vanish(_LOST_S)
    else:
        world.proxy.stall(out=what in ("stall", "oneway-out"), back=what in ("stall", "oneway-back"))


def power_off(world: World, name: str, keep_half: bool = False) -> None:
    """Take a host's power, and what its disk had not been made to keep."""
    host = world.host(name)
    before = truth.copies(world)
    given_up = "abort" in truth.session(world, DESTINATION).steps
    host.power_off()
    cut_back(host.paths.root, keep_half)
    world.off.add(name)
    took = tuple(copy for copy in before if copy.host == name and copy.good)
    left = tuple(copy for copy in before if copy.host != name and copy.good)
    world.power_losses.append(truth.PowerLoss(name, took, left, given_up))


def power_on(world: World, name: str) -> None:
    """Boot a host again; xendomains is on, and has the guest among what it starts."""
    world.host(name).power_on()
    world.off.discard(name)


def mend(world: World) -> None:
    """Make room on the disks, and set the clocks: a person has been there."""
    for name in (SOURCE, DESTINATION):
        for file in (FULL, BROKEN, CLOCK):
            (world.host(name).paths.root / file).unlink(missing_ok=True)
