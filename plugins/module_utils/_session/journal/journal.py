# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what happened to a domain's ownership, on disk before it has consequences (private to the collection).

One JSON object a line, appended and flushed to the disk. A last line without its newline was torn by a power loss
and counts as never written.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import beginning

FILE = "journal"
# Room for the records that end a session on a disk that has filled up meanwhile.
RESERVE = "journal.reserve"
RESERVE_BYTES = 16384


class Journal:
    """Append-only record of one session on one host. Raises :class:`OSError` when a record does not reach the disk.

    ``runtime_folder`` is that of a session whose own journal it is: for its beginning it waits until it may.
    """

    def __init__(self, folder: str, runtime_folder: str = "") -> None:
        self._runtime_folder = runtime_folder
        self._fd = os.open(os.path.join(folder, FILE), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fsync(self._fd)
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        self._folder = folder
        self._size = os.fstat(self._fd).st_size
        self._number = 0
        self._broken = self._size > 0

    def write(self, step: str, details: t.Mapping[str, t.Any] | None = None, durable: bool = True) -> None:
        """Append a record and, if ``durable``, return when it is on the disk."""
        record: dict[str, t.Any] = {
            "number": self._number,
            "step": step,
            "monotonic_s": round(time.monotonic(), 6),
            "unix_s": round(time.time(), 3),
        }
        if details:
            record["details"] = dict(details)
        line = json.dumps(record, separators=(",", ":")).encode("utf-8") + b"\n"
        waits = beginning.begins(self._runtime_folder) if step == beginning.STEP else contextlib.nullcontext()
        with waits:
            with_reserve(self._folder, lambda: self._append(line, durable))
        self._number += 1

    def reserve(self) -> None:
        """Keep some room for the last records. Where there is none left, so be it."""
        with contextlib.suppress(OSError):
            fd = os.open(os.path.join(self._folder, RESERVE), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, RESERVE_BYTES)
            finally:
                os.close(fd)

    def _append(self, line: bytes, durable: bool) -> None:
        # Whatever was torn off here before, also a moment ago, must not take this record with it.
        line = b"\n" + line if self._broken else line
        try:
            written = os.write(self._fd, line)
            if written != len(line):
                text = f"only {written} of {len(line)} bytes of a journal record were written"
                raise OSError(errno.ENOSPC, text)
            if durable:
                os.fsync(self._fd)
        except OSError:
            self._take_back()
            raise
        self._broken = False
        self._size = os.fstat(self._fd).st_size

    def _take_back(self) -> None:
        # The caller acts as if the record had never been written, so nobody may read it later, or half of it.
        self._broken = True
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, self._size)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def with_reserve(folder: str, write: t.Callable[[], None]) -> None:
    """Write something; on a full disk let the room go that was kept for the last records, and write it again.

    Raises what ``write`` does.
    """
    try:
        write()
    except OSError as exc:
        if exc.errno != errno.ENOSPC or not give_up_reserve(folder):
            raise
        write()


def give_up_reserve(folder: str) -> bool:
    """Let the room go; return whether there was any."""
    try:
        os.unlink(os.path.join(folder, RESERVE))
    except OSError:
        return False
    return True


def read(folder: str) -> list[dict[str, t.Any]]:
    """Return the records of a session's journal, leaving out a torn last line; ``[]`` when there is none."""
    try:
        with open(os.path.join(folder, FILE), "rb") as handle:
            lines = handle.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    records = []
    for line in lines:
        try:
            record = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    return records
