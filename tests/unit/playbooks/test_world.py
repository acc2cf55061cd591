# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move and the next boot of its source: no second copy is made, and nothing is lost by an abort."""

from __future__ import annotations

import pathlib

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not namespaces(), reason="needs mount namespaces"),
]


@pytest.fixture
def user(make_site: MakeSite, tmp_path: pathlib.Path) -> User:
    """Two hosts that start their domains when they boot, the guest on xen1, which starts it at boot."""
    site = make_site("xen1", "xen2", xendomains=True)
    guest = GuestConfig(memory_mib=16, compact=True)
    site["xen1"].start_guest(guest)
    site["xen1"].autostart(guest)
    return User(site, tmp_path)


def test_source_that_boots_after_the_move_makes_no_second_copy(user: User) -> None:
    """The check says what is set aside; after the move the source loses its power, and starts without the guest."""
    link = user.site["xen1"].paths.auto / "centos.cfg"
    log = user.move("xen2", "--check")
    assert str(link) in log and link.is_symlink()
    user.move("xen2")
    assert not link.is_symlink()
    user.site["xen1"].power_cycle()
    assert [run.host for run in user.site.running(GUEST)] == ["xen2"]
    assert user.site.overlaps(GUEST) == []


def test_autostart_comes_back_when_the_guest_stays(user: User) -> None:
    """The destination dies at the worst moment before the commit; the guest stays, and so does what starts it."""
    link = user.site["xen1"].paths.auto / "centos.cfg"
    user.site["xen2"].faults({"point": "receive.ready", "action": "kill"})
    process = user.start("dom0.xen.migrate", *user.asking("xen2"))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode, log
    assert link.is_symlink()
    assert [run.host for run in user.site.running(GUEST)] == ["xen1"]
