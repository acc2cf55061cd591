# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc tells of processes and of the running kernel (private to the collection).

Every function takes the folder of the proc file system, so that tests can hand in one of their own.
"""

from __future__ import annotations

import os
import typing as t

PROC = "/proc"

# tools/libs/light/libxl_save_callout.c run_helper: libxl-save-helper --save-domain FD BACKFD DOMID ...
SAVE_HELPER = "libxl-save-helper"
_SAVE = "--save-domain"


def boot_id(proc: str = PROC) -> str:
    """Return the identity of this boot of this host, a UUID; it changes with every restart."""
    with open(os.path.join(proc, "sys/kernel/random/boot_id"), encoding="ascii") as file:
        return file.read().strip()


def is_alive(pid: int, proc: str = PROC) -> bool:
    """Say whether the process runs: there, and not a zombie."""
    stat = _stat(pid, proc)
    return stat is not None and stat[0] not in "ZXx"


def state(pid: int, proc: str = PROC) -> str | None:
    """Return the process' state, a letter (proc(5)): T for one that is stopped, D for one that the kernel holds."""
    stat = _stat(pid, proc)
    return stat[0] if stat else None


def start_time(pid: int, proc: str = PROC) -> int | None:
    """Return when the process began, in clock ticks since boot (proc(5)), or None when it is gone.

    Together with the pid and the boot it says which process is meant, though pids are used again.
    """
    stat = _stat(pid, proc)
    return int(stat[19]) if stat else None


def parent_of(pid: int, proc: str = PROC) -> int | None:
    """Return the pid of the process' parent, or None when the process is gone."""
    stat = _stat(pid, proc)
    return int(stat[1]) if stat else None


def session_of(pid: int, proc: str = PROC) -> int | None:
    """Return the session that the process is of, the pid of who began it (setsid(2)), or None when it is gone."""
    stat = _stat(pid, proc)
    return int(stat[3]) if stat else None


def niceness(pid: int, proc: str = PROC) -> int | None:
    """Return the process' niceness, -20 to 19, or None when it is gone."""
    stat = _stat(pid, proc)
    return int(stat[16]) if stat else None


def program(pid: int, proc: str = PROC) -> str | None:
    """Return the name of the process' program, at most 15 characters, or None when the process is gone."""
    try:
        with open(os.path.join(proc, str(pid), "comm"), encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return None


def owner(pid: int, proc: str = PROC) -> int | None:
    """Return the user id that the process has, or None when it is gone."""
    try:
        return os.stat(os.path.join(proc, str(pid))).st_uid
    except OSError:
        return None


def command_line(pid: int, proc: str = PROC) -> tuple[str, ...]:
    """Return the arguments of the process; empty for a kernel thread, a zombie, or a process that is gone."""
    try:
        with open(os.path.join(proc, str(pid), "cmdline"), "rb") as file:
            data = file.read()
    except OSError:
        return ()
    return tuple(part.decode("utf-8", "replace") for part in data.rstrip(b"\0").split(b"\0")) if data else ()


def variable(pid: int, name: str, proc: str = PROC) -> str | None:
    """Return a variable of the environment that a process was started with; None when it has none, or is gone."""
    try:
        with open(os.path.join(proc, str(pid), "environ"), "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return None
    wanted = name.encode("ascii") + b"="
    return next(
        (entry[len(wanted) :].decode("utf-8", "replace") for entry in entries if entry.startswith(wanted)), None
    )


def command_lines(proc: str = PROC) -> dict[int, tuple[str, ...]]:
    """Return the arguments of all processes that have some, by pid, in one look."""
    found = ((pid, command_line(pid, proc)) for pid in pids(proc))
    return {pid: arguments for pid, arguments in found if arguments}


def runs_on(pid: int, arguments: t.Sequence[str], proc: str = PROC) -> bool:
    """Say whether the process that was seen with these arguments still runs its program.

    While the kernel takes it down it counts as alive, with neither arguments nor environment (kernel/exit.c exit_mm).
    """
    return command_line(pid, proc) == tuple(arguments)


def is_written(fd: int, proc: str = PROC) -> bool:
    """Say whether a process of this host has the file behind this descriptor open for writing. Only root can see all.

    The files are not looked at, just their names: one on a storage that does not answer would never return.
    """
    file = os.readlink(os.path.join(proc, "self/fd", str(fd)))
    return any(_writes(os.path.join(proc, str(pid)), file) for pid in pids(proc))


def _writes(process: str, file: str) -> bool:
    try:
        numbers = os.listdir(os.path.join(process, "fd"))
    except OSError:
        return False
    for number in numbers:
        try:
            if os.readlink(os.path.join(process, "fd", number)) != file:
                continue
            with open(os.path.join(process, "fdinfo", number), encoding="ascii") as info:
                flags = next((int(line.split()[1], 8) for line in info if line.startswith("flags:")), 0)
        except (OSError, ValueError, IndexError):
            continue
        if flags & (os.O_WRONLY | os.O_RDWR):
            return True
    return False


def session_process(pid: object, runtime_folder: str, proc: str = PROC) -> int | None:
    """Return the pid that a session's document holds when it is still that session's process, else None.

    The pid may be another process by now; a session's has the session's runtime folder as a word of its command line.
    """
    if isinstance(pid, int) and is_alive(pid, proc) and runtime_folder in command_line(pid, proc):
        return pid
    return None


def pids(proc: str = PROC) -> t.Iterator[int]:
    """Yield the pids of all processes."""
    for name in os.listdir(proc):
        if name.isdigit():
            yield int(name)


def save_helper_of(xl_pid: int, proc: str = PROC) -> int | None:
    """Return the pid of the libxl-save-helper that this xl runs to send a domain, or None while there is none."""
    for pid in pids(proc):
        if parent_of(pid, proc) == xl_pid and sent_domid(command_line(pid, proc)) is not None:
            return pid
    return None


def sent_domid(arguments: t.Sequence[str]) -> int | None:
    """Return the domain that a libxl-save-helper with these arguments sends, or None when it is none that sends."""
    # A script that stands in for the helper has its interpreter in front.
    for place, argument in enumerate(arguments[:3]):
        if os.path.basename(argument) == SAVE_HELPER:
            rest = arguments[place + 1 : place + 5]
            return int(rest[3]) if len(rest) == 4 and rest[0] == _SAVE and rest[3].isdigit() else None
    return None


def _stat(pid: int, proc: str) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the third (state) on; the second, the name, may hold anything."""
    try:
        with open(os.path.join(proc, str(pid), "stat"), encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def peak_memory_kib(pid: int | str = "self", proc: str = PROC) -> int | None:
    """Return the most memory that the process ever had resident, in KiB (VmHWM in proc(5)), or None when it is gone."""
    try:
        with open(os.path.join(proc, str(pid), "status"), encoding="utf-8", errors="replace") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), None)
    except OSError:
        return None
