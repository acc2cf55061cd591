# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a saved domain or a capture. Sizes in bytes unless the name says KiB; registers as hex texts."""

from __future__ import annotations

import dataclasses
import types
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._record import Record


@dataclasses.dataclass(frozen=True)
class StreamProblem(Record):
    """The first thing that is wrong; ``position`` is an offset in the stream, decompressed."""

    code: str
    message: str
    position: int
    remedy: str


@dataclasses.dataclass(frozen=True)
class Identity(Record):
    """Which domain it is."""

    uuid: str
    name: str
    type: str
    memory_max_kib: int
    memory_target_kib: int
    video_memory_kib: int


@dataclasses.dataclass(frozen=True)
class RecordKind(Record):
    """Records of one type; ``bytes`` is all of them with their frames. ``type`` is None for those beyond the limit."""

    layer: str
    name: str
    type: int | None
    count: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class RoundSeen(Record):
    """One pass over the guest's memory."""

    number: int
    kind: str
    entries: int
    pages: int
    bytes: int
    distinct: int
    again: int


@dataclasses.dataclass(frozen=True)
class Memory(Record):
    """All passes together, those that only verify left out."""

    entries: int
    pages: int
    bytes: int
    distinct: int
    again: int
    exact: bool
    zero_pages: int | None
    zero_share: float | None


@dataclasses.dataclass(frozen=True)
class Leaf(Record):
    """One CPUID leaf."""

    leaf: str
    subleaf: str | None
    eax: str
    ebx: str
    ecx: str
    edx: str


@dataclasses.dataclass(frozen=True)
class Cpuid(Record):
    """A CPUID policy; ``count`` is the number of its leaves, of which ``leaves`` has the first ones."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = types.MappingProxyType({"leaves": Leaf})

    vendor: str | None
    max_leaf: str | None
    max_extended_leaf: str | None
    count: int
    leaves: tuple[Leaf, ...]


@dataclasses.dataclass(frozen=True)
class Msr(Record):
    """One model specific register."""

    index: str
    value: str


@dataclasses.dataclass(frozen=True)
class Msrs(Record):
    """An MSR policy; ``count`` is the number of its registers, of which ``registers`` has the first ones."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = types.MappingProxyType({"registers": Msr})

    count: int
    registers: tuple[Msr, ...]


@dataclasses.dataclass(frozen=True)
class Policies(Record):
    """The processor that the guest was shown; None where the stream does not say."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = types.MappingProxyType({"cpuid": Cpuid, "msr": Msrs})

    cpuid: Cpuid | None = None
    msr: Msrs | None = None


@dataclasses.dataclass(frozen=True)
class Description(Record):
    """All of it."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = types.MappingProxyType(
        {
            "problem": StreamProblem,
            "identity": Identity,
            "records": RecordKind,
            "rounds": RoundSeen,
            "verify": RoundSeen,
            "memory": Memory,
            "policies": Policies,
        }
    )

    path: str
    size_bytes: int
    compression: str
    complete: bool
    permission: bool
    problem: StreamProblem | None
    identity: Identity | None
    config: t.Mapping[str, t.Any] | None
    guest_type: str | None
    stream_version: int | None
    xen_version: str | None
    stream_bytes: int | None
    records: tuple[RecordKind, ...]
    rounds: tuple[RoundSeen, ...]
    verify: tuple[RoundSeen, ...]
    memory: Memory
    policies: Policies
