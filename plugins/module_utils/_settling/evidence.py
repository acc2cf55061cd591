# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host shows of an interrupted session: its journal, its processes, its copy (pure; private)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, DomainRow

# What a host is called of which nobody knows the name.
UNKNOWN_HOST = "(unknown host)"

# No copy, or what DomainState calls its state.
ABSENT = "absent"
RUNNING = "running"
PAUSED = "paused"
SUSPENDED = "suspended"
SHUT_DOWN = "shut_down"
DYING = "dying"

# Who held the permission, as the sender has put it on record.
ENGINE, CONTROLLER = "engine", "controller"
# What a receiver has put on record whose copy is not to be started.
LEAVE_PAUSED = "leave_paused"
# What has become of a later session of the domain that has no end.
LATER_LIVES, LATER_LEFT = "lives", "left"
# How a watch may end for a guest that shuts down only after its move has failed.
LATE_DOWN, LATE_BLIND, LATE_DISMISSED = "down", "blind", "dismissed"

# What xl migrate-receive says of its copy (tools/xl/xl_migrate.c migrate_receive; the spelling is Xen's).
_SAID_STARTED = "Domain started successsfully"
_SAID_DESTROYING = "Failure, destroying our copy"

_SOURCE, _DESTINATION, _ELSEWHERE = "source", "destination", "elsewhere"
# Written before xl is told to resume the domain, or before settling resumes it. The sender's own "gate_undone" counts
# too: what follows it may be missing from a full disk.
_BACKING_OUT = ("refused", "reported_returned", "resume", "rename_back", "go_on")


@dataclass(frozen=True)
class History(Record):
    """What a session's journal says. ``boot_id`` is that of the boot it ran in, ``domid`` its copy's within that boot.

    ``pauses``: the source's copy was to be paused, by ``xl save -p``.
    ``held``: the source's ``xl`` had written its permission, after which nothing but an answer makes it resume the
    domain; ``backed_out``: that answer is on record, or that settling resumes it, which alone is ``resumed``.
    ``tasks_open``: the caller's tasks at the gate were begun and are not undone, ``undo_wanted``: the sender waits for
    that before it lets the source run the domain. ``tasks_due``: the controller held the gate, and it is not on record
    that its tasks have come to their end, or undoing them was begun since.
    ``restartable``: the guest was asked to shut down for the move, and nothing says that it runs or was given up: so
    long a domain that is not there counts as one that is suspended, also after the host was started again, and is
    resumed by starting it from its configuration. That it ran at the end of the session says so only where it was
    watched for long enough afterwards. ``seen_down``: it was seen to shut down by itself, and has not run since.
    ``given_up``: settling has given up the source's copy.
    ``status`` is what the destination's ``xl`` reported, null when that is not on record. ``said_started`` and
    ``said_destroying`` are the last words of that ``xl``. ``leave_paused``: it was not to unpause the copy, so that
    one which is on record as ``running`` may never have run. ``killed``: the sender has sent SIGKILL to its ``xl``;
    ``told_running``: it has told it that the destination runs the domain.
    """

    boot_id: str | None = None
    domid: int | None = None
    pauses: bool = False
    held: bool = False
    asked: bool = False
    refused: bool = False
    backed_out: bool = False
    resumed: bool = False
    tasks_open: bool = False
    undo_wanted: bool = False
    tasks_due: bool = False
    restartable: bool = False
    seen_down: bool = False
    given_up: bool = False
    transferred: bool = False
    ready: bool = False
    committed: bool = False
    running: bool = False
    status: int | None = None
    said_started: bool = False
    said_destroying: bool = False
    concluded: str | None = None
    leave_paused: bool = False
    killed: bool = False
    told_running: bool = False


@dataclass(frozen=True)
class Left(Record):
    """A process that lives of the ``xl`` that a session has started.

    ``state`` is that of proc(5), such as T for one that is stopped; ``makes``: it is an ``xl create`` that makes one.
    """

    pid: int
    command: str
    state: str = ""
    makes: bool = False


@dataclass(frozen=True)
class Side(Record):
    """One host's evidence. ``trouble``: why it could not be looked at, if it said so.

    ``alive``: the session's process runs; ``ending``: it has come to its end and still sees to something; ``linked``:
    it has a link to the other's; ``waits``: it says that only settling can bring it to its end; ``barred``: it takes no
    commit any more; ``xl_alive``: the ``xl`` that it had started does, ``left``: as these
    processes.

    ``hostname`` is what the host calls itself: hosts restored from one running snapshot have one ``boot_id``.

    ``known``: it has a journal of the session. ``copy`` is one of the states above, of the copy ``domid``, which is
    called ``name``; ``ran``: it has used processor time; ``others``: how many more copies run. ``phantom``: there is no
    such copy, only the record by which one that is not there counts as suspended. ``superseded``: a later session of
    the domain has come to its end on this host, and says where the domain is. ``later``: there is one that has not,
    whose copy this may be; its process ``lives``, or it was ``left``. By the order that this host knows, sessions of
    the domain that were begun ``after`` this ``session`` and have no end, and those that were begun ``before`` it.

    A person may vouch for what cannot be seen: ``gone``, that this host is off for good or fenced from the storage,
    and ``vouched_ran``, whether the domain has run here.

    ``after_tasks`` is that of ``SessionSeen``.
    """

    RECORDS = {"history": History, "left": Left}

    host: str
    reachable: bool = True
    trouble: str = ""
    gone: bool = False
    vouched_ran: bool | None = None
    known: bool = False
    alive: bool = False
    ending: bool = False
    linked: bool = False
    waits: bool = False
    barred: bool = False
    xl_alive: bool = False
    left: tuple[Left, ...] = ()
    boot_id: str = ""
    hostname: str = ""
    copy: str = ABSENT
    domid: int | None = None
    name: str = ""
    ran: bool = False
    others: int = 0
    phantom: bool = False
    superseded: bool = False
    later: str = ""
    session: str = ""
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    history: History = History()
    after_tasks: str | None = None

    @property
    def rebooted(self) -> bool:
        """Whether the host was started again since the session; what had no other place than memory is gone."""
        return self.history.boot_id is not None and self.history.boot_id != self.boot_id

    @property
    def runs(self) -> bool:
        """Whether a copy runs here."""
        return self.copy == RUNNING

    @property
    def has_run(self) -> bool:
        """Whether a destination's copy shows that it has run: what never did is paused, and took no processor time."""
        return self.copy in (RUNNING, SHUT_DOWN, SUSPENDED) or (self.copy == PAUSED and self.ran)

    @property
    def half_destroyed(self) -> bool:
        """Whether a destination's copy was not started, and its ``xl`` had begun to destroy it: it is no good any more.

        That xl says so after it has written its status, which may be on no record (tools/xl/xl_migrate.c
        migrate_receive).
        """
        past = self.history
        return past.said_destroying and not (past.said_started or past.running or self.ran) and self.copy == PAUSED

    @property
    def half_made(self) -> bool:
        """Whether a source's copy was made anew after the guest had shut down for the move, and never let go.

        ``xl create`` lets it go when it is whole: that was cut off.
        """
        anew = self.rebooted or self.domid != self.history.domid
        paused = self.copy == PAUSED and not self.ran
        return self.history.restartable and self.history.domid is not None and anew and paused

    @property
    def arrived_paused(self) -> bool:
        """Whether a destination's copy is as it was to be: reported, under its own name, and not started."""
        past = self.history
        reported = past.leave_paused and past.committed and past.running and not past.status
        return reported and self.copy == PAUSED and not self.name.endswith(INCOMING)


def read_history(records: t.Sequence[t.Mapping[str, t.Any]], said: t.Sequence[str] = ()) -> History:
    """Return what a journal says.

    ``records`` are those that ``_session.journal.journal.read`` returns, ``said`` the last lines of this side's ``xl``.
    """
    steps = {str(record.get("step")): record.get("details") or {} for record in records}
    order = [str(record.get("step")) for record in records]
    started, undone = _last(order, "gate_tasks_started"), _last(order, "gate_undone")
    done = max(_last(order, "commit_requested"), _last(order, "gate_tasks_done"))
    late = steps.get("late_shutdown", {}).get("end")
    # Where it went down only after the end, or nobody could look, that end says nothing any more.
    counts = records[_last(order, "late_shutdown") + 1 :] if late in (LATE_DOWN, LATE_BLIND) else records
    went_on = any(_ends(record, _SOURCE) for record in records)
    watched = late not in (None, LATE_DISMISSED)
    by_controller = started >= 0 or steps.get("permission_held", {}).get("gate") == CONTROLLER
    return History(
        boot_id=steps.get("opened", {}).get("boot_id"),
        domid=steps.get("xl_started", {}).get("domid", steps.get("copy", {}).get("domid")),
        pauses="suspending" in steps,
        held="permission_held" in steps or "commit_requested" in steps,
        asked="commit_requested" in steps,
        refused="refused" in steps or "reported_returned" in steps,
        backed_out=any(_backs_out(record) for record in records),
        resumed="resume" in steps,
        tasks_open=started > undone,
        undo_wanted=_last(order, "waits_for_undo") > max(undone, _last(order, "commit_requested")),
        tasks_due=by_controller and done <= max(undone, _last(order, "gate_undo_started")),
        restartable="shutting_down" in steps and not any(_settles_it(record, watched) for record in counts),
        seen_down=("transferred" in steps and not went_on) or late == LATE_DOWN,
        given_up="destroy" in steps,
        transferred="transferred" in steps,
        ready="ready" in steps,
        committed="commit" in steps,
        running="running" in steps,
        status=steps.get("not_started", {}).get("status", 0 if "running" in steps else None),
        said_started=any(_SAID_STARTED in line for line in said),
        said_destroying=any(_SAID_DESTROYING in line for line in said),
        concluded=steps.get("settled", {}).get("owner"),
        leave_paused=steps.get("opened", {}).get(LEAVE_PAUSED) is True,
        killed="xl_killed" in steps and "xl_left" not in steps,
        told_running="reported_running" in steps,
    )


def _backs_out(record: t.Mapping[str, t.Any]) -> bool:
    step, details = record.get("step"), record.get("details") or {}
    if step in ("ended", "settled"):
        return details.get("owner") == _SOURCE
    return step in _BACKING_OUT or (step == "gate_undone" and "by" not in details)


def _settles_it(record: t.Mapping[str, t.Any], watched: bool) -> bool:
    if _ends(record, _SOURCE):
        # Who watches whether the guest goes down late may have been killed, or told to end.
        return watched
    step, details = record.get("step"), record.get("details") or {}
    if step in ("ended", "settled"):
        return details.get("owner") in (_SOURCE, _DESTINATION, _ELSEWHERE)
    return step in ("destroy", "reported_running")


def _ends(record: t.Mapping[str, t.Any], owner: str) -> bool:
    return record.get("step") == "ended" and (record.get("details") or {}).get("owner") == owner


def own_copy(rows: t.Sequence[DomainRow], history: History, rebooted: bool) -> tuple[DomainRow | None, int]:
    """Return this side's copy among those with the domain's UUID, and how many others run.

    A copy that runs counts before the one that was recorded: the guest may have rebooted, which gives it a new domid.
    A domid is good within one boot only.
    """
    if not rows:
        return None, 0
    known = [row for row in rows if not rebooted and row.domid == history.domid]
    running = [row for row in rows if row.state.word == RUNNING]
    own = (running or known or list(rows))[0]
    return own, sum(row is not own for row in running)


def paused_by_session(row: DomainRow, history: History, rebooted: bool) -> bool:
    """Say whether a copy is paused by its session's ``xl save -p``: others pause domains too, for what they do then."""
    return history.pauses and not rebooted and row.domid == history.domid and row.state.word == PAUSED


def _last(order: t.Sequence[str], step: str) -> int:
    return max((place for place, each in enumerate(order) if each == step), default=-1)
