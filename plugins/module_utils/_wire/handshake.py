# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixed texts of the conversation between ``xl migrate`` and ``xl migrate-receive``.

All of it is from tools/xl/xl_migrate.c (``migrate_domain``, ``migrate_receive``); the texts have not changed since
the first ``xl migrate``. Only the banner comes without its terminating NUL.
"""

from __future__ import annotations

import types
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import (
    TruncatedAnswer,
    UnexpectedAnswer,
    printable,
)

BANNER = b"xl migration receiver ready, send binary domain data.\n"
READY = b"domain received, ready to unpause\x00"
PERMISSION = b"domain is yours, you are cleared to unpause\x00"
"""Source to destination: start the guest. Destination to source: the guest is yours again (the give-back)."""
REPORT = b"my copy unpause results are as follows\x00"

RUNNING = 0
PERMISSION_NOT_RECEIVED = 0xFF

STATUS_MEANINGS: t.Mapping[int, str] = types.MappingProxyType(
    {
        RUNNING: "the guest runs at the destination",
        1: "unspecific error",
        2: "version mismatch",
        3: "failed",
        4: "not implemented",
        5: "out of memory",
        6: "invalid: usually a domain of that name exists at the destination",
        7: "bad failure",
        8: "the guest did not answer in time",
        9: "timed out",
        11: "not ready",
        15: "the domain's lock could not be taken",
        17: "device exists",
        21: "domain not found",
        22: "aborted",
        24: "the domain was destroyed meanwhile",
        PERMISSION_NOT_RECEIVED: "the permission to start did not arrive, or not intact",
    }
)
"""Status byte to meaning: libxl's error number without its sign (libxl_types.idl ``error``), or 0xFF."""


def status_meaning(code: int) -> str:
    """Return what the receiver's status byte means, also for codes that this version does not know."""
    return STATUS_MEANINGS.get(code, "libxl error %s" % -code)


def success_answer() -> bytes:
    """Return the bytes which tell the sending xl that the guest runs at the destination: it destroys its copy."""
    return REPORT + bytes([RUNNING])


def failure_answer(code: int) -> bytes:
    """Return the bytes which tell the sending xl that the receiver failed and gave the guest back: it resumes it.

    ``code`` is the receiver's status byte, 1 to 255.
    """
    if not 1 <= code <= 0xFF:
        raise ValueError(f"a failure status is 1 to 255, not {code}")
    return REPORT + bytes([code]) + PERMISSION


@dataclass(frozen=True)
class Banner:
    """The receiver is up and wants the stream."""


@dataclass(frozen=True)
class Ready:
    """The receiver has the whole guest and wants permission to start it."""


@dataclass(frozen=True)
class Report:
    """The receiver's status byte comes next."""


@dataclass(frozen=True)
class Status:
    """The receiver's result; :attr:`code` 0 means that the guest runs there."""

    code: int

    @property
    def running(self) -> bool:
        """Whether the guest runs at the destination."""
        return self.code == RUNNING

    @property
    def meaning(self) -> str:
        """What the code means, for people."""
        return status_meaning(self.code)


@dataclass(frozen=True)
class GiveBack:
    """The receiver has destroyed its copy and gives the guest back to the source."""


Answer = t.Union[Banner, Ready, Report, Status, GiveBack]


class FixedText:
    """Compare incoming bytes with one fixed text, however they are cut."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self.matched = 0

    @property
    def complete(self) -> bool:
        """Whether the whole text was seen."""
        return self.matched == len(self._text)

    def feed(self, data: bytes) -> tuple[int, bool]:
        """Compare, and return how many bytes belong to the text and whether the comparison failed after them."""
        wanted = self._text[self.matched : self.matched + len(data)]
        length = len(wanted)
        if data[:length] != wanted:
            length = next(index for index, byte in enumerate(wanted) if data[index] != byte)
        self.matched += length
        return length, length < len(wanted)

    def seen(self) -> bytes:
        """Return the part of the text which was matched so far."""
        return self._text[: self.matched]


class AnswerMatcher:
    """Turn what the receiving xl writes to its standard output into events.

    The order is banner, ready, report, status, and after a status that is not 0 the give-back. Any cutting of the
    bytes gives the same events. Any other byte raises :class:`UnexpectedAnswer`, also for every later call.
    """

    _SCRIPT: tuple[tuple[str, bytes, Answer], ...] = (
        ("banner", BANNER, Banner()),
        ("ready", READY, Ready()),
        ("report", REPORT, Report()),
        ("status", b"", Status(RUNNING)),
        ("give_back", PERMISSION, GiveBack()),
    )
    _STATUS = 3
    _END = 5

    def __init__(self) -> None:
        self.position = 0
        self._stage = 0
        self._text = FixedText(BANNER)
        self._error: UnexpectedAnswer | None = None

    @property
    def expected(self) -> str:
        """What must come next: ``banner``, ``ready``, ``report``, ``status``, ``give_back`` or ``nothing``."""
        return self._SCRIPT[self._stage][0] if self._stage < self._END else "nothing"

    @property
    def partial(self) -> bool:
        """Whether a message has begun and is not complete."""
        return self._stage == self._STATUS or (self._stage < self._END and self._text.matched > 0)

    def feed(self, data: bytes) -> list[Answer]:
        """Return the answers that are complete with ``data``. Raises :class:`UnexpectedAnswer`."""
        if self._error is not None:
            raise self._error
        events: list[Answer] = []
        offset = 0
        while offset < len(data):
            if self._stage == self._END:
                raise self._unexpected(data[offset:])
            if self._stage == self._STATUS:
                code = data[offset]
                offset += 1
                self.position += 1
                events.append(Status(code))
                self._enter(self._END if code == RUNNING else self._STATUS + 1)
                continue
            length, failed = self._text.feed(data[offset:])
            offset += length
            self.position += length
            if failed:
                raise self._unexpected(self._text.seen() + data[offset:])
            if self._text.complete:
                events.append(self._SCRIPT[self._stage][2])
                self._enter(self._stage + 1)
        return events

    def finish(self) -> None:
        """Say that no more bytes will come. Raises :class:`TruncatedAnswer` when the conversation was not over."""
        if self._error is not None:
            raise self._error
        if self._stage != self._END:
            raise TruncatedAnswer(
                "xl migrate-receive ended {} its {}".format("inside" if self.partial else "before", self.expected),
                position=self.position,
                expected=self.expected,
            )

    def _enter(self, stage: int) -> None:
        self._stage = stage
        if stage < self._END:
            self._text = FixedText(self._SCRIPT[stage][1])

    def _unexpected(self, received: bytes) -> UnexpectedAnswer:
        shown = printable(received)
        self._error = UnexpectedAnswer(
            f"xl migrate-receive said '{shown}' instead of its {self.expected}",
            position=self.position,
            expected=self.expected,
            received=shown,
        )
        return self._error
