# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents are there whole or not at all."""

from __future__ import annotations

import errno
import os
import pathlib
import stat
import threading
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents


def test_written_and_read(tmp_path: pathlib.Path) -> None:
    """A document comes back as it was, and is nobody else's to read."""
    path = tmp_path / documents.STATUS
    for durable in (False, True):
        documents.write(str(path), {"phase": "gate", "name": "gr\u00fcn", "durable": durable}, durable=durable)
        assert documents.read(str(path)) == {"phase": "gate", "name": "gr\u00fcn", "durable": durable}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [documents.STATUS]


def test_reader_never_sees_half(tmp_path: pathlib.Path) -> None:
    """Somebody who reads while it is replaced sees the one before or the one after."""
    path, done, seen = str(tmp_path / documents.STATUS), threading.Event(), set()
    documents.write(path, {"sequence": 0, "text": "x" * 50_000})

    def read() -> None:
        while not done.is_set():
            document = documents.read(path)
            seen.add(None if document is None else len(document["text"]))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        documents.write(path, {"sequence": number, "text": "x" * 50_000})
    done.set()
    reader.join()
    assert seen == {50_000}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b"null"])
def test_what_is_no_document(tmp_path: pathlib.Path, content: bytes) -> None:
    """A file that holds something else, or none at all, is no document."""
    path = tmp_path / documents.RESULT
    assert documents.read(str(path)) is None
    path.write_bytes(content)
    assert documents.read(str(path)) is None


def test_no_room(tmp_path: pathlib.Path) -> None:
    """A document that cannot be written leaves the one before."""
    path = tmp_path / documents.STATUS
    documents.write(str(path), {"phase": "gate"})
    (tmp_path / (documents.STATUS + ".new")).mkdir()
    with pytest.raises(OSError, match="."):
        documents.write(str(path), {"phase": "ended"})
    assert documents.read(str(path)) == {"phase": "gate"}


def test_last_lines(tmp_path: pathlib.Path) -> None:
    """The last lines of what xl said, whatever bytes it said and however it ended them."""
    path = tmp_path / "xl.stderr"
    assert documents.last_lines(str(path)) == []
    path.write_bytes(b"first\n\nprogress 1\rprogress 2\r\n\xff broken\nlast without an end")
    assert documents.last_lines(str(path)) == [
        *("first", "progress 1", "progress 2", "\ufffd broken", "last without an end")
    ]
    assert documents.last_lines(str(path), count=2) == ["\ufffd broken", "last without an end"]
    path.write_bytes(b"".join(b"line %d\n" % number for number in range(100_000)))
    assert documents.last_lines(str(path))[-1] == "line 99999"
    assert len(documents.last_lines(str(path), count=10**6)) < 2000


def test_half_a_document_takes_no_room(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk what was begun goes again, for somebody may make room and try once more."""

    class FullDisk:
        def __getattr__(self, name: str) -> t.Any:
            return getattr(os, name)

        def fsync(self, dummy: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(documents, "os", FullDisk())
    with pytest.raises(OSError, match="No space"):
        documents.write(str(tmp_path / documents.RESULT), {"phase": "ended"}, durable=True)
    assert list(tmp_path.iterdir()) == []
