# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking runs of zero bytes out of a piece of data, and putting them back (pure; private to the collection).

A guest's free memory is mostly pages of zeros. The body of a packed piece is, big-endian:

====== ===== ==================================================
offset bytes field
====== ===== ==================================================
0      4     number of pairs, n
4      8 n   pairs of lengths: bytes that follow, then zero bytes
4+8n   ...   the bytes that are not left out, one after the other
====== ===== ==================================================
"""

from __future__ import annotations

import struct
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError

COUNT = struct.Struct(">I")
PAIR = struct.Struct(">II")

# Half of a page: a page of zeros has one of these in it wherever the piece was cut.
STRIDE = 2048
_ZEROS = bytes(STRIDE)


def runs(data: bytes) -> list[tuple[int, int]]:
    """Return the runs of zeros in ``data`` that are worth leaving out, as offset and end, in order.

    Each holds a stride, and reaches as far on both sides as there are zeros, up to the next stride.
    """
    zero = data.startswith
    found: list[tuple[int, int]] = []
    begin = end = -1
    for offset in range(0, len(data) - STRIDE + 1, STRIDE):
        if not zero(_ZEROS, offset):
            continue
        if offset != end:
            if end >= 0:
                found.append(_widened(data, begin, end, found))
            begin = offset
        end = offset + STRIDE
    if end >= 0:
        found.append(_widened(data, begin, end, found))
    return found


def _widened(data: bytes, begin: int, end: int, before: list[tuple[int, int]]) -> tuple[int, int]:
    floor = max(begin - STRIDE, before[-1][1] if before else 0)
    left = data[floor:begin]
    right = data[end : end + STRIDE]
    return begin - len(left) + len(left.rstrip(b"\0")), end + len(right) - len(right.lstrip(b"\0"))


def pack(data: bytes) -> bytes:
    """Return the body for ``data``."""
    view = memoryview(data)
    pairs: list[bytes] = []
    literals: list[memoryview] = []
    position = 0
    for begin, end in runs(data):
        pairs.append(PAIR.pack(begin - position, end - begin))
        literals.append(view[position:begin])
        position = end
    if position < len(data):
        pairs.append(PAIR.pack(len(data) - position, 0))
        literals.append(view[position:])
    return b"".join((COUNT.pack(len(pairs)), *pairs, *literals))


def unpack(body: bytes | bytearray | memoryview, size: int) -> bytearray:
    """Return the ``size`` bytes that ``body`` was made of. Raises :class:`FrameError` for a body that is not one.

    ``size`` must have been bounded before: so much memory is taken.
    """
    view = memoryview(body)
    lengths, literals = _parts(view, size)
    data = bytearray(size)
    position = offset = 0
    for kept, zeros in lengths:
        data[position : position + kept] = literals[offset : offset + kept]
        position += kept + zeros
        offset += kept
    return data


def _parts(view: memoryview, size: int) -> tuple[list[tuple[int, int]], memoryview]:
    if len(view) < COUNT.size:
        raise FrameError("a packed piece without its number of runs")
    (count,) = COUNT.unpack_from(view)
    # A run holds a stride of zeros, but for the last.
    if count > size // STRIDE + 1 or COUNT.size + count * PAIR.size > len(view):
        raise FrameError(f"a packed piece of {size} bytes announces {count} runs")
    start = COUNT.size + count * PAIR.size
    lengths = t.cast("list[tuple[int, int]]", list(PAIR.iter_unpack(view[COUNT.size : start])))
    literals = view[start:]
    kept, zeros = sum(pair[0] for pair in lengths), sum(pair[1] for pair in lengths)
    if kept != len(literals) or kept + zeros != size:
        raise FrameError(f"a packed piece of {size} bytes holds {kept} and {zeros} zeros, with {len(literals)} there")
    return lengths, literals
