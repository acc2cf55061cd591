# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window follows the peer: small where it is slow, large where the network is long."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._link.window import LEAST, Window

MOST = 8 * 1024 * 1024


def run(window: Window, rate: float, round_trip: float, start: float = 0.0) -> None:
    """Let a peer use ``rate`` bytes a second, or what the window lets through, acknowledging every 50 ms."""
    for step in range(100):
        possible = min(rate, window.size / max(round_trip, 0.001))
        window.used(int(possible * 0.05), start + step * 0.05, round_trip)


def test_a_slow_peer_gets_no_more_than_the_least() -> None:
    """At 1.4 MB/s eight MiB on their way are six seconds of stop time."""
    window = Window(MOST)
    run(window, rate=1.4e6, round_trip=0.002)
    assert window.size == LEAST


def test_a_long_fast_network_gets_all_there_is() -> None:
    """A window that is too small grows by what it lets through, and does not starve itself."""
    window = Window(MOST)
    run(window, rate=1e9, round_trip=0.2)
    assert window.size == MOST


def test_it_is_the_round_trip_and_a_tenth_of_a_second() -> None:
    """20 MB/s over 50 ms: 3 MB, within the step of one measurement."""
    window = Window(MOST)
    run(window, rate=20e6, round_trip=0.05)
    assert 0.9 * 3e6 <= window.size <= 1.1 * 3e6


def test_it_shrinks_when_the_peer_becomes_slow() -> None:
    """A destination that starts to read slowly must not leave a long queue behind."""
    window = Window(MOST)
    run(window, rate=1e9, round_trip=0.01)
    run(window, rate=1e6, round_trip=0.01, start=5.0)
    assert window.size == LEAST


def test_a_bound_below_the_least_holds() -> None:
    """The replay buffer's bound is one on memory; nothing goes above it."""
    window = Window(LEAST // 4)
    run(window, rate=1e9, round_trip=0.1)
    assert window.size == LEAST // 4


def test_nothing_is_concluded_before_the_round_trip_is_known() -> None:
    """The first acknowledgements come before the first PONG."""
    window = Window(MOST)
    before = window.size
    for step in range(20):
        window.used(10, step * 0.05, None)
    assert window.size == before


def test_an_open_window_stays_open() -> None:
    """When the guest stands still, waiting for acknowledgements is stop time, however slow the peer was before."""
    window = Window(MOST)
    run(window, rate=1e6, round_trip=0.01)
    window.open()
    assert window.size == MOST
    run(window, rate=1e6, round_trip=0.01, start=5.0)
    assert window.size == MOST
