# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that was asked to suspend, and does so only after xl has given up (private to the collection).

libxl waits 60 s for the guest to agree and 60 s for it to suspend, and then leaves it to itself
(tools/libs/light/libxl_dom_suspend.c): what suspends later stands still, and nobody resumes it.
"""

from __future__ import annotations

import select
import time
import typing as t
from dataclasses import dataclass
from enum import Enum

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies, worker_on
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.done import Done
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.resuming import (
    SUSPEND,
    Clock,
    Sleep,
    shutdown_node,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.unsuspended import stayed_awake
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.observe import copy_state
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import SUSPENDED, CopyState, Failure
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.watch import RELEASE_DOMAIN, DomainWatch

WATCH_S = 120.0
# Without an event of XenStore the hypervisor is asked this often; xl list costs a dom0 next to nothing.
LOOK_INTERVAL = 10.0


Wait = t.Callable[[int, float], None]


def _select(descriptor: int, seconds: float) -> None:
    select.select([descriptor] if descriptor >= 0 else [], [], [], seconds)


class Next(str, Enum):
    """What is to be done now, or why nothing is to be done any more."""

    WATCH = "watch"
    RESUME = "resume"
    QUIET = "quiet"
    GONE = "gone"
    SHUT_DOWN = "shut_down"
    TAKEN_OVER = "taken_over"
    BLIND = "blind"
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class Seen:
    """A look at the copy; ``state`` is None when xl could not tell.

    ``others``: somebody else works on the domain, or has asked its guest for something since; ``blind``: the watch
    that would tell was lost; ``over``: the time is.
    """

    state: CopyState | None
    others: bool = False
    blind: bool = False
    over: bool = False


def decide(seen: Seen) -> Next:
    """Return what follows from a look.

    Only this session's own suspend is undone: when somebody else has asked for one, or has a save or migration on the
    way, what suspends is theirs, and resuming it could make two running copies. The same when it cannot be known.
    """
    if seen.state is CopyState.ABSENT:
        return Next.GONE
    if seen.state is CopyState.SHUT_DOWN:
        return Next.SHUT_DOWN
    if seen.others:
        return Next.TAKEN_OVER
    if seen.blind or (seen.state is None and seen.over):
        return Next.BLIND
    if seen.state is CopyState.SUSPENDED:
        return Next.RESUME
    return Next.QUIET if seen.over else Next.WATCH


@dataclass(frozen=True)
class Outcome:
    """How it went: ``end`` is ``resume`` when the guest suspended after all, and ``done`` or ``error`` what came of it.

    ``withdrawn``: a request was still pending and has been taken back.
    """

    end: Next
    withdrawn: bool = False
    done: Done | None = None
    error: Dom0XenError | None = None

    def to_result(self) -> dict[str, t.Any]:
        """Return it as plain values."""
        return {
            "end": self.end.value,
            "withdrawn": self.withdrawn,
            "done": self.done.to_result() if self.done else None,
            "error": self.error.as_result() if self.error else None,
        }


def possible(timeline: t.Container[str], said: t.Iterable[str] = ()) -> bool:
    """Say whether the guest may suspend after the session: it was asked to, ``xl`` has ended, and it never did.

    ``timeline`` holds the names of the moments that the session has seen, ``said`` the last lines of ``xl``. Another
    domain that went away meanwhile looks like a suspend; ``xl``, which asked the hypervisor, knows better
    (tools/libs/light/libxl_dom_suspend.c).
    """
    suspended = SUSPENDED in timeline and not stayed_awake(said)
    return "suspend_requested" in timeline and "xl_exited" in timeline and not suspended


class LateSuspend:
    """Watches one source's copy for ``seconds`` after a failure before the commit was asked for.

    Making it takes back what is pending. Put it into a selector, and call :meth:`tick` when it is readable and at
    least every :meth:`wait` seconds until :attr:`outcome` is there. Whoever makes it holds the domain's lock until
    then: a session that starts meanwhile would have its own suspend undone.
    Raises the errors of :class:`XenStore` and :class:`DomainWatch`.
    """

    def __init__(
        self,
        xl: Xl,
        store: XenStore,
        domid: int,
        uuid: str,
        name: str,
        *,
        seconds: float = WATCH_S,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
        socket_path: str | None = None,
    ) -> None:
        self._xl = xl
        self._copies = Copies(xl, store, uuid, name, sleep, clock)
        self._domid = domid
        self._uuid = uuid.lower()
        self._name = name
        self._clock = clock
        self._deadline = clock() + seconds
        self._look_at = clock()
        self._others = False
        self._requests = -1
        self.outcome: Outcome | None = None
        node = shutdown_node(domid)
        self.withdrawn = store.uuid(domid) == self._uuid and store.read(node) == SUSPEND
        if self.withdrawn:
            store.write(node, "")
        self._node = node
        # Only now: every change from here on is somebody else's doing.
        self._watch = DomainWatch([node], socket_path=socket_path, special=(RELEASE_DOMAIN,))

    def fileno(self) -> int:
        """Return the descriptor to watch, -1 when XenStore's connection is lost."""
        return -1 if self._watch.lost else self._watch.fileno()

    def wait(self) -> float:
        """Return how many seconds there may be until the next :meth:`tick`."""
        return max(0.0, min(self._look_at, self._deadline) - self._clock())

    def tick(self) -> Outcome | None:
        """Look if there is reason to; return the outcome once there is one. Takes seconds only when it resumes."""
        if self.outcome is not None:
            return self.outcome
        events = self._watch.read()
        for event in events:
            if event.path == self._node:
                # The first event only says that the watch is set.
                self._requests += 1
        self._others = self._others or self._requests > 0
        now = self._clock()
        over = now >= self._deadline
        if events or over or self._watch.lost or now >= self._look_at:
            self._look_at = now + LOOK_INTERVAL
            self._follow(decide(self._look(over)))
        return self.outcome

    def run(self, wait: Wait = _select, dismissed: t.Callable[[], bool] = lambda: False) -> Outcome:
        """Watch until something has come of it or somebody dismisses, and close. ``wait`` waits for a descriptor."""
        try:
            while not dismissed():
                outcome = self.tick()
                if outcome is not None:
                    return outcome
                wait(self.fileno(), self.wait())
            return Outcome(Next.DISMISSED, self.withdrawn)
        finally:
            self.close()

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()

    def _look(self, over: bool) -> Seen:
        return Seen(self._state(), self._others or self._worker(), self._watch.lost, over)

    def _state(self) -> CopyState | None:
        try:
            rows = self._xl.domains()
        except Dom0XenError:
            return None
        row = next((row for row in rows if row.domid == self._domid and row.uuid == self._uuid), None)
        return CopyState.ABSENT if row is None or row.state.dying else copy_state(row.state)

    def _worker(self) -> bool:
        return worker_on(self._domid, self._name) is not None

    def _follow(self, what: Next) -> None:
        if what is Next.WATCH:
            return
        done, error = None, None
        if what is Next.RESUME:
            try:
                done = self._copies.resume(self._domid)
            except Dom0XenError as exc:
                error = exc
        self.outcome = Outcome(what, self.withdrawn, done, error)


def follow(
    xl: Xl, store: XenStore, domid: int, uuid: str, name: str, wait: Wait, dismissed: t.Callable[[], bool]
) -> dict[str, t.Any]:
    """Follow a guest after the session's end; return what came of it, as :meth:`Outcome.to_result` does.

    ``wait`` waits for a descriptor, at most so many seconds. What the guest does after it was dismissed is for whoever
    settles (:mod:`settling.unwatched`). Raises nothing: the session is over.
    """
    try:
        late = LateSuspend(xl, store, domid, uuid, name)
    except Dom0XenError as exc:
        return Outcome(Next.BLIND, error=exc).to_result()
    return late.run(wait, dismissed).to_result()


def failure(outcome: t.Mapping[str, t.Any], name: str) -> Failure | None:
    """Return why it is not known any more that the domain runs here, None where it is, or is somebody else's."""
    cause = (outcome.get("error") or {}).get("msg")
    if outcome.get("end") == Next.RESUME.value and cause:
        how = "suspended after the move had failed, and was not resumed"
    elif outcome.get("end") == Next.BLIND.value:
        how = "may have suspended after the move had failed, and what it does is not known"
    else:
        return None
    text = f"{name} {how}: {cause or 'it could not be watched'}"
    return Failure("late_suspend", text, remedy="Run dom0.xen.settle for the domain.")
