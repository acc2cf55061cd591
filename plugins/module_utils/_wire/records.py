# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record types and headers of libxl's stream and of libxc's stream inside it.

docs/specs/libxl-migration-stream.pandoc and libxc-migration-stream.pandoc; tools/libs/light/libxl_sr_stream_format.h,
tools/libs/guest/xg_sr_stream_format.h. Both layers frame a record the same way: type and body length (u32 each),
body, zeros up to a multiple of 8.
"""

from __future__ import annotations

import struct
import types
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import (
    BadMagic,
    RecordLength,
    RecordTooLong,
    UnknownRecord,
    UnsupportedHeader,
)

RECORD = struct.Struct("<II")
LIBXL_HEADER = struct.Struct(">QII")
IMAGE_HEADER = struct.Struct(">QIIHHI")
DOMAIN_HEADER = struct.Struct("<IHHII")

LIBXL_IDENT = 0x4C6962786C466D74  # "LibxlFmt"
LIBXL_VERSION = 2
LIBXL_OPTION_BIG_ENDIAN = 1
LIBXL_OPTION_LEGACY = 2
IMAGE_MARKER = 0xFFFFFFFFFFFFFFFF
IMAGE_ID = 0x58454E46  # "XENF"
IMAGE_VERSIONS = (2, 3)
PAGE_SHIFT = 12
GUEST_TYPES: t.Mapping[int, str] = types.MappingProxyType({1: "pv", 2: "hvm"})
"""A PVH guest is ``hvm`` on the wire; only its configuration tells."""

OPTIONAL = 1 << 31
"""A record whose type has this bit may be skipped by who does not know it."""
RECORD_LENGTH_MAX = 128 << 20
"""REC_LENGTH_MAX of tools/libs/guest/xg_sr_common.h, in bytes; held against libxl's records too."""

LIBXL = "libxl"
LIBXC = "libxc"

LIBXL_END = 0
LIBXL_LIBXC_CONTEXT = 1
LIBXL_EMULATOR_XENSTORE_DATA = 2
LIBXL_EMULATOR_CONTEXT = 3
LIBXL_CHECKPOINT_END = 4
LIBXL_CHECKPOINT_STATE = 5

LIBXC_END = 0x00
LIBXC_PAGE_DATA = 0x01
LIBXC_X86_PV_INFO = 0x02
LIBXC_X86_PV_P2M_FRAMES = 0x03
LIBXC_X86_PV_VCPU_BASIC = 0x04
LIBXC_X86_PV_VCPU_EXTENDED = 0x05
LIBXC_X86_PV_VCPU_XSAVE = 0x06
LIBXC_SHARED_INFO = 0x07
LIBXC_X86_TSC_INFO = 0x08
LIBXC_HVM_CONTEXT = 0x09
LIBXC_HVM_PARAMS = 0x0A
LIBXC_TOOLSTACK = 0x0B
LIBXC_X86_PV_VCPU_MSRS = 0x0C
LIBXC_VERIFY = 0x0D
LIBXC_CHECKPOINT = 0x0E
LIBXC_CHECKPOINT_DIRTY_PFN_LIST = 0x0F
LIBXC_STATIC_DATA_END = 0x10
LIBXC_X86_CPUID_POLICY = 0x11
LIBXC_X86_MSR_POLICY = 0x12


class RecordType(t.NamedTuple):
    """A record's name, and the lengths its body may have: ``base + n * unit``, n >= 0, in bytes."""

    name: str
    base: int = 0
    unit: int = 1

    def fits(self, length: int) -> bool:
        """Whether a body of ``length`` bytes is possible."""
        extra = length - self.base
        return extra >= 0 and (extra % self.unit == 0 if self.unit else extra == 0)


LIBXL_RECORDS: t.Mapping[int, RecordType] = types.MappingProxyType(
    {
        LIBXL_END: RecordType("END", 0, 0),
        LIBXL_LIBXC_CONTEXT: RecordType("LIBXC_CONTEXT", 0, 0),
        LIBXL_EMULATOR_XENSTORE_DATA: RecordType("EMULATOR_XENSTORE_DATA", 8),
        LIBXL_EMULATOR_CONTEXT: RecordType("EMULATOR_CONTEXT", 8),
        LIBXL_CHECKPOINT_END: RecordType("CHECKPOINT_END", 0, 0),
        LIBXL_CHECKPOINT_STATE: RecordType("CHECKPOINT_STATE", 8, 0),
    }
)

LIBXC_RECORDS: t.Mapping[int, RecordType] = types.MappingProxyType(
    {
        LIBXC_END: RecordType("END", 0, 0),
        LIBXC_PAGE_DATA: RecordType("PAGE_DATA", 16, 8),
        LIBXC_X86_PV_INFO: RecordType("X86_PV_INFO", 8, 0),
        LIBXC_X86_PV_P2M_FRAMES: RecordType("X86_PV_P2M_FRAMES", 8, 8),
        LIBXC_X86_PV_VCPU_BASIC: RecordType("X86_PV_VCPU_BASIC", 8),
        LIBXC_X86_PV_VCPU_EXTENDED: RecordType("X86_PV_VCPU_EXTENDED", 8),
        LIBXC_X86_PV_VCPU_XSAVE: RecordType("X86_PV_VCPU_XSAVE", 8),
        LIBXC_SHARED_INFO: RecordType("SHARED_INFO", 4096, 0),
        LIBXC_X86_TSC_INFO: RecordType("X86_TSC_INFO", 24, 0),
        LIBXC_HVM_CONTEXT: RecordType("HVM_CONTEXT"),
        LIBXC_HVM_PARAMS: RecordType("HVM_PARAMS", 8, 16),
        LIBXC_TOOLSTACK: RecordType("TOOLSTACK"),
        LIBXC_X86_PV_VCPU_MSRS: RecordType("X86_PV_VCPU_MSRS", 8),
        LIBXC_VERIFY: RecordType("VERIFY", 0, 0),
        LIBXC_CHECKPOINT: RecordType("CHECKPOINT", 0, 0),
        LIBXC_CHECKPOINT_DIRTY_PFN_LIST: RecordType("CHECKPOINT_DIRTY_PFN_LIST", 0, 8),
        LIBXC_STATIC_DATA_END: RecordType("STATIC_DATA_END", 0, 0),
        LIBXC_X86_CPUID_POLICY: RecordType("X86_CPUID_POLICY", 0, 24),
        LIBXC_X86_MSR_POLICY: RecordType("X86_MSR_POLICY", 0, 16),
    }
)


@dataclass(frozen=True)
class DomainHeader:
    """What libxc's two headers say: stream version, ``pv`` or ``hvm``, and the Xen that wrote it."""

    version: int
    guest_type: str
    xen_major: int
    xen_minor: int


def padded(length: int) -> int:
    """Return ``length`` rounded up to a multiple of 8."""
    return (length + 7) & ~7


def record_name(layer: str, kind: int, length: int, position: int) -> str:
    """Check a record's type and body length, and return its name.

    Raises :class:`RecordTooLong`, :class:`UnknownRecord` or :class:`RecordLength`. An unknown optional record is
    named by its number.
    """
    if length > RECORD_LENGTH_MAX:
        raise RecordTooLong(
            f"a {layer} record of type 0x{kind:x} has {length} bytes", position=position, layer=layer, type=kind
        )
    known = (LIBXC_RECORDS if layer == LIBXC else LIBXL_RECORDS).get(kind)
    if known is None:
        if kind & OPTIONAL:
            return f"0x{kind:08x}"
        raise UnknownRecord(f"unknown {layer} record of type 0x{kind:x}", position=position, layer=layer, type=kind)
    if not known.fits(length):
        raise RecordLength(
            f"a {known.name} record cannot have {length} bytes", position=position, layer=layer, length=length
        )
    return known.name


def check_libxl_header(data: bytes, position: int) -> None:
    """Check libxl's header. Raises :class:`BadMagic` or :class:`UnsupportedHeader`."""
    ident, version, options = LIBXL_HEADER.unpack(data)
    if ident != LIBXL_IDENT:
        raise BadMagic(f"libxl's stream begins with 0x{ident:016x}", position=position)
    if version != LIBXL_VERSION:
        raise UnsupportedHeader(f"libxl's stream has version {version}", position=position + 8)
    if options & ~LIBXL_OPTION_LEGACY:
        raise UnsupportedHeader(f"libxl's stream has options 0x{options:x}", position=position + 12)


def decode_domain_header(data: bytes, position: int) -> DomainHeader:
    """Read libxc's image header and domain header. Raises :class:`BadMagic` or :class:`UnsupportedHeader`."""
    marker, ident, version, options, reserved, more = IMAGE_HEADER.unpack_from(data)
    if marker != IMAGE_MARKER or ident != IMAGE_ID:
        raise BadMagic(f"libxc's stream begins with 0x{marker:016x} 0x{ident:08x}", position=position)
    if version not in IMAGE_VERSIONS:
        raise UnsupportedHeader(f"libxc's stream has version {version}", position=position + 12)
    if options or reserved or more:
        raise UnsupportedHeader(f"libxc's stream has options 0x{options:x}", position=position + 16)
    position += IMAGE_HEADER.size
    guest, shift, reserved, major, minor = DOMAIN_HEADER.unpack_from(data, IMAGE_HEADER.size)
    if guest not in GUEST_TYPES:
        raise UnsupportedHeader(f"unknown guest type {guest}", position=position)
    if shift != PAGE_SHIFT or reserved:
        raise UnsupportedHeader(f"the guest's page size is 2^{shift}", position=position + 4)
    return DomainHeader(version, GUEST_TYPES[guest], major, minor)
