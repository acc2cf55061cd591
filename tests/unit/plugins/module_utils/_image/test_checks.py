# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify-stream-v2 refuses is told, and the rest of the stream is described nevertheless."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._image.saved import (
    code,
    described,
    stream,
    with_libxl,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

TWO = struct.Struct("<II")
PARAMS = struct.pack("<II2Q", 1, 0, 1, 2)

SOUND: dict[str, bytes] = {
    "PV with 32 bits": stream((2, struct.pack("<BBHI", 4, 3, 0, 0)), guest=1, kind="pv"),
    "vcpu without content": stream((4, bytes(8)), guest=1, kind="pv"),
    "no parameters": stream((0x0A, bytes(8))),
    "parameters": stream((0x0A, PARAMS)),
    "odd context": stream((0x09, b"x" * 13)),
    "no XenStore data": with_libxl((2, TWO.pack(1, 0))),
    "XenStore data": with_libxl((2, TWO.pack(2, 0) + b"a\0b\0c\0\0")),
    "emulator": with_libxl((3, TWO.pack(0, 7) + b"QEVM")),
}

BROKEN: dict[str, tuple[str, bytes]] = {
    "PV width": ("stream_record_content", stream((2, struct.pack("<BBHI", 6, 4, 0, 0)), guest=1)),
    "PV levels": ("stream_record_content", stream((2, struct.pack("<BBHI", 8, 5, 0, 0)), guest=1)),
    "PV reserved": ("stream_record_content", stream((2, struct.pack("<BBHI", 8, 4, 1, 0)), guest=1)),
    "PV reserved more": ("stream_record_content", stream((2, struct.pack("<BBHI", 8, 4, 0, 1)), guest=1)),
    "vcpu basic": ("stream_record_content", stream((4, TWO.pack(0, 1)), guest=1)),
    "vcpu extended": ("stream_record_content", stream((5, TWO.pack(0, 1)), guest=1)),
    "vcpu xsave": ("stream_record_content", stream((6, TWO.pack(0, 1)), guest=1)),
    "vcpu msrs": ("stream_record_content", stream((0x0C, TWO.pack(0, 1)), guest=1)),
    "tsc reserved": ("stream_record_content", stream((8, struct.pack("<IIQII", 0, 1, 2, 3, 4)))),
    "parameters reserved": ("stream_record_content", stream((0x0A, TWO.pack(0, 1)))),
    "parameters fewer": ("stream_record_length", stream((0x0A, TWO.pack(2, 0) + bytes(16)))),
    "parameters more": ("stream_record_length", stream((0x0A, TWO.pack(0, 0) + bytes(16)))),
    "context empty": ("stream_record_length", stream((9, b""))),
    "cpuid empty": ("stream_record_length", stream((0x11, b""))),
    "msr empty": ("stream_record_length", stream((0x12, b""))),
    "static data end in version 2": ("stream_record_order", stream((0x10, b""), version=2)),
    "cpuid in version 2": ("stream_record_order", stream(streams.CPUID_POLICY, version=2)),
    "msr in version 2": ("stream_record_order", stream(streams.MSR_POLICY, version=2)),
    "toolstack": ("stream_unknown_record", stream((0x0B, b"x"))),
    "dirty frames": ("stream_record_order", stream((0x0F, bytes(8)))),
    "unknown of libxc": ("stream_unknown_record", stream((0x80000001, b"x"))),
    "unknown of libxl": ("stream_unknown_record", with_libxl((0x80000001, b"x"))),
    "padding of libxc": ("stream_record_padding", stream((9, b"xyz")).replace(b"xyz\0", b"xyz\1")),
    "padding of libxl": (
        "stream_record_padding",
        with_libxl((3, TWO.pack(2, 0) + b"xyz")).replace(b"xyz\0\0\0\0\0", b"xyz\0\0\0\0\7"),
    ),
    "emulator unknown": ("stream_record_content", with_libxl((3, TWO.pack(3, 0)))),
    "emulator of XenStore data": ("stream_record_content", with_libxl((2, TWO.pack(3, 0)))),
    "XenStore data without end": ("stream_record_content", with_libxl((2, TWO.pack(2, 0) + b"a\0b"))),
    "XenStore data without value": ("stream_record_content", with_libxl((2, TWO.pack(2, 0) + b"a\0"))),
}


@pytest.mark.parametrize("data", SOUND.values(), ids=SOUND)
def test_sound(data: bytes) -> None:
    """What Xen may write is no problem."""
    found = described(data)
    assert found.problem is None and found.complete


@pytest.mark.parametrize(("wanted", "data"), BROKEN.values(), ids=BROKEN)
def test_broken(wanted: str, data: bytes) -> None:
    """It is named, with its place and what to do; and as the frames are sound, the rest is described."""
    found = described(data)
    assert found.problem is not None and found.problem.code == wanted
    assert found.problem.remedy
    assert data[found.problem.position :][:4] != b""
    kind = int.from_bytes(data[found.problem.position :][:4], "little")
    assert kind in {record.type for record in found.records}
    assert found.complete and found.stream_bytes == len(data)
    assert [record.name for record in found.records][-1] == "END"


def test_first_problem_is_told() -> None:
    """The first one explains the others."""
    found = described(stream((9, b""), (0x80000001, b"x"))[:-4])
    assert code(found) == "stream_record_length" and not found.complete
