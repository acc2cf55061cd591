# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fuzzed: everything that reads bytes which another process, another host or a disk may have changed.

A target takes any bytes and raises nothing but errors of the collection, which the worker allows; an assertion that
fails is a crash.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import types
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts import sessions
from ansible_collections.dom0.xen.plugins.module_utils._image.describe import Describer
from ansible_collections.dom0.xen.plugins.module_utils._link.clocks import ClockOffset
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import (
    MAX_DATA,
    Frame,
    FrameReader,
    Kind,
    encode_document,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction, objection
from ansible_collections.dom0.xen.plugins.module_utils._link.link import HELD_LIMIT, Link
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packed import Unpacker, announced
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.stop_time import stop_time
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Authorised, Incoming
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import messages, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings, SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import parse_config_file, parse_image_identity
from ansible_collections.dom0.xen.plugins.module_utils._wire import header
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import AnswerMatcher
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import RoundTracker
from ansible_collections.dom0.xen.plugins.plugin_utils import _watching
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import progress_line

Target = t.Callable[[bytes], None]

UUID, NAME, MEMORY_KIB = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe", "centos", 1 << 22
SESSION = "0123456789abcdef"
FOLDER = tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
KINDS = tuple(Kind)


def pieces(data: bytes, size: int) -> t.Iterator[bytes]:
    """Cut ``data``, into 256 pieces at most; 0 does not."""
    size = max(size or len(data), len(data) // 256, 1)
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


def _followed(data: bytes, size: int) -> tuple[list[t.Any], Dom0XenError | None]:
    follow, tracker = StreamParser(), RoundTracker()
    found: list[t.Any] = []
    try:
        for number, piece in enumerate(pieces(data, size)):
            parsed = follow.feed(piece)
            assert 0 <= parsed.stream_bytes <= len(piece)
            tracker.update(parsed.events, follow.position, float(number))
            found += parsed.events
        follow.finish()
    except Dom0XenError as exc:
        return found, exc
    finally:
        assert len(tracker.rounds) <= 256 and tracker.distinct <= tracker.entries
    return found, None


def parser(data: bytes) -> None:
    """A stream, in two ways of cutting it: the same events and the same end."""
    size, data = data[0] if data else 0, data[1:]
    whole, ended = _followed(data, 0)
    found, other = _followed(data, size)
    assert whole == found[: len(whole)] and (ended is not None or whole == found)
    assert (ended is None) == (other is None)
    if ended is not None and other is not None:
        assert (ended.code, ended.details["position"]) == (other.code, other.details["position"])
        raise ended


def arrival(data: bytes) -> None:
    """A stream as the receiver gets it, frame by frame: what passes to xl is what came."""
    size, data = data[0] if data else 0, data[1:]
    stream: Incoming[t.Any] = Incoming(Authorised(UUID, NAME, MEMORY_KIB))
    came = passed = 0
    for piece in pieces(data, size):
        taken = stream.take(types.SimpleNamespace(payload=piece))
        came += len(piece)
        for passing, dummy in taken:
            assert data.startswith(passing, passed)
            passed += len(passing)
        assert passed in (0, came)


def config(data: bytes) -> None:
    """The configuration in an xl header, and the header itself."""
    follow = StreamParser()
    try:
        follow.feed(header.encode(data))
        assert follow.config == data
    finally:
        header.config_identity(data)


def answers(data: bytes) -> None:
    """What xl migrate-receive says."""
    matcher = AnswerMatcher()
    for piece in pieces(data[1:], data[0] if data else 0):
        matcher.feed(piece)
    matcher.finish()


def _frames(data: bytes, size: int) -> list[Frame]:
    reader, found = FrameReader(), []
    view = memoryview(data)
    while view:
        target = reader.target()
        count = min(len(target), len(view), size or len(view))
        target[:count] = view[:count]
        view = view[count:]
        frame = reader.filled(count)
        if frame is not None:
            found.append(frame)
    return found


def frames(data: bytes) -> None:
    """Bytes of a connection: frames, their documents, order, acknowledgements and clocks, as the link takes them."""
    size, data = data[0] if data else 0, data[1:]
    link = Link(lambda: 1000.0)
    for number in range(3):
        link.send_data(bytes(number + 1))
    held = 0
    for frame in _frames(data, size):
        for fresh in link._sort([frame]):
            held += len(fresh.payload)
            if fresh.kind is Kind.MESSAGE:
                link.use(fresh)
                message(bytes(fresh.payload))
    assert held <= HELD_LIMIT
    assert link.offset is None or math.isfinite(link.offset.seconds)


def packed(data: bytes) -> None:
    """The payload of a packed frame: as many bytes come out as it announces, and never more than a frame's."""
    unpacked = Unpacker().unpack(data)
    assert len(unpacked) == announced(data) <= MAX_DATA


def introduction(data: bytes) -> None:
    """The first frame of a connection, as both ends read it."""
    kind, data = KINDS[data[0] % len(KINDS)] if data else Kind.HELLO, data[1:]
    for wanted in (Kind.HELLO, Kind.WELCOME):
        found = Introduction.decode(Frame(kind, 0, data), wanted)
        objection(Introduction(SESSION, "1" * 16, None, 0), found)
        assert Introduction.decode(_frames(found.encode(wanted), 0)[0], wanted) == found


def message(data: bytes) -> None:
    """A message of the peer, what it is written into, and the moments that come with it."""
    document = Frame(Kind.MESSAGE, 0, data).document()
    timeline = document.get("timeline")
    moments = {"xl_started": 10.0, "source_suspended": 11.0, "journal_reported_running": 12.0}
    json.dumps(stop_time(moments, timeline if isinstance(timeline, dict) else {}, ClockOffset(0.5, 0.001)).timeline)
    event = messages.event(document)
    if isinstance(event, words.Failed):
        encode_document(Kind.MESSAGE, messages.failed(event.failure, "sender"))
        json.dumps(event.failure.to_result("sender"))


def journals(data: bytes) -> None:
    """A journal of which a disk made something else: read, written to, and read again."""
    path = os.path.join(FOLDER, journal.FILE)
    with open(path, "wb") as handle:
        handle.write(data)
    before = journal.read(FOLDER)
    written = journal.Journal(FOLDER)
    written.write("commit", durable=False)
    written.close()
    after = journal.read(FOLDER)
    assert after[: len(before)] == before and after[-1]["step"] == "commit"


def status(data: bytes) -> None:
    """A status, a result or settings, as the daemon, the modules and the controller read them."""
    folder = os.path.join(FOLDER, "sessions", f"{SESSION}.sender")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, documents.STATUS)
    with open(path, "wb") as handle:
        handle.write(data)
    documents.last_lines(path)
    seen = sessions.sessions_seen(os.path.dirname(folder), os.path.join(FOLDER, "none"), proc=FOLDER)
    assert len(seen) == 1
    watch = _watching.Watch("gate", 1.0, 60.0, 0.0)
    watch.elapsed(1.0)
    reading = _watching.parse_reading(data.decode("utf-8", "replace"), "alive")
    watch.owner(watch.take(reading, 1.0) or _watching.Ending.GONE)
    watch.elapsed(2.0)
    if watch.last is not None:
        progress_line(watch.last, "xen1", "xen2")
    document = documents.read(path)
    if document is not None:
        for kind in (SenderSettings, ReceiverSettings):
            try:
                kind.from_document(document)
            except Dom0XenError:
                continue


def autostart(data: bytes) -> None:
    """What starts a domain at boot: a saved image, and a configuration file that a person wrote."""
    found = parse_image_identity(data)
    assert found is None or all(isinstance(word, (str, type(None))) for word in found)
    parse_config_file(data.decode("utf-8", "replace"))


def image(data: bytes) -> None:
    """A saved domain: the same description in two ways of cutting it, which every reader of JSON can read."""
    size, data = data[0] if data else 0, data[1:]
    found = []
    for cut in (0, size):
        describer = Describer(pages=True)
        for piece in pieces(data, cut):
            describer.feed(piece)
        describer.finish()
        found.append(describer.describe("saved", len(data), "none"))
    assert found[0] == found[1]
    json.dumps(found[0].to_result(), ensure_ascii=False, allow_nan=False).encode("utf-8")


TARGETS: t.Mapping[str, Target] = {
    "parser": parser,
    "image": image,
    "arrival": arrival,
    "config": config,
    "answers": answers,
    "frames": frames,
    "packed": packed,
    "introduction": introduction,
    "message": message,
    "journal": journals,
    "status": status,
    "autostart": autostart,
}
