# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time for a host, and the mark of a host that takes no domains."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import time

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import closed_mark
from ansible_collections.dom0.xen.plugins.module_utils._marks import arrivals, claims
from ansible_collections.dom0.xen.plugins.module_utils._marks.claims import Claim, HostClaimed

FIRST, SECOND = "a" * 16, "b" * 16


def run(token: str, by: str = "alice") -> Claim:
    """A run that empties xen1."""
    return Claim(token=token, run="evacuate xen1", by=by, controller="ctl1")


def test_the_second_run_is_told_who_and_since_when(tmp_path: pathlib.Path) -> None:
    """The first one goes on; claiming again what one has changes nothing."""
    assert claims.claim(str(tmp_path), run(FIRST), 300.0).changed
    with pytest.raises(HostClaimed) as refused:
        claims.claim(str(tmp_path), run(SECOND, "bob"), 300.0)
    told = refused.value.as_result()
    assert "`evacuate xen1` of alice on ctl1, since 20" in told["msg"] and "evacuate_take_over" in told["msg"]
    assert told["details"]["claim"]["token"] == FIRST
    assert not claims.claim(str(tmp_path), run(FIRST), 300.0).changed


def test_a_run_that_is_heard_of_no_more_is_followed_by_the_next(tmp_path: pathlib.Path) -> None:
    """Its work is taken up; one that is heard of again and again is not silent, however long it takes."""
    root = str(tmp_path)
    claims.claim(root, run(FIRST), 300.0)
    past = time.time() - 400.0
    os.utime(claims.beat_path(root, FIRST), (past, past))
    assert claims.keep(root, FIRST)
    with pytest.raises(HostClaimed):
        claims.claim(root, run(SECOND), 300.0)
    os.utime(claims.beat_path(root, FIRST), (past, past))
    taken = claims.claim(root, run(SECOND), 300.0)
    assert taken.before is not None and taken.before.token == FIRST
    assert not claims.keep(root, FIRST)
    assert not claims.release(root, FIRST)
    assert claims.there(root) == taken.claim


def test_a_run_whose_process_is_gone_is_followed_at_once(tmp_path: pathlib.Path) -> None:
    """Of that very run only."""
    root = str(tmp_path)
    claims.claim(root, run(FIRST), 300.0)
    with pytest.raises(HostClaimed):
        claims.claim(root, run(SECOND), 300.0, dead="c" * 16)
    assert claims.claim(root, run(SECOND), 300.0, dead=FIRST).changed
    assert claims.claim(root, run(FIRST), 300.0, take_over=True).changed


def test_a_run_whose_claim_was_taken_over_is_told(tmp_path: pathlib.Path) -> None:
    """It moves nothing more from the host; one that nobody has, and one of a silent run, are no obstacle."""
    root = str(tmp_path)
    claims.require(root, FIRST, 300.0)
    claims.claim(root, run(FIRST), 300.0)
    claims.require(root, FIRST, 300.0)
    claims.claim(root, run(SECOND, "bob"), 300.0, take_over=True)
    with pytest.raises(claims.ClaimLost, match="taken over by another run: `evacuate xen1` of bob"):
        claims.require(root, FIRST, 300.0)
    past = time.time() - 400.0
    os.utime(claims.beat_path(root, SECOND), (past, past))
    claims.require(root, FIRST, 300.0)


def test_a_claim_that_is_given_up_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """Neither the claim nor what says that it lives."""
    root = str(tmp_path)
    assert not claims.release(root, FIRST)
    claims.claim(root, run(FIRST), 300.0)
    assert claims.release(root, FIRST) and claims.there(root) is None
    assert [path.name for path in (tmp_path / "fleet").iterdir()] == ["lock"]


def test_a_closed_host_keeps_its_date(tmp_path: pathlib.Path) -> None:
    """Closing it again changes nothing; another reason is a change, and no new beginning."""
    root = str(tmp_path)
    assert closed_mark(root) is None and arrivals.open_again(root) == (False, None)
    changed, mark = arrivals.close(root, "it is being emptied", "alice", "evacuate xen1")
    assert changed and mark["since"].startswith("20") and mark == closed_mark(root)
    assert arrivals.close(root, "it is being emptied", "alice", "evacuate xen1") == (False, mark)
    changed, other = arrivals.close(root, "memory", "bob", "")
    assert changed and other["since_s"] == mark["since_s"] and other["by"] == "bob"
    assert arrivals.open_again(root) == (True, other)
    assert closed_mark(root) is None


def test_what_somebody_else_has_closed_is_his(tmp_path: pathlib.Path) -> None:
    """A run neither writes over it nor opens it; what it has closed itself it opens, also when it was cut off."""
    root, ours = str(tmp_path), "evacuate xen1"
    dummy, mark = arrivals.close(root, "a fan is broken", "bob", "")
    assert arrivals.close(root, "it is being emptied", "alice", ours, own=True) == (False, mark)
    assert arrivals.open_again(root, ours, own=True) == (False, mark)
    assert arrivals.open_again(root, "", own=True) == (False, mark), "nor does one that cannot say what it is"
    assert closed_mark(root) == mark
    arrivals.close(root, "it is being emptied", "carol", "evacuate xen1,xen2")
    assert arrivals.open_again(root, ours, own=True)[0] is False
    assert arrivals.open_again(root)[0] and closed_mark(root) is None, "a person opens what he likes"
    assert arrivals.close(root, "it is being emptied", "alice", ours, own=True)[0]
    assert arrivals.close(root, "it is being emptied", "alice on another controller", ours, own=True)[0]
    assert arrivals.open_again(root, ours, own=True)[0] and closed_mark(root) is None
    assert arrivals.open_again(root, ours, own=True) == (False, None)


def test_a_mark_that_cannot_be_read_is_one(tmp_path: pathlib.Path) -> None:
    """Somebody has closed the host, and who cannot be told any more."""
    arrivals.close(str(tmp_path), "", "", "")
    (tmp_path / "fleet" / "closed.json").write_text("{")
    assert closed_mark(str(tmp_path)) == {"reason": "", "by": "", "run": "", "since_s": None, "since": ""}
    assert arrivals.open_again(str(tmp_path))[0]


def test_a_run_that_said_it_may_be_silent_is_not_followed_before(tmp_path: pathlib.Path) -> None:
    """Such as one that waits for a host to be back, however impatient the next one is."""
    root = str(tmp_path)
    claims.claim(root, dataclasses.replace(run(FIRST), patience_s=7200.0), 300.0)
    for silent, taken in ((400.0, False), (7300.0, True)):
        past = time.time() - silent
        os.utime(claims.beat_path(root, FIRST), (past, past))
        if taken:
            assert claims.claim(root, run(SECOND), 300.0).before is not None
        else:
            with pytest.raises(HostClaimed):
                claims.claim(root, run(SECOND), 300.0)


def test_a_run_that_has_lost_the_host_heeds_one_that_may_be_silent(tmp_path: pathlib.Path) -> None:
    """Silent for ten minutes it is at its caller's tasks, such as an upgrade of that host: no domain is moved there."""
    root = str(tmp_path)
    claims.claim(root, run(FIRST), 300.0)
    claims.claim(root, dataclasses.replace(run(SECOND, "bob"), patience_s=7200.0), 300.0, take_over=True)
    for silent, lost in ((600.0, True), (7300.0, False)):
        past = time.time() - silent
        os.utime(claims.beat_path(root, SECOND), (past, past))
        if lost:
            with pytest.raises(claims.ClaimLost):
                claims.require(root, FIRST, 300.0)
        else:
            claims.require(root, FIRST, 300.0)


def test_a_run_that_does_something_long_is_heard_of(tmp_path: pathlib.Path) -> None:
    """Again and again while it is at it, so that nobody follows it; not any more behind it, nor without a token."""
    root = str(tmp_path)
    claims.claim(root, run(FIRST), 300.0)
    beat, past = claims.beat_path(root, FIRST), time.time() - 400.0
    with claims.kept(root, FIRST, every_s=0.01):
        for dummy in range(2):
            os.utime(beat, (past, past))
            deadline = time.monotonic() + 30.0
            while claims.silence(root, run(FIRST)) > 300.0:
                assert time.monotonic() < deadline, "nothing was heard of it"
                time.sleep(0.01)
        with pytest.raises(HostClaimed):
            claims.claim(root, run(SECOND), 300.0)
    os.utime(beat, (past, past))
    with claims.kept(root, "", every_s=0.01):
        time.sleep(0.1)
    assert claims.silence(root, run(FIRST)) > 300.0


def test_a_run_whose_claim_was_taken_over_does_nothing_more(tmp_path: pathlib.Path) -> None:
    """Neither with a domain nor with the claim of the other one; where it has the host it does."""
    root = str(tmp_path)
    claims.claim(root, run(FIRST), 300.0)
    done = []
    with claims.held(root, FIRST):
        done.append(FIRST)
    claims.claim(root, run(SECOND, "bob"), 300.0, take_over=True)
    with pytest.raises(claims.ClaimLost), claims.held(root, FIRST):
        done.append(SECOND)
    assert done == [FIRST]
