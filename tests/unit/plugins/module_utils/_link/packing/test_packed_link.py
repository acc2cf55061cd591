# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A link that packs carries the same bytes, at once, and says what it has saved."""

from __future__ import annotations

import random
import time

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import (
    FrameReader,
    Kind,
    encode_document,
    encode_header,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.pace import MOST_SECONDS
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packed import HEADER, known
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import WAYS, Packer, usable
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends

PAGES = b"".join(random.Random(2).choice((bytes(4096), b"text of a guest " * 256)) for dummy in range(600))


def packing(ends: Ends, wanted: str = "auto") -> Packer:
    """The link of ``ends``, connected, whose dialer packs as both ends can."""
    ends.connect()
    packer = Packer(usable(wanted, ends.near.peer_unpacks))
    ends.near.packer = packer
    return packer


def test_both_ends_say_what_they_can_undo() -> None:
    """As soon as there is a connection."""
    with Ends() as ends:
        ends.connect()
        assert ends.near.peer_unpacks == known() == ("zeros", "zstd")


@pytest.mark.parametrize("wanted", ["auto", *WAYS])
def test_a_stream(wanted: str) -> None:
    """The bytes are the same in any way of packing, through cuts as well, and what was sent for them is told."""
    with Ends(network=True, window=1 << 22) as ends:
        packer = packing(ends, wanted)
        assert ends.network is not None
        ends.network.budgets = [(40_000, None, True), (90_000, None, False)]
        ends.network.cut()
        for begin in range(0, len(PAGES), 100_000):
            ends.near.send_data(PAGES[begin : begin + 100_000])
        ends.until(lambda: len(ends.far_data()) == len(PAGES) and ends.near.delivered)
        assert ends.far_data() == PAGES
        told = packer.told()
        assert told["stream_bytes"] == len(PAGES) == sum(told["by"].values())
        assert ends.near.used_bytes <= told["way_bytes"] + 8 * len(ends.arrived_far)
        assert (told["way_bytes"] < len(PAGES) / 2) == (wanted not in ("none",))


def test_no_more_was_used_than_there_was() -> None:
    """What is still to be carried while a guest stands still is reckoned from that, and messages are not of it."""
    with Ends() as ends:
        packer = packing(ends)
        ends.near.send_message({"type": "belongings", "text": "x" * 100_000})
        ends.near.send_data(PAGES[:50_000])
        ends.until(lambda: ends.near.delivered)
        assert packer.used_bytes == packer.stream_bytes == 50_000


def test_what_sending_costs_is_measured_on_each_connection() -> None:
    """The choice knows what this processor takes to encrypt, also after a connection was lost and made anew."""
    with Ends() as ends:
        packer = packing(ends, "none")

        def measure() -> None:
            packer.choice.sending_known = False
            ends.near.send_data(bytes(3_000_000))
            ends.until(lambda: ends.near.delivered)
            assert packer.choice.sending_known
            assert 0 < packer.choice.sending < 1e-6

        measure()
        ends.near.detach()
        ends.until(lambda: ends.near.up and ends.near.losses == 1)
        measure()


@pytest.mark.parametrize("wanted", ["zeros", "zstd1", "zstd6", "auto"])
def test_nothing_is_kept_for_later(wanted: str) -> None:
    """The few bytes before a wait leave at once: a compressor that kept them would stop the handshake for ever."""
    with Ends() as ends:
        packing(ends, wanted)
        sent = 0
        for size in (1, 44, 5000, 3, 40_000, 2):
            ends.near.send_data(bytes(size))
            sent += size
            ends.until(lambda expected=sent: len(ends.far_data()) == expected, seconds=5.0)  # type: ignore[misc]


def test_the_window_counts_what_it_stands_for() -> None:
    """A peer that uses nothing holds no more than without packing."""
    with Ends(window=1 << 20) as ends:
        ends.use_at_once = False
        packing(ends, "zeros")
        sent = 0
        while not ends.near.full:
            ends.near.send_data(bytes(1 << 18))
            sent += 1 << 18
        assert sent <= 1 << 20
        ends.until(lambda: len(ends.far_data()) == sent)


def test_a_peer_that_packs_as_nobody_asked() -> None:
    """It ends the connection with an error that says so."""
    with Ends() as ends:
        ends.connect()
        connection = ends.near.connection
        assert connection is not None
        connection.send(encode_header(Kind.PACKED, HEADER.size, 0), HEADER.pack(77, 5))
        with pytest.raises(FrameError, match="method 77"):
            ends.until(lambda: bool(ends.arrived_far))


def test_a_peer_that_says_again_what_it_has_used() -> None:
    """Nothing follows from that for the way, and the stream goes on when it uses more."""
    with Ends(window=1 << 20) as ends:
        ends.use_at_once = False
        packing(ends)
        sent = 0
        while not ends.near.full:
            ends.near.send_data(PAGES[sent : sent + (1 << 18)])
            sent += 1 << 18
        for _dummy in range(2):
            assert ends.far.connection is not None
            ends.far.connection.send(encode_header(Kind.ACK, 0, 0))
            for _dummy2 in range(20):
                ends.step()
            time.sleep(MOST_SECONDS)
        ends.near.send_data(PAGES[sent : sent + 4096])
        ends.until(lambda: len(ends.far_data()) == sent + 4096)
        assert ends.far_data() == PAGES[: sent + 4096]


@pytest.mark.parametrize("claimed", ["zstd", [1], None, {"zstd": 1}])
def test_an_introduction_that_is_none(claimed: object) -> None:
    """Names, in a list, or the connection is refused."""
    document = {"version": 1, "session": "s", "nonce": "n", "peer_nonce": None, "expected": 0, "unpacks": claimed}
    sent = encode_document(Kind.HELLO, document)
    reader, frame = FrameReader(), None
    for part in (sent[:16], sent[16:]):
        reader.target()[: len(part)] = part
        frame = reader.filled(len(part))
    assert frame is not None
    with pytest.raises(FrameError, match="no names"):
        Introduction.decode(frame, Kind.HELLO)


def test_a_release_that_cannot_pack() -> None:
    """It says nothing of it, and gets the stream as it is."""
    assert Introduction("s", "n", None, 0).unpacks == ()
    assert usable("auto", ()) == ["none"]
