# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the libxc part of a stream with the checks of tools/libs/guest/xg_sr_restore.c, and judges what came."""

from __future__ import annotations

import array
import dataclasses
import os
import struct
import typing as t

from . import records
from .layout import STATE_PFN, Layout
from .pages import PAGE_SIZE, build, headers, state_in

#: xg_sr_common.h REC_LENGTH_MAX.
RECORD_MAXIMUM = 128 << 20
_PFN_MASK = (1 << 52) - 1
_RESERVED = 0xFF << 52
_DATA_TYPES = frozenset((0, 1, 2, 3, 4, 9, 10, 11, 12))
_DATALESS = frozenset((records.PAGE_BROKEN, records.PAGE_ALLOCATE, records.PAGE_HOLE))
_AFTER_MEMORY = frozenset(
    (records.X86_TSC_INFO, records.HVM_CONTEXT, records.HVM_PARAMS, records.SHARED_INFO, records.X86_PV_VCPU_BASIC,
     records.X86_PV_VCPU_EXTENDED, records.X86_PV_VCPU_XSAVE, records.X86_PV_VCPU_MSRS)
)  # fmt: skip


class RestoreFailed(Exception):
    """libxc refuses the stream; the text is its error message."""


class Truncated(RestoreFailed):
    """The stream ended before its END record."""


def read_exactly(descriptor: int, size: int) -> bytearray:
    """Read a number of bytes, never more; Truncated at an early end."""
    data = bytearray(size)
    view = memoryview(data)
    while view:
        done = os.readv(descriptor, [view])
        if done == 0:
            raise Truncated(f"Failed to read {size} bytes")
        view = view[done:]
    return data


@dataclasses.dataclass
class Restored:
    """What came: versions of all pages by frame, the guest's state, and whether every page was as it should be."""

    layout: Layout
    versions: array.array[int]
    state: str | None
    intact: bool


class Restore:
    """One run of xc_domain_restore: :meth:`headers`, then :meth:`run`.

    ``populate`` is told how many new pages are needed, and may refuse; ``passed`` every position in the stream.
    """

    def __init__(self, descriptor: int, populate: t.Callable[[int], None], passed: t.Callable[[int], None]) -> None:
        self._descriptor = descriptor
        self._populate = populate
        self._passed = passed
        self._versions: dict[int, int] = {}
        self._state: str | None = None
        self._intact = True
        self._static_end = False
        self._verify = False
        self.position = 0
        self.kind = "hvm"
        self.xen = (0, 0)

    def _read(self, size: int) -> bytearray:
        data = read_exactly(self._descriptor, size)
        self.position += size
        self._passed(self.position)
        return data

    def run(self) -> Restored:
        """Read up to and with the END record, and not a byte more."""
        seen: set[int] = set()
        while True:
            kind, length = records.RECORD.unpack(self._read(records.RECORD.size))
            if length > RECORD_MAXIMUM:
                raise RestoreFailed(f"Record (0x{kind:08x}) length {length:#x} exceeds max ({RECORD_MAXIMUM:#x})")
            body = self._read(length + -length % 8)
            if kind == records.END:
                break
            self._record(kind, memoryview(body)[:length])
            seen.add(kind)
        wanted = {records.SHARED_INFO} if self.kind == "pv" else {records.HVM_CONTEXT, records.HVM_PARAMS}
        if missing := wanted - seen:
            raise RestoreFailed(f"Stream ended without record {min(missing):#x}")
        pfns = sorted(self._versions)
        versions = array.array("I", [self._versions[pfn] for pfn in pfns])
        return Restored(Layout.found(pfns), versions, self._state, self._intact)

    def headers(self) -> None:
        """Read image and domain header; afterwards :attr:`kind` and :attr:`xen` are known."""
        marker, ident, version, options, dummy1, dummy2 = records.IMAGE_HEADER.unpack(self._read(24))
        if marker != records.IMAGE_MARKER:
            raise RestoreFailed(f"Invalid marker: Got 0x{marker:016x}")
        if ident != records.IMAGE_ID:
            raise RestoreFailed(f"Invalid ID: Expected 0x{records.IMAGE_ID:08x}, Got 0x{ident:08x}")
        if not 2 <= version <= 3:
            raise RestoreFailed(f"Invalid Version: Expected 2 <= ver <= 3, Got {version}")
        if options & 1:
            raise RestoreFailed("Unable to handle big endian streams")
        kind, shift, dummy, major, minor = records.DOMAIN_HEADER.unpack(self._read(16))
        if kind not in (1, 2) or shift != 12:
            raise RestoreFailed(f"Unknown type {kind:#x} or page size 1 << {shift}")
        self.kind = "pv" if kind == 1 else "hvm"
        self.xen = (major, minor)
        self._static_end = version < 3

    def _record(self, kind: int, body: memoryview) -> None:
        if kind == records.STATIC_DATA_END:
            if self._static_end:
                raise RestoreFailed("Multiple STATIC_DATA_END records found")
            self._static_end = True
        elif kind == records.PAGE_DATA:
            self._pages(body)
        elif kind == records.VERIFY:
            self._verify = True
        elif kind in (records.CHECKPOINT, records.CHECKPOINT_DIRTY_PFN_LIST):
            raise RestoreFailed("Found checkpoint in non-checkpointed stream")
        elif kind in _AFTER_MEMORY or kind in (
            records.X86_CPUID_POLICY, records.X86_MSR_POLICY, records.X86_PV_INFO, records.X86_PV_P2M_FRAMES
        ):  # fmt: skip
            return
        elif not kind & 0x80000000:
            raise RestoreFailed(f"Unrecognised mandatory record 0x{kind:08x}")

    def _pages(self, body: memoryview) -> None:
        if not self._static_end:
            raise RestoreFailed("No STATIC_DATA_END seen")
        if len(body) < 8:
            raise RestoreFailed(f"PAGE_DATA record truncated: length {len(body)}, min 8")
        (count,) = struct.unpack_from("<I", body)
        if count < 1:
            raise RestoreFailed("Expected at least 1 pfn in PAGE_DATA record")
        if len(body) < 8 + 8 * count:
            raise RestoreFailed(
                f"PAGE_DATA record (length {len(body)}) too short to contain {count} pfns worth of information"
            )
        entries = array.array("Q", body[8 : 8 + 8 * count].tobytes())
        kinds = {entry >> 60 for entry in entries}
        if unknown := kinds - _DATA_TYPES - _DATALESS:
            raise RestoreFailed(f"Unknown type {min(unknown):#x} for pfn")
        if any(entry & _RESERVED for entry in entries):
            raise RestoreFailed("Reserved bits set in a pfn")
        if kinds == {0}:
            pfns = entries.tolist()
        else:
            pfns = [entry & _PFN_MASK for entry in entries if entry >> 60 in _DATA_TYPES]
        expected = 8 + 8 * count + PAGE_SIZE * len(pfns)
        if len(body) != expected:
            raise RestoreFailed(f"PAGE_DATA record wrong size: length {len(body)}, expected {expected}")
        if pfns:
            self._contents(pfns, body[8 + 8 * count :])

    def _contents(self, pfns: list[int], data: memoryview) -> None:
        new = sum(pfn not in self._versions for pfn in pfns)
        if new:
            self._populate(new)
        tags, versions = headers(data)
        numbers = array.array("I", [version & 0xFFFFFFFF for version in versions])
        tag = next((value for value in tags if value), 0)
        wanted = build(tag, pfns, numbers) if tag else bytearray(len(data))
        if STATE_PFN in pfns:
            at = pfns.index(STATE_PFN) * PAGE_SIZE
            if not self._verify:
                self._state = state_in(data[at : at + PAGE_SIZE]).decode(errors="replace")
            wanted[at : at + PAGE_SIZE] = data[at : at + PAGE_SIZE]
        if wanted != data:
            self._intact = False
        if self._verify:
            self._intact = self._intact and all(self._versions.get(p) == v for p, v in zip(pfns, numbers, strict=False))
        else:
            self._versions.update(zip(pfns, numbers, strict=False))
