# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between ``xl`` and its save helper in a rehearsal, and refuses the suspend (private to the collection).

libxl starts what ``LIBXL_SAVE_HELPER`` names in place of its own helper (tools/libs/light/libxl_save_callout.c
run_helper), and only libxl suspends a guest, when the helper asks it to. So the helper is run as ever, under the
process that ``xl`` knows, and what both say goes through a process of ours. It passes everything on but that one
request, which it answers with "failed". The helper then goes through its own clean-up, which ends log-dirty mode, and
``xl`` ends as with a guest that was never asked. The guest cannot be suspended, whatever becomes of anybody: without
this process the helper hears nobody, and ``xl`` has heard nothing.

What they say (libxl_save_helper.c, libxl_save_msgs_gen.pl, from Xen 4.2 on): the helper a message with two bytes of
length and two of kind before its arguments, in the host's order; ``xl`` an int for each that wants an answer.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import struct
import sys
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._procfs import PROC, SAVE_HELPER
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import write_all

VARIABLE = "LIBXL_SAVE_HELPER"

_LENGTH = struct.Struct("=H")
_KIND = struct.Struct("=H")
# The third of the messages, in every release.
_SUSPEND = 3
# libxc takes 0 for a callback that has failed (xg_sr_save.c suspend_domain).
_FAILED = struct.pack("=i", 0)
_READ_BYTES = 64 * 1024
_LIBRARY = "libxenlight.so"
_IN_LIBRARY = re.compile(rb"\0(/[^\0]{1,200}/" + SAVE_HELPER.encode("ascii") + rb")\0")
# As libxl starts it: by its path alone. -I: nothing of the environment or the working folder gets in.
_SCRIPT = """#!{python} -IS
import sys
sys.path.insert(0, {code!r})
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.refuser import main
main(sys.argv)
"""


class Refuser:
    """What a sender knows of it. Its files are in the session's journal: nothing can be run from a /run with noexec."""

    def __init__(self, folder: str) -> None:
        self._script = os.path.join(folder, SAVE_HELPER)

    def lay(self, code: str) -> dict[str, str]:
        """Write the program, and return what ``xl`` must find in its environment; ``code`` is for ``sys.path``."""
        self.clear()
        with open(self._script, "w", encoding="utf-8") as file:
            file.write(_SCRIPT.format(python=sys.executable, code=code))
        os.chmod(self._script, 0o700)
        return {VARIABLE: self._script}

    @property
    def stands(self) -> bool:
        """Whether it was started in place of the helper."""
        return os.path.exists(_stands(self._script))

    @property
    def refused(self) -> bool:
        """Whether the helper has asked for the suspend, which was refused."""
        return os.path.exists(_refused(self._script))

    def clear(self) -> None:
        """Take its files away."""
        for path in (self._script, _stands(self._script), _refused(self._script)):
            if os.path.lexists(path):
                os.unlink(path)


def main(argv: t.Sequence[str]) -> None:
    """Become the helper, with a process in between; ``argv`` is as libxl gives it. Never returns."""
    script, arguments = argv[0], argv[1:]
    helper = find_helper(os.getppid())
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    if os.fork() == 0:
        # Whoever reads the stream must see its end when the helper has gone.
        _close_all_but((0, 1, 2, ours_in, ours_out))
        with contextlib.suppress(OSError):
            relay(ours_in, ours_out, 0, 1, _refused(script))
        os._exit(0)
    os.dup2(theirs_in, 0)
    os.dup2(theirs_out, 1)
    _touch(_stands(script))
    # Python has SIGPIPE ignored, which stays: a helper whose reader has gone then cleans up, too.
    os.execv(helper, [helper, *arguments])


def relay(helper_out: int, helper_in: int, xl_in: int, xl_out: int, refused: str) -> None:
    """Pass on what both say until one of them ends, but for the suspend; that it was asked for is a file ``refused``.

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
                if is_suspend(message):
                    _touch(refused)
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


def _stands(script: str) -> str:
    return f"{script}.stands"


def _refused(script: str) -> str:
    return f"{script}.refused"


def _touch(path: str) -> None:
    with open(path, "w", encoding="ascii"):
        pass
