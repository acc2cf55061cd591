# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream in, its description out: the parser, the rounds, and what the bodies of records hold. Pure.

Any cutting of the bytes gives the same description, also of a stream that is broken.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._image import checks, configuration, processor
from ansible_collections.dom0.xen.plugins.module_utils._image.bodies import Body, Pages
from ansible_collections.dom0.xen.plugins.module_utils._image.description import (
    Description,
    Identity,
    Memory,
    Policies,
    RoundSeen,
    StreamProblem,
)
from ansible_collections.dom0.xen.plugins.module_utils._image.errors import CUT, DAMAGED
from ansible_collections.dom0.xen.plugins.module_utils._image.kinds import Kinds
from ansible_collections.dom0.xen.plugins.module_utils._wire import events, header, records
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import StreamError, TruncatedStream
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import PERMITTED, StreamParser
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import Round, RoundTracker

_CONFIG_POSITION = header.HEADER.size + header.LENGTH.size
_ZEROS = memoryview(bytes(1 << 20))
# The version of a libxc stream that is the first with STATIC_DATA_END.
_STATIC_DATA_SINCE = 3


class Describer:
    """Take a stream piece by piece; with ``pages`` look for pages that hold nothing but zeros.

    :attr:`over` is True when an error keeps the rest from being understood.
    """

    def __init__(self, pages: bool = True) -> None:
        self.over = False
        self._count_zeros = pages
        self._parser = StreamParser()
        self._rounds = RoundTracker()
        self._kinds = Kinds()
        self._problem: StreamError | None = None
        self._cut = False
        self._config: dict[str, t.Any] | None = None
        self._identity: Identity | None = None
        self._policies = Policies()
        self._body: Body | Pages | None = None
        self._whole_pages = self._zero_pages = 0
        self._introduced = False

    @property
    def introduced(self) -> bool:
        """Whether all has come that stands before memory; a stream of Xen before 4.14 does not say where that ends."""
        domain = self._parser.domain
        return self._introduced or (domain is not None and domain.version < _STATIC_DATA_SINCE)

    @property
    def ended(self) -> bool:
        """Whether the record that ends the stream has come."""
        return self._parser.stream_end is not None

    @property
    def jumpable(self) -> int:
        """How many of the next bytes nobody here wants to see."""
        return 0 if self.over or self._body is not None else self._parser.passing

    def jump(self, size: int) -> None:
        """Go on behind the next ``size`` bytes, :attr:`jumpable` at most."""
        while size:
            taken = min(size, len(_ZEROS))
            self._parser.feed(_ZEROS[:taken])
            size -= taken

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        offset, size = 0, len(data)
        with memoryview(data) as view:
            while offset < size and not self.over:
                passing = bool(self._parser.passing)
                end = min(offset + self._parser.wanted, size)
                if passing and self._body is not None:
                    self._body.take(data, offset, end)
                self._parse(view[offset:end])
                offset = end

    def stop(self, error: StreamError) -> None:
        """Say that the stream cannot be read on."""
        self._cut = self._cut or isinstance(error, TruncatedStream)
        self._fail(error)

    def finish(self) -> None:
        """Say that no more bytes will come."""
        if not self.over:
            try:
                self._parser.finish()
            except StreamError as exc:
                self.stop(exc)

    def describe(self, path: str, size: int, compression: str) -> Description:
        """Return what is known."""
        domain = self._parser.domain
        self._close_pages()
        return Description(
            path=path,
            size_bytes=size,
            compression=compression,
            complete=self._parser.stream_end is not None and not self._cut,
            permission=self._parser.phase == PERMITTED,
            problem=_problem(self._problem),
            identity=self._identity,
            config=self._config,
            guest_type=self._parser.guest_type,
            stream_version=domain.version if domain else None,
            xen_version=f"{domain.xen_major}.{domain.xen_minor}" if domain else None,
            stream_bytes=self._parser.stream_end,
            records=self._kinds.seen(),
            rounds=tuple(map(_round, self._rounds.rounds)),
            verify=tuple(map(_round, self._rounds.verify)),
            memory=self._memory(),
            policies=self._policies,
        )

    def _memory(self) -> Memory:
        tracker, share = self._rounds, None
        if self._count_zeros and self._whole_pages:
            share = round(self._zero_pages / self._whole_pages, 4)
        return Memory(
            entries=tracker.entries,
            pages=tracker.pages,
            bytes=tracker.size,
            distinct=tracker.distinct,
            again=tracker.again,
            exact=tracker.exact,
            zero_pages=self._zero_pages if self._count_zeros else None,
            zero_share=share,
        )

    def _parse(self, piece: memoryview) -> None:
        try:
            found = self._parser.feed(piece).events
        except StreamError as exc:
            self._fail(exc)
            return
        for event in found:
            self._event(event)
        if not self._parser.passing:
            self._close()

    def _event(self, event: events.Event) -> None:
        if isinstance(event, events.Config):
            self._read_config(event.text)
        elif isinstance(event, events.PageData):
            self._introduced = True
            self._kinds.add(records.LIBXC, "PAGE_DATA", records.LIBXC_PAGE_DATA, event.size)
            before = self._rounds.pages
            self._rounds.update((event,), self._parser.position, 0.0)
            if self._count_zeros and self._rounds.pages > before:  # what --debug sends to compare counts nowhere
                self._body = Pages()
        elif isinstance(event, events.Record):
            ends = event.layer == records.LIBXC and event.type == records.LIBXC_STATIC_DATA_END
            self._introduced = self._introduced or ends
            size = records.RECORD.size + records.padded(event.length)
            self._kinds.add(event.layer, event.name, event.type, size)
            self._rounds.update((event,), self._parser.position, 0.0)
            keep = processor.kept(event.type) if event.layer == records.LIBXC else 0
            self._body = Body(event, max(keep, checks.HEAD))
            domain = self._parser.domain
            self._note(lambda: checks.check_begin(event, domain.version if domain else 0))

    def _close(self) -> None:
        body, self._body = self._body, None
        if isinstance(body, Pages):
            self._add(body)
        elif body is not None:
            self._note(lambda: self._read_body(body))

    def _close_pages(self) -> None:
        if isinstance(self._body, Pages):
            self._add(self._body)
            self._body = None

    def _add(self, seen: Pages) -> None:
        self._whole_pages += seen.whole
        self._zero_pages += seen.zero

    def _read_body(self, body: Body) -> None:
        checks.check_body(body)
        if body.record.layer == records.LIBXC and body.record.length:
            self._policies = processor.with_body(self._policies, body)

    def _read_config(self, text: bytes) -> None:
        self._note(lambda: self._show_config(text))
        if self._config is not None:
            self._note(lambda: self._identify(text))

    def _show_config(self, text: bytes) -> None:
        self._config = configuration.shown(text, _CONFIG_POSITION)

    def _identify(self, text: bytes) -> None:
        found = header.config_identity(text)
        self._identity = Identity(
            uuid=found.uuid,
            name=configuration.tidy(found.name),
            type=configuration.tidy(found.type),
            memory_max_kib=found.memory_max_kib,
            memory_target_kib=found.memory_target_kib,
            video_memory_kib=found.video_memory_kib,
        )

    def _note(self, step: t.Callable[[], None]) -> None:
        """Take a step whose failure is worth telling but does not keep the rest from being read."""
        try:
            step()
        except StreamError as exc:
            self._problem = self._problem or exc

    def _fail(self, error: StreamError) -> None:
        self._problem = self._problem or error
        self.over = True


def _round(seen: Round) -> RoundSeen:
    return RoundSeen(
        number=seen.number,
        kind=seen.kind,
        entries=seen.entries,
        pages=seen.pages,
        bytes=seen.size,
        distinct=seen.distinct,
        again=seen.again,
    )


def _problem(error: StreamError | None) -> StreamProblem | None:
    if error is None:
        return None
    remedy = error.remedy
    if isinstance(error, TruncatedStream):
        remedy = CUT
    elif remedy == StreamError.remedy:
        remedy = DAMAGED
    return StreamProblem(error.code, error.message, error.position, remedy)
