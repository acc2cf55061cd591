# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phase that the stream shows to the sender, and the processor that the guest was shown."""

from __future__ import annotations

import dataclasses
import struct
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.figures import LAST_LIVE_ROUND
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Authorised, Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import ProcessorLacks, ProcessorRefused
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

PIECE = 1000


@pytest.mark.parametrize("entries", [[100, 100, 10, 20], [100] * (LAST_LIVE_ROUND + 2)], ids=["hardly dirty", "last"])
def test_suspend_is_told_when_the_round_before_it_is_over(entries: list[int]) -> None:
    """A round that is to be the last live one says so with its first record, but the guest runs on within it."""
    rounds = [streams.normal(range(count)) for count in entries]
    data = streams.pvh(rounds)
    over = data.index(streams.memory(rounds)) + len(streams.memory(rounds[:-1]))
    stream = Outgoing(Authorised(streams.UUID, "centos"))
    seen = []
    # xl writes nothing for a while when the round is over, so one piece ends there.
    for piece in streams.pieces(data, [*range(PIECE, len(data), PIECE), over]):
        stream.take(piece, 0.0)
        if stream.next_phase(Phase.STREAMING, suspended=False) is Phase.SUSPENDING:
            seen.append(stream.position)
    assert seen[0] == over


NO_SUBLEAF = 0xFFFFFFFF
# A guest with SSE3 and CX16 (leaf 1), and with AVX2 (leaf 7).
LEAVES = (
    (0, NO_SUBLEAF, 13, 0, 0, 0),
    (1, NO_SUBLEAF, 0, 0, 0x80202001, 0x178BFBFD),
    (7, 0, 0, 1 << 5, 0, 0),
)
HAS = "078bfbfd:82d82203:20100800:00000005:00000000:00000020:00000000:00000000"
LACKS = "078bfbfd:82d80203:20100800:00000005:00000000:00000000:00000000:00000000"


def _stream(monkeypatch: pytest.MonkeyPatch, leaves: tuple[tuple[int, ...], ...] = LEAVES) -> bytes:
    body = b"".join(struct.pack("<6I", *leaf) for leaf in leaves)
    monkeypatch.setattr(streams, "CPUID_POLICY", (0x11, body))
    return streams.pvh([streams.normal(range(100))])


@pytest.mark.parametrize("piece", [1, 7, 1000, 1 << 20])
def test_a_guest_that_was_shown_more_is_not_sent(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    """However the bytes come, no page has been handed on when it is found."""
    data = _stream(monkeypatch)
    stream, sent = Outgoing(Authorised(streams.UUID, "centos"), LACKS), 0
    with pytest.raises(ProcessorLacks) as caught:
        for part in streams.pieces(data, range(piece, len(data), piece)):
            sent += len(stream.take(part, 0.0) or b"")
    assert caught.value.details["missing"] == ["cx16", "avx2"]
    assert caught.value.details["destination"] == LACKS
    assert sent <= data.index(streams.memory([streams.normal(range(100))]))


@pytest.mark.parametrize("features", [HAS, "", "nonsense"])
def test_a_guest_that_was_shown_no_more_goes(monkeypatch: pytest.MonkeyPatch, features: str) -> None:
    """Nothing is held back, and nothing is compared with what is not known."""
    data = _stream(monkeypatch)
    stream = Outgoing(Authorised(streams.UUID, "centos"), features)
    assert (
        b"".join(bytes(stream.take(part, 0.0) or b"") for part in streams.pieces(data, range(100, 5000, 100))) == data
    )


def _most(**changes: t.Any) -> Policy:
    """What a Xen gives that gives the guest of these tests all that it was shown."""
    words = ("178bfbfd", "80202001", *["00000000"] * 3, "00000020", *["00000000"] * 13)
    return dataclasses.replace(Policy(None, words, 13, 2, 0x80000008, 1 << 31), **changes)


@pytest.mark.parametrize("piece", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize(
    ("most", "error", "words"),
    [
        (_most(features=_most().features[:5]), ProcessorLacks, None),
        (_most(features=("178bfbfd", "80200001", *["0"] * 17)), ProcessorLacks, ["cx16", "avx2"]),
        (_most(max_leaf=7), ProcessorRefused, ["CPUID leaf 0"]),
        (_most(platform_info=0), ProcessorRefused, ["MSR 0xce"]),
    ],
)
def test_what_xen_there_gives_a_guest_is_compared(
    monkeypatch: pytest.MonkeyPatch, most: Policy, error: type[Dom0XenError], words: list[str] | None, piece: int
) -> None:
    """Leaves, features and registers, before a page was handed on; words that it does not have are not compared."""
    monkeypatch.setattr(streams, "MSR_POLICY", (0x12, struct.pack("<IIQIIQ", 0xCE, 0, 1 << 31, 0x10A, 0, 0)))
    data = _stream(monkeypatch)
    stream, sent = Outgoing(Authorised(streams.UUID, "centos"), "", most), 0
    caught: Dom0XenError | None = None
    try:
        for part in streams.pieces(data, range(piece, len(data), piece)):
            sent += len(stream.take(part, 0.0) or b"")
    except error as exc:
        caught = exc
    if words is None:
        assert caught is None and sent == len(data)
        return
    assert caught is not None
    details = caught.details
    assert (details.get("missing") or [limit["what"] for limit in details["limits"]]) == words
    assert sent <= data.index(streams.memory([streams.normal(range(100))]))


def test_the_last_record_of_a_kind_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does for Xen."""
    data = _stream(monkeypatch)
    more = streams.frame(0x11, struct.pack("<6I", 0, NO_SUBLEAF, 14, 0, 0, 0))
    at = data.index(streams.frame(*streams.MSR_POLICY))
    with pytest.raises(ProcessorRefused):
        Outgoing(Authorised(streams.UUID, "centos"), "", _most()).take(data[:at] + more + data[at:], 0.0)


def test_a_stream_of_an_old_xen_shows_no_processor() -> None:
    """It has no such record, and is not searched for one beyond the first page."""
    data = streams.pvh([streams.normal(range(10))], version=2)
    assert Outgoing(Authorised(streams.UUID, "centos"), LACKS).take(data, 0.0) == data
