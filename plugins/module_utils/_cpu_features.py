# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of x86 processors, as Xen counts them (pure; private to the collection).

A featureset is a row of words of 32 bits (xen/include/public/arch-x86/cpufeatureset.h). Its first eight are what
``xl info`` prints as hw_caps: those of the processor, less what Xen was told to leave out
(xen/arch/x86/sysctl.c arch_do_physinfo).
"""

from __future__ import annotations

import typing as t

WORDS = 8

# Where CPUID has each word: leaf, subleaf, register.
PLACES: tuple[tuple[int, int, str], ...] = (
    (0x00000001, 0, "edx"),
    (0x00000001, 0, "ecx"),
    (0x80000001, 0, "edx"),
    (0x80000001, 0, "ecx"),
    (0x0000000D, 1, "eax"),
    (0x00000007, 0, "ebx"),
    (0x00000007, 0, "ecx"),
    (0x80000007, 0, "edx"),
)

_NAMES: tuple[t.Mapping[int, str], ...] = (
    {19: "clflush", 23: "mmx", 25: "sse", 26: "sse2"},
    {
        **{0: "sse3", 1: "pclmulqdq", 3: "monitor", 9: "ssse3", 12: "fma", 13: "cx16", 17: "pcid", 19: "sse4_1"},
        **{20: "sse4_2", 22: "movbe", 23: "popcnt", 25: "aes", 26: "xsave", 28: "avx", 29: "f16c", 30: "rdrand"},
    },
    {20: "nx", 22: "mmxext", 25: "fxsr_opt", 26: "pdpe1gb", 27: "rdtscp", 30: "3dnowext", 31: "3dnow"},
    {
        **{0: "lahf_lm", 2: "svm", 4: "cr8_legacy", 5: "abm", 6: "sse4a", 7: "misalignsse", 8: "3dnowprefetch"},
        **{11: "xop", 15: "lwp", 16: "fma4", 21: "tbm", 26: "dbext"},
    },
    {0: "xsaveopt", 1: "xsavec", 2: "xgetbv1", 3: "xsaves", 4: "xfd"},
    {
        **{0: "fsgsbase", 1: "tsc_adjust", 3: "bmi1", 5: "avx2", 7: "smep", 8: "bmi2", 9: "erms", 10: "invpcid"},
        **{14: "mpx", 16: "avx512f", 17: "avx512dq", 18: "rdseed", 19: "adx", 20: "smap", 21: "avx512ifma"},
        **{23: "clflushopt", 24: "clwb", 26: "avx512pf", 27: "avx512er", 28: "avx512cd", 29: "sha_ni"},
        **{30: "avx512bw", 31: "avx512vl"},
    },
    {
        **{0: "prefetchwt1", 1: "avx512vbmi", 3: "pku", 6: "avx512_vbmi2", 7: "cet_ss", 8: "gfni", 9: "vaes"},
        **{10: "vpclmulqdq", 11: "avx512_vnni", 12: "avx512_bitalg", 14: "avx512_vpopcntdq", 22: "rdpid"},
        **{25: "cldemote", 27: "movdiri", 28: "movdir64b", 29: "enqcmd"},
    },
    {8: "constant_tsc"},
)


def _bits(*numbers: int) -> int:
    return sum(1 << number for number in numbers)


# What Xen gives or keeps from a guest whatever the processor has, what only says how to read another leaf, and what
# says that something is absent (xen/arch/x86/cpu-policy.c calculate_pv_max_policy, calculate_hvm_max_policy,
# guest_common_max_feature_adjustments; cpuid.c guest_cpuid). On AMD most of word 0 is repeated in word 2.
_NOT_OF_THE_PROCESSOR: tuple[int, ...] = (
    _bits(9, 11, 28),  # APIC, SEP, HTT
    _bits(21, 24, 27, 31),  # X2APIC, TSC deadline, OSXSAVE, a hypervisor
    0x0183F3FF,
    _bits(1, 3, 22),  # CMP_LEGACY, EXTAPIC, TOPOEXT
    0,
    _bits(4, 6, 11, 13),  # HLE, FDP_EXCP_ONLY, RTM, NO_FPU_SEL
    _bits(2, 4),  # UMIP, OSPKE
    _bits(8),  # a TSC with a constant rate, which nomigrate stands for
)


def words(texts: t.Iterable[str]) -> tuple[int, ...]:
    """Return the words of hw_caps as numbers; empty when one is none."""
    try:
        return tuple(int(text, 16) for text in texts)[:WORDS]
    except ValueError:
        return ()


def missing(shown: t.Sequence[int], there: t.Sequence[int]) -> tuple[str, ...]:
    """Return the names of features among ``shown`` that a processor with ``there`` does not have.

    Words that one of the two does not have are not compared.
    """
    lacking = [
        wanted & ~has & ~ignored & 0xFFFFFFFF for wanted, has, ignored in zip(shown, there, _NOT_OF_THE_PROCESSOR)
    ]
    return tuple(
        _NAMES[word].get(bit, f"{PLACES[word][0]:#x}.{PLACES[word][2]}[{bit}]")
        for word, bits in enumerate(lacking)
        for bit in range(32)
        if bits >> bit & 1
    )
