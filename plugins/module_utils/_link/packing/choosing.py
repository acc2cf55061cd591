# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way of packing moves most of the stream in a second (pure; private to the collection).

What can be known: what each way costs this processor and what it leaves, measured on the same pieces of the stream,
and how many bytes the way to the other host has carried while it was what everything waited for. From that follows how
long each would take for a byte of the stream, and the shortest is taken:

    the larger of   packing + what is left * sending   and   what is left / the rate of the way

and a part of the former once more: where the way is what everything waits for, the processor has others to serve.

While nothing waits for the way, its rate is not known, only that it is no less than what it carries: it is believed
to be a little more from time to time, until something that leaves more is tried. What everything waits for may be the
peer as well, which must undo it and write it to ``xl``: when a way of packing that costs this end more than it saves
turns out slower than it should be, the next piece of time goes to the one that costs least, which shows what the way
to the other host does.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

# What is better by less is noise.
WORTH = 0.96
# What a second of this processor counts for beside what is waited for: xl and the guests need it, too.
EFFORT = 0.05
# How much older measurements count once a new one is there, and at most how much those of packing do: memory comes in
# stretches of zeros, of code, of noise, and what is chosen is for all of them.
KEPT = 0.7
KEPT_COST = 0.9
# From which share of the time on the way, or the peer, is what everything waits for.
FULL_SHARE = 0.3
# What is believed of a way before anything was seen, bytes a second, and how fast that grows while nothing waits for
# it: at first, and when it has once been found out; each time that the same is found it grows more slowly.
FIRST_RATE = 200e6
FIRST_GROWTH = 1.5
GROWTH = 1.12
LEAST_GROWTH = 1.01
# What is slower than this share of what was expected is a surprise.
SURPRISE = 0.75
# For how many samples it is remembered that the peer was slow with a way of packing.
REMEMBERED = 100
# What a byte costs to encrypt and hand over before that was measured, in seconds.
SENDING = 1e-9


@dataclass
class Cost:
    """What packing a byte of the stream takes in seconds, and how many bytes are left of it."""

    seconds: float
    left: float
    pieces: int = 1

    def mix(self, other: Cost) -> None:
        """Take in a newer measurement: the mean of all while they are few."""
        self.pieces += 1
        new = max(1 / self.pieces, 1 - KEPT_COST)
        self.seconds += new * (other.seconds - self.seconds)
        self.left += new * (other.left - self.left)


@dataclass
class _Slow:
    """At what rate of the stream the peer was seen with a way of packing, and for how many samples that counts."""

    stream: float
    left: int


@dataclass
class Choice:
    """Chooses among ``names``, from the one that costs least to the one that leaves least.

    Times are in seconds, rates in bytes a second.
    """

    names: t.Sequence[str]
    sending: float = SENDING
    rate: float = FIRST_RATE
    known: bool = False
    sending_known: bool = False
    current: str = ""
    _costs: dict[str, Cost] = field(default_factory=dict)
    _latest: t.Collection[str] = ()
    _slow: dict[str, _Slow] = field(default_factory=dict)
    _growth: float = GROWTH
    _measured: float = 0.0
    _doubted: str | None = None

    def __post_init__(self) -> None:
        self.current = self.current or self.names[0]

    def measured(self, costs: t.Mapping[str, Cost]) -> None:
        """Take note of what packing the same data in several ways has cost."""
        self._latest = frozenset(costs)
        for name, cost in costs.items():
            if name in self._costs:
                self._costs[name].mix(cost)
            else:
                self._costs[name] = Cost(cost.seconds, cost.left)

    def sent(self, seconds: float) -> None:
        """Take note of what it has cost this processor to encrypt and hand over a byte, in seconds."""
        self.sending = KEPT * self.sending + (1 - KEPT) * seconds if self.sending_known else seconds
        self.sending_known = True

    def carried(self, stream: float, way: float, full: float) -> None:
        """Take note of a while in which ``current`` was in use.

        ``stream`` and ``way`` are the rates at which the peer has used bytes of the stream and of the way; ``full``
        is the share of the time in which nothing could be sent because the peer had not used enough.
        """
        for name, slow in list(self._slow.items()):
            slow.left -= 1
            if slow.left <= 0:
                del self._slow[name]
        if full < FULL_SHARE:
            self._doubted = None
            self._slow.pop(self.current, None)
            if way > self._measured / SURPRISE:
                # It is another one than was found out.
                self._growth = GROWTH
            self.rate = max(way, self.rate * (self._growth if self.known else FIRST_GROWTH))
        elif way < SURPRISE * self.rate and self._doubted is None and self._may_burden_peer():
            self._doubted = self.current
            self._slow[self.current] = _Slow(stream, REMEMBERED)
        else:
            self._found(way)

    def _may_burden_peer(self) -> bool:
        """Whether ``current`` costs this end more than it saves. Otherwise a peer that is alike is better off, too."""
        cost = self._costs.get(self.current)
        return self.current != self.names[0] and (cost is None or cost.seconds > (1 - cost.left) * self.sending)

    def _found(self, way: float) -> None:
        same = self.known and SURPRISE * self._measured < way < self._measured / SURPRISE
        self._growth = max(LEAST_GROWTH, 1 + (self._growth - 1) / 2) if same else GROWTH
        slow = self._slow.get(self._doubted) if self._doubted else None
        if slow is not None and self._doubted:
            at_way = slow.stream * self._costs[self._doubted].left
            # It was the way, not what the peer made of it; or it brought more than what is sent as it is.
            if at_way > SURPRISE * way or slow.stream > way:
                del self._slow[self._doubted]
        self._doubted = None
        self.rate = self._measured = way
        self.known = True

    def choose(self) -> str:
        """Return the way to take from now on, which becomes :attr:`current`."""
        if self._doubted is not None:
            self.current = self.names[0]
            return self.current
        # What stands farther off was measured long ago, on other data.
        known = [name for name in self._beside() if name in self._latest]
        best = min(known, key=self.seconds, default=self.current)
        if self.current not in self._costs or self.seconds(best) < WORTH * self.seconds(self.current):
            self.current = best
        return self.current

    def seconds(self, name: str) -> float:
        """Return how long a byte of the stream is expected to take, and its share of effort."""
        cost, slow = self._costs[name], self._slow.get(name)
        here, there = cost.seconds + cost.left * self.sending, cost.left / self.rate
        return max(here, there, 1 / slow.stream if slow and slow.stream > 0 else 0.0) + EFFORT * here

    def neighbours(self) -> list[str]:
        """Return :attr:`current` and what stands beside it, in order; all while some were never measured."""
        if any(name not in self._costs for name in self.names):
            return list(self.names)
        return self._beside()

    def _beside(self) -> list[str]:
        index = list(self.names).index(self.current)
        # The first two may be as good as each other, and the third far better.
        return list(self.names[max(0, index - 1) : max(index + 2, 3)])

    def told(self) -> dict[str, t.Any]:
        """Return why the current way was chosen: what is known of each, rates in MB/s."""
        return {
            "way_mb_s": round(self.rate / 1e6, 1) if self.known else None,
            "sending_mb_s": round(1e-6 / self.sending, 1) if self.sending_known else None,
            "expected_mb_s": {name: round(1e-6 / self.seconds(name), 1) for name in self.names if name in self._costs},
            "left": {name: round(cost.left, 3) for name, cost in self._costs.items()},
        }
