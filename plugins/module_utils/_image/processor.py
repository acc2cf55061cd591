# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUID and MSR policies of a stream, made fit to be shown. Pure."""

from __future__ import annotations

import dataclasses
import types
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy, policy
from ansible_collections.dom0.xen.plugins.module_utils._image.bodies import Body
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Cpuid, Leaf, Msr, Msrs, Policies
from ansible_collections.dom0.xen.plugins.module_utils._wire import policies, records

SHOWN_MAX = 512
"""How many leaves or registers are shown at most. Xen has at most some 200 (CPUID_MAX_SERIALISED_LEAVES) and 2."""

_FORMS: t.Mapping[int, int] = types.MappingProxyType(
    {
        records.LIBXC_X86_CPUID_POLICY: policies.CPUID_LEAF.size,
        records.LIBXC_X86_MSR_POLICY: policies.MSR_ENTRY.size,
    }
)


def kept(kind: int) -> int:
    """Return how many bytes of a libxc record of this type are read here; 0 when it is no policy."""
    return SHOWN_MAX * _FORMS.get(kind, 0)


def with_body(known: Policies, body: Body) -> Policies:
    """Return the policies with what one more libxc record says; as for Xen, the last one of a type counts.

    Raises RecordLength.
    """
    record, head = body.record, bytes(body.head)
    if record.type == records.LIBXC_X86_CPUID_POLICY:
        return dataclasses.replace(known, cpuid=_cpuid(head, record.length, record.position))
    if record.type == records.LIBXC_X86_MSR_POLICY:
        return dataclasses.replace(known, msr=_msrs(head, record.length, record.position))
    return known


def shown_policy(known: Policies) -> Policy | None:
    """Return it in the form in which Xen compares it; None where the stream does not say."""
    if known.cpuid is None:
        return None
    answers = {
        (int(each.leaf, 16), int(each.subleaf or "0", 16)): (
            int(each.eax, 16),
            int(each.ebx, 16),
            int(each.ecx, 16),
            int(each.edx, 16),
        )
        for each in known.cpuid.leaves
    }
    registers = known.msr.registers if known.msr is not None else ()
    return policy(answers, {int(each.index, 16): int(each.value, 16) for each in registers})


def _cpuid(head: bytes, length: int, position: int) -> Cpuid:
    leaves = policies.decode_cpuid(head, position)
    return Cpuid(
        vendor=policies.vendor(leaves),
        max_leaf=_hex(policies.highest(leaves)),
        max_extended_leaf=_hex(policies.highest(leaves, policies.EXTENDED)),
        count=length // policies.CPUID_LEAF.size,
        leaves=tuple(
            Leaf(
                leaf=f"0x{each.leaf:08x}",
                subleaf=_hex(each.subleaf),
                eax=f"0x{each.eax:08x}",
                ebx=f"0x{each.ebx:08x}",
                ecx=f"0x{each.ecx:08x}",
                edx=f"0x{each.edx:08x}",
            )
            for each in leaves
        ),
    )


def _msrs(head: bytes, length: int, position: int) -> Msrs:
    return Msrs(
        count=length // policies.MSR_ENTRY.size,
        registers=tuple(
            Msr(f"0x{each.register:08x}", f"0x{each.value:016x}") for each in policies.decode_msr(head, position)
        ),
    )


def _hex(value: int | None) -> str | None:
    return None if value is None else f"0x{value:08x}"
