# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contents of guest pages, made from (guest, frame, version) without a loop over bytes.

Each page that was ever written starts with four 64-bit words: the guest's tag, the frame number, the version and a
check value. The rest repeats 512 bytes that depend on frame and version, so that a page of the wrong frame or an old
version is recognised by its contents, and so that streams compress about as well as those of an idle Linux guest.
A page of version 0 was never written: all zero.
"""

from __future__ import annotations

import array
import functools
import hashlib
import struct

PAGE_SIZE = 4096
_WORDS = PAGE_SIZE // 8
_TEMPLATES = 256
_ZERO = bytes(PAGE_SIZE)
_MASK = (1 << 64) - 1
_HEADER = struct.Struct("<4Q")
#: Where the guest's state starts in its page, and how much fits: length, then JSON.
_STATE = struct.Struct("<I")


def tag_of(boot_id: str) -> int:
    """Return the 64-bit tag of a guest's memory; never 0."""
    return int.from_bytes(hashlib.sha256(boot_id.encode()).digest()[:8], "little") | 1


@functools.lru_cache(maxsize=4)
def _templates(tag: int) -> list[bytes]:
    noise = hashlib.shake_128(b"%d" % tag).digest(_TEMPLATES * 512)
    return [noise[at : at + 512] * 8 for at in range(0, len(noise), 512)]


def build(tag: int, pfns: list[int], versions: array.array[int]) -> bytearray:
    """Return the contents of pages, one after the other."""
    templates = _templates(tag)
    pairs = list(zip(pfns, versions, strict=True))
    data = bytearray(b"".join([templates[(pfn * 7 + version) & 255] if version else _ZERO for pfn, version in pairs]))
    if not pfns:
        return data
    words = memoryview(data).cast("Q")
    written = [version != 0 for version in versions]
    columns = (
        [tag] * len(pfns),
        pfns,
        versions,
        [(tag ^ (pfn * 0x9E3779B97F4A7C15) ^ (version << 32)) & _MASK for pfn, version in pairs],
    )
    for offset, column in enumerate(columns):
        values = [value if there else 0 for value, there in zip(column, written, strict=True)]
        words[offset::_WORDS] = memoryview(array.array("Q", values))
    return data


def headers(data: memoryview) -> tuple[list[int], list[int]]:
    """Return the tags and versions found in pages that lie one after the other."""
    words = data.cast("B").cast("Q")
    return words[0::_WORDS].tolist(), words[2::_WORDS].tolist()


def with_state(tag: int, pfn: int, version: int, state: bytes) -> bytes:
    """Return a page that carries the guest's own state after its header."""
    head = bytes(build(tag, [pfn], array.array("I", [version]))[: _HEADER.size])
    body = head + _STATE.pack(len(state)) + state
    return body + bytes(PAGE_SIZE - len(body))


def state_in(page: memoryview) -> bytes:
    """Return the guest's own state out of its page."""
    (length,) = _STATE.unpack_from(page, _HEADER.size)
    start = _HEADER.size + _STATE.size
    return bytes(page[start : start + min(length, PAGE_SIZE - start)])


def digest(versions: array.array[int]) -> str:
    """Return what stands for all versions of a guest's pages at one moment."""
    return hashlib.sha256(versions.tobytes()).hexdigest()[:32]
