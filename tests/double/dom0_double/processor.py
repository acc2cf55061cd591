# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processors as Xen shows them: to guests as captured from Xen 4.17 (a small AMD machine), to none as the settings say.

Leaves are in the order of xen/lib/x86/cpuid.c x86_cpuid_copy_to_buffer, registers in that of msr.c
x86_msr_copy_to_buffer.
"""

from __future__ import annotations

import dataclasses
import struct

from .settings import Settings

NO_SUBLEAF = 0xFFFFFFFF
PLATFORM_INFO, ARCH_CAPABILITIES = 0xCE, 0x10A
#: CPUID_MAX_SERIALISED_LEAVES and MSR_MAX_SERIALISED_ENTRIES (xen/include/xen/lib/x86/cpu-policy.h).
MOST_LEAVES, MOST_REGISTERS = 120, 2

Leaf = tuple[int, int, int, int, int, int]
_BASIC, _FEATURES, _EXTENDED = 0xD, 2, 0x80000021
_WORDS = 19
#: How many of them ``xl info`` prints.
_PRINTED = 8
_FAULTING = 1 << 31
_SEP, _APIC, _HTT = 1 << 11, 1 << 9, 1 << 28
_X2APIC, _HYPERVISOR, _CMP_LEGACY, _NO_LMSL, _SVM = 1 << 21, 1 << 31, 1 << 1, 1 << 20, 1 << 2
#: What a PV guest has no use for: VME, PSE, PGE, MTRR and PSE36.
_NOT_PV = 1 << 1 | 1 << 3 | 1 << 13 | 1 << 12 | 1 << 17
#: Bits of word 2 that repeat word 0 (CPUID_COMMON_1D_FEATURES), which guests get and a policy for all does not name.
_COMMON = 0x0183F3FF
#: What is no feature: family and model, the name, caches, address widths.
_FIXED = {
    0x1: (0x00060FB1, 0x00000800, 0, 0),
    0x80000001: (0x00060FB1, 0, 0, 0),
    0x80000002: (0x554D4551, 0x72695620, 0x6C617574, 0x55504320),
    0x80000003: (0x72657620, 0x6E6F6973, 0x352E3220, 0x0000002B),
    0x80000005: (0x01FF01FF, 0x01FF01FF, 0x40020140, 0x40020140),
    0x80000006: (0, 0x42004200, 0x02008140, 0x00808140),
    0x80000008: (0x00003028, 0, 0, 0),
}
#: Where the words of a featureset are: leaf, subleaf, register.
_PLACES = {
    0: (0x1, 0, 3), 1: (0x1, 0, 2), 2: (0x80000001, 0, 3), 3: (0x80000001, 0, 2), 4: (0xD, 1, 0), 5: (0x7, 0, 1),
    6: (0x7, 0, 2), 7: (0x80000007, 0, 3), 8: (0x80000008, 0, 1), 9: (0x7, 0, 3), 10: (0x7, 1, 0),
    11: (0x80000021, 0, 0), 12: (0x7, 1, 1), 13: (0x7, 2, 3), 14: (0x7, 1, 2), 15: (0x7, 1, 3), 18: (0x80000021, 0, 2),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Shown:
    """A processor: the words of its features, the highest leaves, MSR_INTEL_PLATFORM_INFO, and its maker."""

    words: tuple[int, ...]
    highest: int
    highest_features: int
    highest_extended: int
    platform_info: int
    maker: str = "AuthenticAMD"

    def leaves(self) -> list[Leaf]:
        """Return all leaves, also those without an answer."""
        numbers: list[tuple[int, int]] = []
        for leaf in range(min(self.highest, _BASIC) + 1):
            subleaves = {0x4: [0], 0x7: [*range(self.highest_features + 1)], 0xB: [0], 0xD: [0, 1]}
            numbers += [(leaf, subleaf) for subleaf in subleaves.get(leaf, [NO_SUBLEAF])]
        numbers += [(0x40000000, NO_SUBLEAF), (0x40000100, NO_SUBLEAF)]
        last = min(self.highest_extended, _EXTENDED) & 0xFFFF
        numbers += [(0x80000000 + leaf, NO_SUBLEAF) for leaf in range(last + 1)]
        return [(leaf, subleaf, *self._answer(leaf, subleaf)) for leaf, subleaf in numbers]

    def registers(self) -> list[tuple[int, int]]:
        """Return registers with their values."""
        return [(PLATFORM_INFO, self.platform_info), (ARCH_CAPABILITIES, self.words[16] | self.words[17] << 32)]

    def _answer(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        answer = list(_FIXED.get(leaf, (0, 0, 0, 0)))
        if leaf in (0x0, 0x80000000):
            ebx, edx, ecx = struct.unpack("<3I", self.maker.encode())
            answer = [0, ebx, ecx, edx]
        highest = {(0x0, NO_SUBLEAF): self.highest, (0x7, 0): self.highest_features}
        highest[0x80000000, NO_SUBLEAF] = self.highest_extended
        answer[0] = highest.get((leaf, subleaf), answer[0])
        for word, place in _PLACES.items():
            if place[:2] == (leaf, 0 if subleaf == NO_SUBLEAF else subleaf):
                answer[place[2]] |= self.words[word]
        eax, ebx, ecx, edx = answer
        return eax, ebx, ecx, edx


def of_guest(kind: str) -> Shown:
    """Return what every guest of a kind was shown, wherever it has come from."""
    if kind == "pv":
        return Shown(_words({0: 0x0789C3F5, 1: 0x80002001, 2: 0x2191CBF5, 3: 1, 11: 4}), _BASIC, 0, _EXTENDED, 0)
    words = _words({0: 0x178BFBFD, 1: 0x80202001, 2: 0x2193FBFD, 3: 1, 8: _NO_LMSL, 11: 4})
    return Shown(words, _BASIC, 0, _EXTENDED, _FAULTING)


def of_system(settings: Settings) -> dict[str, Shown]:
    """Return the policies of a host, in the order in which Xen numbers them (xen/arch/x86/cpu-policy.c)."""
    texts = [*(settings.hw_caps.split(":") + [""] * _PRINTED)[:_PRINTED], *settings.more_caps.split(":")]
    words = _words({number: int(text, 16) for number, text in enumerate(texts) if text})
    info = _FAULTING if settings.cpuid_faulting else 0
    host = Shown(words, settings.cpuid_highest, 0, settings.cpuid_highest_extended, info, settings.cpu_maker)
    default = {"PV": _pv(host), "HVM": _hvm(host, settings)}
    most = {kind: _most(shown, settings) for kind, shown in default.items()}
    return {
        "Raw": host,
        "Host": host,
        "PV Max": most["PV"],
        "HVM Max": most["HVM"],
        "PV Default": default["PV"],
        "HVM Default": default["HVM"],
    }


def _words(values: dict[int, int]) -> tuple[int, ...]:
    return tuple(values.get(number, 0) for number in range(_WORDS))


def _with(shown: Shown, added: dict[int, int], taken: dict[int, int]) -> Shown:
    words = (word & ~taken.get(number, 0) | added.get(number, 0) for number, word in enumerate(shown.words))
    return dataclasses.replace(shown, words=tuple(words))


def _pv(host: Shown) -> Shown:
    return _with(host, {0: _HTT, 1: _HYPERVISOR, 3: _CMP_LEGACY}, {0: _NOT_PV, 2: _COMMON, 3: _SVM})


def _hvm(host: Shown, settings: Settings) -> Shown:
    no_lmsl = _NO_LMSL if settings.xen >= (4, 17) else 0
    added = {0: _HTT | _APIC | _SEP, 1: _X2APIC | _HYPERVISOR, 3: _CMP_LEGACY, 8: no_lmsl}
    return dataclasses.replace(_with(host, added, {2: _COMMON}), platform_info=host.platform_info | _FAULTING)


def _most(shown: Shown, settings: Settings) -> Shown:
    """Return what Xen lets a guest have that comes from elsewhere (guest_common_max_leaves from 4.20 on)."""
    if settings.xen >= (4, 20):
        return dataclasses.replace(shown, highest=_BASIC, highest_features=_FEATURES, highest_extended=_EXTENDED)
    return dataclasses.replace(shown, highest_features=_FEATURES) if settings.xen >= (4, 17) else shown
