# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of packing that moves most of a stream in a second is found, and found again when the way changes.

A simulated session: exact costs, a way with a rate, one thing after the other as in the sender.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link.packing.choosing import SENDING, Choice, Cost

MEGABYTE = 1_000_000
# Seconds for a byte, and what is left: as measured on the stream of an idle guest, and of one full of noise.
IDLE = {
    "none": Cost(0.0, 1.0),
    "zeros": Cost(0.06e-9, 0.6),
    "zstd1": Cost(1.0e-9, 0.129),
    "zstd3": Cost(1.43e-9, 0.122),
    "zstd6": Cost(4.0e-9, 0.119),
}
NOISE = {
    "none": Cost(0.0, 1.0),
    "zeros": Cost(0.04e-9, 1.0),
    "zstd1": Cost(0.2e-9, 1.0),
    "zstd3": Cost(0.22e-9, 1.0),
    "zstd6": Cost(0.4e-9, 1.0),
}


@dataclass
class Session:
    """A sender whose choice is followed over a way of ``rate`` bytes a second; ``peer``: what undoing a byte takes.

    ``sending``: what it takes to encrypt and hand over a byte, in seconds.
    """

    costs: dict[str, Cost]
    rate: float
    peer: float = 0.0
    sending: float = SENDING

    def speed(self, name: str) -> float:
        """Bytes of the stream in a second with this way of packing."""
        cost = self.costs[name]
        return 1 / max(
            cost.seconds + cost.left * self.sending, cost.left / self.rate, self.peer if name != "none" else 0.0
        )

    def follow(self, choice: Choice, turns: int) -> float:
        """Let it choose for so many quarters of a second; return the mean speed against that of the best way."""
        best = max(map(self.speed, choice.names))
        reached = 0.0
        for _dummy in range(turns):
            choice.measured({name: self.costs[name] for name in choice.neighbours()})
            choice.choose()
            speed, cost = self.speed(choice.current), self.costs[choice.current]
            here = cost.seconds + cost.left * self.sending
            choice.sent(self.sending)
            choice.carried(speed, speed * cost.left, 1.0 - min(1.0, here * speed))
            reached += speed / best
        return reached / turns


@pytest.mark.parametrize("costs", [IDLE, NOISE], ids=["idle", "noise"])
@pytest.mark.parametrize("rate", [2, 12.5, 60, 125, 400, 1250, 5000])
def test_the_best_way_is_found(costs: dict[str, Cost], rate: float) -> None:
    """On each kind of way, from 16 Mbit/s to 40 Gbit/s, and kept."""
    session, choice = Session(costs, rate * MEGABYTE), Choice(list(costs))
    session.follow(choice, 8)
    assert session.follow(choice, 100) > 0.95


def test_a_slow_processor_sends_less() -> None:
    """Where encrypting takes far longer than finding zeros, it is not believed that nothing waits for the sending."""
    session = Session(IDLE, 1250 * MEGABYTE, sending=200e-9)
    choice = Choice(["none", "zeros"])
    session.follow(choice, 8)
    assert choice.current == "zeros"
    assert choice.told()["sending_mb_s"] == 5.0


@pytest.mark.parametrize("before, after", [(1250, 12.5), (125, 12.5), (12.5, 1250), (125, 1250)])
def test_a_way_that_changes(before: float, after: float) -> None:
    """It drops to a tenth in the middle, or others leave it: what is best then is found within seconds."""
    session, choice = Session(IDLE, before * MEGABYTE), Choice(list(IDLE))
    session.follow(choice, 40)
    session.rate = after * MEGABYTE
    session.follow(choice, 20)
    assert session.follow(choice, 100) > 0.95


def test_a_peer_that_is_slow_to_undo() -> None:
    """What the peer makes of it counts, whatever this end can do."""
    session, choice = Session(IDLE, 5000 * MEGABYTE, peer=4e-9), Choice(["none", "zstd1"])
    session.follow(choice, 20)
    assert session.follow(choice, 100) > 0.9


def test_one_way_is_no_choice() -> None:
    """Whoever names a way gets that one."""
    choice = Choice(["zstd3"])
    choice.carried(1e6, 1e5, 1.0)
    assert choice.choose() == "zstd3"


def test_noise_changes_nothing() -> None:
    """Two ways that are as good as each other are not changed back and forth."""
    choice = Choice(["zstd1", "zstd3"])
    chosen = set()
    for turn in range(50):
        wobble = 1 + 0.05 * (-1) ** turn
        choice.measured({"zstd1": Cost(1e-9 * wobble, 0.13), "zstd3": Cost(1e-9 / wobble, 0.13)})
        chosen.add(choice.choose())
    assert len(chosen) == 1


# A slow processor, on memory of zeros and on code.
SLOW_ZEROS = {
    "none": Cost(0.0, 1.0),
    "zeros": Cost(2e-9, 0.03),
    "zstd1": Cost(3e-9, 0.012),
    "zstd3": Cost(3.5e-9, 0.01),
    "zstd6": Cost(3.2e-9, 0.005),
}
SLOW_CODE = {
    "none": Cost(0.0, 1.0),
    "zeros": Cost(2e-9, 1.0),
    "zstd1": Cost(10e-9, 0.58),
    "zstd3": Cost(28e-9, 0.54),
    "zstd6": Cost(150e-9, 0.52),
}
SLOW_SENDING = 33e-9


def test_what_was_measured_on_other_data_is_not_believed() -> None:
    """The highest level costs nothing on zeros; only what stands beside the current way is measured after that."""
    choice, chosen = Choice(list(SLOW_CODE)), set()
    choice.sent(SLOW_SENDING)
    for costs in [*[SLOW_ZEROS] * 3, *[SLOW_CODE] * 30]:
        choice.measured({name: costs[name] for name in choice.neighbours()})
        chosen.add(choice.choose())
    assert choice.current == "zstd1" and "zstd6" not in chosen


def test_a_peer_that_is_kept_from_its_work_is_not_slow_to_undo() -> None:
    """It comes to it when its host lets it: with less to decrypt it is better off, as this end is."""
    choice, chosen = Choice(["none", "zeros", "zstd1"]), set()
    choice.sent(SLOW_SENDING)
    for turn in range(60):
        choice.measured({name: SLOW_CODE[name] for name in choice.neighbours()})
        stream = (9e6, 0.3e6, 4e6)[turn % 3]
        choice.carried(stream, stream * SLOW_CODE[choice.current].left, (0.0, 0.6, 0.4)[turn % 3])
        chosen.add(choice.choose())
    assert chosen == {"zstd1"}
