# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cell: the guest is moved, or refused, or goes on where it was, and is judged from outside.

A guest that was well, and is where the next move begins, is taken for that too. To start one costs an emulated host as
much as half a move; and its disk then tells of all its moves together.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cases.plays import Outcome
from cases.world import BUILD, World
from dom0lab import Lab, Observation, lun
from dom0lab.guest_disk import GuestSpec

from .listing import COLD, GUESTS, Cell

START_S = 600.0
MOVE_S = 1200.0
# What is undone is settled in the same run, which looks at both hosts after each of its steps.
UNDONE_S = 2400.0
# For a guest that is asked whether it is well; one that is known to be broken is not waited for as long.
ANSWER_S, BREAKS_S = 300.0, 30.0
# A guest takes its processors up again one by one.
PROCESSORS_S = 60.0
# Where each host has the file that a guest is started from anew.
CONFIG = "/run/lab-matrix.cfg"
GATE = Path(__file__).resolve().parent.parent / "cases" / "gate"


@dataclass(frozen=True)
class Kept:
    """A guest that runs: of which kind, where, and the boots that have written to its disk since that was empty."""

    guest: str
    host: str
    boots: int


@dataclass
class Verdict:
    """What came of a cell. ``well``: as expected, and nothing was harmed. ``kept``: its guest has moved before.

    ``hosts`` are the two of the lab; ``refused`` is the code of the finding with which it was to be refused; ``told``
    is the method that the result has, ``vcpus`` how many processors the guest uses in the end. Times in milliseconds,
    and ``wall_s`` in seconds.
    """

    name: str
    source: str
    destination: str
    guest: str
    method: str
    hosts: tuple[str, str]
    refused: str = ""
    undone: bool = False
    kept: bool = False
    where: list[str] = field(default_factory=list)
    status: int = -1
    owner: str = ""
    end_state: str = ""
    told: str = ""
    codes: list[str] = field(default_factory=list)
    total_ms: int | None = None
    stop_ms: int | None = None
    gap_ms: int | None = None
    vcpus: int | None = None
    same_boot: bool = False
    counter_never_fell: bool = False
    memory_verified: bool = False
    double_answers: int = 0
    boots: int = 0
    stamps: int | None = None
    stamps_problem: str = ""
    message: str = ""
    error: str = ""
    wall_s: float = 0.0

    @classmethod
    def of(cls, cell: Cell, kept: bool) -> Verdict:
        """One of which nothing is known yet."""
        about = (str(cell), cell.source, cell.destination, cell.guest, cell.method, cell.names)
        return cls(*about, refused=cell.refused, undone=cell.undone, kept=kept)

    @property
    def well(self) -> bool:
        """Whether the guest runs where it should, unharmed."""
        if self.error or self.stamps_problem or not self.unharmed:
            return False
        here, there = self.hosts
        if self.refused:
            return self.status != 0 and self.refused in self.codes and self.where == [here]
        if self.undone:
            return (self.status != 0, self.owner, self.where) == (True, "source", [here])
        arrived = (self.status, self.owner, self.end_state) == (0, "destination", "moved")
        return arrived and self.told == self.method and self.where == [there]

    @property
    def unharmed(self) -> bool:
        """Whether it is the same guest, with all its memory; or, where it is started anew, one boot after the other."""
        same = self.boots == 2 if self.anew else self.same_boot and self.counter_never_fell
        whole = self.vcpus == GUESTS[self.guest].vcpus
        return same and whole and self.memory_verified and not self.double_answers

    @property
    def anew(self) -> bool:
        """Whether the guest was shut down and started again."""
        return self.method == COLD and not self.refused

    def document(self) -> dict[str, t.Any]:
        """The verdict for the file of figures."""
        return {**asdict(self), "hosts": list(self.hosts), "well": self.well}


def kept_after(verdict: Verdict, boots: int) -> Kept | None:
    """Return the guest for another cell, where it is as if it had just been started; ``boots`` is as it was before."""
    if not verdict.well:
        return None
    return Kept(verdict.guest, verdict.where[0], boots + verdict.anew)


def usable(kept: Kept | None, cell: Cell) -> bool:
    """Whether a guest that runs is the one of this cell, and is where it begins."""
    return kept is not None and (kept.guest, kept.host) == (cell.guest, cell.names[0])


def attempt(lab: Lab, disk: Path, cell: Cell, kept: Kept | None) -> tuple[Verdict, Kept | None]:
    """Try one cell, with the guest of the cell before where that can be; returns the guest too, if it is well."""
    goes_on = usable(kept, cell)
    verdict = Verdict.of(cell, goes_on)
    begun, boots = time.monotonic(), kept.boots if kept and goes_on else 1
    try:
        _try(lab, disk, cell, verdict, boots)
    except Exception as exc:
        # Whatever it is, it is of this cell: hours of others lie behind it and before it.
        verdict.error = f"{type(exc).__name__}: {exc}"[:1000]
    if not verdict.well:
        _keep_last_words(lab, cell)
    verdict.wall_s = round(time.monotonic() - begun, 1)
    return verdict, kept_after(verdict, boots)


def _keep_last_words(lab: Lab, cell: Cell) -> None:
    """Beside the log of the cell; the guest and its host are thrown away next."""
    folder = BUILD / _file_name(cell)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        words = lab.guest.last_words()
    except Exception as exc:
        words = f"{type(exc).__name__}: {exc}"
    (folder / "last-words").write_text(words)


def _file_name(cell: Cell) -> str:
    return str(cell).replace(":", "-")


def _try(lab: Lab, disk: Path, cell: Cell, verdict: Verdict, boots: int) -> None:
    spec = GUESTS[cell.guest]
    hosts = lab.hosts.values()
    for host in hosts if cell.method == COLD else ():
        host.run(f"cat > {CONFIG}", stdin=spec.config())
    if not verdict.kept:
        lab.guest.stop()
        if spec.disk:
            lun.write(disk, hosts=hosts)
        lab.guest.start(lab.hosts[cell.names[0]], spec, timeout=START_S)
    _move(lab, cell, verdict)
    if spec.disk:
        seen = lun.judge(disk, lab.guest.ask(), boots + verdict.anew)
        verdict.stamps, verdict.stamps_problem = seen.count, seen.problem


def _move(lab: Lab, cell: Cell, verdict: Verdict) -> None:
    world = World(lab)
    world.name = _file_name(cell)
    # Whether it lives is judged, not how soon an emulated host lets it.
    how: dict[str, t.Any] = {"migrate_method": cell.method, "migrate_liveness_timeout": 300}
    if cell.method == COLD:
        how["migrate_config"] = CONFIG
    if cell.undone:
        how |= {"migrate_gate": "controller", "migrate_gate_tasks": GATE / "kill_sender.yml"}
        how |= {"migrate_gate_undo_tasks": GATE / "undo.yml", "migrate_silence_timeout": 20}
    here, there = cell.names
    with lab.observe(everywhere=True) as watch:
        outcome = world.start(source=here, destination=there, **how).wait(UNDONE_S if cell.undone else MOVE_S)
        _told(verdict, outcome)
        verdict.where = lab.guest.where()
        watch.wait_answer(BREAKS_S if cell.breaks else ANSWER_S)
    if len(verdict.where) == 1:
        verdict.vcpus = _online(lab, verdict.where[0], GUESTS[cell.guest])
    _observed(verdict, watch.observation)


def _online(lab: Lab, host: str, spec: GuestSpec) -> int:
    """Return how many processors the guest uses, once it uses all, or after a while."""
    deadline = time.monotonic() + PROCESSORS_S
    while True:
        rows = lab.hosts[host].run(f"xl vcpu-list {spec.name}").stdout.splitlines()[1:]
        # Name, ID, VCPU, CPU, State: one that is offline is --p.
        online = sum("p" not in row.split()[4] for row in rows)
        if online == spec.vcpus or time.monotonic() > deadline:
            return online
        time.sleep(5)


def _told(verdict: Verdict, outcome: Outcome) -> None:
    verdict.status = outcome.status
    verdict.message = "" if outcome.status == 0 else outcome.message[:500]
    result = outcome.result
    verdict.codes = sorted({str(finding["code"]) for finding in result.get("findings") or ()})
    verdict.told = str(result.get("method") or "")
    for name in ("owner", "end_state", "total_ms", "stop_ms"):
        setattr(verdict, name, result.get(name))


def _observed(verdict: Verdict, seen: Observation | None) -> None:
    if seen is not None:
        verdict.gap_ms, verdict.double_answers = seen.gap_ms, seen.double_answers
        verdict.same_boot, verdict.counter_never_fell = seen.boot_id_unchanged, seen.counter_never_fell
        verdict.memory_verified, verdict.boots = seen.memory_verified, seen.boots
