# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that suspends after xl has given up is resumed, and what somebody else has suspended is left alone."""

from __future__ import annotations

import itertools
import select
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.copies import late_suspend
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.late_suspend import (
    LOOK_INTERVAL,
    LateSuspend,
    Next,
    Seen,
    decide,
    failure,
    possible,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.resuming import shutdown_node
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import CopyStays
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import CopyState
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import (
    AWAY,
    CRASH,
    NAME,
    SUSPEND,
    UUID,
    Dom0,
    Make,
    hurried,
)

Watch = t.Callable[..., LateSuspend]


@pytest.fixture
def dom0(make: Make) -> Dom0:
    """A host whose xl waits half a second for a guest."""
    return make(suspend_timeout_s=0.5)


@pytest.fixture
def watch(dom0: Dom0) -> t.Iterator[Watch]:
    """Return a function that begins to watch a copy."""
    made: list[LateSuspend] = []

    def begin(domid: int, seconds: float = 20.0, clock: t.Callable[[], float] = time.monotonic) -> LateSuspend:
        made.append(
            LateSuspend(dom0.xl, dom0.store, domid, UUID, NAME, seconds=seconds, clock=clock, socket_path=dom0.socket)
        )
        return made[-1]

    yield begin
    for late in made:
        late.close()


def failed_migration(dom0: Dom0) -> None:
    """Try to send the guest, which does not suspend in time."""
    command = """'printf "xl migration receiver ready, send binary domain data.\\n"; exec cat >/dev/null'"""
    done = dom0.host.run("sh", "-c", f"xl migrate -s '' {NAME} {command}")
    assert "failed to suspend at sender" in done.stderr, done.stderr


# The decision. ---

STATES = [None, *CopyState]
LOOKS = [Seen(*values) for values in itertools.product(STATES, *[(False, True)] * 3)]


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        (Seen(CopyState.RUNNING), Next.WATCH),
        (Seen(CopyState.PAUSED), Next.WATCH),
        (Seen(None), Next.WATCH),
        (Seen(CopyState.RUNNING, over=True), Next.QUIET),
        (Seen(None, over=True), Next.BLIND),
        (Seen(CopyState.SUSPENDED), Next.RESUME),
        (Seen(CopyState.SUSPENDED, over=True), Next.RESUME),
        (Seen(CopyState.SUSPENDED, others=True), Next.TAKEN_OVER),
        (Seen(CopyState.SUSPENDED, blind=True), Next.BLIND),
        (Seen(CopyState.ABSENT, others=True), Next.GONE),
        (Seen(CopyState.SHUT_DOWN), Next.SHUT_DOWN),
    ],
)
def test_decision(seen: Seen, what: Next) -> None:
    """Each kind of look, and what follows."""
    assert decide(seen) is what


def test_only_our_own_suspend_is_undone() -> None:
    """Of all looks, only one at a suspended copy that nobody else can have suspended resumes it; all end in time."""
    resumed = [seen for seen in LOOKS if decide(seen) is Next.RESUME]
    assert resumed and all(seen.state is CopyState.SUSPENDED and not seen.others and not seen.blind for seen in resumed)
    assert not [seen for seen in LOOKS if seen.over and decide(seen) is Next.WATCH]


# On a host. ---


@pytest.mark.parametrize("release", [(4, 17), (4, 20)])
def test_late_guest_is_resumed(make: Make, release: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """It agrees, xl gives up, it suspends: soon afterwards the same boot runs on under its own name."""
    # No look but one for which the watch was woken comes before the last one.
    monkeypatch.setattr(late_suspend, "LOOK_INTERVAL", 3600.0)
    dom0 = make(release, suspend_timeout_s=0.5)
    domid = dom0.start(suspend_s=6.0)
    before = dom0.host.guest()
    failed_migration(dom0)
    assert dom0.letters(domid) == f"r {NAME}"
    late = LateSuspend(dom0.xl, dom0.store, domid, UUID, NAME, seconds=120.0, socket_path=dom0.socket)
    begun = time.monotonic()
    outcome = late.run()
    assert time.monotonic() - begun < 100, "it was not woken"
    assert (outcome.end, outcome.withdrawn, outcome.error) == (Next.RESUME, False, None)
    assert failure(outcome.to_result(), NAME) is None
    assert outcome.done is not None and outcome.done.steps == ("resume",)
    after = dom0.host.guest()
    assert before is not None and after is not None
    assert (after["boot_id"], after["running"]) == (before["boot_id"], True)
    assert outcome.to_result()["done"]["monitor"] == ("lost" if release < (4, 20) else "kept")


def test_suspended_already(dom0: Dom0, watch: Watch) -> None:
    """xl did not resume it, or died before: it is resumed at once, and gets its name back."""
    domid = dom0.suspended(AWAY)
    outcome = watch(domid).tick()
    assert outcome is not None and (outcome.end, dom0.letters(domid)) == (Next.RESUME, f"r {NAME}")


def test_pending_request_is_withdrawn(dom0: Dom0, watch: Watch) -> None:
    """xl was killed while it waited: a guest that comes to it later must not find the request; no other is touched."""
    domid = dom0.start(suspend="ignore")
    node = shutdown_node(domid)
    dom0.store.write(node, "suspend")
    late = watch(domid, seconds=0.5)
    assert dom0.store.read(node) == ""
    outcome = late.run()
    assert (outcome.end, outcome.withdrawn) == (Next.QUIET, True)
    dom0.host.behave(NAME, suspend="normal")
    time.sleep(0.2)
    assert dom0.letters(domid) == f"r {NAME}"
    dom0.store.write(node, "halt-later")
    assert (watch(domid).withdrawn, dom0.store.read(node)) == (False, "halt-later")


def test_request_of_another_domain(dom0: Dom0) -> None:
    """The domid may have gone to another domain, whose requests are its own."""
    domid = dom0.start(suspend="ignore")
    dom0.store.write(shutdown_node(domid), "suspend")
    other = "11111111-2222-3333-4444-555555555555"
    late = LateSuspend(dom0.xl, dom0.store, domid, other, NAME, socket_path=dom0.socket)
    assert dom0.store.read(shutdown_node(domid)) == "suspend"
    outcome = late.run()
    assert (outcome.end, late.withdrawn) == (Next.GONE, False)


def test_what_somebody_else_asks_for_is_theirs(dom0: Dom0, watch: Watch) -> None:
    """A save that begins meanwhile suspends the guest and goes on with it: resuming it could make two."""
    domid = dom0.start()
    late = watch(domid)
    assert late.tick() is None
    dom0.host.faults({"point": "save.saved", "action": "stall"})
    dom0.in_the_background("xl", "save", NAME, "/dev/null")
    dom0.until(lambda: dom0.row(domid).state.suspended)
    outcome = late.run()
    assert (outcome.end, outcome.done) == (Next.TAKEN_OVER, None)
    assert dom0.row(domid).state.suspended
    dom0.host.kill("save")


def test_what_somebody_else_wants_suspended_stays_so(dom0: Dom0, watch: Watch) -> None:
    """``xl suspend``, from 4.20 on, asks and ends: when the guest has suspended nobody is at work any more."""
    # Time for the watch to see the request, however busy this machine is.
    domid = dom0.start(acknowledge_s=0.5)
    late = watch(domid)
    assert late.tick() is None
    dom0.store.write(shutdown_node(domid), "suspend")
    outcome = late.run()
    assert outcome.end is Next.TAKEN_OVER
    dom0.until(lambda: dom0.row(domid).state.suspended)


def test_what_somebody_else_has_under_way_is_theirs(dom0: Dom0, watch: Watch) -> None:
    """The same when its request came and went before we looked."""
    domid = dom0.start()
    dom0.host.faults({"point": "save.saved", "action": "stall"})
    dom0.in_the_background("xl", "save", NAME, "/dev/null")
    dom0.until(lambda: dom0.row(domid).state.suspended)
    outcome = watch(domid).run()
    assert (outcome.end, dom0.row(domid).state.suspended) == (Next.TAKEN_OVER, True)
    dom0.host.kill("save")


@pytest.mark.parametrize("zombie_s", [0.0, 60.0])
@pytest.mark.parametrize("end", [Next.GONE, Next.SHUT_DOWN])
def test_guest_that_ends(dom0: Dom0, watch: Watch, end: Next, zombie_s: float) -> None:
    """Destroyed, if only half, or crashed: there is nothing to wait for, and nothing is touched."""
    dom0.host.configure(zombie_s=zombie_s)
    domid = dom0.start()
    late = watch(domid)
    assert late.tick() is None
    if end is Next.GONE:
        dom0.xl.destroy(domid)
    else:
        dom0.shut_down(domid, CRASH)
    assert late.run().end is end


def test_blind(dom0: Dom0, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without XenStore nobody can tell who asked for a suspend; the loop is woken to learn that."""
    monkeypatch.setattr(late_suspend, "LOOK_INTERVAL", 3600.0)
    late = watch(dom0.start(), seconds=120.0)
    assert late.tick() is None
    dom0.host.power_off()
    begun = time.monotonic()
    outcome = late.run()
    assert outcome.end is Next.BLIND
    told = failure(outcome.to_result(), NAME)
    assert told is not None and "what it does is not known" in told.msg and "settle" in told.remedy
    assert time.monotonic() - begun < 100, "it was not woken"
    assert late.fileno() == -1


def test_resume_that_fails(dom0: Dom0, watch: Watch) -> None:
    """It is told, not raised: the session has ended, and has only this to add."""
    domid = dom0.suspended()
    dom0.host.faults({"point": "save.saved", "action": "kill"})
    outcome = watch(domid, clock=hurried).tick()
    assert outcome is not None and isinstance(outcome.error, CopyStays)
    assert outcome.to_result()["error"]["code"] == "copy_stays"
    told = failure(outcome.to_result(), NAME)
    assert told is not None and "was not resumed: the copy" in told.msg


def test_in_an_event_loop(dom0: Dom0, watch: Watch) -> None:
    """It is ready when there is something to look at, and otherwise wants to be called within its interval."""
    domid = dom0.start()
    late = watch(domid)
    while select.select([late.fileno()], [], [], 0.3)[0]:
        assert late.tick() is None
    assert 0 < late.wait() <= LOOK_INTERVAL
    dom0.host.record_points()
    assert late.tick() is None
    assert dom0.host.points() == [], "xl was asked without a reason"
    dom0.shut_down(domid, SUSPEND)
    assert select.select([late.fileno()], [], [], 10)[0]
    outcome = late.tick()
    assert outcome is not None and outcome.end is Next.RESUME
    assert late.tick() is outcome


def test_ends_in_time(dom0: Dom0, watch: Watch) -> None:
    """Two minutes are two minutes, by the clock that it was given: it is asked, and no other."""
    domid = dom0.start()
    seconds = 120.0
    begun, hurried_begun = time.monotonic(), hurried()
    assert watch(domid, seconds=seconds, clock=hurried).run().end is Next.QUIET
    assert hurried() - hurried_begun >= seconds
    assert time.monotonic() - begun < seconds


def test_what_xl_says_counts_more_than_a_domain_that_went_away() -> None:
    """The event of another domain's end looks like this guest's suspend."""
    moments = {"suspend_requested", "suspend_acknowledged", "source_suspended", "xl_exited"}
    said = ["libxl: error: suspend_common_wait_guest_timeout: Domain 1:guest did not suspend, timed out"]
    assert possible(moments, said)
    assert not possible(moments, ["migration sender: Saved state"])
    assert possible(moments - {"source_suspended"})
    assert not possible({"xl_exited"}, said)
