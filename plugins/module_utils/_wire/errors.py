# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with the bytes of a migration, one class for each cause."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError

SHOWN_BYTES = 200
"""How many offending bytes an error shows at most."""


def printable(data: bytes, limit: int = SHOWN_BYTES) -> str:
    """Show at most ``limit`` bytes as ASCII with escapes, safe for a terminal and for a log."""
    shown = repr(bytes(data[:limit]))[2:-1]
    return shown + "..." if len(data) > limit else shown


class StreamError(Dom0XenError):
    """The bytes are not what Xen's own tools write; :attr:`position` is the offset of the offending item."""

    code = "stream_invalid"
    remedy = (
        "Check that both hosts run unmodified xl from Xen 4.6 or newer, then try again; "
        "if it happens again, report it with this message."
    )

    def __init__(self, message: str, *, position: int, **details: t.Any) -> None:
        super().__init__(f"{message} (at byte {position})", position=position, **details)
        self.position = position


class TruncatedStream(StreamError):
    """The stream ended before libxl's END record, or inside the permission."""

    code = "stream_truncated"
    remedy = "The sending xl ended early: its last lines of standard error name the cause."


class BadMagic(StreamError):
    """A header does not carry the identification that it must carry."""

    code = "stream_bad_magic"


class UnsupportedHeader(StreamError):
    """A header is well formed but asks for something that is not known here."""

    code = "stream_unsupported_header"


class LegacyStream(StreamError):
    """The stream was written by Xen 4.5 or older."""

    code = "stream_legacy"
    remedy = "Streams of Xen 4.5 and older are not supported: upgrade the source host."


class BadConfig(StreamError):
    """The domain configuration in the xl header is missing, not JSON, or has no identity."""

    code = "stream_bad_config"


class ConfigTooLong(StreamError):
    """The domain configuration is longer than any real one."""

    code = "stream_config_too_long"


class UnknownRecord(StreamError):
    """A record that must be understood is not known."""

    code = "stream_unknown_record"
    remedy = "The source runs a Xen that is newer than this collection knows: upgrade the collection."


class RecordTooLong(StreamError):
    """A record is longer than Xen accepts."""

    code = "stream_record_too_long"


class RecordLength(StreamError):
    """The length of a record does not fit its type."""

    code = "stream_record_length"


class RecordOrder(StreamError):
    """A record came at a place where its type has no meaning."""

    code = "stream_record_order"


class PageDataArithmetic(StreamError):
    """Length, count and entry types of a PAGE_DATA record contradict each other."""

    code = "stream_page_data_arithmetic"


class PageDataEntry(StreamError):
    """An entry of a PAGE_DATA record has a reserved type or a reserved bit."""

    code = "stream_page_data_entry"


class BadPermission(StreamError):
    """What followed the stream is not the permission to start the guest."""

    code = "stream_bad_permission"


class TrailingData(StreamError):
    """Bytes followed the permission."""

    code = "stream_trailing_data"


class UnexpectedAnswer(StreamError):
    """The receiving xl said something else than the protocol allows; ``details`` carry the bytes."""

    code = "answer_unexpected"
    remedy = "Run 'xl migrate-receive' by hand on the destination and see what it prints before its banner."


class TruncatedAnswer(StreamError):
    """The receiving xl stopped answering before the conversation was over."""

    code = "answer_truncated"
    remedy = "The last lines of standard error of xl on the destination name the cause."
