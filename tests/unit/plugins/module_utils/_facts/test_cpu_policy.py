# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest was shown of a processor is held against what a Xen gives at most, as that Xen does it."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_features import Limit, beyond, limits_listed, rejected
from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import (
    Answer,
    Policy,
    PolicyInvalid,
    policy,
    where,
)
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Processor

INTEL: Answer = (0xD, 0x756E6547, 0x6C65746E, 0x49656E69)
PLATFORM_INFO, ARCH_CAPABILITIES = 0xCE, 0x10A
SHOWN = Policy("GenuineIntel", ("0",) * 19, 0xD, 2, 0x80000008, 1 << 31)
_WORDS = 19


def with_bits(word: int, *bits: int) -> Policy:
    """A policy of nothing but these features."""
    words = [sum(1 << bit for bit in bits) if number == word else 0 for number in range(_WORDS)]
    return dataclasses.replace(SHOWN, features=tuple(f"{each:08x}" for each in words))


def test_answers_become_a_policy() -> None:
    """Each word from its own leaf and register (xen/include/xen/lib/x86/cpu-policy.h FEATURESET_*)."""
    answers: dict[tuple[int, int], Answer] = {
        (0, 0): INTEL,
        (1, 0): (0, 0, 0xC1, 0xD1),
        (7, 0): (2, 0xB7, 0xC7, 0xD7),
        (7, 1): (0xA71, 0xB71, 0xC71, 0xD71),
        (7, 2): (0, 0, 0, 0xD72),
        (0xD, 1): (0xADA, 0, 0, 0),
        (0x80000000, 0): (0x80000021, 0, 0, 0),
        (0x80000001, 0): (0, 0, 0xCE1, 0xDE1),
        (0x80000007, 0): (0, 0, 0, 0xDE7),
        (0x80000008, 0): (0, 0xBE8, 0, 0),
        (0x80000021, 0): (0xAE21, 0, 0xCE21, 0),
    }
    found = policy(answers, {PLATFORM_INFO: 1 << 31, ARCH_CAPABILITIES: 0x4000000000000001})
    words = [0xD1, 0xC1, 0xDE1, 0xCE1, 0xADA, 0xB7, 0xC7, 0xDE7, 0xBE8, 0xD7, 0xA71, 0xAE21, 0xB71, 0xD72, 0xC71, 0xD71]
    assert [int(word, 16) for word in found.features] == [*words, 1, 0x40000000, 0xCE21]
    assert (found.max_leaf, found.max_subleaf, found.max_extended_leaf) == (0xD, 2, 0x80000021)
    assert (found.vendor, found.platform_info) == ("GenuineIntel", 1 << 31)


def test_what_is_not_there_is_zero() -> None:
    """Leaves without an answer are neither printed nor sent."""
    found = policy({}, {})
    assert found == Policy(None, ("00000000",) * _WORDS, 0, 0, 0, 0)
    assert rejected(found, SHOWN) == () and beyond(found, SHOWN) == ()


@pytest.mark.parametrize(
    ("word", "bit", "name"),
    [
        (0, 23, "mmx"),
        (1, 25, "aes"),
        (5, 5, "avx2"),
        (5, 11, "rtm"),
        (5, 12, "0x7.ebx[12]"),
        (9, 24, "amx_tile"),
        (10, 4, "avx_vnni"),
        (8, 15, "amd_stibp"),
        (12, 3, "0x7:1.ebx[3]"),
        (16, 0, "rdcl_no"),
        (17, 30, "its_no"),
        (16, 31, "0x10a.eax[31]"),
        (18, 1, "tsa_sq_no"),
    ],
)
def test_every_word_is_compared(word: int, bit: int, name: str) -> None:
    """The newest too, and those of a register; where a feature has no name here, it is told where it is."""
    assert beyond(with_bits(word, bit), SHOWN) == (name,)
    assert beyond(with_bits(word, bit), with_bits(word, bit)) == ()


# Bits that Xen lets a guest have whatever its most is, that follow a control register, or that warn of a weakness.
HARMLESS = [
    *((0, 28), (1, 21), (1, 27), (1, 31), (2, 0), (2, 24), (3, 1), (5, 6), (5, 13), (6, 4), (7, 8), (8, 20), (9, 10)),
    *((11, 5), (16, 2), (16, 17), (16, 19), (16, 28)),
]


@pytest.mark.parametrize(("word", "bit"), HARMLESS)
def test_what_does_no_harm_is_not_told(word: int, bit: int) -> None:
    """Nobody is kept from moving by it."""
    assert beyond(with_bits(word, bit), SHOWN) == ()


def test_nothing_is_compared_with_no_features() -> None:
    """As where they were waived."""
    assert beyond(with_bits(1, 25), dataclasses.replace(SHOWN, features=())) == ()
    assert beyond(dataclasses.replace(SHOWN, features=("nonsense",)), SHOWN) == ()


CASES: list[tuple[dict[str, t.Any], dict[str, t.Any], list[Limit]]] = [
    ({}, {}, []),
    ({"max_leaf": 0xE}, {}, [Limit("CPUID leaf 0", 0xE, 0xD)]),
    ({"max_leaf": 0xC}, {}, []),
    ({}, {"max_subleaf": 1}, [Limit("CPUID leaf 7", 2, 1)]),
    ({}, {"max_subleaf": None}, []),
    ({"max_extended_leaf": 0x80000021}, {}, [Limit("CPUID leaf 0x80000000", 0x80000021, 0x80000008)]),
    ({}, {"platform_info": 0}, [Limit("MSR 0xce", 1 << 31, 0)]),
    ({"platform_info": 0}, {}, []),
    ({"max_leaf": 0xE, "platform_info": 3}, {}, [Limit("CPUID leaf 0", 0xE, 0xD), Limit("MSR 0xce", 3, 1 << 31)]),
]


@pytest.mark.parametrize(("shown", "most", "expected"), CASES)
def test_what_xen_refuses(shown: dict[str, t.Any], most: dict[str, t.Any], expected: list[Limit]) -> None:
    """x86_cpu_policies_are_compatible, which in Xen 4.14 does not look at leaf 7."""
    found = rejected(dataclasses.replace(SHOWN, **shown), dataclasses.replace(SHOWN, **most))
    assert list(found) == expected


def test_limits_for_a_sentence() -> None:
    """With both values."""
    text = limits_listed([Limit("CPUID leaf 0", 0xE, 0xD), Limit("MSR 0xce", 1, 0)])
    assert text == "CPUID leaf 0 has 0xe, and 0xd at most there, MSR 0xce has 0x1, and 0x0 at most there"


def test_policy_travels() -> None:
    """From host to host, as plain values."""
    assert Policy.from_result(SHOWN.to_result()) == SHOWN
    without = dataclasses.replace(SHOWN, max_subleaf=None, features=())
    assert Policy.from_result(without.to_result()) == without
    assert Policy.from_result({**SHOWN.to_result(), "of_a_newer_version": 1}) == SHOWN


NONE: list[tuple[dict[str, t.Any], str]] = [
    ({"max_leaf": "13"}, "max_leaf of a policy"),
    ({"max_leaf": True}, "and is True"),
    ({"platform_info": None}, "platform_info of a policy"),
    ({"max_extended_leaf": -1}, "not negative"),
    ({"max_subleaf": 1.5}, "max_subleaf of a policy"),
    ({"vendor": 7}, "vendor of a policy"),
    ({"features": ["xyz"]}, "hexadecimal digits, and is 'xyz'"),
    ({"features": ["1ffffffff"]}, "hexadecimal digits"),
    ({"features": [1]}, "hexadecimal digits, and is 1"),
    ({"features": 1}, "a list of words"),
    # Each of its letters is a word of hexadecimal digits.
    ({"features": "bfebfbff"}, "a list of words, and is 'bfebfbff'"),
    ({"features": {"0": "bfebfbff"}}, "a list of words"),
]


@pytest.mark.parametrize(("changes", "words"), NONE)
def test_what_is_no_policy(changes: dict[str, t.Any], words: str) -> None:
    """Is not taken for one: neither by itself nor among facts, and a person is told which field it is."""
    with pytest.raises(PolicyInvalid, match=words):
        Policy.from_result({**SHOWN.to_result(), **changes})
    with pytest.raises(PolicyInvalid, match=words):
        Processor.from_result({**Processor(None, (), None).to_result(), "hvm_max": {**SHOWN.to_result(), **changes}})


@pytest.mark.parametrize("given", ["bfebfbff", {"max_leaf": 1}, [], 7])
def test_what_has_not_its_fields(given: t.Any) -> None:
    """A text of a result is none."""
    with pytest.raises(PolicyInvalid, match="a policy of a processor"):
        Policy.from_result(given)


def test_every_word_has_its_place() -> None:
    """For features that have no name here."""
    assert [where(word) for word in (0, 4, 15, 17)] == ["0x1.edx", "0xd:1.eax", "0x7:1.edx", "0x10a.edx"]
