# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages as xl, libxl and libxc print them on standard error (tools/libs/toollog/xtl_logger_stdio.c)."""

from __future__ import annotations

import contextlib
import os
import sys
import time

DEBUG, VERBOSE, DETAIL, PROGRESS, INFO, NOTICE, WARN, ERROR = range(1, 9)
_NAMES = {1: "debug", 2: "verbose", 3: "detail", 4: "progress", 5: "info", 6: "notice", 7: "warning", 8: "error"}

#: Return codes of libxl (libxl_types.idl).
RC_FAIL, RC_NOMEM, RC_INVAL, RC_TIMEDOUT, RC_GUEST_TIMEDOUT, RC_DOMAIN_NOTFOUND = -3, -5, -6, -9, -8, -21


class Log:
    """Prints what is at or above the least level; xl starts at ``progress``, each ``-v`` lowers it by one."""

    def __init__(self, least: int = PROGRESS, timestamps: bool = False) -> None:
        self.least = least
        self._timestamps = timestamps

    def line(self, text: str) -> None:
        """Print a line of xl's own, whatever the level. A reader that has gone is no reason to stop."""
        with contextlib.suppress(OSError):
            os.write(2, text.encode() + b"\n")

    def message(self, level: int, context: str, text: str, error: str | None = None) -> None:
        """Print a message of a library."""
        if level < self.least:
            return
        stamp = time.strftime("%Y-%m-%d %H:%M:%S %Z ") + f"[{os.getpid()}] " if self._timestamps else ""
        self.line(f"{stamp}{context}: {_NAMES[level]}: {text}" + (f": {error}" if error else ""))

    def libxl(self, level: int, where: str, text: str, domid: int | None = None, error: str | None = None) -> None:
        """Print a message of libxl: ``where`` is file, line and function."""
        domain = "" if domid is None else f"Domain {domid}:"
        self.message(level, "libxl", f"{where}: {domain}{text}", error)

    def libxc(self, level: int, text: str, error: str | None = None) -> None:
        """Print a message of libxc; its errors end in a fixed phrase (tools/libs/ctrl/xc_private.c)."""
        if level >= ERROR:
            text += f" ({error})" if error else ""
            text += ": Internal error"
        self.message(level, "xc", text)


class Exit(Exception):
    """Ends xl with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def out(text: str) -> None:
    """Print on standard output."""
    sys.stdout.write(text)
    sys.stdout.flush()
