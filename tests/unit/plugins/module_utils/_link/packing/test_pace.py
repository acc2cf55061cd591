# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast the peer uses what is sent is told from enough of it, and all the same within a second."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link.packing.pace import ENOUGH_BYTES, Pace

PIECE = ENOUGH_BYTES // 4


@pytest.mark.parametrize("seconds, pieces", [(0.01, 11), (0.05, 4), (0.2, 4), (0.4, 3), (3.0, 1)])
def test_one_sample_has_enough_bytes_or_time(seconds: float, pieces: int) -> None:
    """A piece every so many seconds: after so many there is a sample, and its rate is right."""
    pace = Pace()
    assert pace.used(PIECE, PIECE, 100.0) is None
    samples = [pace.used(PIECE, PIECE // 2, 100.0 + seconds * number) for number in range(1, pieces + 1)]
    assert samples[:-1] == [None] * (pieces - 1)
    found = samples[-1]
    assert found is not None and found.stream == pytest.approx(PIECE / seconds) and found.way == found.stream / 2
