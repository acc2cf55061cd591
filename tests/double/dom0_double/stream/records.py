# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records and headers of the libxl and libxc streams (docs/specs/libxc-migration-stream.pandoc, libxl-...)."""

from __future__ import annotations

import array
import struct

from .. import processor

XL_MAGIC = b"Xen saved domain, xl format\n \0 \r"
XL_HEADER = struct.Struct("<32s4I")
BYTEORDER = 0x01020304
LIBXL_HEADER = struct.Struct(">QII")
LIBXL_IDENT = 0x4C6962786C466D74
IMAGE_HEADER = struct.Struct(">QIIHHI")
IMAGE_MARKER = (1 << 64) - 1
IMAGE_ID = 0x58454E46
DOMAIN_HEADER = struct.Struct("<IHHII")
RECORD = struct.Struct("<II")

LIBXL_END, LIBXC_CONTEXT, EMULATOR_XENSTORE_DATA, EMULATOR_CONTEXT = range(4)
(END, PAGE_DATA, X86_PV_INFO, X86_PV_P2M_FRAMES, X86_PV_VCPU_BASIC, X86_PV_VCPU_EXTENDED, X86_PV_VCPU_XSAVE,
 SHARED_INFO, X86_TSC_INFO, HVM_CONTEXT, HVM_PARAMS, TOOLSTACK, X86_PV_VCPU_MSRS, VERIFY, CHECKPOINT,
 CHECKPOINT_DIRTY_PFN_LIST, STATIC_DATA_END, X86_CPUID_POLICY, X86_MSR_POLICY) = range(19)  # fmt: skip
#: Types of pages that carry no data: broken, allocate only, hole.
PAGE_BROKEN, PAGE_ALLOCATE, PAGE_HOLE = 13, 14, 15
_LEAF = struct.Struct("<6I")


def record(kind: int, body: bytes = b"") -> bytes:
    """Return a record with its padding."""
    return RECORD.pack(kind, len(body)) + body + bytes(-len(body) % 8)


def xl_header(config: bytes) -> bytes:
    """Return xl's header with a JSON configuration, which must end in NUL (xl.h struct save_file_header)."""
    return XL_HEADER.pack(XL_MAGIC, BYTEORDER, 3, 0, 4 + len(config)) + struct.pack("<I", len(config)) + config


def libxl_header() -> bytes:
    """Return libxl's header, version 2, and the record after which the libxc stream begins."""
    return LIBXL_HEADER.pack(LIBXL_IDENT, 2, 0) + record(LIBXC_CONTEXT)


def libxc_headers(kind: str, xen_major: int, xen_minor: int) -> bytes:
    """Return libxc's image and domain headers; stream version 3 from Xen 4.14 on, 2 before."""
    version = 3 if (xen_major, xen_minor) >= (4, 14) else 2
    image = IMAGE_HEADER.pack(IMAGE_MARKER, IMAGE_ID, version, 0, 0, 0)
    return image + DOMAIN_HEADER.pack(1 if kind == "pv" else 2, 12, 0, xen_major, xen_minor)


def cpuid_policy(kind: str) -> bytes:
    """Return the leaves that a guest of a kind was shown: 51 of 24 bytes."""
    return b"".join(_LEAF.pack(*leaf) for leaf in processor.of_guest(kind).leaves())


def msr_policy(kind: str) -> bytes:
    """Return the registers that it was shown: MSR_INTEL_PLATFORM_INFO and ARCH_CAPABILITIES."""
    return b"".join(struct.pack("<IIQ", index, 0, value) for index, value in processor.of_guest(kind).registers())


def static_data(kind: str, xen_minor: int) -> list[bytes]:
    """Return the records between the headers and memory."""
    records = [record(X86_PV_INFO, bytes((8, 4)) + bytes(6))] if kind == "pv" else []
    if xen_minor >= 14:
        records += [
            record(X86_CPUID_POLICY, cpuid_policy(kind)),
            record(X86_MSR_POLICY, msr_policy(kind)),
            record(STATIC_DATA_END),
        ]
    return records


def p2m_frames(p2m_size: int) -> bytes:
    """Return the frames that hold a PV guest's own map."""
    frames = (p2m_size + 511) // 512
    return record(X86_PV_P2M_FRAMES, struct.pack("<II", 0, p2m_size - 1) + struct.pack(f"<{frames}Q", *range(frames)))


def page_data(entries: array.array[int], data: bytes | bytearray) -> list[bytes | bytearray]:
    """Return the parts of a PAGE_DATA record, not joined, as the data are large."""
    body = 8 + 8 * len(entries) + len(data)
    head = RECORD.pack(PAGE_DATA, body) + struct.pack("<II", len(entries), 0) + entries.tobytes()
    return [head, data] if data else [head]


def tsc_info(khz: int) -> bytes:
    """Return the record that follows memory; ``khz`` is the rate of the processor, which a guest has where it began."""
    return record(X86_TSC_INFO, struct.pack("<IIQII", 0, khz, 0xC4F66468E, 1, 0))


def hvm_context(vcpus: int) -> bytes:
    """Return a context as Xen writes it: typed entries, here a header, one per processor, and the end."""
    entry = struct.Struct("<HHI")
    header = struct.pack("<IIQII", 0x54381286, 1, _MASK, 0x60FB1, 2600000)
    parts = [entry.pack(1, 0, len(header)), header]
    for vcpu in range(vcpus):
        parts += [entry.pack(2, vcpu, 1032), bytes(1032)]
    return record(HVM_CONTEXT, b"".join(parts) + entry.pack(0, 0, 0))


_MASK = 0xFFFFFFFFFFFFFFFF


def hvm_params() -> bytes:
    """Return the parameters of a PVH guest as captured on Xen 4.17."""
    values = {1: 0xFEFFC, 5: 0xFEFFD, 6: 0xFEFFB, 27: 0xFEFF8, 28: 0xFEFF9, 29: 0xFEFFA, 17: 0xFEFFF, 12: 0xFEFFE000}
    pairs = [struct.pack("<QQ", index, value) for index, value in values.items()]
    return record(HVM_PARAMS, struct.pack("<II", len(pairs), 0) + b"".join(pairs))


def pv_tail(vcpus: int) -> list[bytes]:
    """Return what follows the memory of a PV guest, with the sizes Xen 4.17 writes."""
    records = [record(SHARED_INFO, bytes(4096))]
    for vcpu in range(vcpus):
        number = struct.pack("<II", vcpu, 0)
        records += [record(X86_PV_VCPU_BASIC, number + bytes(5168)), record(X86_PV_VCPU_EXTENDED, number + bytes(64))]
    return records


def emulator_records() -> list[bytes]:
    """Return the records of an HVM guest's device model: its physmap, and a save file of QEMU in outline."""
    who = struct.pack("<II", 2, 0)
    physmap = [b"physmap/f0000000/start_addr", b"f0000000", b"physmap/f0000000/size", b"1000000"]
    physmap += [b"physmap/f0000000/name", b"vga.vram"]
    blob = b"QEVM" + struct.pack(">I", 3) + bytes(40000)
    keys = b"".join(part + b"\0" for part in physmap)
    return [record(EMULATOR_XENSTORE_DATA, who + keys), record(EMULATOR_CONTEXT, who + blob)]
