# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of every error this collection raises (private to the collection)."""

from __future__ import annotations

import typing as t


class Dom0XenError(Exception):
    """An error that names its cause, the host it happened on, and what to do about it.

    Subclasses set :attr:`code`, which is stable and meant for programs, and :attr:`remedy`, which is meant for people.
    Keyword arguments that are not ``host`` or ``remedy`` are kept as details and must be JSON serialisable.
    """

    code: str = "error"
    remedy: str = ""

    def __init__(self, message: str, *, host: str | None = None, remedy: str | None = None, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.host = host
        if remedy is not None:
            self.remedy = remedy
        self.details = details

    def as_result(self) -> dict[str, t.Any]:
        """Return the error as a module result: ``msg``, ``code``, ``host``, ``remedy`` and ``details``."""
        where = f"{self.host}: " if self.host else ""
        stop = "" if self.message.endswith((".", "!", "?")) else "."
        remedy = f" Remedy: {self.remedy}" if self.remedy else ""
        return {
            "msg": f"{where}{self.message}{stop}{remedy}",
            "code": self.code,
            "host": self.host,
            "remedy": self.remedy,
            "details": self.details,
        }
