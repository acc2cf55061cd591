# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault from its start to its verdict."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import threading
import time
import typing as t
import zlib

from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import Credentials

from . import deeds, person, playbooks, truth
from .conductor import Conductor
from .courses import COURSES, Course
from .judge import BROKEN, MISSED, Verdict, judge
from .names import DESTINATION, SOURCE, Fault, Place
from .points import Passed
from .rounds import Settled
from .settling import settle
from .world import World

# How long nothing may happen before everybody counts as waiting for help, and the most that is waited, in seconds.
STILL_S = 5.5
LONGEST_S = 25.0
SETTLED_STILL_S = 3.0
# Points that are passed again and again while a session waits.
_IDLE = (".document.status.", ".event.LinkExpired.", ".event.Stalled.", ".link.attach.")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a run went, as it goes into the list."""

    name: str
    found: tuple[str, ...]
    why: tuple[str, ...]
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether anything was wrong."""
        return Verdict(self.found, self.why).failed


class Run:
    """Drives one world through a course, with a fault or recording what is passed."""

    def __init__(
        self, folder: pathlib.Path, course: Course, credentials: tuple[Credentials, Credentials] | None = None
    ) -> None:
        self.folder = folder
        self.world = World(folder, course, credentials)
        self.recorded: dict[Place, Passed] = {}
        self._deeds: dict[Place, list[str]] = {}
        self._recording = False
        self.done: list[str] = []
        self.settled = Settled()
        self.asked = ""
        self.before: truth.Truth | None = None
        # A power loss ends processes first; nobody may take the host for one that has power until it is over.
        self._doing = threading.Lock()
        self._conductor = Conductor(folder / "c", self._reached)

    def _reached(self, host: str, point: str) -> None:
        place = Place(host, point)
        if self._recording and place not in self.recorded:
            self.recorded[place] = Passed(place, tuple(deeds.alive(self.world)))
        with self._doing:
            for kind in self._deeds.pop(place, ()):
                self.done.append(f"{kind}@{place}")
                deeds.do(self.world, kind)

    def arm(self, course: Course, fault: tuple[str, Place] | None, record: bool = False) -> None:
        """Let things happen at points from now on."""
        self._recording = record
        wanted = [*course.deeds, *([(fault[1], fault[0])] if fault else [])]
        self._deeds = {}
        for place, kind in wanted:
            self._deeds.setdefault(place, []).append(kind)
        for name, own in ((SOURCE, course.source), (DESTINATION, course.destination)):
            ask: dict[str, t.Any] = {"action": "ask", "socket": str(self._conductor.path)}
            asked = [{**ask, "point": place.point} for place in self._deeds if place.host == name]
            # A recording hears of everything, and lets the course's own faults come first.
            everything = [{**ask, "point": "*", "times": 1 << 30}] if record else []
            self.world.host(name).faults(*[dict(one) for one in own], *(everything or asked))
            if not self.world.host(name).paths.points.exists():
                self.world.host(name).record_points()

    def wait(self, still: float = STILL_S) -> bool:
        """Wait until no session and no xl is there any more, or nothing happens; return whether all have ended."""
        begun = last = time.monotonic()
        seen = -1
        while True:
            hosts = [self.world.host(name) for name in (SOURCE, DESTINATION)]
            if not self._doing.locked() and not any(host.left_over() for host in hosts):
                return True
            passed = sum(self._happened(host.paths.points) for host in hosts)
            now = time.monotonic()
            if passed != seen:
                seen, last = passed, now
            if now - last > still or now - begun > LONGEST_S:
                return False
            time.sleep(0.2)

    @staticmethod
    def _happened(path: pathlib.Path) -> int:
        try:
            lines = path.read_text().splitlines()
        except OSError:
            return 0
        return sum(not any(words in line for words in _IDLE) for line in lines)

    def boot(self) -> None:
        """Switch on what lost its power and is not gone for good."""
        with self._doing:
            for name in list(self.world.off - self.world.gone):
                deeds.power_on(self.world, name)

    def _settle(self, fault: Fault | None) -> Settled:
        """Settle as a person does who answers what is asked, where the answer is plain: whether it has run there."""
        world = self.world
        through = fault is not None and fault.playbook
        # Half of them move once more, which settles first.
        again = through and zlib.crc32(str(fault).encode()) % 2 == 0
        settled = playbooks.settle(world, again) if through else settle(world)
        failed = settled.settled is False or (through and again and settled.settled is None)
        if failed and not settled.asks and (seen_to := person.see_to(world, settled.text)):
            self.done += seen_to
            self.wait(SETTLED_STILL_S)
            settled = playbooks.settle(world, again) if through else settle(world)
        if settled.asks and world.course.starts_anew and not world.off - world.gone:
            self.asked = settled.text
            ran = truth.has_run_there(world)
            settled = playbooks.settle(world, False, ran) if through else settle(world, ran)
        return settled

    def _settle_again(self) -> Settled:
        """Settle what a fault has interrupted; it may be the second settling that passes the point.

        A person has made room on the disks by then.
        """
        self.boot()
        deeds.mend(self.world)
        settled = self._settle(None)
        if self.world.off - self.world.gone:
            self.boot()
            settled = self._settle(None)
        return settled

    def go(self, fault: Fault | None, record: str = "") -> Outcome:
        """Move with a fault, settle, and judge; ``record`` the points of the "move" or of the "settling"."""
        begun = time.monotonic()
        world = self.world
        course = world.course
        through = fault is not None and fault.playbook
        banner = (Place(DESTINATION, "receiver.launched.before"), deeds.BANNER)
        if through:
            course = dataclasses.replace(course, deeds=(*course.deeds, banner))
        self.arm(course, (fault.kind, fault.place) if fault else None, record == "move")
        if through:
            playbooks.move(world)
        else:
            world.move()
        self.wait()
        if world.off:
            self.boot()
            self.wait(SETTLED_STILL_S)
        before = self.before = truth.look(world)
        deeds.mend(world)
        # The receiver of the first run may not have come to its banner.
        missing = (banner,) if through and world.banner_at_ns is None else ()
        afterwards = dataclasses.replace(COURSES["smooth"], deeds=missing)
        self.arm(afterwards, fault.again if fault else None, record == "settling")
        settled = self._settle(fault)
        if fault is not None and fault.again is not None:
            settled = self._settle_again()
        world.let_shut_down()
        person.let_warm_up(world)
        self.wait(SETTLED_STILL_S)
        self.settled = settled
        verdict = judge(before, truth.look(world), settled, self.asked)
        found = list(verdict.found)
        if fault is not None and not any(one.endswith(f"@{fault.place}") for one in self.done):
            found.append(MISSED)
        if self._conductor.errors:
            found.append(BROKEN)
        text = (f"settling:{settled.text}",) if settled.text and verdict.failed else ()
        why = (*verdict.why, *text, *self._conductor.errors)
        return Outcome(str(fault or course.name), tuple(found), why, round(time.monotonic() - begun, 2))

    def close(self, keep: bool = False) -> None:
        """End everything, and remove it."""
        self._conductor.close()
        self.world.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def one(fault: Fault, folder: pathlib.Path, credentials: tuple[Credentials, Credentials] | None = None) -> Outcome:
    """Run one fault on a site of its own."""
    run = Run(folder, COURSES[fault.course], credentials)
    try:
        return run.go(fault)
    finally:
        run.close()
