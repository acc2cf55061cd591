# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of x86 processors, as Xen counts them (pure; private to the collection).

A featureset is a row of words of 32 bits (xen/include/public/arch-x86/cpufeatureset.h). Its first eight are what
``xl info`` prints as hw_caps: those of the processor, less what Xen was told to leave out
(xen/arch/x86/sysctl.c arch_do_physinfo). All of them are in a :class:`Policy`.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy, where

_NAMES: tuple[t.Mapping[int, str], ...] = (
    {19: "clflush", 23: "mmx", 25: "sse", 26: "sse2"},
    {
        **{0: "sse3", 1: "pclmulqdq", 3: "monitor", 5: "vmx", 9: "ssse3", 12: "fma", 13: "cx16", 17: "pcid"},
        **{19: "sse4_1", 20: "sse4_2", 22: "movbe", 23: "popcnt", 24: "tsc_deadline_timer", 25: "aes", 26: "xsave"},
        **{28: "avx", 29: "f16c", 30: "rdrand"},
    },
    {20: "nx", 22: "mmxext", 25: "fxsr_opt", 26: "pdpe1gb", 27: "rdtscp", 30: "3dnowext", 31: "3dnow"},
    {
        **{0: "lahf_lm", 2: "svm", 4: "cr8_legacy", 5: "abm", 6: "sse4a", 7: "misalignsse", 8: "3dnowprefetch"},
        **{11: "xop", 15: "lwp", 16: "fma4", 21: "tbm", 26: "dbext"},
    },
    {0: "xsaveopt", 1: "xsavec", 2: "xgetbv1", 3: "xsaves", 4: "xfd"},
    {
        **{0: "fsgsbase", 1: "tsc_adjust", 3: "bmi1", 4: "hle", 5: "avx2", 7: "smep", 8: "bmi2", 9: "erms"},
        **{10: "invpcid", 11: "rtm", 14: "mpx", 16: "avx512f", 17: "avx512dq", 18: "rdseed", 19: "adx", 20: "smap"},
        **{21: "avx512ifma", 23: "clflushopt", 24: "clwb", 26: "avx512pf", 27: "avx512er", 28: "avx512cd"},
        **{29: "sha_ni", 30: "avx512bw", 31: "avx512vl"},
    },
    {
        **{0: "prefetchwt1", 1: "avx512vbmi", 2: "umip", 3: "pku", 6: "avx512_vbmi2", 7: "cet_ss", 8: "gfni"},
        **{9: "vaes", 10: "vpclmulqdq", 11: "avx512_vnni", 12: "avx512_bitalg", 14: "avx512_vpopcntdq", 22: "rdpid"},
        **{25: "cldemote", 27: "movdiri", 28: "movdir64b", 29: "enqcmd"},
    },
    {8: "constant_tsc"},
    {
        **{0: "clzero", 2: "xsaveerptr", 9: "wbnoinvd", 12: "ibpb", 14: "ibrs", 15: "amd_stibp", 16: "ibrs_always"},
        **{17: "stibp_always", 18: "ibrs_fast", 19: "ibrs_same_mode", 20: "no_lmsl", 24: "amd_ssbd", 25: "virt_ssbd"},
        **{26: "ssb_no", 28: "psfd", 29: "btc_no", 30: "ibpb_ret"},
    },
    {
        **{2: "avx512_4vnniw", 3: "avx512_4fmaps", 4: "fsrm", 8: "avx512_vp2intersect", 11: "rtm_always_abort"},
        **{14: "serialize", 16: "tsxldtrk", 20: "cet_ibt", 22: "amx_bf16", 23: "avx512_fp16", 24: "amx_tile"},
        **{25: "amx_int8", 26: "ibrsb", 27: "stibp", 28: "flush_l1d", 29: "arch_capabilities", 31: "ssbd"},
    },
    {
        **{0: "sha512", 1: "sm3", 2: "sm4", 4: "avx_vnni", 5: "avx512_bf16", 6: "lass", 7: "cmpccxadd", 10: "fzrm"},
        **{11: "fsrs", 12: "fsrcs", 17: "fred", 18: "lkgs", 19: "wrmsrns", 21: "amx_fp16", 23: "avx_ifma", 26: "lam"},
    },
    {
        **{0: "no_nest_bp", 1: "fs_gs_ns", 2: "lfence_dispatch", 6: "nscb", 8: "auto_ibrs", 10: "amd_fsrs"},
        **{11: "amd_fsrc", 18: "epsf", 19: "fsrsc", 20: "amd_prefetchi", 27: "sbpb", 28: "ibpb_brtype"},
        **{29: "srso_no", 30: "srso_us_no"},
    },
    {},
    {0: "intel_psfd", 1: "ipred_ctrl", 2: "rrsba_ctrl", 3: "ddp_ctrl", 4: "bhi_ctrl", 5: "mcdt_no"},
    {},
    {
        **{4: "avx_vnni_int8", 5: "avx_ne_convert", 8: "amx_complex", 10: "avx_vnni_int16", 14: "prefetchi"},
        **{18: "cet_sss"},
    },
    {
        **{0: "rdcl_no", 1: "eibrs", 3: "skip_l1dfl", 4: "intel_ssb_no", 5: "mds_no", 6: "if_pschange_mc_no"},
        **{8: "taa_no", 13: "sbdr_ssdp_no", 14: "fbsdp_no", 15: "psdp_no", 20: "bhi_no", 24: "pbrsb_no"},
        **{26: "gds_no", 27: "rfds_no"},
    },
    {30: "its_no"},
    {1: "tsa_sq_no", 2: "tsa_l1_no"},
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
# Of what Xen gives a guest at most all counts, but for what it lets a guest have beyond that (recalculate_cpuid_policy,
# in 4.14 with HTT, X2APIC, CMP_LEGACY and ITSC), what follows a control register (guest_cpuid), what repeats word 0 on
# AMD (recalculate_misc), and what warns of a weakness and does no harm where that is not
# (guest_common_max_feature_adjustments: RSBA, RRSBA, and that VERW clears buffers).
_NOT_OF_THE_MOST: tuple[int, ...] = (
    _bits(28),  # HTT
    _bits(21, 27, 31),  # X2APIC, OSXSAVE, a hypervisor
    0x0183F3FF,
    _bits(1),  # CMP_LEGACY
    0,
    _bits(6, 13),  # FDP_EXCP_ONLY, NO_FPU_SEL
    _bits(4),  # OSPKE
    _bits(8),  # ITSC
    _bits(20),  # NO_LMSL, which says that something is absent
    _bits(10),  # MD_CLEAR
    0,
    _bits(5),  # VERW_CLEAR
    0,
    0,
    0,
    0,
    _bits(2, 17, 19, 28),  # RSBA, FB_CLEAR, RRSBA, RFDS_CLEAR
    0,
    0,
)


class Limit(t.NamedTuple):
    """Something that a guest was shown more of than a Xen takes."""

    what: str
    shown: int
    most: int


def words(texts: t.Iterable[str]) -> tuple[int, ...]:
    """Return words of hexadecimal digits as numbers; empty when one is none."""
    try:
        return tuple(int(text, 16) for text in texts)
    except ValueError:
        return ()


def missing(shown: t.Sequence[int], there: t.Sequence[int]) -> tuple[str, ...]:
    """Return the names of features among ``shown`` that a processor with ``there`` (hw_caps) does not have.

    Words that one of the two does not have are not compared.
    """
    return _named(shown, there, _NOT_OF_THE_PROCESSOR)


def beyond(shown: Policy, most: Policy) -> tuple[str, ...]:
    """Return the names of features that a guest was ``shown``, and that a Xen which gives ``most`` takes away.

    It does so without a word (xen/arch/x86/cpu-policy.c recalculate_cpuid_policy). With no features none is compared.
    """
    return _named(words(shown.features), words(most.features), _NOT_OF_THE_MOST)


def rejected(shown: Policy, most: Policy) -> tuple[Limit, ...]:
    """Return that for which a Xen which gives ``most`` refuses a guest that was ``shown`` this, while it is restored.

    xen/lib/x86/policy.c x86_cpu_policies_are_compatible, which xen/arch/x86/domctl.c update_domain_cpu_policy asks.
    """
    subleaf = shown.max_subleaf or 0
    highest = (
        Limit("CPUID leaf 0", shown.max_leaf, most.max_leaf),
        Limit("CPUID leaf 7", subleaf, subleaf if most.max_subleaf is None else most.max_subleaf),
        Limit("CPUID leaf 0x80000000", shown.max_extended_leaf, most.max_extended_leaf),
    )
    found = [limit for limit in highest if limit.shown > limit.most]
    if shown.platform_info & ~most.platform_info:
        found.append(Limit("MSR 0xce", shown.platform_info, most.platform_info))
    return tuple(found)


def limits_listed(limits: t.Iterable[Limit]) -> str:
    """Return what is rejected for a sentence."""
    return ", ".join(f"{limit.what} has {limit.shown:#x}, and {limit.most:#x} at most there" for limit in limits)


def _named(shown: t.Sequence[int], there: t.Sequence[int], ignored: t.Sequence[int]) -> tuple[str, ...]:
    lacking = [wanted & ~has & ~no & 0xFFFFFFFF for wanted, has, no in zip(shown, there, ignored)]
    return tuple(
        _NAMES[word].get(bit, f"{where(word)}[{bit}]")
        for word, bits in enumerate(lacking)
        for bit in range(32)
        if bits >> bit & 1
    )
