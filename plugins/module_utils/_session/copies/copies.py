# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing one copy of a domain into the state that was decided, by its domid and UUID (private to the collection).

Every act looks at the copy first and refuses when it is not as it was seen, and looks again until it is as wanted.
What the hypervisor shows counts, not what xl returns: xl pause, unpause and resume return 0 whatever happens, and
xl destroy does not say "did not die" (tools/xl/xl_vmcontrol.c).
"""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts import hands
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    INCOMING,
    MIGRATED_AWAY,
    DomainRow,
    DomainState,
    Hand,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.done import Course, Done
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.resuming import (
    Clock,
    Sleep,
    monitor_after_suspend,
    resume,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.observe import copy_state
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import (
    CopyBusy,
    CopyChanged,
    CopyStays,
    RunsAlready,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Copy, CopyState
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

_LOOK_INTERVAL = 0.2
_LOOK_LIMIT = 40.0
# Where xl has said that it failed, only what it began is waited for.
_FAILED_LIMIT = 5.0
# Pauses nest; nobody nests them deeper by hand.
_PAUSES = 5

# What suspends, resumes or destroys a domain, or is about to, while it runs; xl pause and the like are done at once.
_IN_THE_WAY = ("xl migrate", "xl remus", "xl save", "xl suspend", "xl resume", "xl destroy", _procfs.SAVE_HELPER)


Record = t.Callable[[], None]


def _nothing() -> None:
    """Put nothing on record."""


class Copies:
    """The copies of one domain, ``uuid`` called ``name``, on this host.

    A domid is good within one boot of the host: whoever calls has seen it in this one, or compares
    (:mod:`settling.fence`).
    All methods raise :class:`CopyChanged` before anything is done, :class:`CopyStays` afterwards, and the errors of
    :class:`Xl` and :class:`XenStore`.
    """

    def __init__(
        self,
        xl: Xl,
        store: XenStore,
        uuid: str,
        name: str,
        sleep: Sleep = time.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        self._xl = xl
        self._store = store
        self._uuid = uuid.lower()
        self._name = name
        self._sleep = sleep
        self._clock = clock

    def destroy(self, domid: int, never_ran: bool = False, record: Record = _nothing) -> Done:
        """Destroy a copy that does not run, and wait until it is gone, or nothing but a zombie.

        ``record`` puts the act on record; it is called when nothing speaks against it, and before it is done.
        With ``never_ran`` a copy that has used processor time is refused; the resolution of that is 0.1 s.
        """
        row = self._expect(domid, _stands_still, "suspended or paused", (INCOMING, MIGRATED_AWAY, ""))
        if never_ran and row.cpu_time_s > 0:
            raise CopyChanged(f"the copy with domid {domid} ({row.name}) has run")
        record()
        course = Course()
        if not row.state.dying:
            course.attempt("destroy", lambda: self._xl.destroy(domid))
        seen = self._until(domid, course, lambda copy: copy is None, "gone", lambda copy: copy.state.dying)
        return self._done(seen, course)

    def rename_back(self, domid: int) -> Done:
        """Give a source's copy that runs, or is paused, the domain's own name back."""
        row = self._expect(domid, lambda state: state.alive, "running", (MIGRATED_AWAY, ""))
        course = Course()
        self._rename(row, course)
        return self._done(self._until(domid, course, lambda copy: copy is not None, "there"), course)

    def resume(self, domid: int, record: Record = _nothing) -> Done:
        """Resume a source's suspended copy under the domain's own name; ``record`` as in :meth:`destroy`.

        A copy that was paused as well, as ``xl save -p`` leaves it, is paused afterwards.
        """
        row = self._expect(domid, _suspended, "suspended", (MIGRATED_AWAY, ""), starts=True)
        info = self._xl.info()
        release = (info.major, info.minor)
        record()
        course = Course()
        self._rename(row, course)
        course.attempt("resume", lambda: resume(self._xl, self._store, domid, release, self._sleep, self._clock))
        seen = self._until(domid, course, lambda copy: copy is not None and copy.state.alive, "running")
        return self._done(seen, course, monitor_after_suspend(release))

    def roll_forward(self, domid: int, record: Record = _nothing, leave_paused: bool = False) -> Done:
        """Start a destination's copy that is complete and was never started, under the domain's own name.

        ``record`` as in :meth:`destroy`. That it is complete cannot be seen: the caller knows that its ``xl`` has said
        ready. With ``leave_paused`` it gets the name only, as ``xl migrate-receive -p`` does it.
        """
        row = self._expect(domid, _waits, "paused", (INCOMING, ""), starts=True)
        record()
        course = Course()
        self._rename(row, course)
        if leave_paused:
            return self._done(self._until(domid, course, lambda copy: copy is not None, "there"), course)
        return self._start(domid, course)

    def go_on(self, domid: int, record: Record = _nothing) -> Done:
        """Let a source's copy run here again which ``xl save -p`` has paused, or has left on the way to that.

        ``record`` as in :meth:`destroy`. A copy that runs is only given its name.
        """
        row = self._find(domid)
        if row is None or _runs(row.state):
            return self.rename_back(domid)
        done = self.resume(domid, record) if row.state.suspended else None
        row = self._expect(domid, lambda state: state.alive, "paused", (MIGRATED_AWAY, ""), starts=True)
        if done is None:
            record()
        elif not row.state.paused:
            return done
        course = Course(list(done.steps) if done else [])
        self._rename(row, course)
        return replace(self._start(domid, course), monitor=done.monitor if done else None)

    def _start(self, domid: int, course: Course) -> Done:
        for _dummy in range(_PAUSES):
            course.attempt("unpause", lambda: self._xl.unpause(domid))
            row, dummy = self._look(domid)
            if course.error is not None or row is None or not row.state.paused:
                break
        seen = self._until(domid, course, lambda copy: copy is not None and _runs(copy.state), "running")
        return self._done(seen, course)

    def _rename(self, row: DomainRow, course: Course) -> None:
        # A failure here ends the act: nothing has been done yet that could not be done again.
        if row.name != self._name:
            self._xl.rename(row.domid, self._name)
            course.steps.append("rename")

    def _rows(self) -> tuple[DomainRow, ...]:
        return tuple(row for row in self._xl.domains() if row.uuid == self._uuid)

    def _find(self, domid: int) -> DomainRow | None:
        return next((row for row in self._rows() if row.domid == domid), None)

    def _expect(
        self,
        domid: int,
        wanted: t.Callable[[DomainState], bool],
        words: str,
        endings: t.Container[str],
        starts: bool = False,
    ) -> DomainRow:
        """Return the copy, or refuse; ``endings`` are those its name may have behind the domain's own."""
        rows = self._rows()
        row = next((each for each in rows if each.domid == domid), None)
        if row is None:
            raise CopyChanged(f"there is no copy with domid {domid} any more")
        if not wanted(row.state):
            raise CopyChanged(f"the copy with domid {domid} ({row.name}) is not {words} any more")
        ours = row.name.startswith(self._name) and row.name[len(self._name) :] in endings
        if not ours and not row.state.dying:
            raise CopyChanged(f"the copy with domid {domid} is called {row.name}")
        if starts:
            twin = next((each for each in rows if each.domid != domid and _runs(each.state)), None)
            if twin is not None:
                raise RunsAlready(f"a copy with domid {twin.domid} ({twin.name}) runs on this host")
        hand = worker_on(domid, self._name)
        if hand is not None:
            text = f"process {hand.pid}, {hand.command}, works on the copy with domid {domid}"
            raise CopyBusy(text, pid=hand.pid, command=hand.command)
        return row

    def _until(
        self,
        domid: int,
        course: Course,
        reached: t.Callable[[DomainRow | None], bool],
        words: str,
        enough: t.Callable[[DomainRow], bool] = lambda dummy: False,
    ) -> DomainRow | None:
        """Look until it is ``reached``; when the time is over, what is ``enough`` will do."""
        deadline = self._clock() + (_LOOK_LIMIT if course.error is None else _FAILED_LIMIT)
        while True:
            seen, blind = self._look(domid)
            if blind is None and reached(seen):
                return seen
            if self._clock() >= deadline:
                break
            self._sleep(_LOOK_INTERVAL)
        if blind is not None:
            raise blind
        if seen is not None and enough(seen):
            return seen
        cause = f": {course.error.message}" if course.error is not None else ""
        done = self._done(seen, course).to_result()
        text = f"the copy with domid {domid} is not {words} after {', '.join(course.steps)}{cause}"
        raise CopyStays(text, steps=done["steps"], copy=done["copy"])

    def _look(self, domid: int) -> tuple[DomainRow | None, Dom0XenError | None]:
        try:
            return self._find(domid), None
        except Dom0XenError as exc:
            return None, exc

    @staticmethod
    def _done(row: DomainRow | None, course: Course, monitor: str | None = None) -> Done:
        zombie = row is not None and row.state.dying
        copy = Copy(CopyState.ABSENT)
        if row is not None:
            copy = Copy(copy_state(row.state), row.name, row.domid)
        return Done(copy, tuple(course.steps), monitor, zombie, course.error.message if course.error else None)


def worker_on(domid: int, name: str) -> Hand | None:
    """Return a process other than this one and its children that takes the domain away, resumes or destroys it."""
    hand = hands.hand_on(domid, name, (os.getpid(),))
    return hand if hand is not None and hand.command in _IN_THE_WAY else None


def _stands_still(state: DomainState) -> bool:
    return state.dying or state.suspended or _waits(state)


def _suspended(state: DomainState) -> bool:
    return state.suspended and not state.dying


def _waits(state: DomainState) -> bool:
    return state.alive and state.paused


def _runs(state: DomainState) -> bool:
    return state.alive and not state.paused
