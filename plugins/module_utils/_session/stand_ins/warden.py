# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between ``xl`` and its save helper, and asks before the guest is suspended (private to the collection).

libxl starts what ``LIBXL_SAVE_HELPER`` names in place of its own helper (tools/libs/light/libxl_save_callout.c
run_helper), and only libxl suspends a guest, when the helper asks it to. So the helper is run as ever, under the
process that ``xl`` knows, and what both say goes through a process of ours. It passes everything on, but that one
request only when the sender permits it; else the helper hears "failed", goes through its own clean-up, which ends
log-dirty mode, and ``xl`` ends as with a guest that was never asked. A guest that is not permitted to be suspended
cannot be, whatever becomes of anybody: without this process the helper hears nobody and ``xl`` has heard nothing, and
a sender that has gone permits nothing.

What they say (libxl_save_helper.c, libxl_save_msgs_gen.pl, from Xen 4.2 on): the helper a message with two bytes of
length and two of kind before its arguments, in the host's order; ``xl`` an int for each that wants an answer.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import socket
import struct
import sys
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._procfs import PROC, SAVE_HELPER
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import write_all
from ansible_collections.dom0.xen.plugins.module_utils._session.process.sockets import connect_in, listen_in

VARIABLE = "LIBXL_SAVE_HELPER"

# Whoever looks for the save helper must not find this program before it has become that, nor the process in between.
_PROGRAM = "warden"
_SOCKET = "warden.sock"
_ASKS = b"?"
_MAY = b"y"
_MAY_NOT = b"n"

_LENGTH = struct.Struct("=H")
_KIND = struct.Struct("=H")
_SUSPEND = 3
_FAILED = struct.pack("=i", 0)
_READ_BYTES = 64 * 1024
_LIBRARY = "libxenlight.so"
_IN_LIBRARY = re.compile(rb"\0(/[^\0]{1,200}/" + SAVE_HELPER.encode("ascii") + rb")\0")
_SCRIPT = """#!{python} -IS
import sys
sys.path.insert(0, {code!r})
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.warden import main
main(sys.argv)
"""


class WardenMissing(Dom0XenError):
    """``xl`` has not started our program in place of its save helper, and would suspend the guest unasked."""

    code = "warden_missing"
    remedy = (
        "This xl does not heed LIBXL_SAVE_HELPER. Nothing was suspended; on such a host a move can neither be rehearsed"
        " nor be kept to a stop time: leave migrate_rehearse and migrate_max_stop_ms out."
    )


class Warden:
    """What a sender knows of it. Its files are in the session's journal: nothing can be run from a /run with noexec."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._listener: socket.socket | None = None
        self._peer: socket.socket | None = None
        # Whether it was started in place of the helper, waits for an answer, and has ever asked.
        self.stands = self.asks = self.asked = False
        # Whether the guest must not be suspended, as long as nobody has permitted it.
        self.holds = False

    def lay(self, code: str) -> dict[str, str]:
        """Write the program, and return what ``xl`` must find in its environment; ``code`` is for ``sys.path``."""
        self.clear()
        script = os.path.join(self._folder, _PROGRAM)
        with open(script, "w", encoding="utf-8") as file:
            file.write(_SCRIPT.format(python=sys.executable, code=code))
        os.chmod(script, 0o700)
        self._listener = listen_in(self._folder, _SOCKET)
        self._listener.setblocking(False)
        self.holds = True
        return {VARIABLE: script}

    def fileno(self) -> int:
        """Return the descriptor to watch, -1 while there is none."""
        watched = self._peer or self._listener
        return watched.fileno() if watched is not None else -1

    def look(self) -> None:
        """Take note that it has come, asks, or has gone."""
        with contextlib.suppress(BlockingIOError):
            if self._listener is not None:
                self._peer = self._listener.accept()[0]
                self._peer.setblocking(False)
                self.stands = True
                self._listener.close()
                self._listener = None
        with contextlib.suppress(BlockingIOError):
            if self._peer is not None:
                self.asks = _received(self._peer) == _ASKS
                self.asked = self.asked or self.asks
                if not self.asks:
                    self._peer.close()
                    self._peer = None

    def answer(self, permitted: bool) -> None:
        """Answer it. One that has gone meanwhile has refused."""
        self.asks, self.holds = False, not permitted
        if self._peer is not None:
            with contextlib.suppress(OSError):
                self._peer.sendall(_MAY if permitted else _MAY_NOT)

    def clear(self) -> None:
        """Take its files away; one that is still there and asks is refused."""
        for sock in (self._peer, self._listener):
            if sock is not None:
                sock.close()
        self._peer = self._listener = None
        for name in (_PROGRAM, _SOCKET):
            # What stays lies in the journal, and goes with it.
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._folder, name))


def main(argv: t.Sequence[str]) -> None:
    """Become the helper, with a process in between; ``argv`` is as libxl gives it. Never returns."""
    script, arguments = argv[0], argv[1:]
    helper = find_helper(os.getppid())
    sender = connect_in(os.path.dirname(script), _SOCKET)
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    if os.fork() == 0:
        # Whoever reads the stream must see its end when the helper has gone.
        _close_all_but((0, 1, 2, ours_in, ours_out, sender.fileno()))
        with contextlib.suppress(OSError):
            relay(ours_in, ours_out, 0, 1, lambda: permitted(sender))
        os._exit(0)
    os.dup2(theirs_in, 0)
    os.dup2(theirs_out, 1)
    # Python has SIGPIPE ignored, which stays: a helper whose reader has gone then cleans up, too.
    os.execv(helper, [helper, *arguments])


def permitted(sender: socket.socket) -> bool:
    """Ask the sender, and wait for its answer; one that has gone permits nothing."""
    try:
        sender.sendall(_ASKS)
        return sender.recv(1) == _MAY
    except OSError:
        return False


def relay(helper_out: int, helper_in: int, xl_in: int, xl_out: int, may_suspend: t.Callable[[], bool]) -> None:
    """Pass on what both say until one of them ends; the suspend only where ``may_suspend``.

    ``xl_in`` is what ``xl`` writes, ``xl_out`` what it reads.
    """
    said = b""
    while True:
        ready = select.select([helper_out, xl_in], [], [])[0]
        if xl_in in ready:
            answers = os.read(xl_in, _READ_BYTES)
            if not answers:
                return
            write_all(helper_in, answers)
        if helper_out in ready:
            more = os.read(helper_out, _READ_BYTES)
            if not more:
                return
            whole, said = split(said + more)
            for message in whole:
                if is_suspend(message) and not may_suspend():
                    write_all(helper_in, _FAILED)
                else:
                    write_all(xl_out, message)


def split(said: bytes) -> tuple[list[bytes], bytes]:
    """Return the messages in it, each with its length before it, and what is left of one that is not whole."""
    whole = []
    while len(said) >= _LENGTH.size:
        end = _LENGTH.size + _LENGTH.unpack_from(said)[0]
        if len(said) < end:
            break
        whole.append(said[:end])
        said = said[end:]
    return whole, said


def is_suspend(message: bytes) -> bool:
    """Say whether this message asks for the guest to be suspended."""
    return message[_LENGTH.size :] == _KIND.pack(_SUSPEND)


def find_helper(xl_pid: int, proc: str = PROC) -> str:
    """Return the path of the helper that this ``xl`` would start itself: its library has it (LIBEXEC_BIN).

    Raises FileNotFoundError where nothing tells.
    """
    with open(os.path.join(proc, str(xl_pid), "maps"), encoding="utf-8", errors="replace") as maps:
        libraries = {line.rstrip("\n").partition("/")[2] for line in maps if _LIBRARY in line}
    for library in sorted(libraries):
        with open(f"/{library}", "rb") as file:
            for found in _IN_LIBRARY.findall(file.read()):
                path = os.fsdecode(found)
                if os.access(path, os.X_OK):
                    return path
    beside = shutil.which(SAVE_HELPER)
    if beside is None:
        raise FileNotFoundError(f"there is no {SAVE_HELPER}")
    return beside


def _close_all_but(kept: t.Collection[int]) -> None:
    for number in [int(name) for name in os.listdir(f"{PROC}/self/fd")]:
        if number not in kept:
            with contextlib.suppress(OSError):
                os.close(number)


def _received(peer: socket.socket) -> bytes:
    try:
        return peer.recv(1)
    except ConnectionError:
        return b""
