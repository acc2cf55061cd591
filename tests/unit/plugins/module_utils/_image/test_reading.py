# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of every sort: compressed or not, cut, damaged, joined, and those that are no files at all."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import shutil
import socket
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._image import decoders, errors, opening
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description
from ansible_collections.dom0.xen.plugins.module_utils._image.reading import describe_file
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._image.saved import code
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

PROGRAM = shutil.which("zstd")
Compress = t.Callable[[bytes], bytes]


def zstd(data: bytes, *options: str) -> bytes:
    """Compress with the program."""
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True, check=True).stdout


def xz(data: bytes) -> bytes:
    """Compress with the standard library."""
    return lzma.compress(data)


def children_called(name: str) -> list[int]:
    """Return the processes of that name that this one has started, those included that ended and were not waited for.

    By name, since a test before this one may have left a process behind on purpose.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            start, end = path.read_text().rsplit(")", 1)
            if start.split("(", 1)[1] == name and int(end.split()[1]) == os.getpid():
                found.append(int(path.parent.name))
    return found


needs_zstd = pytest.mark.skipif(PROGRAM is None, reason="zstd is not installed here")
COMPRESSIONS = [
    pytest.param("gzip", gzip.compress, id="gzip"),
    pytest.param("xz", xz, id="xz"),
    pytest.param("zstd", zstd, id="zstd", marks=needs_zstd),
]
DATA = streams.pvh([streams.normal(range(40))]) + streams.GO


def varied() -> bytes:
    """The stream with pages that cannot be compressed, so that the file has something to be cut."""
    place = DATA.index(b"\x5a" * 4096)
    size = 40 * 4096
    return DATA[:place] + os.urandom(size) + DATA[place + size :]


def describe(path: Path, pages: bool = True) -> Description:
    """Describe a file with what this machine has."""
    return describe_file(str(path), pages=pages, zstd=PROGRAM)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "saved"


@pytest.mark.parametrize("pages", [True, False])
@pytest.mark.parametrize(("name", "compress"), [pytest.param("none", bytes, id="none"), *COMPRESSIONS])
def test_forms(saved: Path, name: str, compress: Compress, pages: bool) -> None:
    """The same description, whatever holds the stream; the name of the file says nothing."""
    data = varied()
    saved.write_bytes(compress(data))
    found = describe(saved, pages)
    assert (found.compression, found.size_bytes, found.path) == (name, saved.stat().st_size, str(saved))
    assert found.problem is None and found.complete and found.permission
    assert found.stream_bytes == len(data) - 44
    assert (found.memory.pages, found.memory.zero_pages) == (40, 0 if pages else None)


@pytest.mark.parametrize(("name", "compress"), COMPRESSIONS)
def test_joined(saved: Path, name: str, compress: Compress) -> None:
    """Compressed in parts, as pigz, pixz and others do it, or joined with cat."""
    data = varied()
    zeros = b"" if name == "zstd" else bytes(8)
    saved.write_bytes(compress(data[:1000]) + zeros + compress(b"") + compress(data[1000:]) + zeros)
    found = describe(saved)
    assert (code(found), found.complete, found.compression) == (None, True, name)


@pytest.mark.parametrize(("name", "compress"), COMPRESSIONS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_compressed_file_that_is_cut(saved: Path, name: str, compress: Compress, share: float) -> None:
    """What was readable is described."""
    whole = compress(varied())
    saved.write_bytes(whole[: max(12, int(len(whole) * share))])
    found = describe(saved)
    assert (code(found), found.complete, found.compression) == ("stream_truncated", False, name)
    assert found.problem is not None and "was cut" in found.problem.remedy
    if share == 0.5 and name != "xz":
        assert found.identity is not None and found.memory.zero_pages == 0


@pytest.mark.parametrize(("name", "compress"), COMPRESSIONS)
def test_compressed_file_that_is_damaged(saved: Path, name: str, compress: Compress) -> None:
    """Checksums and structure of the compression count as well."""
    whole = bytearray(compress(varied()))
    whole[len(whole) // 2 : len(whole) // 2 + 64] = bytes(64)
    saved.write_bytes(whole)
    found = describe(saved)
    assert found.problem is not None and found.compression == name
    assert code(found) == "stream_compression_damaged"


@pytest.mark.parametrize(("name", "compress"), COMPRESSIONS)
def test_something_behind_the_compressed(saved: Path, name: str, compress: Compress) -> None:
    """The stream is whole; the file is not what was written."""
    saved.write_bytes(compress(varied()) + b"something else")
    found = describe(saved)
    assert (code(found), found.complete, found.permission) == ("stream_compression_damaged", True, True)


@pytest.mark.parametrize(("name", "compress"), COMPRESSIONS)
def test_compressed_stream_that_is_cut(saved: Path, name: str, compress: Compress) -> None:
    """A whole compressed file with half a stream."""
    saved.write_bytes(compress(varied()[:100_000]))
    found = describe(saved)
    assert (code(found), found.complete) == ("stream_truncated", False)
    assert found.problem is not None and found.problem.position == 100_000


@needs_zstd
def test_zstd_is_ended_with_the_first_error(saved: Path) -> None:
    """A file without a stream in it is not decompressed to its end, and no process stays."""
    saved.write_bytes(zstd(b"no stream at all" * (1 << 20)))
    found = describe(saved)
    assert code(found) == "stream_bad_magic"
    assert not children_called("zstd")


def test_zstd_is_missing(saved: Path) -> None:
    """The remedy names the package."""
    saved.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(20))
    with pytest.raises(errors.ZstdMissing) as caught:
        describe_file(str(saved), zstd=None)
    assert "Install zstd" in caught.value.remedy
    with pytest.raises(errors.ZstdMissing):
        describe_file(str(saved), zstd="/nonexistent/zstd")


def test_memory_that_decompressing_takes_is_bounded(saved: Path) -> None:
    """The module says that it did not look, which is not that the file is broken."""
    saved.write_bytes(lzma.compress(DATA, preset=9))
    with pytest.raises(errors.MemoryNeeded):
        describe(saved)
    saved.write_bytes(lzma.compress(DATA, preset=7))
    assert describe(saved).complete


@needs_zstd
def test_memory_that_zstd_takes_for_other_formats_is_bounded(saved: Path) -> None:
    """Behind a frame of zstd it reads one of xz, whose dictionary its own limit does not bound."""
    large = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 128 << 20}]
    saved.write_bytes(zstd(DATA[:100]) + lzma.compress(DATA[100:], filters=large))
    with pytest.raises(errors.MemoryNeeded):
        describe(saved)


@needs_zstd
def test_memory_that_zstd_takes_is_bounded(saved: Path) -> None:
    """The same with a window that was chosen by whoever made the file."""
    saved.write_bytes(zstd(b"\0" * (40 << 20), "--ultra", "-1", "--long=27"))
    with pytest.raises(errors.MemoryNeeded):
        describe(saved)


def test_no_files(tmp_path: Path) -> None:
    """A pipe without a writer must not be waited for."""
    pipe, link, address = tmp_path / "pipe", tmp_path / "link", tmp_path / "socket"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        for path in (tmp_path, pipe, link, address, Path("/dev/zero")):
            with pytest.raises(errors.NotAFile) as caught:
                describe(path)
            assert str(path) in caught.value.message
    for path in (tmp_path / "none", tmp_path / "link" / "none"):
        with pytest.raises(errors.FileMissing):
            describe(path)


def test_symbolic_link(saved: Path, tmp_path: Path) -> None:
    """A link to a file is as good as the file."""
    saved.write_bytes(DATA)
    link = tmp_path / "link"
    link.symlink_to(saved)
    assert describe(link).complete


def test_unreadable(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not allowed, or a disk that fails."""
    saved.write_bytes(DATA)

    def fail(*dummy: t.Any, **more: t.Any) -> t.NoReturn:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)
        with pytest.raises(errors.FileUnreadable) as caught:
            describe(saved)
        assert "Permission denied" in caught.value.message
    monkeypatch.setattr(opening.Plain, "read", fail)
    with pytest.raises(errors.FileUnreadable):
        describe(saved)


def test_jumping_stops_at_the_end(saved: Path) -> None:
    """A file that was cut inside a page is told as cut just there."""
    saved.write_bytes(DATA[:100_000])
    for pages in (True, False):
        found = describe(saved, pages)
        assert found.problem is not None and found.problem.position == 100_000 and not found.complete


def test_jumping_reads_little(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what pages=false is for."""
    data = streams.pvh([streams.normal(range(4096))])
    saved.write_bytes(data)
    read: list[int] = []
    before = opening.Plain.read

    def counting(plain: opening.Plain, size: int) -> bytes:
        found = before(plain, size)
        read.append(len(found))
        return found

    monkeypatch.setattr(opening.Plain, "read", counting)
    assert describe(saved, False).complete
    assert sum(read) < len(data) / 40


def test_errors_have_codes_of_their_own() -> None:
    """Programs tell them apart by these."""
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
    kinds = [kind for kind in classes if issubclass(kind, Dom0XenError)]
    assert len({kind.code for kind in kinds}) == len(kinds) == len(classes) == 8
    assert all(kind.remedy for kind in kinds)


def test_decoder_gives_no_more_than_was_asked_for() -> None:
    """Zeros compress a thousandfold."""
    for compressed, new in ((gzip.compress(bytes(1 << 22)), decoders.Gzip), (xz(bytes(1 << 22)), decoders.new_xz)):
        decoder: decoders.Decoder = new()
        found = decoder.decompress(compressed, 1000)
        total = len(found)
        while not decoder.eof:
            assert len(found) <= 1000 and not decoder.needs_input
            found = decoder.decompress(b"", 1000)
            total += len(found)
        assert total == 1 << 22
