# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver lets pass to its xl, whatever a sender with the right certificate sends."""

from __future__ import annotations

import json
import tracemalloc
import typing as t
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.clocks import ClockOffset
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import MAX_CONTROL, MAX_DATA, Kind, encode_document
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.stop_time import stop_time
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.let_in import rewriter
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Authorised, Incoming
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures, messages
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import AnotherDomain, SettingsWrong
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import StreamError
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

if t.TYPE_CHECKING:
    import pathlib

MEMORY = 114688
KINDS = st.sampled_from(sorted(streams.SMALL))


@dataclass(frozen=True)
class Piece:
    """What the stream needs of a frame."""

    payload: bytes


def let_in(data: bytes, cuts: t.Iterable[int] = ()) -> tuple[bytes, Dom0XenError | None]:
    """What passes to xl, and the error that ended it."""
    stream: Incoming[Piece] = Incoming(Authorised(streams.UUID, "centos", MEMORY))
    passed = b""
    try:
        for piece in streams.pieces(data, cuts):
            passed += b"".join(passing for passing, dummy in stream.take(Piece(piece)))
    except Dom0XenError as exc:
        return passed, exc
    return passed, None


def edited(**changes: t.Mapping[str, t.Any]) -> bytes:
    """The header with a configuration in which these fields of a section are others."""
    content = json.loads(streams.config())
    for section, values in changes.items():
        content[section].update(values)
    return streams.xl_header(json.dumps(content).encode())


@given(kind=KINDS, cuts=st.lists(st.integers(0, 1 << 20), max_size=10), length=st.integers(0, 1 << 20))
def test_the_stream_passes_whole_and_unchanged(kind: str, cuts: list[int], length: int) -> None:
    """In any pieces, up to any byte: what passes is what came, and nothing before the whole configuration came."""
    data = streams.SMALL[kind]
    data = data[: length % (len(data) + 1)]
    passed, error = let_in(data, cuts)
    configuration = len(streams.xl_header(streams.config("pv" if kind == "pv" else "pvh")))
    assert error is None
    assert data.startswith(passed)
    assert passed in (b"", data)
    if len(data) < configuration - 10:
        assert not passed


@given(kind=KINDS, cuts=st.lists(st.integers(0, 1 << 20), max_size=10), shown=st.integers(1, 60))
def test_no_permission_passes(kind: str, cuts: list[int], shown: int) -> None:
    """A sender that sends the permission itself would start the guest without the gate."""
    data = streams.SMALL[kind]
    passed, error = let_in(data + (streams.GO + b"anything else at all")[:shown], [*cuts, len(data)])
    assert isinstance(error, (AnotherDomain, StreamError))
    assert data.startswith(passed)


@pytest.mark.parametrize(
    "begin",
    [
        edited(c_info={"uuid": "00000000-5c99-4441-b5fd-ac266d0e1ffe"}),
        edited(c_info={"name": "Domain-0"}),
        edited(c_info={"name": "centos "}),
        edited(c_info={"name": "Centos"}),
        edited(b_info={"max_memkb": MEMORY + 1}),
        edited(b_info={"target_memkb": MEMORY + 1}),
        edited(b_info={"max_memkb": 1 << 62}),
    ],
    ids=["uuid", "name", "longer name", "other case", "memory", "target", "much memory"],
)
@given(cuts=st.lists(st.integers(0, 2000), max_size=5))
def test_another_domain(begin: bytes, cuts: list[int]) -> None:
    """A domain that is not the one of the session in UUID, name and memory does not reach xl, not even its header."""
    passed, error = let_in(begin + streams.SMALL["pvh"][len(streams.xl_header(streams.config())) :], cuts)
    assert passed == b""
    assert isinstance(error, AnotherDomain)


@given(kind=st.sampled_from(["pv", "pvh", "hvm"]), cuts=st.lists(st.integers(0, 1 << 20), max_size=10))
def test_the_destinations_names(kind: str, cuts: list[int]) -> None:
    """However it is cut: xl gets the stream with other names, and each frame is used when its bytes are with xl."""
    head = streams.xl_header(streams.config("pv" if kind == "pv" else "pvh"))
    before, after = (
        streams.xl_header(streams.config(nics=[{"devid": 0, "bridge": bridge}])) for bridge in ("xenbr0", "elsewhere")
    )
    rest = streams.SMALL[kind][len(head) :]
    data = before + rest
    entries = [{"what": "bridge", "from": "xenbr0", "to": "elsewhere"}]
    stream: Incoming[Piece] = Incoming(Authorised(streams.UUID, "centos", MEMORY), rewriter(entries))
    passed, came, used = b"", 0, []
    for piece in streams.pieces(data, cuts):
        came += len(piece)
        frame = Piece(piece)
        for passing, token in stream.take(frame):
            # Nothing that is held is behind a token: the last frame stands for all before it.
            assert token is frame and len(passing)
            passed += bytes(passing)
            used.append(came)
    assert passed == after + rest
    assert used and used[-1] == stream.position == len(data)


def test_the_original_is_what_is_authorised() -> None:
    """The destination's names cannot make another domain one of this session, nor the other way round."""
    entries = [{"what": "disk", "from": "/dev/a", "to": "/dev/b"}]
    stream: Incoming[Piece] = Incoming(Authorised(streams.UUID, "centos", MEMORY), rewriter(entries))
    with pytest.raises(AnotherDomain):
        stream.take(Piece(edited(c_info={"name": "other"})))


def test_less_memory_is_let_in() -> None:
    """A guest that was made smaller since the check may come."""
    data = edited(b_info={"max_memkb": MEMORY - 4, "target_memkb": MEMORY - 4})
    assert let_in(data) == (data, None)


@pytest.mark.parametrize("name", ["x" * 900_000, "\x1b[31m" * 50_000, "\ud800", "\U0010ffff" * 80_000])
def test_refusal_can_be_told(name: str) -> None:
    """Whatever the name is, the refusal fits into a message and does nothing to a terminal."""
    dummy, error = let_in(edited(c_info={"name": name}))
    assert isinstance(error, AnotherDomain)
    frame = encode_document(Kind.MESSAGE, messages.failed(failures.of(error), "receiver"))
    assert len(frame) < MAX_CONTROL // 8
    assert "\x1b" not in error.message and len(error.message) < 1000


@pytest.mark.parametrize("record", [streams.frame(0x80000042), streams.frame(0x10), streams.page_data([(15, 1)])])
def test_frame_of_empty_records(record: bytes) -> None:
    """The largest frame, filled with the smallest records, is read in a few times its size."""
    stream: Incoming[Piece] = Incoming(Authorised(streams.UUID, "centos", MEMORY))
    stream.take(Piece(streams.SMALL["pvh"][: streams.SMALL["pvh"].index(streams.frame(*streams.CPUID_POLICY))]))
    frame = Piece(record * (MAX_DATA // len(record)))
    tracemalloc.start()
    try:
        assert stream.take(frame) == [(frame.payload, frame)]
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "message",
    [
        {"type": "x" * 100_000},
        {"type": ["\x1b"] * 10_000},
        {"type": "report", "status": 10**4000},
        {"type": "report", "status": {"a": "\u202e" * 10_000}},
    ],
    ids=["long", "list", "number", "object"],
)
def test_messages_are_refused_briefly(message: messages.Message) -> None:
    """The refusal goes to the journal, to the peer and to a terminal."""
    with pytest.raises(FrameError) as caught:
        messages.event(message)
    assert len(caught.value.message) < 200 and caught.value.message.isprintable() and caught.value.message.isascii()


@pytest.mark.parametrize("at", [1e308, -1e308, float("inf"), float("nan"), 10**400, "1", None, True])
def test_moments_that_cannot_be(at: t.Any) -> None:
    """A peer's moment that no clock shows must not end the sender when it is put into milliseconds."""
    line = stop_time({"xl_started": 1.0, "source_suspended": 2.0}, {"running": at}, ClockOffset(0.0, 0.001)).timeline
    assert line == {"source_suspended": 1000}


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"a":' * 200_000, b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"])
def test_nested_files(tmp_path: pathlib.Path, content: bytes) -> None:
    """A damaged file is no document and no record, however it is damaged, and what stands beside it is read."""
    path = tmp_path / documents.STATUS
    path.write_bytes(content)
    assert documents.read(str(path)) is None or content.endswith(b"]}")
    (tmp_path / journal.FILE).write_bytes(content + b'\n{"step":"commit"}\n')
    assert journal.read(str(tmp_path))[-1] == {"step": "commit"}


@pytest.mark.parametrize("document", [{}, {"session": "x"}, {"unknown": 1}])
def test_settings_of_another_release(document: dict[str, t.Any]) -> None:
    """They are named as such; the launcher then tells more than that nothing came up."""
    with pytest.raises(SettingsWrong):
        ReceiverSettings.from_document(document)
