# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of faults (pure).

``KIND@[COURSE:]HOST/POINT``, then ``+settle:KIND@HOST/POINT`` for one more during settling, or ``+playbook`` for one
whose move and settling are done by ansible-playbook.
"""

from __future__ import annotations

import dataclasses
import typing as t

SMOOTH = "smooth"
_PLAYBOOK = "+playbook"
SOURCE, DESTINATION = "source", "destination"


@dataclasses.dataclass(frozen=True, order=True)
class Place:
    """Where a fault happens: a point on a host, the first time it is passed there."""

    host: str
    point: str

    def __str__(self) -> str:
        return f"{self.host}/{self.point}"

    @classmethod
    def parse(cls, text: str) -> t.Self:
        """Read what ``str`` gives; ValueError for anything else."""
        host, slash, point = text.partition("/")
        if host not in (SOURCE, DESTINATION) or not slash or not point:
            raise ValueError(f"{text!r} is not HOST/POINT")
        return cls(host, point)


@dataclasses.dataclass(frozen=True, order=True)
class Fault:
    """One fault, and perhaps a second one while it is settled. ``course`` is how things go without the fault."""

    kind: str
    place: Place
    course: str = SMOOTH
    again: tuple[str, Place] | None = None
    playbook: bool = False

    def __str__(self) -> str:
        course = "" if self.course == SMOOTH else f"{self.course}:"
        first = f"{self.kind}@{course}{self.place}{_PLAYBOOK if self.playbook else ''}"
        return first if self.again is None else f"{first}+settle:{self.again[0]}@{self.again[1]}"

    @classmethod
    def parse(cls, text: str) -> t.Self:
        """Read a name; ValueError for what is none."""
        playbook = text.endswith(_PLAYBOOK)
        first, plus, second = text.removesuffix(_PLAYBOOK).partition("+settle:")
        kind, at, rest = first.partition("@")
        course, colon, place = rest.partition(":")
        if not colon:
            course, place = SMOOTH, rest
        if not kind or not at:
            raise ValueError(f"{text!r} is not KIND@HOST/POINT")
        again = None
        if plus:
            kind2, dummy, place2 = second.partition("@")
            again = (kind2, Place.parse(place2))
        return cls(kind, Place.parse(place), course, again, playbook)
