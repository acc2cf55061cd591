# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream's description: its figures, the same in any pieces, and told as far as a broken one goes."""

from __future__ import annotations

import dataclasses
import json
import lzma
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._image import processor
from ansible_collections.dom0.xen.plugins.module_utils._image.describe import Describer
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description, RoundSeen
from ansible_collections.dom0.xen.plugins.module_utils._image.kinds import KINDS_MAX
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._image.saved import code, described, stream
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire.test_surgery import (
    CUTS,
    KINDS,
    SURGERY,
    Surgery,
    operated,
)

SOUND = sorted(set(streams.SMALL) - {"optional"})
KEPT = sorted((Path(streams.__file__).parent / "data").glob("*.xz"))
ZERO = bytes(4096)


@pytest.mark.parametrize("kind", SOUND)
@pytest.mark.parametrize("permission", [False, True])
def test_sound_streams(kind: str, permission: bool) -> None:
    """Every sort of guest, saved or captured."""
    data = streams.SMALL[kind]
    found = described(data + streams.GO * permission)
    assert (found.problem, found.complete, found.permission) == (None, True, permission)
    assert found.stream_bytes == len(data)
    assert found.identity is not None and (found.identity.uuid, found.identity.name) == (streams.UUID, "centos")
    assert found.guest_type == ("pv" if kind == "pv" else "hvm")
    assert (found.stream_version, found.xen_version) == (2 if kind == "pvh-v2" else 3, "4.17")
    frame = len(data) - sum(record.bytes for record in found.records)
    assert frame == data.index(b"LibxlFmt") + 16 + 24 + 16  # the headers are the rest


def test_figures() -> None:
    """Counted by hand: two rounds, pages of zeros among them, frames without content."""
    first = streams.page_data([(0, 0), (0, 1), (15, 2)])
    again = streams.page_data([(0, 1), (0, 7)], ZERO[:1])
    data = stream(streams.CPUID_POLICY, streams.MSR_POLICY)
    tsc = streams.records([streams.TSC_INFO])
    found = described(data[:-16] + first + again + tsc + data[-16:])
    assert found.rounds == (
        RoundSeen(0, "live", 3, 2, 8 + 8 + 24 + 8192, 3, 0),
        RoundSeen(1, "final", 2, 2, 8 + 8 + 16 + 8192, 1, 1),
    )
    memory = found.memory
    assert (memory.entries, memory.pages, memory.distinct, memory.again) == (5, 4, 4, 1)
    assert (memory.exact, memory.zero_pages, memory.zero_share) == (True, 2, 0.5)
    assert [(record.layer, record.name, record.count) for record in found.records] == [
        ("libxl", "LIBXC_CONTEXT", 1),
        ("libxc", "X86_CPUID_POLICY", 1),
        ("libxc", "X86_MSR_POLICY", 1),
        ("libxc", "PAGE_DATA", 2),
        ("libxc", "X86_TSC_INFO", 1),
        ("libxc", "END", 1),
        ("libxl", "END", 1),
    ]
    cpuid, msr = found.policies.cpuid, found.policies.msr
    assert cpuid is not None and (cpuid.count, cpuid.max_leaf, cpuid.vendor) == (3, "0x0000000d", None)
    assert cpuid.leaves[0].subleaf is None and cpuid.leaves[0].edx == "0x00000003"
    assert msr is not None and msr.registers[0].index == "0x000000ce" and msr.count == 1


def test_passes_that_verify_count_nowhere_else() -> None:
    """What --debug sends to compare is no memory of the guest."""
    found = described(streams.SMALL["verify"])
    assert [(seen.kind, seen.pages) for seen in found.verify] == [("verify", 2)]
    assert found.memory.pages == 3 and found.memory.zero_pages == 0
    assert next(record.count for record in found.records if record.name == "PAGE_DATA") == 3


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_kept_streams(path: Path) -> None:
    """Real ones give the figures that a plain walk over them gave; their pages were emptied."""
    wanted = json.loads(path.with_suffix(".json").read_text())
    describers = Describer(True), Describer(False)
    size = 0
    with lzma.open(path) as kept:
        for chunk in iter(lambda: kept.read(1 << 20), b""):
            size += len(chunk)
            for describer in describers:
                describer.feed(chunk)
    found, other = (describer.describe("saved", size, "xz") for describer in describers)
    assert found.problem is None and found.complete and found.permission == wanted["permission"]
    assert found.stream_bytes == wanted["stream_bytes"] and size == wanted["bytes"]
    memory = found.memory
    for key in ("entries", "pages", "distinct", "again"):
        assert getattr(memory, key) == wanted[key]
    assert memory.bytes == wanted["page_data_bytes"]
    assert [[seen.kind, seen.entries, seen.pages, seen.bytes, seen.again] for seen in found.rounds] == wanted["rounds"]
    assert memory.zero_pages == memory.pages and memory.zero_share == 1
    assert found.policies.cpuid is not None and found.policies.msr is not None
    assert other == dataclasses.replace(found, memory=other.memory)
    assert other.memory == dataclasses.replace(memory, zero_pages=None, zero_share=None)


@given(kind=KINDS, operations=st.lists(SURGERY, max_size=3), cuts=CUTS, go=st.booleans(), pages=st.booleans())
def test_any_cutting_gives_the_same_description(
    kind: str, operations: list[Surgery], cuts: list[int], go: bool, pages: bool
) -> None:
    """Whatever was done to it: pieces of any size, byte by byte, and jumping over pages."""
    data = operated(streams.SMALL[kind] + streams.GO * go, operations)
    whole = described(data, pages=pages)
    assert described(data, cuts, pages=pages) == whole
    assert described(data, cuts, pages=pages, jump=True) == whole
    assert described(data, range(len(data)), pages=pages) == whole
    assert whole.to_result() == json.loads(json.dumps(whole.to_result()))
    assert (whole.problem is None) <= whole.complete


@pytest.mark.parametrize("kind", ["pvh-v2", "hvm"])
def test_cut_anywhere(kind: str) -> None:
    """Every length but two is told as incomplete: that of the stream, and that with a whole permission."""
    data = streams.SMALL[kind]
    whole = data + streams.GO
    for length in [*range(0, len(data), 97), *range(len(data) - 60, len(whole) + 1)]:
        found = described(whole[:length])
        assert found.complete == (length in (len(data), len(whole)))
        assert code(found) == (None if found.complete else "stream_truncated")
        assert found.permission == (length == len(whole))
        if found.problem:
            assert found.problem.position == length and "was cut" in found.problem.remedy


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        (b"x", "stream_bad_permission"),
        (ZERO, "stream_bad_permission"),
        (streams.GO.replace(b"clear", b"CLEAR"), "stream_bad_permission"),
        (streams.GO + b"x", "stream_trailing_data"),
    ],
)
def test_bytes_behind_the_end(more: bytes, wanted: str) -> None:
    """The stream is whole, but the file is not what was written."""
    data = streams.SMALL["pvh"] + more
    found = described(data)
    assert code(found) == wanted and found.complete
    assert described(data, range(len(data))) == found
    assert found.permission == (wanted == "stream_trailing_data")


def test_no_stream_at_all() -> None:
    """Any file may be given."""
    for data, wanted in ((b"", "stream_truncated"), (b"#!/bin/sh\n" * 10, "stream_bad_magic")):
        found = described(data)
        assert code(found) == wanted and not found.complete
        assert found.identity is None and found.config is None and found.records == ()


def test_pages_of_a_record_that_is_cut_count() -> None:
    """As far as they came."""
    data = stream()[:-16] + streams.page_data(streams.normal(range(4)), ZERO[:1])
    found = described(data[:-4096])
    assert (found.memory.pages, found.memory.zero_pages, found.memory.zero_share) == (4, 3, 1.0)


def test_many_types_and_long_policies_are_bounded() -> None:
    """A file can name as many types as it likes."""
    many = [(0x80000000 | kind, b"") for kind in range(0x100, 0x300)]
    leaf = bytes(24)
    found = described(stream((0x11, leaf * 5000), (0x12, bytes(16) * 5000), *many))
    assert len(found.records) <= KINDS_MAX + 2
    other = next(record for record in found.records if record.type is None)
    assert other.count > 400 and sum(record.count for record in found.records) == 512 + 5
    cpuid, msr = found.policies.cpuid, found.policies.msr
    assert cpuid is not None and (cpuid.count, len(cpuid.leaves)) == (5000, processor.SHOWN_MAX)
    assert msr is not None and (msr.count, len(msr.registers)) == (5000, processor.SHOWN_MAX)


def test_last_policy_counts() -> None:
    """As for Xen, which replaces one by the next (update_blob)."""
    found = described(stream(streams.MSR_POLICY, (0x12, bytes(32))))
    assert found.policies.msr is not None and found.policies.msr.count == 2


def test_policy_as_xen_compares_it() -> None:
    """From its leaves and registers; None where the stream does not say, as those of old releases."""
    leaves = struct.pack("<18I", 0, 0xFFFFFFFF, 13, 1, 2, 3, 7, 0, 1, 5, 6, 7, 7, 1, 0x10, 0, 0, 0)
    body = (0x11, leaves), (0x12, struct.pack("<IIQIIQ", 0xCE, 0, 1 << 31, 0x10A, 0, 1 << 33))
    found = processor.shown_policy(described(stream(*body)).policies)
    assert found is not None and (found.max_leaf, found.max_subleaf, found.platform_info) == (13, 1, 1 << 31)
    assert [found.features[word] for word in (5, 10, 17)] == ["00000005", "00000010", "00000002"]
    assert processor.shown_policy(described(streams.SMALL["pvh-v2"]).policies) is None


@pytest.mark.parametrize("kind", SOUND)
def test_what_stands_before_memory(kind: str) -> None:
    """It is known at its end, and not when it is only known which Xen has written the stream."""
    data, describer = streams.SMALL[kind], Describer()
    end = data.index(streams.frame(0x10)) + 8 if kind != "pvh-v2" else data.index(b"LibxlFmt") + 16 + 8 + 24 + 16
    describer.feed(data[: end - 8])
    before = describer.introduced
    describer.feed(data[end - 8 :])
    assert (before, describer.introduced) == (False, True)
    told = describer.describe("", 0, "").policies.msr is not None
    assert told is (streams.frame(*streams.MSR_POLICY) in data)


def test_description_travels() -> None:
    """It becomes plain values and comes back."""
    found = described(streams.SMALL["hvm"] + b"x")
    assert Description.from_result(json.loads(json.dumps(found.to_result()))) == found
