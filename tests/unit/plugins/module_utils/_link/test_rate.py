# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rate limit is kept in the mean, whatever the pieces, and does not stop what must always get through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import Packer
from ansible_collections.dom0.xen.plugins.module_utils._link.rate import BURST_S, RateLimit
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends


@given(rate=st.floats(1e5, 1e9), sizes=st.lists(st.integers(1, 1 << 20), min_size=1, max_size=50))
def test_kept_in_the_mean(rate: float, sizes: list[int]) -> None:
    """Who sends as soon as he may has sent no more than the rate allows, and no less."""
    limit, now = RateLimit(rate), 100.0
    for size in sizes:
        now += limit.wait(now)
        limit.took(size, now)
    last = now + limit.wait(now)
    assert last - 100.0 == pytest.approx(max(0.0, sum(sizes) / rate - BURST_S), abs=1e-6)


def test_a_pause_is_not_saved_up() -> None:
    """What was not used for an hour does not leave as one burst."""
    limit = RateLimit(1000.0)
    limit.took(1, 0.0)
    limit.took(1000, 3600.0)
    assert limit.wait(3600.0) == pytest.approx(1.0 - BURST_S)


@pytest.mark.parametrize("packed", [False, True])
def test_a_link_with_a_limit(packed: bool) -> None:
    """What counts is what is sent, packed or not; messages are never held up; without the limit it goes on at once."""
    with Ends(window=1 << 22) as ends:
        ends.connect()
        ends.near.packer = Packer(["zeros"]) if packed else None
        ends.near.limit = RateLimit(10_000.0)
        ends.near.send_data(bytes(1 << 20))
        ends.near.send_message({"type": "commit"})
        ends.until(lambda: len(ends.arrived_far) == 2 and ends.near.delivered)
        assert (ends.near.pause > 10) == ends.near.full == (not packed)
        ends.near.open_window()
        assert not ends.near.full and not ends.near.pause
