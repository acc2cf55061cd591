# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a domain has ended by itself: as it was seen, or as its monitor says (private to the collection).

A domain that is not there any more has shut down, or somebody has destroyed, saved or moved it. Only in the first case
xl's monitor writes "Domain N has shut down, reason code 0" (1: a reboot, 3 or 4: a crash), before it destroys what is
left (tools/xl/xl_vmcontrol.c create_domain). Its log is kept open here, since the monitor may be gone with the domain.
"""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, Monitor

# What a guest's kernel does in the end: off, or (the monitor being lost, nobody makes it anew) a reboot.
ENDS = ("poweroff", "reboot")

_CRASH = "crash"
# The numbers of enum libxl_shutdown_reason (tools/libs/light/libxl_types.idl); 4 is the watchdog's.
_CODES = {b"0": ENDS[0], b"1": ENDS[1], b"3": _CRASH, b"4": _CRASH}
_TAIL_BYTES = 256 * 1024


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

    def _said(self) -> str | None:
        if self._log < 0 or self.domid is None:
            return None
        try:
            size = os.fstat(self._log).st_size
            text = os.pread(self._log, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
        except OSError:
            return None
        codes = re.findall(rb"^Domain %d has shut down, reason code (\d+) " % self.domid, text, re.MULTILINE)
        return _CODES.get(codes[-1]) if codes else None

    def _forget(self) -> None:
        self._reason = None
        if self._log >= 0:
            os.close(self._log)
            self._log = -1
