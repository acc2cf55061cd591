# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the destination's processor one that the guest can go on with? (pure; private to the collection)

Xen refuses a guest that was shown more leaves of CPUID than it gives, and silently takes away single features
(xen/lib/x86/policy.c x86_cpu_policies_are_compatible, xen/arch/x86/cpu-policy.c recalculate_cpuid_policy), so that the
guest finds out by a fault. What a guest was shown ``xen-cpuid`` tells, where it is there; if not, nobody knows before
its stream begins (the record X86_CPUID_POLICY), and the sender looks there in any case.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, listed
from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_features import (
    beyond,
    limits_listed,
    missing,
    rejected,
    words,
)
from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Processor

SHOWN = "cpu_features_shown"

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


def shown(case: Case) -> t.Iterator[Finding]:
    """The destination gives the guest all that it was shown, as far as that is known before its stream begins."""
    dummy, there = _both(case)
    policy = case.domain.cpu_policy if case.domain else None
    if not _asked(case) or case.domain is None or policy is None or there is None:
        return
    host, name, most = case.request.destination, case.domain.name, there.most(case.domain.type)
    limits = rejected(policy, most) if most is not None else ()
    if limits:
        yield case.error(
            "cpu_policy_refused",
            host,
            f"Xen on {host} refuses a domain that was shown what {name} was: {limits_listed(limits)}.",
            f"Have it shut down and started on {host} from its configuration file (migrate_method to cold, or"
            " migrate_allow_cold to true), or move it to a host that gives its domains as much.",
            limits=[limit._asdict() for limit in limits],
        )
    lacking = _lacking(policy, there, most)
    if lacking:
        yield case.error(
            "cpu_features_shown",
            host,
            f"{name} was shown a processor with {listed(lacking)}, which {host} does not give it; Xen there would take"
            f" it away without a word, and {name} breaks when it uses it.",
            "Move it to a host that has them; or start it with a processor that all hosts have (cpuid= in its"
            " configuration file). When its guest does not use them, waive cpu_features_shown.",
            missing=list(lacking),
            source=":".join(policy.features),
            destination=":".join(most.features if most is not None else there.features),
        )


def _lacking(policy: Policy, there: Processor, most: Policy | None) -> tuple[str, ...]:
    if most is not None:
        return beyond(policy, most)
    return missing(words(policy.features), words(there.features))


def features(case: Case) -> t.Iterator[Finding]:
    """The destination lacks nothing that the domain may have been shown, where nobody can say what it was shown."""
    here, there = _both(case)
    if not _asked(case) or case.domain is None:
        return
    host, name, kind = case.request.destination, case.domain.name, case.domain.type
    given, most = here.default(kind) if here else None, there.most(kind) if there else None
    mine, theirs = (words(processor.features) if processor else () for processor in (here, there))
    if case.domain.cpu_policy is not None and (most is not None or theirs):
        return
    if given is not None and most is not None:
        lacking, how = beyond(given, most), "gives its domains by default"
        seen = given.features, most.features
    elif mine and theirs and here and there:
        lacking, how = missing(mine, theirs), "has"
        seen = here.features, there.features
    else:
        blind = case.source_name if theirs or most is not None else host
        yield case.warning(
            "cpu_unchecked",
            blind,
            f"the features of the processor of {blind} are not known (xen-cpuid -p, hw_caps of `xl info`), so nothing"
            f" can be compared with what {name} was shown.",
            "See that both hosts have processors of one generation. Else start the domain with a processor that both"
            " have (cpuid= in its configuration file).",
        )
        return
    if lacking:
        levelled = bool(case.build.get("cpuid"))
        yield case.warning(
            "cpu_features_fewer",
            host,
            f"the processor of {host} lacks what that of {case.source_name} {how}: {listed(lacking)}."
            + (f" {name} was started with a processor of its own (cpuid=)." if levelled else "")
            + f" The move ends before memory is sent, and {name} goes on, when it was shown one of them.",
            f"To have {name} move in any case, start it with a processor that all hosts have (cpuid= in its"
            " configuration file).",
            missing=list(lacking),
            source=":".join(seen[0]),
            destination=":".join(seen[1]),
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
    """Return the words of hw_caps that the sender is to hold the stream against; none where nothing is to be compared.

    Nor where it is known what Xen there gives the domain at most (:func:`most_there`).
    """
    dummy, there = _both(case)
    if not _asked(case) or there is None or SHOWN in case.request.waive or most_there(case) is not None:
        return ()
    return there.features if words(there.features) else ()


def most_there(case: Case) -> Policy | None:
    """Return what the sender is to hold the stream against, with no features where these were waived."""
    dummy, there = _both(case)
    if not _asked(case) or there is None or case.domain is None:
        return None
    found = there.most(case.domain.type)
    return dataclasses.replace(found, features=()) if found is not None and SHOWN in case.request.waive else found
