# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the processes xl starts: a shell as transport, and the save helper."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time

from .log import INFO, Log

_HELPER = pathlib.Path(__file__).resolve().parents[2] / "libxl_save_helper.py"


def transport(command: str) -> tuple[int, int, int]:
    """Start ``sh -c COMMAND`` (xl_migrate.c create_migration_child); returns pid and the ends to write and read.

    The shell is in xl's process group, has xl's standard error, and SIGPIPE as it was.
    """
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, theirs_in, 0), (os.POSIX_SPAWN_DUP2, theirs_out, 1)]
    pid = os.posix_spawnp(
        "sh", ["sh", "-c", command], dict(os.environ), file_actions=actions, setsigdef=[signal.SIGPIPE]
    )
    os.close(theirs_in)
    os.close(theirs_out)
    return pid, ours_out, ours_in


def helper(mode: str, stream: int, back: int, numbers: list[int]) -> tuple[int, int, int]:
    """Start the save helper with descriptors of the stream and the back channel; returns pid and the ends to use.

    Descriptors up to 2 are given as copies (libxl_save_callout.c dup_cloexec). A program that the environment names is
    started in its place (run_helper there). The back channel, unused without
    checkpoints, is xl's standard input when it saves (a field nobody sets), its standard output in migrate-receive.
    """
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, theirs_in, 0), (os.POSIX_SPAWN_DUP2, theirs_out, 1)]
    given = [os.dup(number) if 0 <= number <= 2 else number for number in (stream, back)]
    for number in given:
        if number >= 0:
            os.set_inheritable(number, True)
    arguments = [mode, *[str(number) for number in given], *[str(number) for number in numbers]]
    try:
        other = os.environ.get("LIBXL_SAVE_HELPER")
        command = [other] if other else [sys.executable, "-I", "-S", str(_HELPER)]
        pid = os.posix_spawn(
            command[0],
            [*command, *arguments],
            dict(os.environ),
            file_actions=actions,
            setsigdef=[signal.SIGPIPE, signal.SIGTERM],
        )
    finally:
        for number, original in zip(given, (stream, back), strict=True):
            if number != original:
                os.close(number)
            elif number >= 0:
                os.set_inheritable(number, False)
        os.close(theirs_in)
        os.close(theirs_out)
    return pid, ours_out, ours_in


def died(what: str, pid: int, status: int) -> str:
    """Return how libxl words the end of a child (libxl_exec.c libxl_report_child_exitstatus)."""
    if os.WIFSIGNALED(status):
        return f"{what} [{pid}] died due to fatal signal {signal.strsignal(os.WTERMSIG(status))}"
    if code := os.WEXITSTATUS(status):
        return f"{what} [{pid}] exited with error status {code}"
    return f"{what} [{pid}] unexpectedly exited status zero"


def report_transport(log: Log, pid: int) -> None:
    """Wait at most two seconds for the transport, and tell how it ended (xl_migrate.c migration_child_report)."""
    deadline = time.monotonic() + 2
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done == pid:
            if status:
                log.message(INFO, "libxl", died("migration transport process", pid, status))
            return
        if time.monotonic() > deadline:
            log.line(f"migration child [{pid}] not exiting, no longer waiting (exit status will be unreported)")
            return
        time.sleep(0.001)
