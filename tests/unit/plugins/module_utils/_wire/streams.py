# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make small streams as xl writes them, from the numbers in Xen's specifications and from none of our own constants."""

from __future__ import annotations

import json
import struct
import typing as t

Entry = tuple[int, int]  # type (0-15), pfn

BANNER = b"xl migration receiver ready, send binary domain data.\n"
READY = b"domain received, ready to unpause\0"
GO = b"domain is yours, you are cleared to unpause\0"
REPORT = b"my copy unpause results are as follows\0"

UUID = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe"
WITH_DATA = (0, 1, 2, 3, 4, 9, 10, 11, 12)
WITHOUT_DATA = (13, 14, 15)

TSC_INFO = (0x08, struct.pack("<IIQII", 0, 2600000, 52871317134, 0, 0))
CPUID_POLICY = (0x11, struct.pack("<6I", 0, 0xFFFFFFFF, 13, 1, 2, 3) * 3)
MSR_POLICY = (0x12, struct.pack("<IIQ", 0xCE, 0, 0))
STATIC_DATA_END = (0x10, b"")
HVM_CONTEXT = (0x09, bytes(range(20)))
HVM_PARAMS = (0x0A, struct.pack("<II4Q", 2, 0, 1, 2, 3, 4))
VERIFY = (0x0D, b"")
CHECKPOINT = (0x0E, b"")
END = (0x00, b"")

EMULATOR_XENSTORE = (2, struct.pack("<II", 2, 0) + b"physmap/0\0value\0")
EMULATOR_CONTEXT = (3, struct.pack("<II", 2, 0) + b"QEVM" + bytes(9))
CHECKPOINT_END = (4, b"")

BodyRecord = tuple[int, bytes]


def config(kind: str = "pvh", **extra: t.Any) -> bytes:
    """A configuration as libxl writes it, without NUL."""
    content = {
        "c_info": {"type": kind, "name": "centos", "uuid": UUID},
        "b_info": {"max_vcpus": 1, "max_memkb": 114688, "target_memkb": 114688, f"type.{kind}": {}},
        **extra,
    }
    return json.dumps(content, indent=4).encode()


def xl_header(text: bytes, flags: int = 3, optional_flags: int = 0, more: bytes = b"") -> bytes:
    """The xl header with a configuration, and ``more`` optional data behind it."""
    length = 4 + len(text) + 1 + len(more)
    fixed = struct.pack("<32sIIII", b"Xen saved domain, xl format\n \0 \r", 0x01020304, flags, optional_flags, length)
    return fixed + struct.pack("<I", len(text) + 1) + text + b"\0" + more


def frame(kind: int, body: bytes = b"") -> bytes:
    """One record."""
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def page_data(entries: t.Sequence[Entry], fill: bytes = b"\x5a") -> bytes:
    """One PAGE_DATA record."""
    pages = sum(1 for kind, dummy in entries if kind in WITH_DATA)
    body = struct.pack("<II", len(entries), 0)
    body += struct.pack(f"<{len(entries)}Q", *(kind << 60 | pfn for kind, pfn in entries))
    return frame(1, body + fill * (4096 * pages))


def normal(pfns: t.Iterable[int]) -> list[Entry]:
    """Entries of normal pages."""
    return [(0, pfn) for pfn in pfns]


def memory(rounds: t.Iterable[t.Sequence[Entry]], fill: bytes = b"\x5a") -> bytes:
    """Rounds of PAGE_DATA records, in batches of 1024 as libxc makes them."""
    return b"".join(
        page_data(entries[start : start + 1024], fill) for entries in rounds for start in range(0, len(entries), 1024)
    )


def libxl_header(options: int = 0) -> bytes:
    """libxl's header."""
    return struct.pack(">QII", 0x4C6962786C466D74, 2, options)


def libxc_headers(guest: int, version: int = 3, xen: tuple[int, int] = (4, 17)) -> bytes:
    """libxc's image header and domain header."""
    image = struct.pack(">QIIHHI", 0xFFFFFFFFFFFFFFFF, 0x58454E46, version, 0, 0, 0)
    return image + struct.pack("<IHHII", guest, 12, 0, *xen)


def records(found: t.Iterable[BodyRecord]) -> bytes:
    """Several records."""
    return b"".join(frame(kind, body) for kind, body in found)


def pv_vcpu(kind: int) -> BodyRecord:
    """One of the PV vcpu records, with an odd length so that it is padded."""
    return (kind, struct.pack("<II", 0, 0) + bytes(13))


def pvh(rounds: t.Iterable[t.Sequence[Entry]], version: int = 3, after: bytes = b"") -> bytes:
    """A PVH guest, up to libxl's END; ``after`` goes between the memory and what follows it."""
    static = records([CPUID_POLICY, MSR_POLICY, STATIC_DATA_END]) if version == 3 else b""
    return (
        xl_header(config())
        + libxl_header()
        + frame(1)
        + libxc_headers(2, version)
        + static
        + memory(rounds)
        + after
        + records([TSC_INFO, HVM_CONTEXT, HVM_PARAMS, END])
        + frame(0)
    )


def hvm(rounds: t.Iterable[t.Sequence[Entry]]) -> bytes:
    """An HVM guest with a device model; parameters come before the context, as the specification has it."""
    return (
        xl_header(config("hvm"))
        + libxl_header()
        + frame(1)
        + libxc_headers(2)
        + records([CPUID_POLICY, MSR_POLICY, STATIC_DATA_END])
        + memory(rounds)
        + records([TSC_INFO, HVM_PARAMS, HVM_CONTEXT, END, EMULATOR_XENSTORE, EMULATOR_CONTEXT])
        + frame(0)
    )


def pv(rounds: t.Iterable[t.Sequence[Entry]]) -> bytes:
    """A PV guest."""
    return (
        xl_header(config("pv"))
        + libxl_header()
        + frame(1)
        + libxc_headers(1)
        + records([(0x02, struct.pack("<BBHI", 8, 4, 0, 0)), CPUID_POLICY, MSR_POLICY, STATIC_DATA_END])
        + frame(0x03, struct.pack("<IIQ", 0, 511, 77))
        + memory(rounds)
        + records([TSC_INFO, (0x07, bytes(4096)), pv_vcpu(4), pv_vcpu(5), pv_vcpu(6), pv_vcpu(0x0C), END])
        + frame(0)
    )


def remus(rounds: t.Iterable[t.Sequence[Entry]], more: t.Iterable[t.Sequence[Entry]]) -> bytes:
    """An HVM guest with one checkpoint: libxl's records stand between libxc's."""
    return (
        xl_header(config("hvm"))
        + libxl_header()
        + frame(1)
        + libxc_headers(2)
        + records([STATIC_DATA_END])
        + memory(rounds)
        + records([TSC_INFO, HVM_CONTEXT, HVM_PARAMS, CHECKPOINT, EMULATOR_XENSTORE, EMULATOR_CONTEXT, CHECKPOINT_END])
        + memory(more)
        + records([TSC_INFO, HVM_CONTEXT, HVM_PARAMS, END])
        + frame(0)
    )


def pieces(data: bytes, cuts: t.Iterable[int]) -> t.Iterator[bytes]:
    """Cut ``data`` at ``cuts``, which are taken modulo its length."""
    begin = 0
    for end in sorted({len(data), *(cut % (len(data) + 1) for cut in cuts)}):
        if end > begin:
            yield data[begin:end]
        begin = end


_BEHIND_HEADER = pvh([normal([0])])[len(xl_header(config())) :]

SMALL: t.Mapping[str, bytes] = {
    "pvh": pvh([[(0, 0), (15, 1), (0, 2)], [(0, 2)]]),
    "pvh-v2": pvh([[(0, 0), (14, 1)]], version=2),
    "hvm": hvm([[(0, 0), (13, 1)], [(0, 1)]]),
    "pv": pv([[(0, 0), (1, 1), (9, 2), (15, 3)]]),
    "verify": pvh([normal(range(2)), normal([1])], after=frame(*VERIFY) + memory([normal(range(2))])),
    "remus": remus([normal(range(2))], [normal([1])]),
    "optional": pvh([normal([0])], after=frame(0x80000042, b"abc")),
    "more-optional-data": xl_header(config(), optional_flags=9, more=b"whatever") + _BEHIND_HEADER,
    "legacy-converted": xl_header(config()) + libxl_header(2) + _BEHIND_HEADER[16:],
}
"""One small stream of each sort that must be understood, without permission."""
