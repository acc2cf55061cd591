# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain is down when it is not there and nobody watches it any more; then it can be started again."""

from __future__ import annotations

import pathlib

import pytest
from dom0_double.driver.host import GuestConfig

from ansible_collections.dom0.xen.plugins.module_utils._session.downfall import CONFIG, Being, Downfall
from ansible_collections.dom0.xen.plugins.module_utils._session.errors import CopyChanged
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import CRASH, NAME, UUID, Dom0, Make

POWEROFF, REBOOT = 0, 1


def guest(extra: str = "") -> GuestConfig:
    """The guest with more in its configuration."""
    return GuestConfig(memory_mib=8, compact=True, extra=extra)


def downfall(dom0: Dom0, domid: int | None, folder: pathlib.Path) -> Downfall:
    """What is under test, with the file that it starts from."""
    (folder / CONFIG).write_text(guest().text())
    return Downfall(dom0.xl, UUID, NAME, domid, str(folder))


def being(down: Downfall) -> Being:
    """What is there."""
    return down.look()[0]


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


def test_what_comes_back_was_never_down(make: Make, tmp_path: pathlib.Path) -> None:
    """Between its end and its new start there is a moment without a domain, and a process that watches it."""
    dom0 = make(autoballoon="on")
    domid = dom0.host.start_guest(guest())
    down = downfall(dom0, domid, tmp_path)
    dom0.host.faults({"point": "receive.lock", "action": "stall", "seconds": 2})
    dom0.shut_down(domid, REBOOT)
    seen = [being(down)]
    while seen[-1] is not Being.HERE or down.look()[1].domid == domid:  # type: ignore[union-attr]
        seen.append(being(down))
    assert Being.DOWN not in seen


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
