# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a processor Xen shows a guest, or would show one at most (pure; private to the collection).

The same stands in the records X86_CPUID_POLICY and X86_MSR_POLICY of a stream, and in what ``xen-cpuid -p`` prints
(tools/misc/xen-cpuid.c print_policy): answers of CPUID and values of registers. Here they are in the form in which Xen
compares them (xen/lib/x86/policy.c x86_cpu_policies_are_compatible, xen/lib/x86/cpuid.c x86_cpu_policy_to_featureset).
"""

from __future__ import annotations

import collections.abc
import dataclasses
import re
import struct
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._record import Record

PLATFORM_INFO = 0xCE
ARCH_CAPABILITIES = 0x10A
EXTENDED = 0x80000000

Answer = t.Tuple[int, int, int, int]
"""What CPUID answers: eax, ebx, ecx, edx."""

_REGISTERS = ("eax", "ebx", "ecx", "edx")
_EAX, _EBX, _ECX, _EDX = range(4)
_NOTHING: Answer = (0, 0, 0, 0)
_WORD = 0xFFFFFFFF
# Where each word of a featureset is: leaf, subleaf, register (xen/include/xen/lib/x86/cpu-policy.h FEATURESET_*).
# Words 16 and 17 are the halves of MSR_ARCH_CAPABILITIES, which Xen writes as 0x10a.eax and 0x10a.edx.
_PLACES: tuple[tuple[int, int, int], ...] = (
    (0x00000001, 0, _EDX),
    (0x00000001, 0, _ECX),
    (0x80000001, 0, _EDX),
    (0x80000001, 0, _ECX),
    (0x0000000D, 1, _EAX),
    (0x00000007, 0, _EBX),
    (0x00000007, 0, _ECX),
    (0x80000007, 0, _EDX),
    (0x80000008, 0, _EBX),
    (0x00000007, 0, _EDX),
    (0x00000007, 1, _EAX),
    (0x80000021, 0, _EAX),
    (0x00000007, 1, _EBX),
    (0x00000007, 2, _EDX),
    (0x00000007, 1, _ECX),
    (0x00000007, 1, _EDX),
    (ARCH_CAPABILITIES, 0, _EAX),
    (ARCH_CAPABILITIES, 0, _EDX),
    (0x80000021, 0, _ECX),
)


_WORD_OF_FEATURES = re.compile(r"\A[0-9A-Fa-f]{1,8}\Z")


class PolicyInvalid(Dom0XenError, ValueError):
    """What is handed over as a policy is none, such as a text where a list of words is expected."""

    code = "cpu_policy_invalid"
    remedy = (
        "Ask anew with dom0.xen.host_info and dom0.xen.domain_info of this version of the collection. Hand over as it"
        " is, not as a text, what they and dom0.xen.migration_check return."
    )


@dataclasses.dataclass(frozen=True)
class Policy(Record):
    """The maker, the words of features (hexadecimal), the highest leaves, and MSR_INTEL_PLATFORM_INFO.

    ``max_subleaf`` is that of leaf 7; null in what a Xen gives at most that does not compare it.
    """

    vendor: str | None
    features: tuple[str, ...]
    max_leaf: int
    max_subleaf: int | None
    max_extended_leaf: int
    platform_info: int

    @classmethod
    def from_result(cls, result: t.Mapping[str, t.Any]) -> Policy:
        """Return the policy that was handed over as plain values, each of its type. Raises PolicyInvalid."""
        given: t.Any = result
        if not isinstance(given, collections.abc.Mapping):
            raise PolicyInvalid(f"a policy of a processor has fields, and {_short(given)} has none")
        lacking = [name for name in _FIELDS if name not in given]
        if lacking:
            raise PolicyInvalid(f"a policy of a processor lacks {', '.join(lacking)}")
        vendor, features, subleaf = given["vendor"], given["features"], given["max_subleaf"]
        if vendor is not None and not isinstance(vendor, str):
            raise _not_as_expected("vendor", "a text or null", vendor)
        # A text is a sequence too, of which each letter would be taken for a word.
        if not isinstance(features, (list, tuple)):
            raise _not_as_expected("features", "a list of words", features)
        for word in features:
            if not isinstance(word, str) or not _WORD_OF_FEATURES.match(word):
                raise _not_as_expected("features", "words of one to eight hexadecimal digits", word)
        for name in _NUMBERS:
            if not _is_number(given[name]):
                raise _not_as_expected(name, "a number that is not negative", given[name])
        if subleaf is not None and not _is_number(subleaf):
            raise _not_as_expected("max_subleaf", "a number that is not negative or null", subleaf)
        return cls(
            vendor=vendor,
            features=tuple(features),
            max_subleaf=subleaf,
            **{name: given[name] for name in _NUMBERS},
        )


_NUMBERS = ("max_leaf", "max_extended_leaf", "platform_info")
_FIELDS = tuple(field.name for field in dataclasses.fields(Policy))


def _is_number(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _not_as_expected(name: str, expected: str, value: t.Any) -> PolicyInvalid:
    return PolicyInvalid(f"{name} of a policy of a processor is to be {expected}, and is {_short(value)}", field=name)


def _short(value: t.Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def policy(answers: t.Mapping[tuple[int, int], Answer], registers: t.Mapping[int, int]) -> Policy:
    """Return the policy of which these are the answers by leaf and subleaf (0 where a leaf has none), and registers.

    What is not there is zero, as for Xen, which leaves out what is (x86_cpuid_copy_from_buffer; print_policy).
    """
    capabilities = registers.get(ARCH_CAPABILITIES, 0)
    known = {**answers, (ARCH_CAPABILITIES, 0): (capabilities & _WORD, 0, 0, capabilities >> 32 & _WORD)}
    words = (known.get((leaf, subleaf), _NOTHING)[register] for leaf, subleaf, register in _PLACES)
    first = answers.get((0, 0))
    return Policy(
        vendor=maker(*first[1:]) if first is not None else None,
        features=tuple(f"{word:08x}" for word in words),
        max_leaf=first[_EAX] if first is not None else 0,
        max_subleaf=answers.get((7, 0), _NOTHING)[_EAX],
        max_extended_leaf=answers.get((EXTENDED, 0), _NOTHING)[_EAX],
        platform_info=registers.get(PLATFORM_INFO, 0),
    )


def maker(ebx: int, ecx: int, edx: int) -> str | None:
    """Return the twelve letters of leaf 0, as in ``GenuineIntel``; None when they are no letters."""
    text = struct.pack("<3I", ebx, edx, ecx).decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() else None


def where(word: int) -> str:
    """Return where a word of a featureset is found, for those of its features that have no name here."""
    leaf, subleaf, register = _PLACES[word]
    return f"{leaf:#x}{f':{subleaf}' if subleaf else ''}.{_REGISTERS[register]}"
