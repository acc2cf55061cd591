# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain is down when it is not there and nobody watches it any more; then it can be started again."""

from __future__ import annotations

import os
import pathlib
import signal

import pytest
from dom0_double.driver.host import GuestConfig

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts.autostart import Roots
from ansible_collections.dom0.xen.plugins.module_utils._facts.monitors import monitors
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import (
    CONFIG,
    Being,
    Downfall,
    taken_in_hand,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.late_shutdown import follow
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import CopyChanged, TakenAway
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import (
    CRASH,
    NAME,
    SUSPEND,
    UUID,
    Dom0,
    Make,
    hurried,
)

POWEROFF, REBOOT = 0, 1


def guest(extra: str = "") -> GuestConfig:
    """The guest with more in its configuration."""
    return GuestConfig(memory_mib=8, compact=True, extra=extra)


def downfall(dom0: Dom0, domid: int | None, folder: pathlib.Path) -> Downfall:
    """What is under test, with the file that it starts from."""
    (folder / CONFIG).write_text(guest().text())
    saved = folder / "save"
    saved.mkdir(exist_ok=True)
    return Downfall(dom0.xl, UUID, NAME, domid, str(folder), where=Roots(None, str(saved)))


def being(down: Downfall) -> Being:
    """What is there."""
    return down.look()[0]


def number(down: Downfall) -> int | None:
    """Return the domid of what is seen, in one look."""
    row = down.look()[1]
    return row.domid if row is not None else None


@pytest.mark.parametrize("reason", [POWEROFF, REBOOT])
def test_what_nobody_clears_away_is_cleared_away(make: Make, tmp_path: pathlib.Path, reason: int) -> None:
    """A domain that is preserved, or whose monitor is lost, would stay for ever."""
    dom0 = make()
    domid = dom0.host.start_guest(guest('on_poweroff = "preserve"\non_reboot = "preserve"'))
    down = downfall(dom0, domid, tmp_path)
    assert being(down) is Being.HERE
    dom0.shut_down(domid, reason)
    dom0.until(lambda: being(down) is Being.DOWN)
    done = down.start()
    assert done.steps == ("create",) and done.copy.domid != domid
    assert [row.uuid for row in dom0.xl.domains()][1:] == [UUID]


def test_one_that_its_monitor_clears_away_has_shut_down(make: Make, tmp_path: pathlib.Path) -> None:
    """Its log says so afterwards to whoever has known it before; to anybody else it is only not there."""
    dom0 = make()
    domid = dom0.host.start_guest(guest())
    down = downfall(dom0, domid, tmp_path)
    down.attend()
    dom0.shut_down(domid, POWEROFF)
    dom0.until(lambda: len(dom0.xl.domains()) == 1 and being(down) is not Being.LEAVING)
    assert being(down) is Being.DOWN
    late = downfall(dom0, domid, tmp_path)
    assert being(late) is Being.TAKEN
    late.vouch()
    assert being(late) is Being.DOWN


@pytest.mark.parametrize("how", ["destroy", "save"])
def test_what_somebody_has_taken_is_theirs(make: Make, tmp_path: pathlib.Path, how: str) -> None:
    """It may run elsewhere by now, or its memory lies in an image that fits its disks only as long as it is not run."""
    dom0 = make()
    domid = dom0.host.start_guest(guest())
    down = downfall(dom0, domid, tmp_path)
    assert being(down) is Being.HERE
    dom0.host.run("xl", how, str(domid), *([str(tmp_path / "image")] if how == "save" else []))
    dom0.until(lambda: being(down) is Being.TAKEN)
    with pytest.raises(TakenAway, match="was not seen to shut down"):
        down.start()
    assert follow(down, domid, NAME, lambda *dummy: None, lambda: False) == {"end": "taken"}
    assert len(dom0.xl.domains()) == 1


def test_the_end_of_an_earlier_life_says_nothing_of_this_one(make: Make, tmp_path: pathlib.Path) -> None:
    """It has rebooted, and was destroyed then."""
    dom0 = make()
    domid = dom0.host.start_guest(guest())
    down = downfall(dom0, domid, tmp_path)
    dom0.shut_down(domid, REBOOT)
    dom0.until(lambda: number(down) not in (None, domid))
    dom0.host.run("xl", "destroy", NAME)
    dom0.until(lambda: being(down) is Being.TAKEN)


def test_one_that_somebody_saves_or_moves_is_in_other_hands(make: Make, tmp_path: pathlib.Path) -> None:
    """Its suspend is not our doing, and whoever has asked for it goes on or resumes it."""
    dom0 = make()
    domid = dom0.host.start_guest(guest())
    down = downfall(dom0, domid, tmp_path)
    assert not taken_in_hand(down.look()[1], domid, NAME)
    dom0.shut_down(domid, SUSPEND)
    assert taken_in_hand(down.look()[1], domid, NAME)


def test_one_that_was_saved_since_is_not_started(make: Make, tmp_path: pathlib.Path) -> None:
    """The next boot would restore its memory on disks that have gone on; an older image is none of its own."""
    dom0 = make()
    domid = dom0.host.start_guest(guest())
    image = str(tmp_path / "image")
    dom0.host.run("xl", "save", str(domid), image)
    down = downfall(dom0, domid, tmp_path)
    pathlib.Path(image).rename(tmp_path / "save" / NAME)
    os.utime(tmp_path / "save" / NAME, (1, 1))
    down.vouch()
    down.start()
    os.utime(tmp_path / "save" / NAME)
    dom0.host.run("xl", "destroy", NAME)
    dom0.until(lambda: being(down) is Being.TAKEN)
    down.vouch()
    with pytest.raises(TakenAway, match="was saved to"):
        down.start()


def test_what_comes_back_was_never_down(make: Make, tmp_path: pathlib.Path) -> None:
    """Between its end and its new start there is a moment without a domain, and a process that watches it."""
    dom0 = make(autoballoon="on")
    domid = dom0.host.start_guest(guest())
    down = downfall(dom0, domid, tmp_path)
    dom0.host.faults({"point": "receive.lock", "action": "stall", "seconds": 2})
    dom0.shut_down(domid, REBOOT)
    seen = [being(down)]
    while seen[-1] is not Being.HERE or number(down) == domid:
        seen.append(being(down))
    assert Being.DOWN not in seen


def in_the_foreground(dom0: Dom0, folder: pathlib.Path, name: str) -> None:
    """Have a process as a service that has made the domain of a file, which the double does not know."""
    (folder / "service.cfg").write_text(f"{name}memory = 8\n")
    os.mkfifo(folder / "forever")
    (folder / "xl").write_text(f"#!/bin/sh\nread dummy < {folder}/forever\n")
    (folder / "xl").chmod(0o755)
    dom0.in_the_background(f"{folder}/xl", "create", "-F", f"{folder}/service.cfg")


def test_one_that_a_service_makes_anew_was_never_down(make: Make, tmp_path: pathlib.Path) -> None:
    """Its monitor tells its domain in no log, and makes it anew when it has rebooted."""
    dom0 = make()
    domid = dom0.host.start_guest(guest())
    down = downfall(dom0, domid, tmp_path)
    assert being(down) is Being.HERE
    in_the_foreground(dom0, tmp_path, f'name = "{NAME}"\n')
    dom0.shut_down(domid, POWEROFF)
    dom0.until(lambda: len(dom0.xl.domains()) == 1)
    assert being(down) is Being.LEAVING
    dom0.kill("create", "-F")
    dom0.until(lambda: being(down) is Being.DOWN)


def test_where_somebody_watches_that_does_not_tell_what_it_stays_away_for_a_while(
    make: Make, tmp_path: pathlib.Path
) -> None:
    """It may be this one that is made anew."""
    dom0, now = make(), [0.0]
    domid = dom0.host.start_guest(guest())
    downfall(dom0, domid, tmp_path)
    down = Downfall(dom0.xl, UUID, NAME, domid, str(tmp_path), clock=lambda: now[0])
    down.attend()
    in_the_foreground(dom0, tmp_path, "")
    dom0.shut_down(domid, POWEROFF)
    dom0.until(lambda: len(dom0.xl.domains()) == 1)
    assert being(down) is Being.LEAVING
    now[0] = 4.9
    assert being(down) is Being.LEAVING
    now[0] = 5.0
    assert being(down) is Being.DOWN
    dom0.kill("create", "-F")


def test_one_that_was_received_is_watched_under_the_name_it_had_then(make: Make, tmp_path: pathlib.Path) -> None:
    """Also where its monitor's log was emptied, and tells nothing but that."""
    dom0 = make()
    domid = dom0.host.start_guest(GuestConfig(name=f"{NAME}--incoming", memory_mib=8, compact=True))
    (log,) = dom0.host.paths.log.glob("xl-*--incoming.log")
    log.write_text("")
    dom0.xl.rename(domid, NAME)
    down = downfall(dom0, domid, tmp_path)
    (monitor,) = monitors({pid: _procfs.command_line(pid) for pid in dom0.host.pids})
    assert (monitor.domid, monitor.name) == (None, f"{NAME}--incoming")
    # It has not heard yet of the end.
    os.kill(monitor.pid, signal.SIGSTOP)
    dom0.xl.destroy(domid)
    assert being(down) is Being.LEAVING
    assert down._busy == monitor.pid
    os.kill(monitor.pid, signal.SIGKILL)
    dom0.until(lambda: being(down) is Being.TAKEN)
    # Whoever is told of a busy process later is not told of this one.
    assert down._busy is None


def test_a_start_that_waits_for_the_lock_of_xl_is_waited_for(make: Make, tmp_path: pathlib.Path) -> None:
    """Another domain that arrives holds it for as long as that takes; killed, the guest would stay down."""
    dom0 = make(autoballoon="on")
    domid = dom0.host.start_guest(guest())
    downfall(dom0, domid, tmp_path)
    hasty = Xl(subprocess_runner(5.0), dom0.xl.binary)
    down = Downfall(hasty, UUID, NAME, domid, str(tmp_path), where=Roots(None, None))
    down.attend()
    dom0.shut_down(domid, POWEROFF)
    dom0.until(lambda: being(down) is Being.DOWN)
    dom0.host.faults({"point": "receive.lock", "action": "stall", "seconds": 6})
    assert down.start().copy.domid != domid


def test_it_is_started_beside_what_a_backend_holds_on_to(make: Make, tmp_path: pathlib.Path) -> None:
    """That may stay for ever, and never runs; what was suspended before it was torn down is nothing else."""
    dom0 = make(zombie_s=600.0)
    old = dom0.host.start_guest(guest())
    dom0.shut_down(old, SUSPEND)
    dom0.xl.destroy(old)
    domid = dom0.host.start_guest(guest())
    downfall(dom0, domid, tmp_path)
    down = Downfall(dom0.xl, UUID, NAME, domid, str(tmp_path), clock=hurried, where=Roots(None, None))
    assert being(down) is Being.HERE
    dom0.shut_down(domid, POWEROFF)
    dom0.until(lambda: being(down) is Being.ZOMBIE)
    done = down.start()
    assert done.steps == ("create",) and done.copy.domid not in (old, domid)
    assert [row.state.dying for row in dom0.xl.domains()] == [False, True, True, False]
    again = down.start()
    assert again.steps == () and again.copy.domid == done.copy.domid


def test_a_zombie_of_one_that_was_destroyed_is_not_started_either(make: Make, tmp_path: pathlib.Path) -> None:
    """That it has not gone yet says nothing of why it goes."""
    dom0 = make(zombie_s=600.0)
    domid = dom0.host.start_guest(guest())
    downfall(dom0, domid, tmp_path)
    down = Downfall(dom0.xl, UUID, NAME, domid, str(tmp_path), clock=hurried, where=Roots(None, None))
    assert being(down) is Being.HERE
    (monitor,) = monitors({pid: _procfs.command_line(pid) for pid in dom0.host.pids})
    os.kill(monitor.pid, signal.SIGKILL)
    dom0.xl.destroy(domid)
    with pytest.raises(TakenAway, match="was not seen to shut down"):
        down.start()


def test_one_that_is_suspended_for_somebody_else_is_not_taken_for_running(make: Make, tmp_path: pathlib.Path) -> None:
    """Whoever has asked for it saves or moves it."""
    dom0 = make()
    domid = dom0.suspended()
    with pytest.raises(TakenAway, match="for somebody else"):
        downfall(dom0, domid, tmp_path).start()


def test_one_that_is_here_is_not_started(make: Make, tmp_path: pathlib.Path) -> None:
    """Whoever has started it: two would have one UUID."""
    dom0 = make()
    domid = dom0.host.start_guest(guest())
    recorded: list[str] = []
    done = downfall(dom0, None, tmp_path).start(lambda: recorded.append("again"))
    assert done.copy.domid == domid
    assert len(dom0.xl.domains()) == 2


def test_a_crashed_one_is_kept(make: Make, tmp_path: pathlib.Path) -> None:
    """Its owner wants to look at it."""
    dom0 = make()
    domid = dom0.start()
    down = downfall(dom0, domid, tmp_path)
    dom0.shut_down(domid, CRASH)
    dom0.until(lambda: being(down) is Being.CRASHED)
    with pytest.raises(CopyChanged, match="has crashed"):
        down.start()
    down.give_up()
    assert dom0.row(domid).state.crashed


def test_one_that_crashes_and_is_not_kept_is_started_again(make: Make, tmp_path: pathlib.Path) -> None:
    """It has not shut down, so it is not moved; nor was it taken by anybody."""
    dom0 = make()
    domid = dom0.host.start_guest(guest('on_crash = "destroy"'))
    down = downfall(dom0, domid, tmp_path)
    down.attend()
    dom0.shut_down(domid, CRASH)
    dom0.until(lambda: len(dom0.xl.domains()) == 1 and being(down) is not Being.LEAVING)
    assert down.look() == (Being.CRASHED, None)
    assert down.start().steps == ("create",)
    assert down.crashed_before


@pytest.mark.parametrize(("reason", "crashed"), [(CRASH, True), (REBOOT, False)])
def test_why_it_is_here_again(make: Make, tmp_path: pathlib.Path, reason: int, crashed: bool) -> None:
    """Its monitor has made it anew, after a crash too where it was told to."""
    dom0 = make()
    domid = dom0.host.start_guest(guest('on_crash = "restart"'))
    down = downfall(dom0, domid, tmp_path)
    down.attend()
    dom0.shut_down(domid, reason)
    dom0.until(lambda: number(down) not in (None, domid))
    assert down.crashed_before is crashed


def test_what_is_given_up_is_only_what_has_ended(make: Make, tmp_path: pathlib.Path) -> None:
    """One that runs is somebody's."""
    dom0 = make()
    domid = dom0.host.start_guest(guest('on_poweroff = "preserve"'))
    down = downfall(dom0, domid, tmp_path)
    down.give_up()
    assert dom0.row(domid).state.alive
    dom0.shut_down(domid, POWEROFF)
    down.give_up()
    assert len(dom0.xl.domains()) == 1
