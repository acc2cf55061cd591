# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being told to end, where it can be acted on in order (private to the collection)."""

from __future__ import annotations

import signal
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import Interrupted

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stop:
    """Takes note of signals while it is entered; nothing is cut off by them."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._before: dict[signal.Signals, t.Any] = {}

    def __enter__(self) -> Stop:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *dummy: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise Interrupted when a signal has come."""
        if self._number is not None:
            raise Interrupted(f"the module was ended by {signal.Signals(self._number).name}")

    def _take(self, number: int, dummy: object) -> None:
        self._number = number
