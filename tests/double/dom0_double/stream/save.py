# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the libxc part of a stream, in the order and with the policy of tools/libs/guest/xg_sr_save.c (Xen 4.17)."""

from __future__ import annotations

import array
import dataclasses
import os
import time
import typing as t

from . import records
from .layout import STATE_PFN, Layout
from .pages import PAGE_SIZE, build, with_state

BATCH = 1024
#: xg_sr_save.c SPP_MAX_ITERATIONS and SPP_TARGET_DIRTY_COUNT.
MAXIMUM_ITERATIONS = 5
TARGET_DIRTY_COUNT = 50
_HOLE = records.PAGE_HOLE << 60


class SaveFailed(Exception):
    """libxc gives up; the text is its error message."""


class Source(t.Protocol):
    """The domain that is saved."""

    kind: str
    vcpus: int
    xen: tuple[int, int]
    khz: int
    tag: int
    layout: Layout

    def pages(self, pfns: list[int]) -> tuple[array.array[int], bytes]:
        """Return versions of populated pages, and the guest's state when its page is among them."""

    def log_dirty(self, enable: bool) -> None:
        """Switch log-dirty mode; SaveFailed where it is not to be had."""

    def clean(self) -> list[int]:
        """Return the pages written since the last time."""

    def suspend(self) -> None:
        """Suspend the guest; SaveFailed when it does not."""


class Output:
    """The stream's descriptor. ``before`` may act at any byte position; ``rate`` is in bytes per second, 0 = none."""

    def __init__(self, descriptor: int, rate: int, before: t.Callable[[int, int], int]) -> None:
        self._descriptor = descriptor
        self._rate = rate
        self._before = before
        self.position = 0
        self._started = time.monotonic()

    def write(self, *parts: bytes | bytearray) -> None:
        """Write all of the parts; OSError as write(2) gives it."""
        for part in parts:
            view = memoryview(part)
            while view:
                size = self._before(self.position, min(len(view), 1 << 16) if self._rate else len(view))
                done = os.write(self._descriptor, view[:size])
                self.position += done
                view = view[done:]
                if self._rate:
                    ahead = self.position / self._rate - (time.monotonic() - self._started)
                    if ahead > 0.001:
                        time.sleep(ahead)


@dataclasses.dataclass
class Save:
    """One run of xc_domain_save."""

    source: Source
    output: Output
    live: bool
    debug: bool
    passed: t.Callable[[str], None]

    def run(self) -> None:
        """Write the whole libxc stream. Log-dirty mode is switched off however it ends, unless the process dies."""
        source, write = self.source, self.output.write
        try:
            write(records.libxc_headers(source.kind, *source.xen))
            write(*records.static_data(source.kind, source.xen[1]))
            self.passed("static")
            if source.kind == "pv":
                write(records.p2m_frames(source.layout.p2m_size))
            if self.live:
                self._live()
            else:
                self._suspend()
                self._all()
            self.passed("memory")
            write(records.tsc_info(source.khz))
            if source.kind == "pv":
                write(*records.pv_tail(source.vcpus))
            else:
                write(records.hvm_context(source.vcpus), records.hvm_params())
            write(records.record(records.END))
            self.passed("end")
        finally:
            source.log_dirty(False)

    def _live(self) -> None:
        source = self.source
        source.log_dirty(True)
        dirty: list[int] | None = None
        iteration, count = 0, source.layout.p2m_size
        while True:
            stop = self._stops(iteration, count)
            if dirty is None:
                self._all()
            elif dirty:
                self._some(dirty)
            self.passed(f"round{iteration}")
            iteration += 1
            if stop or self._stops(iteration, -1):
                break
            dirty = source.clean()
            count = len(dirty)
        self._suspend()
        self._some(source.clean())
        if self.debug:
            self.output.write(records.record(records.VERIFY))
            self._all()

    @staticmethod
    def _stops(iteration: int, count: int) -> bool:
        return 0 <= count < TARGET_DIRTY_COUNT or iteration >= MAXIMUM_ITERATIONS

    def _suspend(self) -> None:
        self.passed("suspend")
        self.source.suspend()
        self.passed("suspended")

    def _all(self) -> None:
        for first in range(0, self.source.layout.p2m_size, BATCH):
            end = min(first + BATCH, self.source.layout.p2m_size)
            self._batch(range(first, end), self.source.layout.populated(first, end))

    def _some(self, pfns: list[int]) -> None:
        for at in range(0, len(pfns), BATCH):
            batch = pfns[at : at + BATCH]
            self._batch(batch, batch)

    def _batch(self, pfns: t.Sequence[int], populated: list[int]) -> None:
        if not populated:
            entries = array.array("Q", [pfn | _HOLE for pfn in pfns])
            self.output.write(*records.page_data(entries, b""))
            return
        versions, state = self.source.pages(populated)
        data = build(self.source.tag, populated, versions)
        if state:
            at = populated.index(STATE_PFN)
            page = with_state(self.source.tag, STATE_PFN, versions[at], state)
            data[at * PAGE_SIZE : (at + 1) * PAGE_SIZE] = page
        if len(populated) == len(pfns):
            entries = array.array("Q", populated)
        else:
            present = set(populated)
            entries = array.array("Q", [pfn if pfn in present else pfn | _HOLE for pfn in pfns])
        if self.source.kind == "pv":
            entries = array.array("Q", [pfn | page_table_type(pfn) for pfn in entries])
        self.output.write(*records.page_data(entries, data))


def page_table_type(pfn: int) -> int:
    """Return the type bits of a PV guest's frame: a few page tables, some pinned, as in a captured stream."""
    return _TABLES.get(pfn & 0xFFF, 0) << 60


_TABLES = {0x100: 9, 0x200: 12, 0x300: 3, 0x301: 2, 0x302: 2, **{0x400 + at: 1 for at in range(38)}, 0x500: 11}
