# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cell: the guest is started, moved there and back, or refused, and judged from outside.

A guest that is back on xen1 and was well is taken for the next cell too. To start one costs an emulated host as much as
half a move; and its disk then tells of all its moves together.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cases.world import World
from dom0lab import Lab, LabError, Observation, lun

from .listing import COLD, GUESTS, Cell, Way

START_S = 600.0
# Where both hosts have the file that a guest is started from anew.
CONFIG = "/run/lab-matrix.cfg"


@dataclass
class Leg:
    """One move, and what was seen of it. Times in milliseconds."""

    source: str
    destination: str
    refused: str
    where: list[str] = field(default_factory=list)
    status: int = -1
    owner: str = ""
    end_state: str = ""
    method: str = ""
    codes: list[str] = field(default_factory=list)
    total_ms: int | None = None
    stop_ms: int | None = None
    gap_ms: int | None = None
    same_boot: bool = False
    counter_never_fell: bool = False
    memory_verified: bool = False
    double_answers: int = 0
    boots: int = 0
    message: str = ""

    @property
    def well(self) -> bool:
        """Whether the guest runs where it should, unharmed."""
        if self.refused:
            return self.unharmed and self.status != 0 and self.refused in self.codes and self.where == [self.source]
        arrived = (self.status, self.owner, self.end_state) == (0, "destination", "moved")
        return self.unharmed and arrived and self.where == [self.destination]

    @property
    def unharmed(self) -> bool:
        """Whether it is the same guest, with all its memory; or, where it is started anew, one boot after the other."""
        same = self.boots == 2 if self.anew else self.same_boot and self.counter_never_fell
        return same and self.memory_verified and not self.double_answers

    @property
    def anew(self) -> bool:
        """Whether the guest was shut down and started again."""
        return self.method == COLD and not self.refused


@dataclass(frozen=True)
class Kept:
    """A guest that runs on xen1: of which kind, and the boots that have written to its disk since that was empty."""

    guest: str
    boots: int


@dataclass
class Verdict:
    """What came of a cell. ``well``: as expected, and nothing was harmed. ``kept``: its guest has moved before."""

    name: str
    source: str
    destination: str
    guest: str
    method: str
    legs: list[Leg] = field(default_factory=list)
    stamps: int | None = None
    stamps_problem: str = ""
    error: str = ""
    kept: bool = False
    wall_s: float = 0.0

    @property
    def well(self) -> bool:
        """Whether everything is as it should be."""
        as_asked = all(leg.well and (leg.refused or leg.method == self.method) for leg in self.legs)
        return bool(self.legs) and as_asked and not (self.error or self.stamps_problem)

    @property
    def anew(self) -> int:
        """How many times the guest was started by a move."""
        return sum(leg.anew for leg in self.legs)

    def document(self) -> dict[str, t.Any]:
        """The verdict for the file of figures."""
        return {**asdict(self), "well": self.well}


def kept_after(verdict: Verdict, boots: int) -> Kept | None:
    """Return the guest for another cell, where it is as if it had just been started; ``boots`` is as it was before."""
    if not verdict.well or verdict.legs[-1].where != ["xen1"]:
        return None
    return Kept(verdict.guest, boots + verdict.anew)


def attempt(
    lab: Lab, disk: Path, cell: Cell, kept: Kept | None = None, keep: bool = False
) -> tuple[Verdict, Kept | None]:
    """Try one cell on a lab of its two releases, with the guest of the cell before, or without one.

    Returns the guest too where it is to be kept and can be; otherwise none is left.
    """
    verdict = Verdict(str(cell), cell.source, cell.destination, cell.guest, cell.method, kept=kept is not None)
    begun, before = time.monotonic(), kept.boots if kept else 1
    left: Kept | None = None
    try:
        _try(lab, disk, cell, verdict, before)
        left = kept_after(verdict, before) if keep else None
    except (LabError, AssertionError) as exc:
        verdict.error = f"{type(exc).__name__}: {exc}"[:1000]
    finally:
        if left is None:
            try:
                lab.guest.stop()
            except LabError as exc:
                verdict.error = verdict.error or f"the guest cannot be taken away: {exc}"
    verdict.wall_s = round(time.monotonic() - begun, 1)
    return verdict, left


def _try(lab: Lab, disk: Path, cell: Cell, verdict: Verdict, boots: int) -> None:
    spec = GUESTS[cell.guest]
    world = World(lab)
    world.name = str(cell).replace(":", "-")
    for host in lab.hosts.values() if cell.method == COLD else ():
        host.run(f"cat > {CONFIG}", stdin=spec.config())
    if not verdict.kept:
        if spec.disk:
            lun.write(disk)
        lab.guest.start(lab.hosts["xen1"], spec, timeout=START_S)
    for way in cell.ways:
        verdict.legs.append(_move(world, way, cell.method))
        if not verdict.legs[-1].well:
            break
    if spec.disk:
        seen = lun.judge(disk, lab.guest.ask(), boots + verdict.anew)
        verdict.stamps, verdict.stamps_problem = seen.count, seen.problem


def _move(world: World, way: Way, method: str) -> Leg:
    how: dict[str, t.Any] = {"migrate_method": method}
    if method == COLD:
        # A guest that boots shows signs of life when it has come up.
        how |= {"migrate_config": CONFIG, "migrate_liveness_timeout": 300}
    with world.lab.observe(everywhere=True) as watch:
        outcome = world.migrate(source=way.source, destination=way.destination, **how)
        watch.wait_answer(300)
    leg = Leg(way.source, way.destination, way.refused, world.lab.guest.where(), outcome.status)
    leg.message = "" if outcome.status == 0 else outcome.message[:500]
    result = outcome.result
    leg.codes = sorted({str(finding["code"]) for finding in result.get("findings") or ()})
    for name in ("owner", "end_state", "method", "total_ms", "stop_ms"):
        setattr(leg, name, result.get(name))
    _observed(leg, watch.observation)
    return leg


def _observed(leg: Leg, seen: Observation | None) -> None:
    if seen is not None:
        leg.gap_ms, leg.double_answers = seen.gap_ms, seen.double_answers
        leg.same_boot, leg.counter_never_fell = seen.boot_id_unchanged, seen.counter_never_fell
        leg.memory_verified, leg.boots = seen.memory_verified, seen.boots
