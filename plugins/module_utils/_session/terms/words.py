# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words in which a session thinks: phases, owners and events (pure; private to the collection).

The two machines (:mod:`deciding.source`, :mod:`deciding.destination`) take an event and return a new state and a list
of :mod:`actions`. They do no I/O, so every order of events can be tried; the drivers (:mod:`sending.sender`,
:mod:`receiving.receiver`) carry the actions out in order.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from enum import Enum

# In a timeline: the moment when the source's domain has suspended.
SUSPENDED = "source_suspended"


class Phase(str, Enum):
    """How far a session has come, in order."""

    STARTING = "starting"
    ADMITTED = "admitted"
    CONFIGURATION = "configuration"
    STREAMING = "streaming"
    SUSPENDING = "suspending"
    FINAL_ROUND = "final_round"
    TRANSFERRED = "transferred"
    GATE = "gate"
    COMMITTED = "committed"
    FINISHING = "finishing"
    ENDED = "ended"

    @property
    def order(self) -> int:
        """Position in the sequence."""
        return _ORDER[self]


_ORDER = {phase: index for index, phase in enumerate(Phase)}


class Owner(str, Enum):
    """The host whose copy counts."""

    SOURCE = "source"
    DESTINATION = "destination"
    UNSETTLED = "unsettled"


class EndState(str, Enum):
    """How a session ended, as this side observed it."""

    MOVED = "moved"
    STAYED = "stayed"
    UNSETTLED = "unsettled"


class CopyState(str, Enum):
    """What a look at the hypervisor says about one copy of the domain.

    ``taken``: it was to shut down, is not there, and is not known to have ended by itself. ``half_made``: it was made
    anew after it had shut down, and was not let go.
    """

    ABSENT = "absent"
    RUNNING = "running"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    SHUT_DOWN = "shut_down"
    TAKEN = "taken"
    HALF_MADE = "half_made"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Failure:
    """Why a session does not succeed; the fields of ``Dom0XenError.as_result``.

    ``side`` is the role that it happened to, ``None`` for the one that tells it.
    """

    code: str
    msg: str
    host: str | None = None
    remedy: str = ""
    details: t.Mapping[str, t.Any] = field(default_factory=dict)
    side: str | None = None

    def to_result(self, teller: str) -> dict[str, t.Any]:
        """Return it as the ``error`` of a status document or a message of the role ``teller``."""
        return {
            "side": self.side or teller,
            "code": self.code,
            "msg": self.msg,
            "host": self.host,
            "remedy": self.remedy,
            "details": dict(self.details),
        }


@dataclass(frozen=True)
class Report:
    """What the destination's ``xl`` said about its copy.

    ``status`` is the byte after the report text (tools/xl/xl_migrate.c migrate_receive), ``None`` when it never came.
    ``give_back`` says that the text which gives the domain back was read, ``copy_gone`` that the copy was seen gone.
    """

    status: int | None
    give_back: bool = False
    copy_gone: bool = False

    @property
    def runs(self) -> bool:
        """Whether the destination runs the domain."""
        return self.status == 0

    @property
    def returned(self) -> bool:
        """Whether the domain certainly went back to the source."""
        return bool(self.status) and self.give_back and self.copy_gone


@dataclass(frozen=True)
class Copy:
    """An observed copy of the domain."""

    state: CopyState
    name: str = ""
    domid: int | None = None


# Events. -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """Something that happened."""


@dataclass(frozen=True)
class Connected(Event):
    """The link came up for the first time."""


@dataclass(frozen=True)
class HeaderAccepted(Event):
    """The header and configuration of the stream name the domain of this session."""


@dataclass(frozen=True)
class Reached(Event):
    """The stream shows that the session has come to ``phase`` (streaming, suspending or final_round)."""

    phase: Phase


@dataclass(frozen=True)
class StreamEnded(Event):
    """The libxl END record has been seen: the stream is complete."""


@dataclass(frozen=True)
class CopyMade(Event):
    """The destination's ``xl`` has made the domain that the stream will fill."""


@dataclass(frozen=True)
class Ready(Event):
    """The destination's ``xl`` has received the domain and asks for permission."""


@dataclass(frozen=True)
class Permission(Event):
    """The source's ``xl`` has written its permission; ``evidence`` is ``None`` or says what speaks against using it."""

    evidence: Failure | None = None


@dataclass(frozen=True)
class GateTasksStarted(Event):
    """The controller begins with the caller's tasks at the gate."""


@dataclass(frozen=True)
class Permit(Event):
    """The controller permits at the gate; ``evidence`` as in :class:`Permission`, looked at again."""

    evidence: Failure | None = None


@dataclass(frozen=True)
class GateUndoStarted(Event):
    """What the caller's tasks did at the gate begins to be undone: the permission must not be given any more."""


@dataclass(frozen=True)
class GateUndone(Event):
    """What the caller's tasks did at the gate has been undone."""


@dataclass(frozen=True)
class CommitAsked(Event):
    """The sender asks the receiver to let the permission through."""


@dataclass(frozen=True)
class Reported(Event):
    """The outcome at the destination is known."""

    report: Report


@dataclass(frozen=True)
class Failed(Event):
    """Something went wrong, here or at the peer (``by_peer``)."""

    failure: Failure
    by_peer: bool = False


@dataclass(frozen=True)
class LinkExpired(Event):
    """The link has been down for longer than its limit."""

    failure: Failure


@dataclass(frozen=True)
class Stalled(Event):
    """Nothing has moved for longer than may be, though the link is up."""

    failure: Failure


@dataclass(frozen=True)
class CancelAsked(Event):
    """Somebody asks to stop the migration."""


@dataclass(frozen=True)
class HandOverAsked(Event):
    """Whoever settles asks the receiver to leave its complete copy as it is, because the source's is no more."""


@dataclass(frozen=True)
class BarAsked(Event):
    """Whoever settles asks the receiver to take no commit any more, and to keep its copy until the source's is good."""


@dataclass(frozen=True)
class XlExited(Event):
    """This side's ``xl`` has ended; ``failure`` is what its last words say."""

    code: int
    failure: Failure


@dataclass(frozen=True)
class XlStays(Event):
    """This side's ``xl`` was given up, does not end, and makes a domain: ended by force it would leave half of one."""


@dataclass(frozen=True)
class Observed(Event):
    """A look at the hypervisor after ``xl`` ended; ``copy`` is this session's copy on this host."""

    copy: Copy
