# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a run, event by event, of the results of its tasks (pure; private to the collection).

Nothing of a task's arguments is looked at, and of a result only what is named here.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import figure

COLLECTION = "dom0.xen."
ALREADY_THERE = "already_there"
REFUSED = "refused"
REHEARSED = "rehearsed"

Result = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Event(Record):
    """Something that is worth a line; ``EVENT`` is what the line calls it."""

    EVENT: t.ClassVar[str] = ""


@dataclasses.dataclass(frozen=True)
class Migration(Event):
    """How one move ended. ``outcome`` is the ``end_state`` of its result, or ALREADY_THERE, REFUSED or REHEARSED.

    ``host`` is the play host, as a rule ``NAME@DOM0``. Sizes in bytes, times in milliseconds, ``began_s`` in seconds
    since 1970 by the source's clock; null is what is not known.
    """

    EVENT = "migration"

    host: str
    outcome: str
    succeeded: bool
    code: str | None = None
    uuid: str | None = None
    name: str | None = None
    source: str | None = None
    destination: str | None = None
    session: str | None = None
    method: str | None = None
    transport: str | None = None
    bytes: int | None = None
    rounds: int | None = None
    link_losses: int | None = None
    began_s: float | None = None
    total_ms: int | None = None
    stop_ms: int | None = None


@dataclasses.dataclass(frozen=True)
class Evacuation(Event):
    """Whether hosts were seen to be empty: those that are, those that are not, and how many domains were moved."""

    EVENT = "evacuation"

    succeeded: bool
    emptied: tuple[str, ...]
    left: tuple[str, ...]
    moved: int

    def replaces(self, other: Event) -> bool:
        """Whether it is about the same hosts, and perhaps more, later in the run."""
        return isinstance(other, Evacuation) and {*other.emptied, *other.left} <= {*self.emptied, *self.left}


@dataclasses.dataclass(frozen=True)
class Maintenance(Event):
    """Which hosts a maintenance is done with, and which not."""

    EVENT = "maintenance"

    succeeded: bool
    done: tuple[str, ...]
    left: tuple[str, ...]

    def replaces(self, other: Event) -> bool:
        """Whether it is about the same hosts, and perhaps more, later in the run."""
        return isinstance(other, Maintenance) and {*other.done, *other.left} <= {*self.done, *self.left}


@dataclasses.dataclass(frozen=True)
class Application(Event):
    """How many moves of a plan there were, and how many are done."""

    EVENT = "plan"

    succeeded: bool
    planned: int
    done: int

    def replaces(self, other: Event) -> bool:
        """Whether it is about the same plan, later in the run."""
        return isinstance(other, Application)


Summary = Evacuation | Maintenance | Application


@dataclasses.dataclass(frozen=True)
class Failure(Event):
    """A task of the collection has failed. ``on`` is the host that it was delegated to."""

    EVENT = "failure"

    host: str
    on: str | None
    action: str
    code: str


@dataclasses.dataclass(frozen=True)
class RunBegan(Event):
    """The first task of the collection in a run."""

    EVENT = "run_began"

    playbook: str


@dataclasses.dataclass(frozen=True)
class RunEnded(Event):
    """The end of such a run; ``succeeded`` when no host has failed or was out of reach."""

    EVENT = "run_ended"

    playbook: str
    succeeded: bool
    duration_s: float


class Course:
    """What a run does, result by result.

    A verdict that fails is looked at again by the role when it has tidied up, so it counts when nothing came after it:
    at the next move of the same play host, or at the end. Whether hosts are empty is looked at by each of them, and
    by the playbook for all; a round of an evacuation has moves as a plan has. So what is said last counts, at the end.
    """

    def __init__(self) -> None:
        self._pending: dict[str, Migration] = {}
        # With why it was not reached.
        self._summaries: list[tuple[Summary, list[Failure]]] = []
        self._there: set[str] = set()
        # A cause is told once for a move, and not again with its verdict.
        self._told: set[tuple[str, str]] = set()

    def take(
        self, host: str, action: str, result: Result, failed: bool, on: str | None = None, ignored: bool = False
    ) -> list[Event]:
        """Return what a task's result says; ``failed`` unless nobody minds, ``ignored`` where it did all the same."""
        name = action.removeprefix(COLLECTION)
        events: list[Event] = []
        code = _word(result, "code") or ("no_code" if failed else None)
        if name == "migration_check":
            events += self._begin(host, result)
            if failed and result.get("action") == "refuse":
                events.append(Migration(host, REFUSED, False, code))
        elif name == "migration_verdict":
            # One that is made again has failed, though that is not the end.
            events += self._ended(host, result, failed or ignored)
        elif name in _SUMMARIES and not result.get("skipped"):
            summary = _SUMMARIES[name](result)
            why = [Failure(host, on, name, code)] if code and not summary.succeeded else []
            self._summaries = [*(one for one in self._summaries if not summary.replaces(one[0])), (summary, why)]
            return events
        if failed and code and (host, code) not in self._told:
            self._told.add((host, code))
            events.append(Failure(host, on, name, code))
        return events

    def unreachable(self, host: str, action: str, on: str | None = None) -> list[Event]:
        """Return that a host could not be reached."""
        return self.take(host, action, {"code": "unreachable"}, True, on)

    def end(self) -> list[Event]:
        """Return what was held back."""
        left, summaries = list(self._pending.values()), self._summaries
        self._pending.clear()
        self._summaries = []
        whole = [one for one in summaries if not isinstance(one[0], Application)]
        return [*left, *(event for summary, why in whole or summaries for event in (summary, *why))]

    def _begin(self, host: str, result: Result) -> list[Event]:
        """Note that a play host has another move before it; return how the last one ended."""
        self._told = {(other, code) for other, code in self._told if other != host}
        self._there.discard(host)
        if result.get("action") == ALREADY_THERE:
            self._there.add(host)
        last = self._pending.pop(host, None)
        return [last] if last else []

    def _ended(self, host: str, result: Result, failed: bool) -> list[Event]:
        migration = _migration(host, result, failed)
        if host in self._there and not failed:
            # Its figures are those of a move that another run has made.
            whose = {key: getattr(migration, key) for key in ("uuid", "name", "destination")}
            return [Migration(host, ALREADY_THERE, True, **whose)]
        self._pending.pop(host, None)
        if failed:
            self._pending[host] = migration
            return []
        return [migration]


def _migration(host: str, result: Result, failed: bool) -> Migration:
    domain = result.get("domain")
    domain = domain if isinstance(domain, dict) else {}
    rounds = result.get("rounds")
    return Migration(
        host=host,
        outcome=REHEARSED if result.get("rehearsed") is True else _word(result, "end_state") or "unknown",
        succeeded=not failed,
        code=_word(result, "code") if failed else None,
        uuid=_word(domain, "uuid"),
        name=_word(domain, "name"),
        source=_word(result, "source"),
        destination=_word(result, "destination"),
        session=_word(result, "session"),
        method=_word(result, "method"),
        transport=_word(result, "transport"),
        bytes=_whole(result, "bytes"),
        rounds=len(rounds) if isinstance(rounds, list) and rounds else None,
        link_losses=_whole(result, "link_losses"),
        began_s=figure(result, "began_s"),
        total_ms=_whole(result, "total_ms"),
        stop_ms=_whole(result, "stop_ms"),
    )


def _evacuation(result: Result) -> Evacuation:
    hosts = _dicts(result, "hosts")
    return Evacuation(
        succeeded=result.get("complete") is True,
        emptied=tuple(str(host.get("name")) for host in hosts if host.get("empty")),
        left=tuple(str(host.get("name")) for host in hosts if not host.get("empty")),
        moved=len(_dicts(result, "moves")),
    )


def _maintenance(result: Result) -> Maintenance:
    hosts = _dicts(result, "hosts")
    return Maintenance(
        succeeded=result.get("done") is True,
        done=tuple(str(host.get("name")) for host in hosts if host.get("state") == "done"),
        left=tuple(str(host.get("name")) for host in hosts if host.get("state") != "done"),
    )


def _application(result: Result) -> Application:
    return Application(
        succeeded=result.get("complete") is True,
        planned=_whole(result, "planned") or 0,
        done=_whole(result, "done") or 0,
    )


_SUMMARIES: dict[str, t.Callable[[Result], Summary]] = {
    "evacuation_result": _evacuation,
    "maintenance_result": _maintenance,
    "moves_compare": _application,
}


def _dicts(result: Result, key: str) -> list[Result]:
    found = result.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _word(result: Result, key: str) -> str | None:
    value = result.get(key)
    return value if isinstance(value, str) and value else None


def _whole(result: Result, key: str) -> int | None:
    value = figure(result, key)
    return None if value is None else int(value)
