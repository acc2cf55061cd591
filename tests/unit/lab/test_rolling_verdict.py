# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rolling maintenance of real hosts calls nothing well that is not; run without a lab."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest
from cases.world import Left, World
from dom0lab import Lab, LabError
from dom0lab.lun import Stamps
from rolling import __main__ as rolling
from rolling import hosts
from rolling.verdict import CLOSED, GuestSeen, HostSeen, checks, off

from ansible_collections.dom0.xen.plugins.module_utils._facts import sessions
from ansible_collections.dom0.xen.tests.unit.lab.rolled import GUEST, HOST, SEEN, STOPPED


def well(status: int = 0, guest: GuestSeen = GUEST, host: HostSeen = HOST) -> bool:
    """Whether every check holds of one guest and one host."""
    return all(check.ok for check in checks(status, [guest], [host]))


def seen(**changes: t.Any) -> GuestSeen:
    """The guest, with something else seen of it from outside."""
    return dataclasses.replace(GUEST, seen=[dataclasses.replace(SEEN, **changes)])


def test_what_is_well_is_well() -> None:
    """What the others differ from; a guest without a disk has no stamps."""
    assert well()
    assert well(guest=dataclasses.replace(GUEST, stamps=None))
    assert well(guest=dataclasses.replace(GUEST, seen=[STOPPED, SEEN])), "stopped, and gone on with"


@pytest.mark.parametrize(
    "bad",
    [
        dataclasses.replace(GUEST, where=[]),
        dataclasses.replace(GUEST, where=["xen2"]),
        dataclasses.replace(GUEST, where=["xen1", "xen2"]),
        dataclasses.replace(GUEST, seen=[]),
        dataclasses.replace(GUEST, seen=[SEEN, STOPPED]),
        dataclasses.replace(GUEST, seen=[dataclasses.replace(STOPPED, before={"boot_id": "a", "counter": 3}), SEEN]),
        dataclasses.replace(GUEST, seen=[dataclasses.replace(STOPPED, before={"boot_id": "b", "counter": 9}), SEEN]),
        dataclasses.replace(GUEST, seen=[dataclasses.replace(STOPPED, double_answers=1), SEEN]),
        dataclasses.replace(GUEST, boot_id="a"),
        dataclasses.replace(GUEST, stamps=Stamps(5, "stamp 5 carries number 7")),
        seen(boot_id_unchanged=False),
        seen(counter_never_fell=False),
        seen(memory_verified=False),
        seen(double_answers=1),
        seen(after={}),
    ],
)
def test_a_guest_that_is_not_well_is_not_called_so(bad: GuestSeen) -> None:
    """One thing that is wrong with one guest is enough."""
    assert not well(guest=bad)


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("boots", ["first"]),
        ("boots", ["first", "between", "second"]),
        ("boots", ["other", "second"]),
        ("boots", ["first", "other"]),
        ("boots", []),
        ("boot_id", "first"),
        ("clock_off_s", 60.0),
        ("clock_off_s", None),
        ("bridge", False),
        ("disk", False),
        ("marks", [CLOSED]),
        ("marks", ["claim.json"]),
        ("remains", ["port 49152"]),
        ("error", "no answer"),
    ],
)
def test_a_host_that_is_not_well_is_not_called_so(wrong: str, value: t.Any) -> None:
    """Not rebooted, rebooted twice, without what it had, closed, claimed, or not clean."""
    assert not well(host=dataclasses.replace(HOST, **{wrong: value}))


def test_a_run_that_failed_is_not_well() -> None:
    """Though all is as it should be."""
    assert not well(status=2)


def test_reboots_are_counted_from_the_boot_of_before() -> None:
    """A record that does not belong to what was seen counts for nothing."""
    assert HOST.reboots == 1
    assert dataclasses.replace(HOST, boot_id="first", boots=["first"]).reboots == 0
    assert dataclasses.replace(HOST, boots=["first", "first", "second"]).reboots == -1


def test_the_time_that_a_login_takes_is_not_what_a_clock_is_off() -> None:
    """It was told between two moments."""
    assert (off(10.0, 9.0, 12.0), off(7.0, 9.0, 12.0), off(20.0, 9.0, 12.0)) == (0.0, 2.0, 8.0)


def test_the_mark_of_a_closed_host_is_the_one_that_there_is() -> None:
    """Another name would call every host open."""
    assert CLOSED == sessions.CLOSED


def test_marks_and_slots_are_no_remains() -> None:
    """A slot that was used stays until the next one is taken; what marks a host is judged by itself."""
    left = Left(folders=[], journals=["fleet"], marks=[CLOSED], processes=[], ports=[], domains={})
    assert left.remains == []


class Dead:
    """A host that does not answer."""

    name = "xen2"

    def run(self, *dummy: t.Any, **more: t.Any) -> t.Any:
        """What ssh says."""
        raise LabError("xen2: it ended with 255")


def test_a_host_that_did_not_come_back_is_told_beside_the_others(tmp_path: Path) -> None:
    """The figures of the others are not lost with it."""
    told = hosts.see(t.cast(World, None), t.cast(t.Any, Dead()), "first")
    assert "ended with 255" in told.error and not well(host=told)
    hosts.keep(t.cast(t.Any, Dead()), tmp_path)


def test_a_guest_that_is_nowhere_has_no_good_stamps(tmp_path: Path) -> None:
    """Nobody is asked, and nobody is paused."""
    told = rolling.judged(t.cast(Lab, None), t.cast(t.Any, None), ["xen1", "xen2"], tmp_path / "disk")
    assert told.problem == "the guest is on ['xen1', 'xen2']"
