# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planner takes and gives (pure; private to the collection). Memory in MiB."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._record import Record

TOGETHER, APART = "together", "apart"
KINDS = (TOGETHER, APART)

# Why a domain moves.
EMPTIES, MAKES_ROOM, GOES_WHERE_WANTED, STEPS_ASIDE = "empties", "makes_room", "goes_where_wanted", "steps_aside"

# What keeps a domain where it is.
NEVER_MOVE, NOWHERE, NO_ROOM = "never_move", "nowhere_to_go", "no_room"

# What there is too little of.
MEMORY, VCPUS, GROUPS, ORDER = "memory", "vcpus", "groups", "order"

BUILTIN, OPTIMAL = "builtin", "optimal"
PLANNERS = (BUILTIN, OPTIMAL)


class QuestionWrong(Dom0XenError):
    """The question contradicts itself."""

    code = "plan_question_wrong"
    remedy = "See which hosts and domains were named."


class NoDestination(Dom0XenError):
    """Nothing is left that could receive."""

    code = "no_destination"
    remedy = "Leave at least one host out that is to receive, or empty the hosts one after the other."


class OrderBroken(Dom0XenError):
    """An order needs more than there is. The planner never returns one: this is a fault in it."""

    code = "plan_order_broken"
    remedy = "Report this, with the facts that the plan was to be made from."


@dataclasses.dataclass(frozen=True)
class Host(Record):
    """A dom0: ``free_mib`` is free now, of which ``reserve_mib`` stay free. ``vcpus_free`` is how many more vCPUs it
    may have, None for any. The one with twice the ``weight`` is to take twice as much (0: only when no other can).
    """

    name: str
    free_mib: int
    vcpus_free: int | None = None
    weight: float = 1.0
    reserve_mib: int = 0
    receives: bool = True


@dataclasses.dataclass(frozen=True)
class Guest(Record):
    """A domain: ``size_mib`` is what it takes with all overhead, ``targets`` are the hosts that it may go to.

    ``last``: leaves a host that is to be emptied after all others there. ``stop``: is shut down there in place of being
    moved. ``wanted``: hosts on one of which it must be in the end; empty: wherever.
    """

    id: str
    name: str
    host: str
    size_mib: int
    vcpus: int = 1
    targets: tuple[str, ...] = ()
    movable: bool = True
    last: bool = False
    stop: bool = False
    wanted: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Group(Record):
    """Domains that are kept together or apart (``kind``). None arrives where another one of those kept apart is; when
    one of those kept together moves, all are on one host in the end.
    """

    name: str
    kind: str
    members: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Question(Record):
    """The hosts of a fleet and their domains, and which of the hosts are to be empty in the end.

    With ``leave`` what finds no room stays, and is told as a blocker; else there is then no plan at all.
    """

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {"hosts": Host, "guests": Guest, "groups": Group}

    hosts: tuple[Host, ...]
    guests: tuple[Guest, ...]
    empty: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    leave: bool = False


@dataclasses.dataclass(frozen=True)
class Move(Record):
    """A step of the order, numbered from 1. It may begin when those in ``after`` have ended, in whatever order those
    before it are done, and then it has room.
    """

    number: int
    guest: str
    name: str
    source: str
    destination: str
    size_mib: int
    code: str
    why: str
    after: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Stop(Record):
    """A domain that is shut down on a host when everything else has left it."""

    guest: str
    name: str
    host: str


@dataclasses.dataclass(frozen=True)
class Blocker(Record):
    """A domain that stays on a host that is to be emptied, and why."""

    guest: str
    name: str
    host: str
    code: str
    why: str


@dataclasses.dataclass(frozen=True)
class Shortage(Record):
    """Why there is no order: ``missing`` (MiB or vCPUs) more on any one of ``hosts`` would do; ``each`` has the same
    for every host that would do. ``proven``: with less on any one of them there is none, else none was found.
    """

    resource: str
    missing: int
    hosts: tuple[str, ...]
    each: t.Mapping[str, int]
    proven: bool
    why: str


@dataclasses.dataclass(frozen=True)
class Answer(Record):
    """The plan. ``moved_mib`` is the memory that is moved, and no plan moves less than ``bound_mib``."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {
        **{"moves": Move, "stops": Stop, "blockers": Blocker, "shortage": Shortage},
    }

    planner: str
    moves: tuple[Move, ...]
    stops: tuple[Stop, ...]
    blockers: tuple[Blocker, ...]
    shortage: Shortage | None
    moved_mib: int
    bound_mib: int

    @property
    def possible(self) -> bool:
        """Whether what is asked for comes true: an order was found, and no domain stays."""
        return self.shortage is None and not self.blockers
