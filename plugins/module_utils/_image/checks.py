# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Xen's ``verify-stream-v2`` requires of records, beyond the frames and lengths that the parser requires.

tools/python/xen/migration/libxl.py and libxc.py, the methods ``verify_record_*``. It is kept out of the parser, which
reads every byte of a running migration, where xl itself is the judge of what it is sent.
"""

from __future__ import annotations

import struct
import types
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._image.bodies import Body
from ansible_collections.dom0.xen.plugins.module_utils._image.errors import RecordContent, RecordPadding
from ansible_collections.dom0.xen.plugins.module_utils._wire import records
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import RecordLength, RecordOrder, UnknownRecord
from ansible_collections.dom0.xen.plugins.module_utils._wire.events import Record

HEAD = 24
"""How many bytes of a body are read here at most: all of X86_TSC_INFO."""

_TWO = struct.Struct("<II")
_PV_INFO = struct.Struct("<BBHI")
_TSC_INFO = struct.Struct("<IIQII")
_HVM_PARAM_SIZE = 16
_EMULATORS = (0, 1, 2)
_VERSION_WITH_STATIC_DATA = 3
_STATIC_DATA = (records.LIBXC_STATIC_DATA_END, records.LIBXC_X86_CPUID_POLICY, records.LIBXC_X86_MSR_POLICY)
_NOT_EMPTY = (records.LIBXC_HVM_CONTEXT, records.LIBXC_X86_CPUID_POLICY, records.LIBXC_X86_MSR_POLICY)
_VCPU = (
    records.LIBXC_X86_PV_VCPU_BASIC,
    records.LIBXC_X86_PV_VCPU_EXTENDED,
    records.LIBXC_X86_PV_VCPU_XSAVE,
    records.LIBXC_X86_PV_VCPU_MSRS,
)


def check_begin(record: Record, version: int) -> None:
    """Check what a record's type and length tell; ``version`` is that of libxc's stream.

    Raises UnknownRecord, RecordOrder or RecordLength.
    """
    position, name = record.position, record.name
    known = records.LIBXC_RECORDS if record.layer == records.LIBXC else records.LIBXL_RECORDS
    if record.type not in known:
        raise UnknownRecord(f"unknown optional {record.layer} record of type {name}", position=position)
    if record.layer != records.LIBXC:
        return
    if record.type == records.LIBXC_TOOLSTACK:
        raise UnknownRecord("a TOOLSTACK record, which no Xen reads any more", position=position)
    if record.type == records.LIBXC_CHECKPOINT_DIRTY_PFN_LIST:
        raise RecordOrder(f"{name} in the stream, which goes the other way", position=position)
    if record.type in _STATIC_DATA and version < _VERSION_WITH_STATIC_DATA:
        raise RecordOrder(f"{name} in a stream of version {version}", position=position)
    if record.type in _NOT_EMPTY and not record.length:
        raise RecordLength(f"the {name} record is empty", position=position)


def check_body(body: Body) -> None:
    """Check a body that was seen to its end. Raises RecordPadding, RecordContent or RecordLength."""
    record = body.record
    if not body.padded:
        raise RecordPadding(f"the padding of the {record.name} record is not zero", position=record.position)
    checks = _LIBXC_CHECKS if record.layer == records.LIBXC else _LIBXL_CHECKS
    check = checks.get(record.type)
    if check:
        check(body, body.head)


def _require(sound: bool, what: str, body: Body) -> None:
    if not sound:
        raise RecordContent(f"the {body.record.name} record has {what}", position=body.record.position)


def _pv_info(body: Body, head: bytearray) -> None:
    width, levels, *reserved = _PV_INFO.unpack(head)
    _require(width in (4, 8), f"a guest width of {width} bytes", body)
    _require(levels in (3, 4), f"{levels} levels of page tables", body)
    _require(not any(reserved), "reserved bits", body)


def _vcpu(body: Body, head: bytearray) -> None:
    _require(not _TWO.unpack_from(head)[1], "reserved bits", body)


def _tsc_info(body: Body, head: bytearray) -> None:
    _require(not _TSC_INFO.unpack(head)[-1], "reserved bits", body)


def _hvm_params(body: Body, head: bytearray) -> None:
    count, reserved = _TWO.unpack_from(head)
    _require(not reserved, "reserved bits", body)
    if body.record.length != _TWO.size + count * _HVM_PARAM_SIZE:
        raise RecordLength(
            f"an HVM_PARAMS record of {body.record.length} bytes has {count} entries", position=body.record.position
        )


def _emulator(body: Body, head: bytearray) -> None:
    emulator = _TWO.unpack_from(head)[0]
    _require(emulator in _EMULATORS, f"an unknown emulator {emulator}", body)


def _emulator_xenstore(body: Body, head: bytearray) -> None:
    _emulator(body, head)
    if body.record.length > _TWO.size:
        _require(body.last == 0, "a text without its end", body)
        _require(body.nuls % 2 == 0, "a path without its value", body)


_Check = t.Callable[[Body, bytearray], None]
_LIBXC_CHECKS: t.Mapping[int, _Check] = types.MappingProxyType(
    {
        records.LIBXC_X86_PV_INFO: _pv_info,
        records.LIBXC_X86_TSC_INFO: _tsc_info,
        records.LIBXC_HVM_PARAMS: _hvm_params,
        **{kind: _vcpu for kind in _VCPU},
    }
)
_LIBXL_CHECKS: t.Mapping[int, _Check] = types.MappingProxyType(
    {
        records.LIBXL_EMULATOR_XENSTORE_DATA: _emulator_xenstore,
        records.LIBXL_EMULATOR_CONTEXT: _emulator,
    }
)
