# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever settles watches for a late suspend in the place of a sender that is gone, and for no longer than need be."""

from __future__ import annotations

import json
import pathlib
import threading
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.late_suspend import WATCH_S
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.resuming import shutdown_node
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.settling.unwatched import keep, seconds_left
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import MayStandStill
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import NAME, SUSPEND, UUID, Dom0, Make

WATCHED: dict[str, t.Any] = {"watches": True, "method": "live"}


def left(folder: pathlib.Path, *, domid: int = 1, ago: float = 0.0, boot_id: str = "", role: str = SENDER) -> Here:
    """A session that ended so many seconds ago."""
    here = Here("", str(folder), "0123456789abcdef", role, UUID, NAME, "me")
    pathlib.Path(here.journal).mkdir(parents=True)
    note(here, "opened", boot_id=boot_id or _procfs.boot_id())
    note(here, "xl_started", domid=domid)
    note(here, "ended", ago, owner="source")
    return here


def note(here: Here, step: str, ago: float = 0.0, **details: t.Any) -> None:
    """Add to its journal."""
    with pathlib.Path(here.journal, "journal").open("a") as file:
        file.write(json.dumps({"step": step, "monotonic_s": time.monotonic() - ago, "details": details}) + "\n")


@pytest.mark.parametrize(("ago", "seconds"), [(0.0, WATCH_S), (100.0, WATCH_S - 100), (1000.0, 0.0)])
def test_for_what_is_left_of_the_time(tmp_path: pathlib.Path, ago: float, seconds: float) -> None:
    """The sender has watched for the rest, or nobody has."""
    found = seconds_left(left(tmp_path, ago=ago), WATCHED)
    assert found is not None and seconds - 10 <= found <= seconds


@pytest.mark.parametrize(
    ("told", "more"),
    [
        ({**WATCHED, "method": "cold"}, {}),
        ({**WATCHED, "watches": False}, {}),
        ({}, {}),
        (WATCHED, {"boot_id": "another"}),
        (WATCHED, {"role": RECEIVER}),
    ],
)
def test_where_there_is_nothing_to_watch_for(
    tmp_path: pathlib.Path, told: dict[str, t.Any], more: dict[str, t.Any]
) -> None:
    """Nobody waits two minutes for nothing."""
    assert seconds_left(left(tmp_path, **more), told) is None


def test_one_that_settling_has_resumed_has_suspended_already(tmp_path: pathlib.Path) -> None:
    """It does so once."""
    here = left(tmp_path)
    note(here, "resume", domid=1)
    assert seconds_left(here, WATCHED) is None


class Kept:
    """A guest on a host of the double, and what is put on record of it."""

    def __init__(self, make: Make, folder: pathlib.Path) -> None:
        """Have it run."""
        self.dom0: Dom0 = make(suspend_timeout_s=0.5)
        self.domid = self.dom0.start()
        self.here = left(folder / "journals", domid=self.domid)
        self.told: list[tuple[str, dict[str, t.Any]]] = []

    def keep(self, seconds: float) -> str:
        """Watch; return how that ended."""
        keep(self.here, self.dom0.xl, self.dom0.store, lambda step, **told: self.told.append((step, told)), seconds)
        ((step, told),) = self.told
        assert step == "late_suspend"
        return str(told["end"])


@pytest.fixture
def kept(make: Make, tmp_path: pathlib.Path) -> Kept:
    """One that runs."""
    return Kept(make, tmp_path)


def test_it_is_resumed(kept: Kept) -> None:
    """And that is on record."""
    timer = threading.Timer(0.5, kept.dom0.shut_down, (kept.domid, SUSPEND))
    timer.start()
    try:
        assert kept.keep(60.0) == "resume"
    finally:
        timer.join()
    assert kept.dom0.letters(kept.domid) == f"r {NAME}"


def test_it_runs_on(kept: Kept) -> None:
    """When the time is over it is looked at once more."""
    assert kept.keep(0.0) == "quiet"


def test_what_somebody_else_saves_is_theirs(kept: Kept) -> None:
    """What they have asked the guest for is not taken back."""
    kept.dom0.host.behave(NAME, suspend="ignore")
    kept.dom0.host.configure(suspend_timeout_s=20.0)
    kept.dom0.in_the_background("xl", "save", NAME, "/dev/null")
    node = shutdown_node(kept.domid)
    kept.dom0.until(lambda: kept.dom0.store.read(node) == "suspend")
    assert kept.keep(60.0) == "taken_over"
    assert kept.dom0.store.read(node) == "suspend"
    kept.dom0.host.kill("save")


def test_nobody_says_that_it_runs_who_cannot_know(kept: Kept) -> None:
    """Another run settles the session when the host can be looked at again."""
    kept.dom0.host.faults({"point": "list.start", "action": "exit", "status": 1, "times": 10_000})
    with pytest.raises(MayStandStill, match="what it does is not known"):
        kept.keep(0.0)
    kept.dom0.host.faults()
