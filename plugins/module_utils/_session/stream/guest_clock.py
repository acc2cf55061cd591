# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stream tells of the guest's time stamp counter, and what another processor makes of it (no I/O; private).

Which clock source the guest has chosen dom0 cannot see. The record X86_TSC_INFO follows the memory
(tools/libs/guest/xg_sr_common_x86.c write_x86_tsc_info): the rate that the guest counts on, and how Xen keeps to it.
"""

from __future__ import annotations

import struct
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._wire import events, records

Buffer = t.Union[bytes, bytearray, memoryview]

# docs/specs/libxc-migration-stream.pandoc: mode, kHz, nanoseconds, incarnation, reserved.
_TSC_INFO = struct.Struct("<IIQII")
# TSC_MODE_DEFAULT of xen/arch/x86/include/asm/time.h; in another mode no processor's rate matters.
_DEFAULT = 0

WHAT = "clock_source"


class TscInfo(t.NamedTuple):
    """How Xen is to give the guest its time stamp counter, and at which rate, in kHz."""

    mode: int
    khz: int


class GuestClock:
    """Picks the record out of the stream as it goes by."""

    def __init__(self) -> None:
        self.info: TscInfo | None = None
        self._begin: int | None = None
        self._body = bytearray()

    def take(self, data: Buffer, position: int, found: t.Iterable[events.Event]) -> None:
        """Read ``data``, which begins at ``position`` of the stream and in which that was found."""
        for event in found:
            if isinstance(event, events.Record) and _is_it(event):
                self._begin = event.position + records.RECORD.size
                self._body.clear()
        if self._begin is None:
            return
        begin = self._begin - position
        self._body += data[max(0, begin) : max(0, begin + _TSC_INFO.size)]
        if len(self._body) == _TSC_INFO.size:
            mode, khz, *dummy = _TSC_INFO.unpack(self._body)
            self.info, self._begin = TscInfo(mode, khz), None


def _is_it(event: events.Record) -> bool:
    return event.layer == records.LIBXC and event.type == records.LIBXC_X86_TSC_INFO


def difference(info: TscInfo | None, before: int | None, after: int | None) -> dict[str, t.Any] | None:
    """Return how the counter was had before, and is now, on processors of these rates (in kHz), if otherwise.

    Xen leaves it to the processor where that has the guest's rate (xen/arch/x86/time.c tsc_set_info), to the kHz.
    """
    if info is None or info.mode != _DEFAULT or not info.khz or not before or not after:
        return None
    if (info.khz == before) == (info.khz == after):
        return None
    return {"what": WHAT, "before": _way(info.khz, before), "after": _way(info.khz, after)}


def _way(khz: int, processor: int) -> str:
    if khz == processor:
        return f"at the processor's rate of {khz / 1000:.3f} MHz"
    return f"scaled or emulated at {khz / 1000:.3f} MHz (the processor has {processor / 1000:.3f})"
