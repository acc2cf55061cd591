# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes through every world that can be reached, and says which promise is broken where, with the way that led there."""

from __future__ import annotations

import typing as t
from collections import deque
from dataclasses import dataclass, field

from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import DESTINATION, DONE, HUMAN, SOURCE
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.halves import Violation
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.model import Model
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.settling import sent
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import DEAD, GONE, World


@dataclass
class Found:
    """What a search found: the first broken promise and the way to it, and how much was looked at."""

    worlds: int = 0
    steps: int = 0
    ends: int = 0
    broken: str = ""
    way: list[str] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        """Everything that a person needs to follow it."""
        lines = "".join(f"\n  {what}" for what in self.way)
        return f"{self.broken or 'nothing broken'} ({self.worlds} worlds, {self.steps} steps, {self.ends} ends){lines}"


def search(model: Model, faults: int, first: World | None = None) -> Found:
    """Try everything with at most ``faults`` faults; stop at the first broken promise."""
    start = (first or World())._replace(faults=faults)
    came: dict[World, tuple[World, str] | None] = {start: None}
    waiting, found = deque([start]), Found()
    while waiting:
        world = waiting.popleft()
        found.worlds += 1
        progress = False
        try:
            for what, after in model.steps(world):
                found.steps += 1
                found.labels.add(what)
                progress = progress or after.faults == world.faults and after != world
                if after not in came:
                    came[after] = (world, what)
                    found.broken = promise_broken(after, model.strict)
                    if found.broken:
                        return _told(found, came, after)
                    waiting.append(after)
        except Violation as exc:
            found.broken = str(exc)
            return _told(found, came, world)
        if not progress:
            found.ends += 1
            found.broken = end_wrong(model, world, faults) if model.strict else ""
            if found.broken:
                return _told(found, came, world)
    return found


def promise_broken(w: World, strict: bool = True) -> str:
    """Say which promise this world breaks, if any."""
    if w.guest == "runs" and w.copy == "runs":
        return "both copies run"
    if w.guest == "runs" and w.copy == "left":
        return "the source's copy runs, and the destination's waits to be started by hand"
    if w.leaves and w.copy == "runs":
        return "the destination runs a copy that was to be left paused"
    if w.guest == "runs" and w.has_run:
        return "the source's copy runs again after the destination's has run"
    if w.guest == "runs" and sent(w.sent).tasks_open:
        return "the source runs the domain before the tasks at the gate are undone"
    if w.copy == "runs" and (w.undoing or sent(w.sent).tasks_due):
        return "the destination runs the domain before the tasks at the gate have come to their end"
    if w.third == "beside" and w.copy == "runs":
        return "the destination starts its copy beside one that runs there"
    if w.third == "runs" and "runs" in (w.guest, w.copy):
        return "it runs on a third host as well, where somebody has started it"
    if w.third == "ended" and w.guest == "runs":
        return "the source starts it again on disks that have gone on elsewhere"
    if w.guest == "gone" and not (w.has_run or w.third):
        return "the source's copy is gone, and the destination's has never run"
    if strict and w.told == "back" and w.has_run and w.copy != "ran":
        return "xl on the source was told that the destination failed, and it has run"
    return ""


def end_wrong(model: Model, w: World, faults: int) -> str:
    """Say what is wrong with a world in which nothing happens any more without a fault."""
    made = model.settled(w)
    if w.guest in GONE and made.next == DONE and not (w.has_run or w.third):
        return "a domain that was shut down for the move is started nowhere"
    if made.next == HUMAN:
        return "" if w.hard else f"a person is asked though nothing was killed: {made.reason}"
    sender = model.halves.source.states[w.sender] if w.sender != DEAD else None
    receiver = model.halves.destination.states[w.receiver] if w.receiver != DEAD else None
    if w.silent == SOURCE and sent(w.sent).undo_wanted:
        # Nobody can tell the sender there that the tasks at the gate are undone.
        return ""
    if sender is not None and sender.phase is not words.Phase.ENDED:
        return "the sender waits for ever"
    # On a host that does not answer it waits until that does.
    if w.silent != DESTINATION and receiver is not None and receiver.phase is not words.Phase.ENDED:
        return "the receiver waits for ever"
    if made.next != DONE:
        return f"settling comes to no end: {made.next}, {made.reason}"
    there = w.copy in ("left", "runs")
    if not w.hard and (w.guest == "runs") == there:
        return "without any process killed the domain runs nowhere"
    if not w.hard and ((w.copy != "none" and not there) or (w.guest != "gone" and (w.away or w.has_run))):
        return "without any process killed something is left behind"
    if w.faults == faults and not sent(w.sent).backed_out and not (there and w.guest == "gone"):
        return "without any fault the domain did not move"
    return ""


def explore(model: Model, faults: int) -> t.Iterator[World]:
    """Yield every world that can be reached."""
    start = World(faults=faults)
    seen, waiting = {start}, [start]
    while waiting:
        world = waiting.pop()
        yield world
        for _what, after in model.steps(world):
            if after not in seen:
                seen.add(after)
                waiting.append(after)


def _told(found: Found, came: dict[World, tuple[World, str] | None], world: World) -> Found:
    at: World | None = world
    while at is not None:
        before = came[at]
        if before is None:
            break
        at, what = before
        found.way.append(what)
    found.way.reverse()
    found.way.append(str({key: value for key, value in world._asdict().items() if value != World._field_defaults[key]}))
    return found
