# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phase that the stream shows to the sender."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.figures import LAST_LIVE_ROUND
from ansible_collections.dom0.xen.plugins.module_utils._session.stream import Authorised, Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._session.words import Phase
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
