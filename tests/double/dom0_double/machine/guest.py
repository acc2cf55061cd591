# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated guest: memory that is written at a rate, a counter, a boot id, and manners when asked to suspend."""

from __future__ import annotations

import array
import dataclasses
import json
import typing as t

from ..stream import layout as layouts
from ..stream import pages

Clock = t.Callable[[], int]


@dataclasses.dataclass
class Behaviour:
    """How a guest behaves; may be changed while it runs."""

    #: Pages written per second of running, in a cycle over ``working_set`` pages.
    dirty_pages_per_s: float = 0.0
    working_set: int = 0
    #: Whether the guest counts, which writes one page over and over.
    counting: bool = True
    #: ``normal``, ``ignore`` (never acknowledges), ``ack_only`` (acknowledges, never suspends).
    suspend: str = "normal"
    acknowledge_s: float = 0.005
    #: Longer than ``suspend_timeout_s`` of the host: agrees, and suspends when xl has given up waiting.
    suspend_s: float = 0.01
    #: The same when it is asked to shut down; ``reboot``: it reboots in place of that.
    shutdown: str = "normal"
    shutdown_s: float = 0.01
    #: Share of a running guest's time that counts as processor time in ``xl list``.
    load: float = 0.05


class Memory:
    """Versions of a guest's pages, and which of them log-dirty mode has seen written."""

    def __init__(self, layout: layouts.Layout, versions: array.array[int]) -> None:
        self.layout = layout
        self.versions = versions
        self.index = layout.indexer()
        self.log_dirty = False
        self.dirty: set[int] = set()
        self._cursor = 0
        self._low = layout.ranges[-1] if len(layout.ranges) == 1 else max(layout.ranges, key=lambda r: r[1] - r[0])

    @classmethod
    def fresh(cls, layout: layouts.Layout, untouched: float) -> t.Self:
        """Return memory after boot: a share of the pages was never written."""
        used = round(layout.count * (1.0 - untouched))
        return cls(layout, array.array("I", [1] * used + [0] * (layout.count - used)))

    def touch(self, pfn: int, times: int = 1) -> None:
        """Write a page."""
        self.versions[self.index(pfn)] += times
        if self.log_dirty:
            self.dirty.add(pfn)

    def write(self, count: int, working_set: int) -> None:
        """Write ``count`` pages in a cycle over the working set."""
        first, end = self._low
        first = max(first, layouts.STATE_PFN + 1)
        size = min(working_set, end - first)
        if size <= 0 or count <= 0:
            return
        laps, rest = divmod(count, size)
        if laps:
            for offset in range(size):
                self.touch(first + offset, laps)
        for offset in range(rest):
            self.touch(first + (self._cursor + offset) % size)
        self._cursor = (self._cursor + rest) % size

    def clean(self) -> list[int]:
        """Return the pages written since the last time, ascending, and start anew."""
        dirty = sorted(self.dirty)
        self.dirty.clear()
        return dirty


class Guest:
    """What runs in a domain. Times in nanoseconds of CLOCK_MONOTONIC."""

    def __init__(self, memory: Memory, boot_id: str, behaviour: Behaviour, ran_ns: int = 0, verified: bool = True):
        self.memory = memory
        self.boot_id = boot_id
        self.behaviour = behaviour
        #: Time this guest has run since it booted, on whatever hosts.
        self.ran_ns = ran_ns
        #: Time this copy has run, which starts at 0 on every host.
        self.ran_here_ns = 0
        self.verified = verified
        #: Whether its kernel has stopped for good, which nobody but the guest itself can tell.
        self.stopped = False
        self.tag = pages.tag_of(boot_id)
        self._running_since: int | None = None
        self._written_ns = ran_ns
        self._carry = 0.0

    @property
    def running(self) -> bool:
        """Whether the guest executes."""
        return self._running_since is not None

    def start(self, now: int) -> None:
        """Begin to execute."""
        self._running_since = now

    def stop(self, now: int) -> None:
        """Cease to execute."""
        self.advance(now)
        self._running_since = None

    def advance(self, now: int) -> None:
        """Do what the guest did since the last look: count, and write memory."""
        if self._running_since is None:
            return
        passed = max(0, now - self._running_since) if not self.stopped else 0
        self._running_since = now
        self.ran_ns += passed
        self.ran_here_ns += passed
        self._carry += self.behaviour.dirty_pages_per_s * passed / 1e9
        count = int(self._carry)
        self._carry -= count
        self.memory.write(count, self.behaviour.working_set)
        if passed and (self.behaviour.counting or count):
            self.memory.touch(layouts.STATE_PFN)

    @property
    def counter(self) -> int:
        """What the guest counts: milliseconds of running since it booted."""
        return self.ran_ns // 1_000_000

    def state(self) -> str:
        """Return the guest's own state as its memory holds it."""
        return json.dumps(
            {
                "boot_id": self.boot_id,
                "ran_ns": self.ran_ns,
                "verified": self.verified,
                "digest": pages.digest(self.memory.versions),
                "behaviour": dataclasses.asdict(self.behaviour),
            }
        )

    @classmethod
    def restored(cls, layout: layouts.Layout, versions: array.array[int], state: str | None, intact: bool) -> t.Self:
        """Return a guest out of what came in a stream; without readable state its memory counts as not verified."""
        memory = Memory(layout, versions)
        try:
            found = json.loads(state or "")
            verified = intact and found["verified"] and found["digest"] == pages.digest(versions)
            return cls(memory, found["boot_id"], Behaviour(**found["behaviour"]), found["ran_ns"], bool(verified))
        except (ValueError, KeyError, TypeError):
            return cls(memory, "unknown", Behaviour(), 0, False)
