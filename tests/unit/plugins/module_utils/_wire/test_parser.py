# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream parser on everything that xl writes: records, phases, and the place where the permission begins."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._wire import events, parser
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

NAMES: dict[str, str] = {
    "pvh": "LIBXC_CONTEXT X86_CPUID_POLICY X86_MSR_POLICY STATIC_DATA_END * * "
    "X86_TSC_INFO HVM_CONTEXT HVM_PARAMS END END",
    "pvh-v2": "LIBXC_CONTEXT * X86_TSC_INFO HVM_CONTEXT HVM_PARAMS END END",
    "hvm": "LIBXC_CONTEXT X86_CPUID_POLICY X86_MSR_POLICY STATIC_DATA_END * * "
    "X86_TSC_INFO HVM_PARAMS HVM_CONTEXT END EMULATOR_XENSTORE_DATA EMULATOR_CONTEXT END",
    "pv": "LIBXC_CONTEXT X86_PV_INFO X86_CPUID_POLICY X86_MSR_POLICY STATIC_DATA_END X86_PV_P2M_FRAMES * "
    "X86_TSC_INFO SHARED_INFO X86_PV_VCPU_BASIC X86_PV_VCPU_EXTENDED X86_PV_VCPU_XSAVE X86_PV_VCPU_MSRS END END",
    "verify": "LIBXC_CONTEXT X86_CPUID_POLICY X86_MSR_POLICY STATIC_DATA_END * * VERIFY * "
    "X86_TSC_INFO HVM_CONTEXT HVM_PARAMS END END",
    "remus": "LIBXC_CONTEXT STATIC_DATA_END * X86_TSC_INFO HVM_CONTEXT HVM_PARAMS CHECKPOINT "
    "EMULATOR_XENSTORE_DATA EMULATOR_CONTEXT CHECKPOINT_END * X86_TSC_INFO HVM_CONTEXT HVM_PARAMS END END",
    "optional": "LIBXC_CONTEXT X86_CPUID_POLICY X86_MSR_POLICY STATIC_DATA_END * 0x80000042 "
    "X86_TSC_INFO HVM_CONTEXT HVM_PARAMS END END",
}


def parse(
    data: bytes, cuts: t.Iterable[int] = (), follow: StreamParser | None = None
) -> tuple[list[events.Event], bytes]:
    """Feed ``data`` cut at ``cuts``; return the events, and the bytes said to be the stream."""
    follow = follow or StreamParser()
    found: list[events.Event] = []
    stream = b""
    for piece in streams.pieces(data, cuts):
        begin = follow.position
        parsed = follow.feed(piece)
        found += parsed.events
        stream += piece[: parsed.stream_bytes]
        assert follow.position == begin + len(piece)
    return found, stream


def names(found: t.Iterable[events.Event]) -> str:
    """The records in order, a star for PAGE_DATA."""
    return " ".join(
        "*" if isinstance(event, events.PageData) else event.name
        for event in found
        if isinstance(event, (events.PageData, events.Record))
    )


@pytest.mark.parametrize("kind", NAMES)
def test_records_in_order(kind: str) -> None:
    """Every sort of guest that Xen can send is understood."""
    assert names(parse(streams.SMALL[kind])[0]) == NAMES[kind]


@pytest.mark.parametrize("kind", streams.SMALL)
@given(cuts=st.lists(st.integers(0, 1 << 20), max_size=12))
def test_any_cutting_gives_the_same_events(kind: str, cuts: list[int]) -> None:
    """The stream comes in pieces of any size; the permission must be told from it in all of them."""
    data = streams.SMALL[kind] + streams.GO
    whole, stream = parse(data)
    assert parse(data, cuts) == (whole, stream)
    assert stream == streams.SMALL[kind]
    assert whole[-2:] == [events.StreamEnd(len(stream)), events.Permission(len(data))]


@pytest.mark.parametrize("kind", streams.SMALL)
def test_byte_by_byte(kind: str) -> None:
    """The hardest cutting of all, and one event at most for each byte."""
    data = streams.SMALL[kind] + streams.GO
    follow = StreamParser()
    found = [follow.feed(data[index : index + 1]) for index in range(len(data))]
    assert [event for parsed in found for event in parsed.events] == parse(data)[0]
    assert sum(parsed.stream_bytes for parsed in found) == len(streams.SMALL[kind])


@pytest.mark.parametrize("kind", streams.SMALL)
@pytest.mark.parametrize("shown", range(45))
def test_permission_is_never_part_of_the_stream(kind: str, shown: int) -> None:
    """A permission forwarded on sight starts the guest twice: however much of it comes with the end, none may pass."""
    stream = streams.SMALL[kind]
    follow = StreamParser()
    follow.feed(stream[:-1])
    assert follow.phase != parser.ENDED
    parsed = follow.feed(stream[-1:] + streams.GO[:shown])
    assert parsed.stream_bytes == 1
    assert follow.phase == (parser.PERMITTED if shown == 44 else parser.ENDED)
    assert follow.stream_end == len(stream)
    rest = follow.feed(streams.GO[shown:])
    assert rest.stream_bytes == 0
    assert follow.phase == parser.PERMITTED
    follow.finish()


def test_phases_and_facts() -> None:
    """The session's status shows these, and the receiver decides by the configuration before memory arrives."""
    data = streams.SMALL["pv"]
    follow = StreamParser()
    phases: list[str] = []
    for index in range(len(data)):
        if not phases or phases[-1] != follow.phase:
            phases.append(follow.phase)
        if follow.phase in (parser.HEADER, parser.CONFIG):
            assert follow.config is None
        follow.feed(data[index : index + 1])
    assert [*phases, follow.phase] == ["header", "config", "libxl", "libxc", "libxl", "ended"]
    assert follow.config == streams.config("pv")
    assert (follow.guest_type, follow.xen_version) == ("pv", (4, 17))
    follow.finish()


def test_stream_begin_tells_versions() -> None:
    """Which Xen sends, and in which version of the format."""
    found = parse(streams.SMALL["pvh-v2"])[0]
    assert isinstance(found[0], events.Config) and found[0].text == streams.config()
    begin = next(event for event in found if isinstance(event, events.StreamBegin))
    assert (begin.version, begin.guest_type, begin.xen_version) == (2, "hvm", (4, 17))


def test_positions_are_those_of_the_records() -> None:
    """An error or a decision names a place in the stream; it must be the right one."""
    data = streams.SMALL["hvm"]
    for event in parse(data)[0]:
        if isinstance(event, events.Record):
            assert data[event.position : event.position + 8] == streams.frame(event.type, bytes(event.length))[:8]
        elif isinstance(event, events.PageData):
            assert data[event.position : event.position + 8] == streams.frame(1, bytes(event.size - 8))[:8]


@given(
    rounds=st.lists(
        st.lists(st.tuples(st.sampled_from((0, 0, 0, 1, 9, 13, 14, 15)), st.integers(0, 9000)), min_size=1, max_size=5),
        max_size=4,
    ),
    cuts=st.lists(st.integers(0, 1 << 20), max_size=5),
)
def test_page_data_of_any_shape(rounds: list[list[streams.Entry]], cuts: list[int]) -> None:
    """Whatever the entries are, the records behind them are found again."""
    data = streams.pvh(rounds)
    found = [event for event in parse(data, cuts)[0] if isinstance(event, events.PageData)]
    assert [event.entries for event in found] == [len(entries) for entries in rounds]
    assert [event.first for event in found] == [entries[0][1] for entries in rounds]
    assert [event.last for event in found] == [entries[-1][1] for entries in rounds]
    assert sum(event.pages for event in found) == sum(kind < 13 for entries in rounds for kind, dummy in entries)


def test_events_come_before_the_pages() -> None:
    """Progress and decisions need what the entries say, before megabytes of pages have passed."""
    data = streams.pvh([streams.normal(range(1024))])
    follow = StreamParser()
    place = data.index(b"\x5a" * 4096)
    assert isinstance(follow.feed(data[:place]).events[-1], events.PageData)


def test_chunk_is_not_kept() -> None:
    """Callers read into one buffer again and again: an export that stays would block resizing it."""
    buffer = bytearray(streams.SMALL["pvh"])
    follow = StreamParser()
    follow.feed(memoryview(buffer))
    buffer.extend(b"more")


def test_empty_chunks_change_nothing() -> None:
    """A read of nothing is not the end."""
    follow = StreamParser()
    assert follow.feed(b"") == parser.Parsed((), 0)
    follow.feed(streams.SMALL["pvh"])
    assert follow.feed(b"") == parser.Parsed((), 0)


@pytest.mark.parametrize("kind", streams.SMALL)
@given(sizes=st.lists(st.integers(1, 9000), max_size=20))
def test_no_more_than_is_wanted_finds_one_thing_at_once(kind: str, sizes: list[int]) -> None:
    """Who must lose no event to an error feeds up to the end of the next item; ``passing`` bytes may be anything."""
    data = streams.SMALL[kind] + streams.GO
    follow = StreamParser()
    found: list[events.Event] = []
    place = 0
    while place < len(data):
        assert follow.wanted > 0
        size = min(follow.wanted, sizes[len(found) % len(sizes)] if sizes else follow.wanted)
        piece = bytes(size) if follow.passing else data[place : place + size]
        place += size
        new = follow.feed(piece).events
        assert len(new) <= 1 or isinstance(new[1], events.StreamEnd)
        found += new
    assert found == parse(data)[0]
    assert follow.wanted > 0 and follow.passing == 0
