# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a domain has ended by itself: as it was seen, or as its monitor says (private to the collection).

A domain that is not there any more has shut down, or somebody has destroyed, saved or moved it. Only in the first case
xl's monitor writes "Domain N has shut down, reason code 0" (1: a reboot, 3 or 4: a crash), before it destroys what is
left (tools/xl/xl_vmcontrol.c create_domain). Its log is kept open here, since the monitor may be gone with the domain.
The file stays, and others can read it when this process is gone too, if they know which one it was.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, Monitor

# What a guest's kernel does in the end: off, or (the monitor being lost, nobody makes it anew) a reboot.
ENDS = ("poweroff", "reboot")

_CRASH = "crash"
# The numbers of enum libxl_shutdown_reason (tools/libs/light/libxl_types.idl); 4 is the watchdog's.
_CODES = {b"0": ENDS[0], b"1": ENDS[1], b"3": _CRASH, b"4": _CRASH}
_TAIL_BYTES = 256 * 1024
# Older ones are moved to NAME.1 and so on (tools/libs/light/libxl_utils.c libxl_create_logfile).
_MOVED = ("", *(f".{number}" for number in range(1, 11)))
# The monitor has made it anew, or another one has written to the file.
_WAITS = re.compile(rb"^Waiting for domain ", re.MULTILINE)

Note = t.Mapping[str, t.Any]


class Witness:
    """One domain's; ``domid`` is the number of the life that is meant. Another number that lives begins another one."""

    def __init__(self, domid: int | None) -> None:
        self.domid = domid
        self._reason: str | None = None
        self._log = -1
        self.crashed_before = False

    @property
    def ended(self) -> bool:
        """Whether it is known to have shut down by itself."""
        return (self._reason or self._said()) in ENDS

    @property
    def crashed(self) -> bool:
        """Whether it is known to have crashed. Of the life before this one ``crashed_before`` tells that."""
        return (self._reason or self._said()) == _CRASH

    def tell(self) -> None:
        """Put in that it has shut down by itself, as somebody else knows."""
        self._reason = ENDS[0]

    def see(self, rows: t.Sequence[DomainRow]) -> None:
        """Take in what is there of the domain."""
        alive = next((row for row in rows if row.state.alive), None)
        if alive is not None:
            if alive.domid != self.domid:
                self.crashed_before = self.crashed
                self._forget()
                self.domid = alive.domid
            return
        # What an earlier life has left says nothing of this one.
        last = max(rows, key=lambda row: row.domid, default=None)
        if last is not None and last.domid >= (self.domid or 0) and last.state.reason in (*ENDS, _CRASH):
            self._reason = last.state.reason

    def attend(self, monitor: Monitor) -> None:
        """Keep the log of the process that watches it, if it has one."""
        if self._log < 0:
            path = os.path.join(_procfs.PROC, str(monitor.pid), "fd", "1")
            with contextlib.suppress(OSError):
                self._log = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)

    def note(self) -> dict[str, t.Any] | None:
        """Return where that log is and how long, for :func:`tells_end` in the same boot; None where there is none."""
        try:
            status = os.fstat(self._log)
            path = os.readlink(os.path.join(_procfs.PROC, "self", "fd", str(self._log)))
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return {"path": path, "device": status.st_dev, "inode": status.st_ino, "size": status.st_size}

    def _said(self) -> str | None:
        if self._log < 0 or self.domid is None:
            return None
        try:
            codes = _ends(self.domid).findall(_tail(self._log))
        except OSError:
            return None
        return _CODES.get(codes[-1]) if codes else None

    def _forget(self) -> None:
        self._reason = None
        if self._log >= 0:
            os.close(self._log)
            self._log = -1


def tells_end(note: Note, domid: int) -> bool:
    """Whether the log of a :meth:`Witness.note` says that the domain has since shut down by itself, and no more."""
    for moved in _MOVED:
        with contextlib.suppress(OSError, KeyError, TypeError, ValueError):
            log = os.open(f"{note['path']}{moved}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
            try:
                status = os.fstat(log)
                if (status.st_dev, status.st_ino) == (note["device"], note["inode"]):
                    return _is_end(_tail(log, int(note["size"])), domid)
            finally:
                os.close(log)
    return False


def _is_end(text: bytes, domid: int) -> bool:
    found = list(_ends(domid).finditer(text))
    return bool(found) and _CODES.get(found[-1].group(1)) in ENDS and not _WAITS.search(text, found[-1].end())


def _ends(domid: int) -> t.Pattern[bytes]:
    return re.compile(rb"^Domain %d has shut down, reason code (\d+) " % domid, re.MULTILINE)


def _tail(log: int, begin: int = 0) -> bytes:
    return os.pread(log, _TAIL_BYTES, max(begin, os.fstat(log).st_size - _TAIL_BYTES))
