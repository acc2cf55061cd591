# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An incremental parser for everything that ``xl migrate`` or ``xl save`` writes.

It keeps no page: it reads headers and the entries of PAGE_DATA records, and jumps over the rest by length.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._wire import events, header, pages, records
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import (
    BadPermission,
    RecordOrder,
    RecordTooLong,
    StreamError,
    TrailingData,
    TruncatedStream,
    printable,
)
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import PERMISSION, FixedText

HEADER = "header"
CONFIG = "config"
LIBXL = records.LIBXL
LIBXC = records.LIBXC
ENDED = "ended"
PERMITTED = "permission"

Buffer = t.Union[bytes, bytearray, memoryview]


class Parsed(t.NamedTuple):
    """What one chunk contained.

    The first ``stream_bytes`` of its bytes belong to the stream, up to and including libxl's END; the others are the
    permission, which must never be forwarded on sight.
    """

    events: tuple[events.Event, ...]
    stream_bytes: int


class StreamParser:
    """Follow one stream from its first byte to the permission.

    :attr:`phase` is ``header``, ``config``, ``libxl``, ``libxc``, ``ended`` (libxl's END was read, nothing more may
    come before the permission) or ``permission`` (all of it was read). :attr:`position` counts every byte accepted, and
    :attr:`stream_end` is the stream's length once it is known.

    Cutting the bytes differently gives the same events. A :class:`StreamError` is final: it is raised again by
    every later call.
    """

    def __init__(self) -> None:
        self.position = 0
        self.phase = HEADER
        self.config: bytes | None = None
        self.domain: records.DomainHeader | None = None
        self.stream_end: int | None = None
        self._held = bytearray()
        self._wanted = header.HEADER.size
        self._step: t.Callable[[bytes], None] = self._xl_header
        self._skip = 0
        self._found: list[events.Event] = []
        self._permission = FixedText(PERMISSION)
        self._error: StreamError | None = None
        self._xl = header.XlHeader(0, 0, 0)
        self._layer = LIBXL
        self._libxc_seen = False
        self._in_checkpoint = False
        self._record_length = 0
        self._record_position = 0

    @property
    def guest_type(self) -> str | None:
        """``pv`` or ``hvm`` (which includes PVH), or None before libxc's headers."""
        return self.domain.guest_type if self.domain else None

    @property
    def xen_version(self) -> tuple[int, int] | None:
        """Major and minor version of the Xen that writes the stream, or None before libxc's headers."""
        return (self.domain.xen_major, self.domain.xen_minor) if self.domain else None

    @property
    def passing(self) -> int:
        """How many of the next bytes are only counted, whatever they are: a record's body, pages, padding."""
        return self._skip

    @property
    def wanted(self) -> int:
        """How many bytes at most may be fed without passing the end of the next item; never 0.

        Who feeds no more at once loses no event to an error, and gets the same error however the bytes came.
        """
        return 1 if self.stream_end is not None else self._skip or self._wanted - len(self._held)

    def feed(self, chunk: Buffer) -> Parsed:
        """Parse the next bytes. Keeps no reference to ``chunk``. Raises :class:`StreamError`."""
        if self._error is not None:
            raise self._error
        begin = self.position
        try:
            with memoryview(chunk) as view, view.cast("B") as octets:
                self._consume(octets)
        except StreamError as exc:
            self._error = exc
            raise
        finally:
            found, self._found = self._found, []
        end = self.position if self.stream_end is None else max(begin, self.stream_end)
        return Parsed(tuple(found), end - begin)

    def finish(self) -> None:
        """Say that no more bytes will come. Raises :class:`TruncatedStream` unless the stream is complete.

        Complete without permission is what ``xl save`` writes.
        """
        if self._error is not None:
            raise self._error
        if self.phase == PERMITTED or (self.phase == ENDED and not self._permission.matched):
            return
        self._error = TruncatedStream(
            f"the stream ended in the middle ({self.phase})", position=self.position, phase=self.phase
        )
        raise self._error

    def _consume(self, view: memoryview) -> None:
        offset = 0
        size = len(view)
        while offset < size:
            if self._skip:
                taken = min(self._skip, size - offset)
                self._skip -= taken
                offset += taken
                self.position += taken
                continue
            if self.stream_end is not None:
                self._permit(bytes(view[offset : offset + len(PERMISSION) + 1]))
                return
            taken = min(self._wanted - len(self._held), size - offset)
            piece = bytes(view[offset : offset + taken])
            offset += taken
            self.position += taken
            if taken < self._wanted:
                self._held += piece
                if len(self._held) < self._wanted:
                    return
                piece = bytes(self._held)
                self._held.clear()
            self._step(piece)

    def _want(self, size: int, step: t.Callable[[bytes], None]) -> None:
        self._wanted = size
        self._step = step

    def _permit(self, data: bytes) -> None:
        length, failed = self._permission.feed(data)
        self.position += length
        if failed:
            received = printable(self._permission.seen() + data[length:])
            raise BadPermission(
                f"'{received}' follows the stream instead of the permission",
                position=self.position,
                received=received,
            )
        if self._permission.complete and self.phase != PERMITTED:
            self.phase = PERMITTED
            self._found.append(events.Permission(self.position))
        if length < len(data):
            raise TrailingData(f"'{printable(data[length:])}' follows the permission", position=self.position)

    def _xl_header(self, data: bytes) -> None:
        self._xl = header.XlHeader.decode(data)
        self.phase = CONFIG
        self._want(header.LENGTH.size, self._config_length)

    def _config_length(self, data: bytes) -> None:
        self._want(header.decode_config_length(data, self._xl), self._config)

    def _config(self, data: bytes) -> None:
        self.config = header.decode_config(data)
        self._found.append(events.Config(self.position, self.config))
        self._skip = self._xl.optional_data_length - header.LENGTH.size - len(data)
        self.phase = LIBXL
        self._want(records.LIBXL_HEADER.size, self._libxl_header)

    def _libxl_header(self, data: bytes) -> None:
        records.check_libxl_header(data, self.position - len(data))
        self._want(records.RECORD.size, self._record)

    def _domain_headers(self, data: bytes) -> None:
        position = self.position - len(data)
        self.domain = domain = records.decode_domain_header(data, position)
        self._found.append(
            events.StreamBegin(position, domain.version, domain.guest_type, (domain.xen_major, domain.xen_minor))
        )
        self._want(records.RECORD.size, self._record)

    def _record(self, data: bytes) -> None:
        position = self.position - len(data)
        kind, length = records.RECORD.unpack(data)
        name = records.record_name(self._layer, kind, length, position)
        if kind == records.LIBXC_PAGE_DATA and self._layer == LIBXC:
            if length > pages.LENGTH_MAX:
                raise RecordTooLong(f"a PAGE_DATA record has {length} bytes", position=position, length=length)
            self._record_position = position
            self._record_length = length
            self._want(pages.HEADER.size, self._page_count)
            return
        self._found.append(events.Record(position, self._layer, kind, name, length))
        self._skip = records.padded(length)
        if self._layer == LIBXC:
            self._libxc_record(kind)
        else:
            self._libxl_record(kind, position)

    def _page_count(self, data: bytes) -> None:
        count = pages.decode_count(data, self._record_length, self._record_position)
        self._want(count * pages.ENTRY.size, self._page_entries)

    def _page_entries(self, data: bytes) -> None:
        length = self._record_length
        batch = pages.inspect(data, length, self._record_position)
        self._found.append(
            events.PageData(
                self._record_position,
                records.RECORD.size + length,
                batch.entries,
                batch.pages,
                batch.first,
                batch.last,
                b"" if batch.contiguous else data,
            )
        )
        self._skip = batch.pages * pages.PAGE_SIZE
        self._want(records.RECORD.size, self._record)

    def _libxc_record(self, kind: int) -> None:
        if kind == records.LIBXC_END:
            self._enter(LIBXL)
        elif kind == records.LIBXC_CHECKPOINT:
            # Remus and COLO: libxl's records of the checkpoint come next, up to CHECKPOINT_END.
            self._in_checkpoint = True
            self._enter(LIBXL)

    def _libxl_record(self, kind: int, position: int) -> None:
        if kind == records.LIBXL_LIBXC_CONTEXT:
            self._order(not self._libxc_seen, "a second LIBXC_CONTEXT", position)
            self._libxc_seen = True
            self._enter(LIBXC)
            self._want(records.IMAGE_HEADER.size + records.DOMAIN_HEADER.size, self._domain_headers)
        elif kind == records.LIBXL_CHECKPOINT_END:
            self._order(self._in_checkpoint, "CHECKPOINT_END outside a checkpoint", position)
            self._in_checkpoint = False
            self._enter(LIBXC)
        elif kind == records.LIBXL_END:
            self._order(self._libxc_seen and not self._in_checkpoint, "END before libxc's END", position)
            self.phase = ENDED
            self.stream_end = self.position
            self._found.append(events.StreamEnd(self.position))

    def _enter(self, layer: str) -> None:
        self._layer = self.phase = layer

    def _order(self, sound: bool, what: str, position: int) -> None:
        if not sound:
            raise RecordOrder(f"{what} in the stream", position=position, phase=self.phase)
