# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of a PAGE_DATA record: types and frame numbers, looked at without a loop over them.

docs/specs/libxc-migration-stream.pandoc "PAGE_DATA": an entry is a little-endian u64 with the type in bits 63-60, zeros
in bits 59-52 and the guest frame number (pfn) below. tools/libs/guest/xg_sr_save.c ``write_batch`` never writes more
than MAX_BATCH_SIZE entries in one record.
"""

from __future__ import annotations

import struct
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import PageDataArithmetic, PageDataEntry

HEADER = struct.Struct("<II")
ENTRY = struct.Struct("<Q")
PAGE_SIZE = 4096
ENTRIES_MAX = 1024
"""MAX_BATCH_SIZE of tools/libs/guest/xg_sr_common.h."""
PFN_MASK = (1 << 52) - 1

LENGTH_MAX = HEADER.size + ENTRIES_MAX * (ENTRY.size + PAGE_SIZE)

# The highest byte of a sound entry: its type, and four zeros. Normal pages and page tables bring their content;
# broken, allocate-only and invalid frames do not.
_WITH_DATA = bytes(kind << 4 for kind in (0, 1, 2, 3, 4, 9, 10, 11, 12))
_WITHOUT_DATA = bytes(kind << 4 for kind in (13, 14, 15))


def _repeat(values: t.Iterable[int]) -> int:
    return int.from_bytes(b"".join(ENTRY.pack(value) for value in values), "little")


# A record's entries as one large number, a field of 64 bits for each: comparing and masking it costs microseconds.
_ONES = _repeat([1] * ENTRIES_MAX)
_STEPS = _repeat(range(ENTRIES_MAX))
_PFNS = _ONES * PFN_MASK
_RESERVED = _ONES * (0xFF << 52)
_GUARD = _ONES << 63
# By the highest twelve bits of a sound entry: how many pages it brings, and a whole record of frames 0 to 1023.
_ALIKE = {
    byte << 4: (brings, _STEPS + (byte << 56) * _ONES)
    for brings, types in ((1, _WITH_DATA), (0, _WITHOUT_DATA))
    for byte in types
}


class Batch(t.NamedTuple):
    """What a record's entries say: how many, how many bring a page, and which frames."""

    entries: int
    pages: int
    first: int
    last: int
    contiguous: bool


def decode_count(data: bytes, length: int, position: int) -> int:
    """Read the number of entries of a record with a body of ``length`` bytes. Raises PageDataArithmetic."""
    count, reserved = HEADER.unpack(data)
    if reserved:
        raise PageDataEntry(f"a PAGE_DATA record has reserved bits 0x{reserved:x}", position=position)
    if not 1 <= count <= ENTRIES_MAX or length < HEADER.size + count * ENTRY.size:
        raise PageDataArithmetic(
            f"a PAGE_DATA record of {length} bytes has {count} entries",
            position=position,
            length=length,
            entries=count,
        )
    return int(count)


def inspect(packed: bytes, length: int, position: int) -> Batch:
    """Look at the entries of a record with a body of ``length`` bytes.

    Raises :class:`PageDataEntry` for a reserved type or bit, :class:`PageDataArithmetic` when the length does not fit.
    """
    count = len(packed) // ENTRY.size
    number = int.from_bytes(packed, "little")
    alike = _alike(packed, number, count)
    if alike is not None and length == HEADER.size + count * ENTRY.size + alike.pages * PAGE_SIZE:
        return alike
    with_data = packed[7::8].translate(None, _WITHOUT_DATA)
    if number & _RESERVED or with_data.translate(None, _WITH_DATA):
        raise PageDataEntry(
            f"entry {_first_bad(packed)} of a PAGE_DATA record has a reserved type or bit", position=position
        )
    pages = len(with_data)
    if length != HEADER.size + count * ENTRY.size + pages * PAGE_SIZE:
        raise PageDataArithmetic(
            f"a PAGE_DATA record of {length} bytes has {count} entries and {pages} pages",
            position=position,
            length=length,
            entries=count,
            pages=pages,
        )
    first = ENTRY.unpack_from(packed)[0] & PFN_MASK
    last = ENTRY.unpack_from(packed, len(packed) - ENTRY.size)[0] & PFN_MASK
    contiguous = last - first == count - 1 and number & _PFNS == _ascending_from(first, count)
    return Batch(count, pages, first, last, contiguous)


def _alike(packed: bytes, number: int, count: int) -> Batch | None:
    """Return the batch when all entries are of one sound type and follow each other, as in nearly all of round 0.

    One comparison says all of it, where :func:`inspect` needs several: with a thousand records of frames that bring
    nothing, as at the end of a PVH guest's memory, that is most of what they cost.
    """
    (entry,) = ENTRY.unpack_from(packed)
    first = entry & PFN_MASK
    brings, from_zero = _ALIKE.get(entry >> 52, (0, -1))
    if count != ENTRIES_MAX or first > PFN_MASK - ENTRIES_MAX or number != from_zero + first * _ONES:
        return None
    return Batch(count, brings * count, first, first + count - 1, contiguous=True)


def strictly_ascending(packed: bytes) -> bool:
    """Whether each pfn is larger than the one before it, as in everything that Xen writes."""
    count = len(packed) // ENTRY.size
    number = int.from_bytes(packed, "little") & _PFNS
    fields = (1 << 64 * (count - 1)) - 1
    guard = _GUARD & fields
    # next - this - 1 >= 0 in every field; the guard bit above the pfn is borrowed, and lost, where it is not.
    difference = ((number >> 64) | guard) - (number & fields) - (_ONES & fields)
    return difference & guard == guard


def pfns(packed: bytes) -> list[int]:
    """Return the frame numbers one by one: for the rare records about which nothing simpler can be said."""
    return [entry & PFN_MASK for (entry,) in ENTRY.iter_unpack(packed)]


def _ascending_from(first: int, count: int) -> int:
    if count == ENTRIES_MAX:
        return _STEPS + first * _ONES
    fields = (1 << 64 * count) - 1
    return (_STEPS & fields) + first * (_ONES & fields)


def _first_bad(packed: bytes) -> int:
    good = _WITH_DATA + _WITHOUT_DATA
    return next(
        index
        for index, (entry,) in enumerate(ENTRY.iter_unpack(packed))
        if entry >> 56 not in good or entry >> 52 & 0xFF
    )
