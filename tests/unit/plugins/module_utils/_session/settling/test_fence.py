# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs settle one session at the same time."""

from __future__ import annotations

import contextlib
import os
import pathlib
import resource
import shutil
import threading
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainBusy, DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import sessions_seen
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import conclusion, fence, settle
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import AnotherBoot
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import DESTROY, RESUME
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import NAME, UUID, Make

# Nothing here has to do with a domain that is there.
XL = Xl(subprocess_runner(), "/nowhere/xl")


@pytest.fixture
def first(tmp_path: pathlib.Path) -> Here:
    """The run that looked first, at the source's side of an interrupted session."""
    (tmp_path / "run").mkdir()
    here = Here(str(tmp_path / "run"), str(tmp_path / "lib"), "0123456789abcdef", "sender", UUID, "centos", "first")
    pathlib.Path(here.journal).mkdir(parents=True)
    fence.mark(here)
    return here


@pytest.fixture
def second(first: Here) -> Here:
    """The run that has looked after it."""
    here = replace(first, settler="second")
    fence.mark(here)
    return here


def _later(seconds: float, do: t.Callable[[], t.Any]) -> threading.Timer:
    timer = threading.Timer(seconds, do)
    timer.start()
    return timer


def test_both_come_to_the_same_end(first: Here, second: Here) -> None:
    """The one whose turn it is not waits for the other's end, and has no news."""
    other = _later(0.3, lambda: conclusion.conclude(second, XL, "source", "stayed", 1))
    assert conclusion.conclude(first, XL, "source", "stayed", 20) is False
    other.join()
    assert first.history().concluded == "source"


def test_the_other_comes_to_another_end(first: Here, second: Here) -> None:
    """Two that disagree are not both right: the run fails, and what is on record stays."""
    other = _later(0.3, lambda: conclusion.conclude(second, XL, "destination", "moved", 1))
    with pytest.raises(fence.FenceTaken):
        conclusion.conclude(first, XL, "source", "stayed", 20)
    other.join()
    assert first.history().concluded == "destination"


def test_the_other_does_nothing(first: Here, second: Here) -> None:
    """Somebody who died after a look is not waited for for ever."""
    with pytest.raises(fence.FenceTaken) as caught:
        conclusion.conclude(first, XL, "source", "stayed", 0.3)
    assert caught.value.code == "settled_by_another"
    assert second.history().concluded is None


def test_the_other_is_waited_for_while_it_goes_on(first: Here, second: Here) -> None:
    """A step of the other run counts: it may need longer than the wait for all of them together."""
    steps = [_later(each / 4, lambda: fence.mark(second)) for each in range(1, 5)]
    end = _later(1.3, lambda: conclusion.conclude(second, XL, "source", "stayed", 1))
    assert conclusion.conclude(first, XL, "source", "stayed", 0.6) is False
    for timer in (*steps, end):
        timer.join()


def test_a_step_that_the_other_has_made_needless(first: Here, second: Here) -> None:
    """It is not taken: the run is to look again."""
    other = _later(0.3, lambda: conclusion.conclude(second, XL, "source", "stayed", 1))
    done = settle.act(first, XL, settle.Act(RESUME, domid=7), 20)
    other.join()
    assert done == {"changed": False, "accepted": False}


def test_what_was_seen_before_a_restart_is_not_acted_upon(make: Make, first: Here) -> None:
    """The mark outlives the restart; the number and the UUID may then be those of a copy that was started at boot."""
    dom0, here = make(), replace(first, settler="third")
    domid = dom0.suspended()
    file = journal.Journal(here.journal)
    file.write("gate_tasks_started")
    file.write("fenced", {"by": here.settler, "boot_id": "an earlier one"})
    file.close()
    done = settle.act(here, dom0.xl, settle.Act(DESTROY, domid=domid), 20)
    assert (done["changed"], done["accepted"]) == (False, False) and "started again" in done["msg"]
    assert dom0.letters(domid) == f"s {NAME}"
    assert settle.undone(here, 20) is False
    with pytest.raises(AnotherBoot):
        conclusion.conclude(here, dom0.xl, "destination", "moved", 20)
    assert here.history().concluded is None
    assert settle.look(here, dom0.xl, 20).domid == domid
    assert settle.act(here, dom0.xl, settle.Act(DESTROY, domid=domid), 20) == {"changed": True}


@contextlib.contextmanager
def no_room_for(here: Here) -> t.Iterator[None]:
    """Let no record reach the journal: it has come to the size that a file may have, and no other file is as large."""
    file = journal.Journal(here.journal)
    file.write("filler", {"text": "x" * 65536})
    fence.mark(here)
    file.close()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = os.path.getsize(os.path.join(here.journal, journal.FILE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("verb", [RESUME, DESTROY])
def test_what_cannot_be_put_on_record_is_not_done(make: Make, first: Here, verb: str) -> None:
    """Whoever settles after a power loss would know nothing of it; with room again it is done."""
    dom0 = make()
    domid = dom0.suspended()
    with no_room_for(first):
        records = journal.read(first.journal)
        with pytest.raises(OSError, match="File too large"):
            settle.act(first, dom0.xl, settle.Act(verb, domid=domid), 20)
        with pytest.raises(OSError, match="File too large"):
            settle.look(first, dom0.xl, 20)
    assert dom0.letters(domid) == f"s {NAME}"
    assert journal.read(first.journal) == records
    assert settle.act(first, dom0.xl, settle.Act(verb, domid=domid), 20)["changed"]


def test_the_lock_is_held_for_a_step_of_the_other(first: Here) -> None:
    """A run that comes upon it waits; only what does not end is an error."""
    lock = DomainLock(first.runtime_root, UUID, "sender")
    with pytest.raises(DomainBusy), fence.locked(first, 0.3):
        pass
    other = _later(0.3, lock.release)
    with fence.locked(first, 20):
        pass
    other.join()


def test_the_tasks_are_undone_by_one_of_them(first: Here, second: Here) -> None:
    """The one whose turn it is not waits here too, and has no news."""
    file = journal.Journal(first.journal)
    file.write("gate_tasks_started", {})
    file.close()
    other = _later(0.3, lambda: (settle.undone(second, 1), conclusion.conclude(second, XL, "source", "stayed", 1)))
    assert settle.undone(first, 20) is False
    other.join()
    assert not first.history().tasks_open


def test_what_was_cut_off_after_its_record_is_brought_to_its_end(first: Here, tmp_path: pathlib.Path) -> None:
    """Killed before it has tidied up, it leaves a status that says otherwise; the next run tidies, and has no news."""
    before = {"session": first.session, "role": "sender", "phase": "streaming", "owner": "unsettled", "pid": 1}
    os.makedirs(first.runtime)
    documents.write(os.path.join(first.runtime, documents.STATUS), {**before, "domain": {"uuid": UUID}})
    file = journal.Journal(first.journal)
    file.reserve()
    file.close()
    for folder in (first.runtime, first.journal):
        shutil.copytree(folder, tmp_path / "copy" / os.path.basename(os.path.dirname(folder)))
    assert conclusion.conclude(first, XL, "source", "stayed", 1) is True
    shutil.copytree(tmp_path / "copy" / "run", first.runtime)
    shutil.copy(tmp_path / "copy" / "lib" / journal.RESERVE, first.journal)

    def over() -> bool:
        (session,) = sessions_seen(first.runtime_root, first.journal_root)
        return session.over

    assert not over()
    second = replace(first, settler="second")
    fence.mark(second)
    assert conclusion.conclude(second, XL, "source", "stayed", 1) is False
    assert over()
    assert not os.path.exists(os.path.join(first.journal, journal.RESERVE))
