# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that shuts down only after its move has failed is started again, or it is said that it was not."""

from __future__ import annotations

import pathlib
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._autostart import Roots
from ansible_collections.dom0.xen.plugins.module_utils._session.downfall import CONFIG, Downfall
from ansible_collections.dom0.xen.plugins.module_utils._session.late_shutdown import failure, follow
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
