# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that shuts down only after its move has failed is started again, or it is said that it was not."""

from __future__ import annotations

import pathlib
import threading
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts.autostart import Roots
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import CONFIG, Downfall
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.late_shutdown import (
    failure,
    follow,
    is_asked,
    keep,
    may_go_down,
    went_down,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import MayGoDown
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import GUEST, NAME, UUID, Dom0, Make

FALLS_ONCE = {"action": "exit", "status": 1}
FALLS = {**FALLS_ONCE, "times": 10_000}


class Late:
    """A guest that is followed; each wait counts as so many seconds, and takes none."""

    def __init__(self, dom0: Dom0, folder: pathlib.Path) -> None:
        """Have it run."""
        self.dom0 = dom0
        self.domid = dom0.host.start_guest(GUEST)
        (folder / CONFIG).write_text(GUEST.text())
        self.down = Downfall(dom0.xl, UUID, NAME, self.domid, str(folder), where=Roots(None, None))
        self.now = 0.0
        self.waits = 0

    def follow(self, at_wait: t.Callable[[], object] = lambda: None, dismissed: bool = False) -> dict[str, t.Any]:
        """Follow it for ten seconds; ``at_wait`` happens when it was looked at once."""

        def wait(descriptor: int, seconds: float) -> None:
            self.now += seconds
            self.waits += 1
            if self.waits == 1:
                at_wait()

        over = (lambda: self.waits > 0) if dismissed else (lambda: False)
        return follow(self.down, self.domid, NAME, wait, over, 10.0, lambda: self.now)

    def goes(self) -> None:
        """It shuts down."""
        self.dom0.shut_down(self.domid, 0)
        time.sleep(0.2)


@pytest.fixture
def late(make: Make, tmp_path: pathlib.Path) -> Late:
    """One on a host of the double."""
    return Late(make(), tmp_path)


def test_it_is_started_again(late: Late) -> None:
    """As soon as that is seen."""
    done = late.follow(late.goes)
    assert done["end"] == "started" and failure(done, NAME) is None
    assert [row.name for row in late.dom0.xl.domains()] == ["Domain-0", NAME]


@pytest.mark.parametrize("point", ["list.start", "create.start", "create.make"])
def test_what_fails_once_is_tried_again(late: Late, point: str) -> None:
    """One xl that cannot run must not leave the guest down."""

    def goes() -> None:
        late.goes()
        late.dom0.host.faults({"point": point, **FALLS_ONCE})

    assert late.follow(goes)["end"] == "started"


def test_it_runs_on(late: Late) -> None:
    """It was never going to shut down."""
    assert late.follow() == {"end": "quiet", "error": None}
    assert late.now == 10.0


def test_it_cannot_be_started_again(late: Late) -> None:
    """That is tried for as long as it would have been watched, and then told."""

    def goes() -> None:
        late.goes()
        late.dom0.host.faults({"point": "create.start", **FALLS})

    done = late.follow(goes)
    told = failure(done, NAME)
    assert done["end"] == "down" and late.now == 12.0
    assert told is not None and "could not be started again: xl create" in told.msg


def test_it_is_told_to_end(late: Late) -> None:
    """What the guest does after that is for whoever settles."""
    assert late.follow(dismissed=True) == {"end": "dismissed"}


def test_it_cannot_be_looked_at(late: Late) -> None:
    """Nobody knows then that it runs."""
    late.dom0.host.faults({"point": "list.start", **FALLS})
    done = late.follow()
    told = failure(done, NAME)
    late.dom0.host.faults()
    assert done["end"] == "blind" and told is not None and "what it does is not known: xl list" in told.msg


class Left:
    """A session whose process is gone, and whose guest was asked to shut down."""

    def __init__(self, make: Make, folder: pathlib.Path) -> None:
        """Have it run, and put on record what its session has done."""
        self.dom0 = make(suspend_timeout_s=0.2)
        self.domid = self.dom0.start(shutdown="ack_only")
        self.here = Here("", str(folder), "0123456789abcdef", SENDER, UUID, NAME, "me")
        pathlib.Path(self.here.journal).mkdir(parents=True)
        pathlib.Path(self.here.journal, CONFIG).write_text(GUEST.text())
        self.told: list[tuple[str, str]] = []
        self.write("opened", boot_id=_procfs.boot_id())
        self.write("xl_started", domid=self.domid)
        self.write("shutting_down")
        is_asked(self.domid, self.here.journal)

    def note(self) -> None:
        """Have the log of its monitor on record too."""
        is_asked(self.domid, self.here.journal, Downfall(self.dom0.xl, UUID, NAME, self.domid, "").attend())

    def write(self, step: str, **details: t.Any) -> None:
        """Add to the journal."""
        file = journal.Journal(self.here.journal)
        file.write(step, details)
        file.close()
        self.told += [(step, details.get("end", ""))]

    def keep(self, at_look: t.Callable[[], object] = lambda: None) -> None:
        """Settle; ``at_look`` happens when it has been looked at."""
        self.dom0.host.record_points()
        timer = threading.Thread(target=self._later, args=(at_look,))
        timer.start()
        try:
            keep(self.here, self.dom0.xl, self.dom0.store, self.write, 4.0)
        finally:
            timer.join()

    def _later(self, what: t.Callable[[], object]) -> None:
        self.dom0.until(lambda: bool(self.dom0.host.passed("list.start")))
        time.sleep(0.3)
        what()


@pytest.fixture
def left(make: Make, tmp_path: pathlib.Path) -> Left:
    """One on a host of the double."""
    return Left(make, tmp_path / "journals")


def test_one_that_agreed_is_watched_when_its_session_is_gone(left: Left) -> None:
    """It is started again, and whoever settles has put on record that it was watched."""
    assert may_go_down(left.here)
    left.keep(lambda: left.dom0.shut_down(left.domid, 0))
    assert left.told[-1] == ("late_shutdown", "started") and not may_go_down(left.here)
    (row,) = [row for row in left.dom0.xl.domains() if row.uuid == UUID]
    assert row.domid != left.domid and row.state.alive


def test_one_that_stays_is_watched_to_the_end(left: Left) -> None:
    """Once: the next run needs not."""
    left.keep()
    assert left.told[-1] == ("late_shutdown", "quiet") and not may_go_down(left.here)


def test_one_that_is_gone_when_it_is_looked_at_may_have_shut_down(left: Left) -> None:
    """Nobody can know that it did, so that nobody may say that it stays."""
    left.dom0.shut_down(left.domid, 0)
    with pytest.raises(MayGoDown, match="what it does is not known"):
        left.keep()
    assert left.told[-1] == ("late_shutdown", "blind") and left.here.history().restartable


def test_one_that_is_gone_is_started_again_where_its_monitor_has_told(left: Left) -> None:
    """Whoever settles has come too late to see it, and reads what is left of it."""
    left.note()
    assert not went_down(left.here)
    left.dom0.shut_down(left.domid, 0)
    left.dom0.until(lambda: all(row.uuid != UUID for row in left.dom0.xl.domains()))
    assert went_down(left.here)
    left.keep()
    assert left.told[-1] == ("late_shutdown", "started")


def test_what_a_domain_of_another_boot_has_done_tells_nothing(left: Left) -> None:
    """Domids begin anew."""
    left.note()
    left.dom0.shut_down(left.domid, 0)
    left.dom0.until(lambda: went_down(left.here))
    left.write("opened", boot_id="another")
    assert not went_down(left.here)


def test_what_it_has_not_seen_is_taken_back(left: Left) -> None:
    """Then there is nothing to watch for, nor for the next one who asks."""
    node = f"/local/domain/{left.domid}/control/shutdown"
    left.dom0.host.behave(NAME, shutdown="ignore")
    left.dom0.store.write(node, "poweroff")
    keep(left.here, left.dom0.xl, left.dom0.store, left.write)
    assert left.dom0.store.read(node) == "" and left.told[-1][0] == "shutting_down"
    assert not may_go_down(left.here)


@pytest.mark.parametrize(
    ("steps", "may"),
    [
        ((), True),
        ((("late_shutdown", {"end": "dismissed"}),), True),
        ((("late_shutdown", {"end": "quiet"}),), False),
        ((("opened", {"boot_id": "another"}),), False),
    ],
)
def test_whether_it_may_still_go_down(left: Left, steps: tuple[tuple[str, dict[str, str]], ...], may: bool) -> None:
    """Not when it was watched to the end, or its host was started again since."""
    for step, details in steps:
        left.write(step, **details)
    assert may_go_down(left.here) is may
