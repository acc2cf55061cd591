# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is there memory for the domain at the destination? (pure; private to the collection)

All in KiB. The need is that of libxl: tools/libs/light/libxl_mem.c libxl__domain_need_memory_calculate.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, is_true

KIB_PER_MIB = 1024

# tools/libs/light/libxl_internal.h LIBXL_HVM_EXTRA_MEMORY, LIBXL_PV_EXTRA_MEMORY, LIBXL_MIN_DOM0_MEM.
_HVM_EXTRA = 2048
_PV_EXTRA = 1024
_DOM0_MIN = 128 * KIB_PER_MIB
_STEP = 2048


@dataclasses.dataclass(frozen=True)
class Room:
    """Memory at the destination: what is needed, what is free after the reserve, and what dom0 could give."""

    needed: int
    free: int
    dom0_gives: int

    @property
    def fits(self) -> bool:
        """Whether the domain has room, with dom0's help where xl takes it."""
        return self.needed <= self.free + self.dom0_gives

    @property
    def balloon(self) -> int:
        """What dom0 would have to give up."""
        return max(0, self.needed - self.free)


def needed(case: Case) -> int | None:
    """Return the memory that the domain needs on its new host, or None when its configuration is not known.

    Where the configuration does not tell how much Xen needs to keep track of the domain, it is estimated as libxl
    does: 1 MiB for each vcpu and 8 KiB for each MiB of memory (libxl__get_required_paging_memory).
    """
    domain, build = case.domain, case.build
    if domain is None or not build:
        return None
    # A guest on its way to a smaller target still has, and sends, what it has now.
    total = max(int(build.get("target_memkb") or build.get("max_memkb") or 0), domain.memory_mib * KIB_PER_MIB)
    total += int(build.get("iommu_memkb") or 0)
    if domain.type == "pv":
        total += int(build.get("shadow_memkb") or 0) + _PV_EXTRA
    else:
        maximum = int(build.get("max_memkb") or total)
        vcpus = int(build.get("max_vcpus") or domain.vcpus)
        estimate = KIB_PER_MIB * vcpus + 8 * (maximum // KIB_PER_MIB)
        total += int(build.get("shadow_memkb", estimate)) + _HVM_EXTRA
        if is_true(build.get("device_model_stubdomain")):
            total += int(build.get("stubdomain_memkb") or 0) + int(build.get("video_memkb") or 0)
    return -(-total // _STEP) * _STEP


def room(case: Case) -> Room | None:
    """Return what the destination has to offer, or None when facts are missing."""
    need, host = needed(case), case.destination
    if need is None or host is None or host.free_memory_mib is None:
        return None
    free = (host.free_memory_mib - case.request.memory_reserve_mib) * KIB_PER_MIB
    gives = 0
    if host.autoballoon and host.dom0_memory_mib is not None:
        keeps = max(_DOM0_MIN, case.request.dom0_memory_min_mib * KIB_PER_MIB)
        gives = max(0, host.dom0_memory_mib * KIB_PER_MIB - keeps)
    return Room(need, free, gives)


def enough(case: Case) -> t.Iterator[Finding]:
    """The domain fits into what is free at the destination."""
    there = room(case)
    if there is None or case.destination is None or case.domain is None or case.domain.domid == 0 or there.fits:
        return
    host, reserve = case.request.destination, case.request.memory_reserve_mib
    text = f"{case.domain.name} needs {_mib(there.needed)} MiB on {host}, where {case.destination.free_memory_mib} MiB"
    text += " are free"
    if reserve:
        text += f", of which {reserve} are to stay free"
    if there.dom0_gives:
        text += f", and dom0 can give up another {_mib(there.dom0_gives)}"
    missing = _mib(there.needed - there.free - there.dom0_gives)
    yield case.error(
        "not_enough_memory",
        host,
        f"{text}: {missing} MiB are missing.",
        f"Make room on {host} (move a domain away, or shrink one with `xl mem-set`), or name another destination.",
        needed_kib=there.needed,
        free_kib=there.free,
        dom0_gives_kib=there.dom0_gives,
    )


def populated(case: Case) -> t.Iterator[Finding]:
    """An HVM domain below its maximum may have memory that is only populated when it is touched."""
    if case.domain is None or case.domain.type != "hvm":
        return
    target, maximum = case.build.get("target_memkb"), case.build.get("max_memkb")
    if target and maximum and int(target) < int(maximum):
        yield case.warning(
            "memory_below_maximum",
            case.source_name,
            f"{case.domain.name} uses {_mib(int(target))} of {_mib(int(maximum))} MiB: if its guest has not taken part"
            " in ballooning since it booted, the copy may need more than the check counted.",
            "See that the guest's balloon driver runs.",
            target_kib=int(target),
            max_kib=int(maximum),
        )


def _mib(kib: int) -> int:
    return -(-kib // KIB_PER_MIB)
