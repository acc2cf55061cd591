# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of a stream: what Xen's structures say, and nothing made up where they say nothing."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._wire import policies
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import RecordLength

AMD = (0x68747541, 0x444D4163, 0x69746E65)  # ebx, ecx, edx of leaf 0
WORD = st.integers(0, (1 << 32) - 1)


def leaf(number: int, subleaf: int = 0xFFFFFFFF, eax: int = 0, others: tuple[int, int, int] = (1, 2, 3)) -> bytes:
    """One struct xen_cpuid_leaf."""
    return struct.pack("<6I", number, subleaf, eax, *others)


def test_cpuid_leaves() -> None:
    """Vendor and highest leaves come from the leaves that hold them; no subleaf is no number."""
    body = leaf(0, eax=13, others=AMD) + leaf(4, 1) + leaf(0x80000000, eax=0x80000021)
    found = policies.decode_cpuid(body, 7)
    assert found[1] == policies.CpuidLeaf(4, 1, 0, 1, 2, 3)
    assert found[0].subleaf is None
    assert policies.vendor(found) == "AuthenticAMD"
    assert (policies.highest(found), policies.highest(found, policies.EXTENDED)) == (13, 0x80000021)


@pytest.mark.parametrize("others", [(0xFFFFFFFF, 0, 0), (0, 0, 0), (0x68747541, 0x1B4D4163, 0x69746E65)])
def test_vendor_is_text_or_nothing(others: tuple[int, int, int]) -> None:
    """What goes to a terminal has no control characters."""
    assert policies.vendor(policies.decode_cpuid(leaf(0, others=others), 0)) is None


def test_policy_without_first_leaves() -> None:
    """A policy may begin anywhere."""
    found = policies.decode_cpuid(leaf(7, 0), 0)
    assert policies.vendor(found) is None and policies.highest(found) is None


def test_msr_entries() -> None:
    """The value is 64 bits behind the flags."""
    body = struct.pack("<IIQ", 0xCE, 0, 1 << 31) + struct.pack("<IIQ", 0x10A, 0, (1 << 64) - 1)
    assert policies.decode_msr(body, 0) == ((0xCE, 1 << 31), (0x10A, (1 << 64) - 1))


@pytest.mark.parametrize("length", [0, 1, 15, 17, 23, 25, 40])
def test_length_that_does_not_fit(length: int) -> None:
    """Half a leaf is none, and a record without any is not what Xen writes."""
    with pytest.raises(RecordLength) as caught:
        policies.decode_cpuid(bytes(length), 99)
    assert caught.value.position == 99
    if length % 16 or not length:
        with pytest.raises(RecordLength):
            policies.decode_msr(bytes(length), 99)


@given(entries=st.lists(st.tuples(WORD, WORD, WORD, WORD, WORD, WORD), min_size=1, max_size=20))
def test_any_leaves_come_back(entries: list[tuple[int, ...]]) -> None:
    """Nothing is lost or exchanged."""
    body = b"".join(struct.pack("<6I", *entry) for entry in entries)
    found = policies.decode_cpuid(body, 0)
    again = [(each.leaf, 0xFFFFFFFF if each.subleaf is None else each.subleaf, *each[2:]) for each in found]
    assert again == entries
    text = policies.vendor(found)
    assert text is None or (len(text) == 12 and text.isprintable())
