# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest was shown of the processor lies within what the destination gives; where that is not known, what may."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings, plan
from ansible_collections.dom0.xen.plugins.module_utils._checks.processor import compared, most_there
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding
from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import ConfigFile
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    EQUIPMENT,
    UUID,
    domain,
    host,
    request,
    with_config,
)

# AVX2 is bit 5 of word 5, AMX-TILE bit 24 of word 9, which hw_caps does not have.
_WORDS = ["1fc9cbf5", "f7fa3203", "2c100800", "00000121", "0000000f", "009c67ab", "00000000", "00000000", "00000000"]


def gives(avx2: bool = True, amx: bool = True, **changes: t.Any) -> Policy:
    """What a Xen gives its domains, or a guest was shown."""
    words = [*_WORDS[:5], "009c67ab" if avx2 else "009c678b", *_WORDS[6:], "01000000" if amx else "00000000"]
    shown = Policy("GenuineIntel", (*words, *["00000000"] * 9), 0xD, 0, 0x80000008, 0x80000000)
    return dataclasses.replace(shown, **changes)


def machine(name: str, **changes: t.Any) -> HostFacts:
    """The host of the examples with another processor."""
    processor = EQUIPMENT.processor
    assert processor is not None
    return host(name, equipment=dataclasses.replace(EQUIPMENT, processor=dataclasses.replace(processor, **changes)))


def known(name: str, most: Policy, default: Policy | None = None) -> HostFacts:
    """A host that tells what it gives, to PV domains nothing."""
    nothing = dataclasses.replace(most, features=("0",) * 19, max_leaf=0)
    return machine(name, hvm_max=most, hvm_default=default or most, pv_max=nothing, pv_default=nothing)


def found(source: HostFacts, there: HostFacts, subject: DomainFacts, **asked: t.Any) -> tuple[Finding, ...]:
    """What the check says."""
    same = there.hostname == source.hostname
    return findings(source, there, subject, request(destination=there.hostname, allow_same_host=same, **asked))


FULL, NO_AMX, NO_AVX2 = gives(), gives(amx=False), gives(avx2=False, amx=False)
SHOWN = domain(cpu_policy=FULL)
CASES: dict[str, tuple[HostFacts, HostFacts, DomainFacts, list[tuple[str, str, str]], list[str]]] = {
    "all that it was shown": (host("xen1"), known("xen2", FULL), SHOWN, [], []),
    "less there, which it was not shown": (
        known("xen1", FULL),
        known("xen2", NO_AMX),
        domain(cpu_policy=NO_AMX),
        [],
        [],
    ),
    "less, in a word that hw_caps does not have": (
        host("xen1"),
        known("xen2", NO_AMX),
        SHOWN,
        [("cpu_features_shown", "error", "xen2")],
        ["centos was shown a processor with amx_tile, which xen2 does not give it", "waive cpu_features_shown"],
    ),
    "kept from guests there": (
        host("xen1"),
        known("xen2", gives(avx2=False)),
        SHOWN,
        [("cpu_features_shown", "error", "xen2")],
        ["avx2"],
    ),
    "fewer leaves": (
        host("xen1"),
        known("xen2", gives(max_extended_leaf=0x80000004)),
        SHOWN,
        [("cpu_policy_refused", "error", "xen2")],
        ["CPUID leaf 0x80000000 has 0x80000008, and 0x80000004 at most there", "migrate_method to cold"],
    ),
    "a register with less": (
        host("xen1"),
        known("xen2", gives(platform_info=0)),
        SHOWN,
        [("cpu_policy_refused", "error", "xen2")],
        ["MSR 0xce has 0x80000000, and 0x0 at most there"],
    ),
    "PV is given something else": (
        host("xen1"),
        known("xen2", FULL),
        dataclasses.replace(SHOWN, type="pv"),
        [("cpu_policy_refused", "error", "xen2"), ("cpu_features_shown", "error", "xen2")],
        ["CPUID leaf 0 has 0xd, and 0x0"],
    ),
    "nothing told there but hw_caps": (
        host("xen1"),
        machine("xen2", features=("bfebfbff", "77faf3ff", "2c100800", "00000121", "0000000f", "d39fffdb")),
        SHOWN,
        [("cpu_features_shown", "error", "xen2")],
        ["a processor with avx2, which"],
    ),
    "nobody knows what it was shown": (
        known("xen1", FULL),
        known("xen2", NO_AMX),
        domain(),
        [("cpu_features_fewer", "warning", "xen2")],
        ["lacks what that of xen1 gives its domains by default: amx_tile", "ends before memory is sent"],
    ),
    "nor are more asked for by default": (known("xen1", FULL, NO_AMX), known("xen2", NO_AMX), domain(), [], []),
    "only there is it told": (host("xen1"), known("xen2", NO_AVX2), domain(), [], []),
    "nothing known of the source": (
        host("xen1", equipment=dataclasses.replace(EQUIPMENT, processor=None)),
        known("xen2", FULL),
        domain(),
        [("cpu_unchecked", "warning", "xen1")],
        ["xen-cpuid -p"],
    ),
    "within one host": (host("xen1"), known("xen1", NO_AVX2), SHOWN, [], []),
}


@pytest.mark.parametrize("name", CASES)
def test_processor(name: str) -> None:
    """Told once, about the right host."""
    source, destination, subject, expected, parts = CASES[name]
    seen = found(source, destination, subject)
    about = [each for each in seen if each.code.startswith("cpu_")]
    assert [(each.code, each.severity, each.host) for each in about] == expected
    text = " ".join(f"{each.message} {each.remedy}" for each in about)
    assert all(part in text for part in parts), text


def test_features_can_be_waived_and_what_xen_refuses_cannot() -> None:
    """Whoever waives features still has the leaves compared."""
    short = known("xen2", gives(amx=False, max_leaf=7))
    seen = found(host("xen1"), short, SHOWN, waive=("cpu_features_shown",))
    assert [(each.code, each.severity) for each in seen] == [
        ("cpu_policy_refused", "error"),
        ("cpu_features_shown", "waived"),
    ]
    assert "waiver_forbidden" in {
        each.code for each in found(host("xen1"), short, SHOWN, waive=("cpu_policy_refused",))
    }


def test_a_domain_that_is_shut_down_is_not_asked() -> None:
    """It boots on what there is; auto chooses that where it may."""
    file = ConfigFile("/etc/xen/centos.cfg", "centos", UUID)
    subject, there = dataclasses.replace(SHOWN, config_files=(file,)), known("xen2", NO_AMX)
    seen = found(host("xen1"), there, subject, allow_cold=True)
    assert not [each for each in seen if each.code.startswith("cpu_")]
    chosen = plan(host("xen1"), there, subject, request(allow_cold=True))
    assert chosen is not None and chosen.method == "cold" and "amx_tile" in chosen.method_reason


def test_a_processor_that_was_asked_for_is_told() -> None:
    """With cpuid= in its configuration it may have been shown less than others."""
    subject = with_config(b_info={"cpuid": [{"leaf": 1}]})
    (seen,) = found(known("xen1", FULL), known("xen2", NO_AMX), subject)
    assert "a processor of its own" in seen.message


def test_what_the_sender_compares() -> None:
    """What Xen there gives, else hw_caps; with no features where these were waived."""
    case = Case(host("xen1"), known("xen2", NO_AMX), domain(), request())
    assert most_there(case) == NO_AMX and compared(case) == ()
    waived = dataclasses.replace(case, request=request(waive=("cpu_features_shown",)))
    assert most_there(waived) == dataclasses.replace(NO_AMX, features=()) and compared(waived) == ()
    bare = dataclasses.replace(case, destination=host("xen2"))
    assert EQUIPMENT.processor is not None
    assert most_there(bare) is None and compared(bare) == EQUIPMENT.processor.features
    assert most_there(dataclasses.replace(case, destination=known("xen1", NO_AMX))) is None
