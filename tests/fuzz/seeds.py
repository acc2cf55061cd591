# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fuzzing begins with: sound inputs of each target, the heads and tails of the kept streams among them."""

from __future__ import annotations

import json
import lzma
import pathlib
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Kind, encode_document, encode_header
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction, refusal
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import Packer
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import messages
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure, Report
from ansible_collections.dom0.xen.plugins.module_utils._wire.events import PageData
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

DATA = pathlib.Path(streams.__file__).parent / "data"
CHUNK = 1 << 20
CUTS = (b"\x00", b"\x01", b"\x07", b"\xff")
NO_PAGES = [(15, 0), (14, 1), (13, 7)]


def without_memory(path: pathlib.Path) -> bytes:
    """A kept stream from which the records of memory were cut out."""
    parser, kept, rest, first, last = StreamParser(), b"", b"", -1, 0
    with lzma.open(path) as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            begin = parser.position
            for event in parser.feed(chunk).events:
                if isinstance(event, PageData):
                    first = event.position if first < 0 else first
                    last = event.position + event.size
            kept += chunk if first < 0 or first >= begin else b""
            if last:
                # Of what came after the latest memory only the end is kept, which the next record may yet take away.
                tail = chunk[max(0, last - begin) :]
                rest = tail if last >= begin else rest + tail
    return kept[:first] + streams.page_data(NO_PAGES) + rest


def _streams() -> list[bytes]:
    small = [
        streams.pvh([NO_PAGES, NO_PAGES[:1]]),
        streams.pvh([NO_PAGES[:2]], version=2),
        streams.pvh([NO_PAGES], after=streams.frame(*streams.VERIFY) + streams.memory([NO_PAGES])),
        streams.pvh([NO_PAGES], after=streams.frame(0x80000042, b"abc")),
        streams.pvh([[(0, 1), *NO_PAGES]]),
        streams.hvm([NO_PAGES]),
        streams.pv([NO_PAGES, NO_PAGES]),
        streams.remus([NO_PAGES], [NO_PAGES[:1]]),
    ]
    kept = [without_memory(path) for path in sorted(DATA.glob("*.xz"))]
    return [*(stream + end for stream in small for end in (b"", streams.GO)), *kept]


def _documents() -> list[dict[str, t.Any]]:
    failure = Failure("no_room", "the disk is full", "xen2", "Make room.", {"path": "/var", "rc": 1})
    return [
        messages.READY,
        messages.COMMIT,
        {**messages.report(Report(0)), "timeline": {"running": 12.5}, "figures": {"bytes": 1}, "stderr": ["x"]},
        messages.report(Report(6, True, True)),
        messages.failed(failure, "receiver"),
        {"sent": 999.5, "now": 5.5, "figures": {"phase": "gate"}},
        {"sent": -1e308, "now": 1e308},
        {"type": "ready", "timeline": {"a": 1e308, "b": -1.5, "c": None}},
        {"type": "report", "status": [[[[[[]]]]]]},
    ]


def _status() -> list[dict[str, t.Any]]:
    whole = {
        "format": 1,
        "session": "0123456789abcdef",
        "role": "sender",
        "pid": 1234,
        "sequence": 7,
        "domain": {"uuid": streams.UUID, "name": "centos"},
        "phase": "gate",
        "owner": "source",
        "end_state": None,
        "elapsed_ms": 4000,
    }
    settings = dict.fromkeys(
        (
            *("session", "uuid", "name", "runtime_folder", "journal_folder", "peer_certificate", "xl", "link_timeout"),
            *("memory_max_kib", "listen_address", "port_first", "port_last", "admission_timeout", "banner_timeout"),
        ),
        "x",
    )
    return [whole, {**whole, "phase": "ended"}, {**whole, "domain": None}, settings, {}]


def seeds(target: str) -> list[bytes]:
    """Sound inputs of a target."""
    texts = [json.dumps(document).encode() for document in _documents()]
    if target in ("parser", "image", "arrival"):
        return [CUTS[number % len(CUTS)] + stream for number, stream in enumerate(_streams())]
    if target == "config":
        heads = [StreamParser() for dummy in _streams()]
        for head, stream in zip(heads, _streams(), strict=True):
            head.feed(stream)
        return sorted({head.config or b"" for head in heads})
    if target == "answers":
        talk = streams.BANNER + streams.READY + streams.REPORT
        return [cut + talk + end for cut in CUTS for end in (b"\0", b"\x06" + streams.GO)]
    if target == "frames":
        control = b"".join(
            encode_document(kind, document) for kind in (Kind.PING, Kind.PONG) for document in _documents()
        )
        data = b"".join(encode_header(Kind.DATA, 3, number) + b"abc" for number in range(4))
        numbered = b"".join(encode_document(Kind.MESSAGE, item, number) for number, item in enumerate(_documents()))
        payload = b"".join(Packer(["zeros"]).pack(bytes(9000)))
        packed = b"".join(encode_header(Kind.PACKED, len(payload), number) + payload for number in range(4))
        parts = (control, data, packed, numbered, encode_header(Kind.ACK, 0, 2))
        return [cut + part for cut in CUTS for part in parts]
    if target == "packed":
        content = b"abc" * 700 + bytes(5000) + b"end"
        return [b"".join(Packer([way]).pack(content)) for way in ("zeros", "zstd1", "zstd6")]
    if target == "introduction":
        hello = Introduction("0123456789abcdef", "2" * 16, "1" * 16, 7).encode(Kind.HELLO)[16:]
        return [bytes([number]) + text for number in range(3) for text in (hello, refusal("no")[16:], b"{}", b"[]")]
    if target == "message":
        return texts
    if target == "journal":
        record = b'{"number":0,"step":"commit","monotonic_s":1.5,"unix_s":2.5,"details":{"a":[1]}}\n'
        return [record, record * 3, record + record[:40], b"\n" + record, b"[]\n" + record]
    if target == "autostart":
        text = b'name = "centos" # a guest\nuuid = \'x\'\nvif = [ "bridge=xenbr0", ]\nextra="a\\"b"; memory=1\n'
        return [text, text * 20, *(stream[:4096] for stream in _streams()[:4])]
    return [json.dumps(document).encode() for document in _status()]


def words() -> list[bytes]:
    """What a mutation may put in whole."""
    keys = {key for document in [*_documents(), *_status()] for key in document}
    texts = [*keys, *(streams.config()[begin : begin + 12].decode() for begin in range(0, 120, 12))]
    numbers = (0, 1, 2, 7, 8, 0x0A, 0x12, 1024, 1025, 128 << 20, (128 << 20) + 1, 1 << 31, 0xFFFFFFFF)
    return [
        *(f'"{text}"'.encode() for text in texts if text.isprintable()),
        *(number.to_bytes(4, "little") for number in numbers),
        *(number.to_bytes(4, "big") for number in numbers),
        *(streams.BANNER, streams.READY, streams.GO, streams.REPORT, streams.frame(0), streams.frame(1)),
        *(b"1e999", b"-1e308", b"NaN", b"true", b"null", b"[[[[", b'{"a":', b"\\ud800", b"\xff\xfe"),
    ]
