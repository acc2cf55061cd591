# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Courses: how a move goes before the fault that is tried. Each leads through code that a smooth move never sees."""

from __future__ import annotations

import dataclasses

from .names import DESTINATION, SMOOTH, SOURCE, Place

#: Who gives the permission; the controller has tasks at the gate, and its last one may fail.
ENGINE, CONTROLLER, REFUSING = "engine", "controller", "refusing"


@dataclasses.dataclass(frozen=True)
class Course:
    """Things that happen by themselves: faults of the double, and deeds at places."""

    name: str
    source: tuple[dict[str, object], ...] = ()
    destination: tuple[dict[str, object], ...] = ()
    deeds: tuple[tuple[Place, str], ...] = ()
    gate: str = ENGINE
    #: How the sender's session ends, None where that is for settling to say.
    ends: str | None = "moved"

    @property
    def begins(self) -> frozenset[Place]:
        """Where it begins to be another one than the smooth one."""
        held = {Place(SOURCE, "gate.tasks.before")} if self.gate != ENGINE else set()
        return frozenset({place for place, dummy in self.deeds} | held)


_GIVEN_BACK = {"point": "receive.renamed", "action": "status", "status": 3}

COURSES: dict[str, Course] = {
    course.name: course
    for course in (
        Course(SMOOTH),
        # The destination's xl cannot start the domain, and gives it back.
        Course("given-back", destination=(_GIVEN_BACK,), ends="stayed"),
        # The controller holds the gate, and its tasks hand the storage over; they succeed, or the last one fails.
        Course("held", gate=CONTROLLER),
        Course("refused", gate=REFUSING, ends="stayed"),
        Course("held-given-back", gate=CONTROLLER, destination=(_GIVEN_BACK,), ends=None),
        # Somebody cancels while memory flows, and while the guest stands still.
        Course("cancelled", deeds=((Place(SOURCE, "sender.stream.page1.half"), "cancel-sender"),), ends="stayed"),
        Course("cancelled-late", deeds=((Place(SOURCE, "sender.stream.END"), "cancel-sender"),), ends="stayed"),
        Course(
            "cancelled-there",
            deeds=((Place(DESTINATION, "receiver.stream.page1.half"), "cancel-receiver"),),
            ends="stayed",
        ),
        # The network is away for longer than is waited for: in the rounds, at the gate, after the commit.
        Course("dark", deeds=((Place(SOURCE, "sender.stream.page1.half"), "link-vanish"),), ends="stayed"),
        Course("dark-gate", deeds=((Place(SOURCE, "migrate.renamed"), "link-vanish"),)),
        Course("dark-commit", deeds=((Place(DESTINATION, "receiver.journal.commit.after"), "link-vanish"),)),
        # The destination's xl dies with the permission in its hand.
        Course("died-there", destination=({"point": "receive.go", "action": "kill"},), ends=None),
    )
}
