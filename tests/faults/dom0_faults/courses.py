# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Courses: how a move goes before the fault that is tried. Each leads through code that a smooth move never sees."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD, LIVE, SUSPEND

from .names import DESTINATION, SMOOTH, SOURCE, Place

#: Who gives the permission; the controller has tasks at the gate, and its last one may fail.
ENGINE, CONTROLLER, REFUSING = "engine", "controller", "refusing"
#: How long a guest is given to shut down, and how long one takes that is late, in seconds.
SHUTDOWN_S, LATE_S = 3.0, 4.5


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
    method: str = LIVE
    leave_paused: bool = False
    #: Of the sender: for how long the guest may stand still, and whether it is only rehearsed.
    max_stop_ms: int = 0
    rehearse: bool = False
    #: How the guest behaves: fields of the double's ``Behaviour``.
    guest: t.Mapping[str, object] = dataclasses.field(default_factory=dict)
    #: The course that it is like until it ``parts`` from that without a deed.
    like: str = SMOOTH
    parts: tuple[Place, ...] = ()

    @property
    def begins(self) -> frozenset[Place]:
        """Where it begins to be another one than the one that it is like."""
        held = {Place(SOURCE, "gate.tasks.before")} if self.gate != ENGINE else set()
        return frozenset({place for place, dummy in self.deeds} | held | set(self.parts))

    @property
    def starts_anew(self) -> bool:
        """Whether the guest is shut down, and boots from its disks wherever it runs then."""
        return self.method == COLD

    @property
    def another_way(self) -> bool:
        """Whether a domain is moved otherwise, or is to be left otherwise, than in the smooth course."""
        return self.method != LIVE or self.leave_paused

    @property
    def asks_first(self) -> bool:
        """Whether the guest may be suspended only when that was permitted."""
        return self.max_stop_ms > 0 or self.rehearse


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
        # An xl stands still for good while the guest does, with the link up, as one that waits for a disk that is gone.
        Course("stuck-there", deeds=((Place(DESTINATION, "receive.ready"), "stop-xl-receive"),), ends="stayed"),
        Course("stuck-here", deeds=((Place(SOURCE, "migrate.ready"), "stop-xl-migrate"),), ends="unsettled"),
        # The guest stands still by a pause from before the destination has its memory.
        Course("suspend", method=SUSPEND, parts=(Place(SOURCE, "sender.journal.suspending.before"),)),
        # It is shut down, and takes a moment; it takes longer than it is given, and goes down when the move has failed.
        Course(
            "cold",
            method=COLD,
            guest={"shutdown_s": 0.4},
            parts=(Place(SOURCE, "sender.journal.shutting_down.before"),),
        ),
        Course(
            "cold-late",
            method=COLD,
            guest={"shutdown_s": LATE_S},
            like="cold",
            parts=(Place(SOURCE, "shutter.go_back.before"),),
            ends="stayed",
        ),
        # A process between xl and its helper asks before the guest is suspended; it may be, or it may not.
        Course("bounded", max_stop_ms=60_000, parts=(Place(SOURCE, "migrate.banner"),)),
        Course("rehearsed", rehearse=True, ends="stayed", parts=(Place(SOURCE, "migrate.banner"),)),
        # It is not started when it has arrived.
        Course("paused", leave_paused=True, parts=(Place(SOURCE, "sender.journal.commit_requested.before"),)),
    )
}
