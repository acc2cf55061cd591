# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small JSON documents of a session: settings in, status and result out (private to the collection)."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

SETTINGS = "settings.json"
STATUS = "status.json"
RESULT = "result.json"
XL_STDERR = "xl.stderr"


def write(path: str, document: t.Mapping[str, t.Any], *, durable: bool = False) -> None:
    """Replace the file at ``path`` in one step, so that a reader never sees half of it; mode 0600.

    ``durable`` waits until it is on the disk. Raises :class:`OSError`.
    """
    _replace(path, json.dumps(document, separators=(",", ":")) + "\n", durable)


def _replace(path: str, text: str, durable: bool) -> None:
    folder, temporary = os.path.dirname(path), path + ".new"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as handle:
            handle.write(text)
            if durable:
                handle.flush()
                os.fsync(handle.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    if durable:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def write_text(path: str, text: str) -> None:
    """The same for a text, and wait until it is on the disk."""
    _replace(path, text, durable=True)


def read(path: str) -> dict[str, t.Any] | None:
    """Return the document at ``path``, ``None`` when there is none or it is not a JSON object."""
    try:
        with open(path, encoding="utf-8") as handle:
            document = json.load(handle)
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def last_lines(path: str, count: int = 20, limit: int = 16384) -> list[str]:
    """Return the last lines of a text file, at most ``count`` and ``limit`` bytes; ``[]`` when there is none."""
    try:
        with open(path, "rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(0, size - limit))
            text = handle.read(limit).decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.replace("\r", "\n").split("\n") if line.strip()][-count:]
