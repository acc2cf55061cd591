# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy is brought into the state that was decided, or refused when it is not as it was seen."""

from __future__ import annotations

import time

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.copies.resuming import monitor_after_suspend
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import errors
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import CopyState
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import XlFailed
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import (
    AWAY,
    CRASH,
    GUEST,
    INCOMING,
    NAME,
    SUSPEND,
    UUID,
    Dom0,
    Make,
    hurried,
)


@pytest.fixture
def dom0(make: Make) -> Dom0:
    """A host with Xen 4.17, where a suspended guest that nobody speaks for is waited for a second."""
    return make(suspend_timeout_s=1.0)


# Resuming a source. ---


@pytest.mark.parametrize("name", [NAME, AWAY])
@pytest.mark.parametrize(("release", "monitor"), [((4, 17), "lost"), ((4, 20), "kept")])
def test_resumed(make: Make, release: tuple[int, int], monitor: str, name: str) -> None:
    """The same boot runs on under its own name, and before 4.20 nobody waits for a guest that cannot answer."""
    dom0 = make(release, suspend_timeout_s=40.0)
    domid = dom0.suspended(name)
    before = dom0.host.machine.call("guest", domid=domid)
    begun = time.monotonic()
    done = dom0.copies().resume(domid)
    assert time.monotonic() - begun < 20
    after = dom0.host.guest()
    assert after is not None and (after["boot_id"], after["running"]) == (before["boot_id"], True)
    assert (done.copy.state, done.copy.name, done.copy.domid) == (CopyState.RUNNING, NAME, domid)
    assert done.steps == (("resume",) if name == NAME else ("rename", "resume"))
    assert (done.monitor, done.xl_error, done.zombie) == (monitor, None, False)
    assert done.to_result()["copy"] == {"state": "running", "name": NAME, "domid": domid}


@pytest.mark.parametrize("release", [(4, 17), (4, 20)])
@pytest.mark.parametrize("state", ["running", "paused", "crashed", "dying"])
def test_only_what_is_suspended_is_resumed(make: Make, release: tuple[int, int], state: str) -> None:
    """In every other state nothing is run at all: xl save would suspend a running guest in earnest."""
    dom0 = make(release, zombie_s=60.0)
    domid = dom0.start()
    if state == "paused":
        dom0.xl.pause(domid)
    elif state == "crashed":
        dom0.shut_down(domid, CRASH)
    elif state == "dying":
        dom0.shut_down(domid, SUSPEND)
        dom0.xl.destroy(domid)
    dom0.host.record_points()
    with pytest.raises(errors.CopyChanged, match="not suspended"):
        dom0.copies().resume(domid)
    assert not {"save.start", "resume.start", "rename.start"} & set(dom0.host.points())


def test_paused_copy_stays_paused(dom0: Dom0) -> None:
    """Somebody has paused it, or xl save -p was killed half-way: whether it may run is another question."""
    domid = dom0.suspended(AWAY)
    dom0.xl.pause(domid)
    done = dom0.copies().resume(domid)
    assert (done.copy.state, dom0.letters(domid)) == (CopyState.PAUSED, f"p {NAME}")
    assert dom0.copies().go_on(domid).steps == ("unpause",)
    assert dom0.letters(domid) == f"r {NAME}"


@pytest.mark.parametrize("name", [NAME, AWAY])
@pytest.mark.parametrize(
    ("suspended", "pauses", "steps"),
    [(False, 1, ["unpause"]), (False, 2, ["unpause"] * 2), (True, 1, ["resume", "unpause"]), (True, 0, ["resume"])],
    ids=["paused", "paused twice", "on the way to that", "suspended only"],
)
def test_a_copy_that_was_saved_goes_on(dom0: Dom0, name: str, suspended: bool, pauses: int, steps: list[str]) -> None:
    """However far xl save -p had come, the guest runs again under its own name, and the record comes first."""
    domid = dom0.suspended(name) if suspended else dom0.start()
    if not suspended and name != NAME:
        dom0.xl.rename(domid, name)
    for _dummy in range(pauses):
        dom0.xl.pause(domid)
    seen: list[str] = []
    done = dom0.copies().go_on(domid, lambda: seen.append(dom0.letters(domid)))
    renamed = [] if name == NAME else ["rename"]
    assert list(done.steps) == [*renamed, *steps]
    assert seen == [("s" if suspended else "") + ("p" if pauses else "") + f" {name}"]
    assert dom0.letters(domid) == f"r {NAME}"


def test_a_copy_that_runs_only_gets_its_name(dom0: Dom0) -> None:
    """Whoever was faster has let it go on."""
    domid = dom0.start()
    assert dom0.copies().go_on(domid).steps == ()
    dom0.xl.rename(domid, AWAY)
    assert dom0.copies().go_on(domid).steps == ("rename",)
    assert dom0.letters(domid) == f"r {NAME}"


def test_resumed_without_xenstore(dom0: Dom0) -> None:
    """When we cannot speak for the guest, xl gives up waiting and resumes it all the same."""
    domid = dom0.suspended()
    dom0.store.close()
    assert dom0.copies().resume(domid).copy.state is CopyState.RUNNING


def test_request_that_was_left_over(make: Make) -> None:
    """It is not taken for that of our own xl, which would then wait in vain."""
    dom0 = make(suspend_timeout_s=40.0)
    domid = dom0.suspended()
    dom0.store.write(f"/local/domain/{domid}/control/shutdown", "suspend")
    begun = time.monotonic()
    dom0.copies().resume(domid)
    assert time.monotonic() - begun < 20


def test_failed_save_that_resumed(dom0: Dom0) -> None:
    """xl save resumes after a failure as well and ends with 1: what the hypervisor shows is what counts."""
    domid = dom0.suspended()
    dom0.host.faults({"point": "save.suspended", "action": "kill"})
    done = dom0.copies().resume(domid)
    assert (done.copy.state, dom0.letters(domid)) == (CopyState.RUNNING, f"r {NAME}")
    assert done.xl_error is not None and "exit status 1" in done.xl_error


def test_failed_resume(dom0: Dom0) -> None:
    """xl that dies before it resumes leaves the copy suspended, and says so with what was done."""
    domid = dom0.suspended(AWAY)
    dom0.host.faults({"point": "save.saved", "action": "kill"})
    with pytest.raises(errors.CopyStays, match="exit status -9") as caught:
        dom0.copies(clock=hurried).resume(domid)
    assert caught.value.details["steps"] == ["rename", "resume"]
    assert caught.value.details["copy"] == {"state": "suspended", "name": NAME, "domid": domid}
    assert dom0.copies().resume(domid).steps == ("resume",)


def test_resume_that_xl_says_nothing_of(make: Make) -> None:
    """From 4.20 on xl resume returns 0 whatever happened; the look afterwards finds out."""
    dom0 = make((4, 20))
    domid = dom0.suspended()
    dom0.host.faults({"point": "resume.start", "action": "exit", "status": 0})
    with pytest.raises(errors.CopyStays, match="not running"):
        dom0.copies(clock=hurried).resume(domid)


def test_stuck_save_is_ended(dom0: Dom0) -> None:
    """What is left behind would resume the copy when somebody has long decided otherwise."""
    domid = dom0.suspended()
    dom0.host.faults({"point": "save.start", "action": "stall"})
    with pytest.raises(errors.CopyStays, match="did not end"):
        dom0.copies(clock=hurried).resume(domid)
    assert dom0.host.left_over() == []
    assert dom0.letters(domid) == f"s {NAME}"


def test_monitor() -> None:
    """It outlives a suspend from 4.20 on; a first number is compared before a second."""
    releases = [(4, 14), (4, 19), (4, 20), (4, 22), (5, 0), (3, 99)]
    kept = [release for release in releases if monitor_after_suspend(release) == "kept"]
    assert kept == [(4, 20), (4, 22), (5, 0)]


# Starting a destination's. ---


@pytest.mark.parametrize("pauses", [0, 2])
@pytest.mark.parametrize("name", [NAME, INCOMING])
def test_rolled_forward(dom0: Dom0, name: str, pauses: int) -> None:
    """It runs under its own name, however often somebody has paused it besides."""
    domid = dom0.restored(name)
    for _dummy in range(pauses):
        dom0.xl.pause(domid)
    done = dom0.copies().roll_forward(domid)
    renamed = () if name == NAME else ("rename",)
    assert done.steps == (*renamed, *["unpause"] * (pauses + 1))
    assert (done.copy.state, dom0.letters(domid)) == (CopyState.RUNNING, f"r {NAME}")


@pytest.mark.parametrize("name", [NAME, INCOMING])
def test_rolled_forward_and_left_paused(dom0: Dom0, name: str) -> None:
    """It has its own name, was not started, and the record comes before it is touched."""
    domid = dom0.restored(name)
    seen: list[str] = []
    done = dom0.copies().roll_forward(domid, lambda: seen.append(dom0.letters(domid)), leave_paused=True)
    assert done.steps == (() if name == NAME else ("rename",))
    assert (done.copy.state, done.copy.name, dom0.letters(domid)) == (CopyState.PAUSED, NAME, f"p {NAME}")
    assert seen == [f"p {name}"]


def test_more_pauses_than_anybody_makes(dom0: Dom0) -> None:
    """It is not unpaused for ever."""
    domid = dom0.restored()
    for _dummy in range(9):
        dom0.xl.pause(domid)
    with pytest.raises(errors.CopyStays, match="not running"):
        dom0.copies(clock=hurried).roll_forward(domid)
    assert dom0.letters(domid) == f"p {NAME}"


@pytest.mark.parametrize("state", ["running", "suspended", "sent"])
def test_only_what_waits_is_rolled_forward(dom0: Dom0, state: str) -> None:
    """A source's copy, or one that runs, is not what was seen."""
    domid = dom0.restored(AWAY if state == "sent" else INCOMING)
    if state != "sent":
        dom0.xl.unpause(domid)
    if state == "suspended":
        dom0.shut_down(domid, SUSPEND)
    before = dom0.letters(domid)
    with pytest.raises(errors.CopyChanged):
        dom0.copies().roll_forward(domid)
    assert dom0.letters(domid) == before


def test_name_taken(dom0: Dom0) -> None:
    """It is found before the copy is started, so that nothing has happened."""
    domid = dom0.restored()
    dom0.host.start_guest(type(GUEST)(uuid="11111111-2222-3333-4444-555555555555", compact=True, memory_mib=8))
    with pytest.raises(XlFailed, match="rename"):
        dom0.copies().roll_forward(domid)
    assert dom0.letters(domid) == f"p {INCOMING}"


def test_unpause_that_failed(dom0: Dom0) -> None:
    """xl is not believed when it returns 0."""
    domid = dom0.restored()
    dom0.host.faults({"point": "unpause.start", "action": "exit", "status": 0, "times": 9})
    with pytest.raises(errors.CopyStays):
        dom0.copies(clock=hurried).roll_forward(domid)
    assert dom0.letters(domid) == f"p {NAME}"


# Destroying, renaming. ---


def test_destroyed(dom0: Dom0) -> None:
    """A copy of either side; the other copy with the same UUID stays."""
    sent = dom0.suspended(AWAY)
    received = dom0.restored()
    done = dom0.copies().destroy(received, never_ran=True)
    assert (done.copy.state, done.steps, done.zombie) == (CopyState.ABSENT, ("destroy",), False)
    assert [row.domid for row in dom0.xl.domains() if row.uuid == UUID] == [sent]
    dom0.copies().destroy(sent)
    assert [row.domid for row in dom0.xl.domains()] == [0]


def test_what_runs_is_not_destroyed(dom0: Dom0) -> None:
    """Whatever was seen before: a copy that runs is somebody's guest; and one that has run, where that counts."""
    domid = dom0.start(load=100.0)
    with pytest.raises(errors.CopyChanged, match="not suspended or paused"):
        dom0.copies().destroy(domid)
    dom0.xl.pause(domid)
    with pytest.raises(errors.CopyChanged, match="has run"):
        dom0.copies().destroy(domid, never_ran=True)
    assert dom0.letters(domid) == f"p {NAME}"


def test_destroy_that_failed(dom0: Dom0) -> None:
    """The copy is still there, with what xl said."""
    domid = dom0.suspended(AWAY)
    dom0.host.faults({"point": "destroy.start", "action": "exit", "status": 1})
    with pytest.raises(errors.CopyStays, match="not gone after destroy: xl destroy"):
        dom0.copies(clock=hurried).destroy(domid)
    assert dom0.letters(domid) == f"s {AWAY}"


def test_zombie(make: Make) -> None:
    """Somebody holds its memory: it is waited for, and told when it does not go; it cannot run any more."""
    dom0 = make(zombie_s=60.0)
    domid = dom0.suspended(AWAY)
    done = dom0.copies(clock=hurried).destroy(domid)
    assert (done.zombie, done.copy.domid, done.steps) == (True, domid, ("destroy",))
    assert dom0.row(domid).state.dying and dom0.row(domid).name == ""
    dom0.host.record_points()
    again = dom0.copies(clock=hurried).destroy(domid)
    assert (again.zombie, again.steps, "destroy.start" in dom0.host.points()) == (True, (), False)


def test_zombie_that_goes(make: Make) -> None:
    """A backend that lets go a moment later is the usual case, and no finding."""
    dom0 = make(zombie_s=0.5)
    done = dom0.copies().destroy(dom0.suspended(AWAY))
    assert (done.zombie, done.copy.state) == (False, CopyState.ABSENT)


def test_renamed_back(dom0: Dom0) -> None:
    """The copy that xl resumed without giving it its name back; not one that stands still."""
    domid = dom0.start()
    dom0.xl.rename(domid, AWAY)
    assert dom0.copies().rename_back(domid).steps == ("rename",)
    assert dom0.letters(domid) == f"r {NAME}"
    dom0.shut_down(domid, SUSPEND)
    with pytest.raises(errors.CopyChanged):
        dom0.copies().rename_back(domid)


# What every act refuses. ---

ACTS = ("destroy", "resume", "roll_forward", "rename_back", "go_on")


def test_another_domain_with_the_domid(dom0: Dom0) -> None:
    """A domid alone names nothing: the UUID is compared."""
    uuid = "11111111-2222-3333-4444-555555555555"
    domid = dom0.host.start_guest(type(GUEST)(uuid=uuid, compact=True, memory_mib=8))
    dom0.xl.pause(domid)
    for act in ACTS:
        for wanted in (domid, domid + 1):
            with pytest.raises(errors.CopyChanged, match="no copy"):
                getattr(dom0.copies(), act)(wanted)
    assert dom0.letters(domid) == f"p {NAME}"


def test_another_name(dom0: Dom0) -> None:
    """Whoever gave it that name has something in mind."""
    domid = dom0.restored("keep-this")
    for act in ACTS:
        if act == "resume":
            continue
        with pytest.raises(errors.CopyChanged, match="called keep-this"):
            getattr(dom0.copies(), act)(domid)
    dom0.xl.unpause(domid)
    dom0.shut_down(domid, SUSPEND)
    with pytest.raises(errors.CopyChanged, match="called keep-this"):
        dom0.copies().resume(domid)
    assert dom0.row(domid).name == "keep-this"


@pytest.mark.parametrize("act", ["resume", "roll_forward"])
def test_runs_already(dom0: Dom0, act: str) -> None:
    """Two copies of one domain on one host: the second is never started while the first runs."""
    domid = dom0.restored()
    if act == "resume":
        dom0.xl.unpause(domid)
        dom0.shut_down(domid, SUSPEND)
        dom0.xl.rename(domid, AWAY)
    twin = dom0.restored(NAME)
    dom0.xl.unpause(twin)
    before = dom0.letters(domid)
    with pytest.raises(errors.RunsAlready, match=f"domid {twin} "):
        getattr(dom0.copies(), act)(domid)
    assert (dom0.letters(domid), dom0.letters(twin)) == (before, f"r {NAME}")


@pytest.mark.parametrize("act", ["destroy", "resume", "go_on"])
def test_somebody_at_work(dom0: Dom0, act: str) -> None:
    """What another process is about to resume or to destroy is left to it."""
    domid = dom0.suspended(AWAY)
    dom0.host.faults({"point": "save.start", "action": "stall"})
    dom0.in_the_background("xl", "save", "-c", AWAY, "/dev/null")
    dom0.until(lambda: bool(dom0.host.left_over()) and not dom0.host.paths.faults.read_text().strip("[]"))
    with pytest.raises(errors.CopyBusy, match="xl save") as caught:
        getattr(dom0.copies(), act)(domid)
    assert caught.value.details["command"] == "xl save"
    dom0.host.kill("save")
    assert dom0.letters(domid) == f"s {AWAY}"


def test_refused_act_is_not_on_record(dom0: Dom0) -> None:
    """Whoever settles next would otherwise take a commit for given, or a copy for resumed."""
    domid, noted = dom0.start(), list[str]()
    copies = dom0.copies()
    for act in (copies.destroy, copies.resume, copies.roll_forward):
        with pytest.raises(errors.CopyChanged):
            act(domid, record=lambda: noted.append("record"))
    assert noted == []
    dom0.xl.pause(domid)
    copies.roll_forward(domid, record=lambda: noted.append(dom0.letters(domid)))
    assert noted == [f"p {NAME}"] and dom0.letters(domid) == f"r {NAME}"
