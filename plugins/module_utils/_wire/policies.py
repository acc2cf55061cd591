# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the records X86_CPUID_POLICY and X86_MSR_POLICY hold: the processor that the guest was shown.

docs/specs/libxc-migration-stream.pandoc; ``struct xen_cpuid_leaf`` and ``struct xen_msr_entry`` in
xen/include/public/arch-x86/xen.h.
"""

from __future__ import annotations

import struct
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Answer, maker
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import RecordLength

CPUID_LEAF = struct.Struct("<6I")
MSR_ENTRY = struct.Struct("<IIQ")
NO_SUBLEAF = 0xFFFFFFFF
EXTENDED = 0x80000000


class CpuidLeaf(t.NamedTuple):
    """What CPUID answers for one leaf; ``subleaf`` is None where the leaf has none."""

    leaf: int
    subleaf: int | None
    eax: int
    ebx: int
    ecx: int
    edx: int


class MsrEntry(t.NamedTuple):
    """One model specific register and its value."""

    register: int
    value: int


def decode_cpuid(body: bytes, position: int) -> tuple[CpuidLeaf, ...]:
    """Read the leaves of an X86_CPUID_POLICY record. Raises RecordLength unless there are whole ones, one at least."""
    found = _entries(CPUID_LEAF, body, "X86_CPUID_POLICY", position)
    return tuple(CpuidLeaf(leaf, None if sub == NO_SUBLEAF else sub, *answer) for leaf, sub, *answer in found)


def decode_msr(body: bytes, position: int) -> tuple[MsrEntry, ...]:
    """Read the entries of an X86_MSR_POLICY record. Raises RecordLength unless there are whole ones, one at least."""
    found = _entries(MSR_ENTRY, body, "X86_MSR_POLICY", position)
    return tuple(MsrEntry(register, value) for register, dummy, value in found)


def vendor(leaves: t.Iterable[CpuidLeaf]) -> str | None:
    """Return the vendor's twelve letters, as in ``GenuineIntel``; None without leaf 0, or when they are no letters."""
    for leaf in leaves:
        if leaf.leaf == 0:
            return maker(leaf.ebx, leaf.ecx, leaf.edx)
    return None


def highest(leaves: t.Iterable[CpuidLeaf], base: int = 0) -> int | None:
    """Return the highest leaf of a range, as the leaf that begins it says: 0, or ``EXTENDED``. None without that."""
    return next((leaf.eax for leaf in leaves if leaf.leaf == base), None)


def answers(leaves: t.Iterable[CpuidLeaf]) -> dict[tuple[int, int], Answer]:
    """Return what CPUID answers by leaf and subleaf, which is 0 where the leaf has none."""
    return {(each.leaf, each.subleaf or 0): (each.eax, each.ebx, each.ecx, each.edx) for each in leaves}


def _entries(form: struct.Struct, body: bytes, name: str, position: int) -> t.Iterator[tuple[int, ...]]:
    if not body or len(body) % form.size:
        raise RecordLength(f"a {name} record cannot have {len(body)} bytes", position=position, length=len(body))
    return form.iter_unpack(body)
