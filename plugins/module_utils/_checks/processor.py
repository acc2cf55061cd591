# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the destination's processor one that the guest can go on with? (pure; private to the collection)

What the guest was shown is not known before its stream begins (the record X86_CPUID_POLICY); the sender looks there.
Xen itself refuses little and silently takes away what the processor lacks (xen/arch/x86/cpu-policy.c
x86_cpu_policies_are_compatible, recalculate_cpuid_policy), so that the guest finds out by a fault.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, listed
from ansible_collections.dom0.xen.plugins.module_utils._cpu_features import missing, words
from ansible_collections.dom0.xen.plugins.module_utils._equipment_records import Processor

SHOWN = "cpu_features_shown"
"""The finding that only the sender can make, when it has the stream."""

# Two machines of one kind differ by less.
_MHZ = 1.0


def _both(case: Case) -> tuple[Processor | None, Processor | None]:
    here = case.source.equipment.processor if case.source else None
    return here, case.destination.equipment.processor if case.destination else None


def _asked(case: Case) -> bool:
    return not (case.domain is None or case.domain.domid == 0 or case.destination is None or case.same_host)


def vendor(case: Case) -> t.Iterator[Finding]:
    """Both processors are of one maker."""
    here, there = _both(case)
    if not _asked(case) or here is None or there is None or not here.vendor or not there.vendor:
        return
    if here.vendor != there.vendor:
        yield case.error(
            "cpu_vendor",
            case.request.destination,
            f"the processor of {case.request.destination} is of {there.vendor}, that of {case.source_name} of"
            f" {here.vendor}; Xen does not support moving a running domain from one to the other.",
            f"Have it shut down and started on {case.request.destination} from its configuration file: set"
            " migrate_method to cold, or migrate_allow_cold to true.",
            source=here.vendor,
            destination=there.vendor,
        )


def features(case: Case) -> t.Iterator[Finding]:
    """The destination's processor lacks nothing that the domain may have been shown."""
    here, there = _both(case)
    if not _asked(case) or case.domain is None:
        return
    host, name = case.request.destination, case.domain.name
    mine, theirs = (words(processor.features) if processor else () for processor in (here, there))
    if not mine or not theirs:
        blind = case.source_name if theirs else host
        yield case.warning(
            "cpu_unchecked",
            blind,
            f"the features of the processor of {blind} are not known (hw_caps of `xl info`), so nothing can be"
            f" compared with what {name} was shown.",
            "See that both hosts have processors of one generation. Else start the domain with a processor that both"
            " have (cpuid= in its configuration file).",
        )
        return
    lacking = missing(mine, theirs)
    if lacking:
        levelled = bool(case.build.get("cpuid"))
        yield case.warning(
            "cpu_features_fewer",
            host,
            f"the processor of {host} lacks what that of {case.source_name} has: {listed(lacking)}."
            + (f" {name} was started with a processor of its own (cpuid=)." if levelled else "")
            + f" The move ends before memory is sent, and {name} goes on, when it was shown one of them.",
            f"To have {name} move in any case, start it with a processor that all hosts have (cpuid= in its"
            " configuration file).",
            missing=list(lacking),
            source=":".join(here.features) if here else "",
            destination=":".join(there.features) if there else "",
        )


def rate(case: Case) -> t.Iterator[Finding]:
    """The time stamp counter ticks as fast there (xen/arch/x86/time.c tsc_set_info)."""
    here, there = _both(case)
    if not _asked(case) or case.domain is None or here is None or there is None or not here.mhz or not there.mhz:
        return
    if case.build.get("tsc_mode") in (None, "default") and abs(here.mhz - there.mhz) >= _MHZ:
        yield case.warning(
            "tsc_rate_differs",
            case.request.destination,
            f"the processor of {case.request.destination} runs at {there.mhz:g} MHz, that of {case.source_name} at"
            f" {here.mhz:g}. Where it cannot scale its time stamp counter, Xen emulates it for {case.domain.name},"
            " whose clock is then slow to read.",
            "`xl dmesg | grep -i tsc` on the destination tells whether it can. A guest that moves often is best started"
            ' with tsc_mode="native" where its clock is not the TSC.',
            source=here.mhz,
            destination=there.mhz,
        )


def compared(case: Case) -> tuple[str, ...]:
    """Return the words that the sender is to hold the stream against; none where nothing is to be compared."""
    dummy, there = _both(case)
    if not _asked(case) or there is None or SHOWN in case.request.waive:
        return ()
    return there.features if words(there.features) else ()
