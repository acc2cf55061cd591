# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a file beside the stream in it, and what keeps it from being read at all."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import StreamError

DAMAGED = (
    "The file was changed after xl had written it, or something else wrote it: compare it with its origin, "
    "or save the domain again."
)
CUT = (
    "The file was cut: the disk was full, the copy was interrupted, or xl ended early or is still writing. "
    "Copy it again, or save the domain again."
)


class RecordPadding(StreamError):
    """The bytes between a record's body and the next record are not zeros."""

    code = "stream_record_padding"
    remedy = DAMAGED


class RecordContent(StreamError):
    """What a record holds is nothing that Xen writes there."""

    code = "stream_record_content"
    remedy = DAMAGED


class CompressionDamaged(StreamError):
    """The compressed file cannot be decompressed; ``position`` is how far the stream came."""

    code = "stream_compression_damaged"
    remedy = DAMAGED


class FileMissing(Dom0XenError):
    """There is no such file."""

    code = "file_missing"
    remedy = "Give the path of a file on this host that xl save has written."


class FileUnreadable(Dom0XenError):
    """The file cannot be opened or read."""

    code = "file_unreadable"
    remedy = "Run the task as a user who may read it (become), and look at the kernel's log if the disk is at fault."


class NotAFile(Dom0XenError):
    """The path leads to a directory, a pipe, a socket or a device."""

    code = "file_not_regular"
    remedy = "Give the path of a regular file."


class ZstdMissing(Dom0XenError):
    """The file is compressed with zstd, and the host lacks the program."""

    code = "zstd_missing"
    remedy = "Install zstd on this host (Debian and Ubuntu: the package zstd), or decompress the file elsewhere."


class MemoryNeeded(Dom0XenError):
    """Decompressing the file takes more memory than a dom0 should spend on it."""

    code = "decompression_memory"
    remedy = "Decompress the file (xz -dc, or zstd -dc --memory=2048MB) and give the path of the result."
