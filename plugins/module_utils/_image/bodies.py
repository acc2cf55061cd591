# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at in the bodies of records, which the parser only counts. They come in pieces of any size.

Nothing is kept but the beginning of a body, as far as somebody wants to read it.
"""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._wire.events import Record

PAGE = bytes(4096)


class Body:
    """One record's body and its padding.

    ``head`` is its beginning, at most ``keep`` bytes. ``nuls`` counts the zero bytes behind its first eight, ``last``
    is its last byte (None without any), and ``padded`` is whether nothing but zeros follow up to the next record.
    """

    def __init__(self, record: Record, keep: int) -> None:
        self.record = record
        self.head = bytearray()
        self.nuls = 0
        self.last: int | None = None
        self.padded = True
        self._keep = min(keep, record.length)
        self._seen = 0

    def take(self, data: bytes, begin: int, end: int) -> None:
        """See the next bytes, ``data[begin:end]``."""
        stop = max(begin, min(end, begin + self.record.length - self._seen))
        if begin < stop:
            self.head += data[begin : min(stop, begin + self._keep - len(self.head))]
            self.nuls += data.count(0, min(stop, begin + max(0, 8 - self._seen)), stop)
            self.last = data[stop - 1]
        if stop < end and data.count(0, stop, end) != end - stop:
            self.padded = False
        self._seen += end - begin


class Pages:
    """The pages of one PAGE_DATA record: ``whole`` were seen to their end, ``zero`` of them hold nothing but zeros."""

    def __init__(self) -> None:
        self.whole = 0
        self.zero = 0
        self._part = 0
        self._zero_so_far = True

    def take(self, data: bytes, begin: int, end: int) -> None:
        """See the next bytes, ``data[begin:end]``."""
        size = len(PAGE)
        while begin < end:
            if not self._part and end - begin >= size:
                self.whole += 1
                self.zero += data.startswith(PAGE, begin)
                begin += size
                continue
            stop = min(end, begin + size - self._part)
            self._zero_so_far = self._zero_so_far and PAGE.startswith(data[begin:stop])
            self._part += stop - begin
            begin = stop
            if self._part == size:
                self.whole += 1
                self.zero += self._zero_so_far
                self._part, self._zero_so_far = 0, True
