# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes with a domain, and whether it is alive: over two dom0s of the double, as a user runs it."""

from __future__ import annotations

import pathlib
import socket

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not namespaces(), reason="needs mount namespaces"),
]

CONFIG = GuestConfig(memory_mib=16, compact=True)


@pytest.fixture
def user(make_site: MakeSite, tmp_path: pathlib.Path) -> User:
    """Two hosts that start their domains when they boot; the guest on xen1, which has its file, and starts it."""
    site = make_site("xen1", "xen2", xendomains=True, cpus=4)
    site["xen1"].start_guest(CONFIG)
    site["xen1"].keep_config(CONFIG, starts=True)
    return User(site, tmp_path)


def files(host: Host) -> dict[str, str]:
    """Return what lies in the folder of configurations and in the one for autostart: what it holds, where it leads."""
    found = {}
    for folder in (host.paths.auto.parent, host.paths.auto):
        for path in folder.iterdir():
            if path.is_symlink():
                found[str(path.relative_to(host.paths.auto.parent))] = path.resolve().name
            elif path.is_file():
                found[str(path.relative_to(host.paths.auto.parent))] = path.read_text()
    return found


def test_the_file_that_it_is_started_from_goes_along(user: User) -> None:
    """The one that was named for a domain that is shut down: from its own it would not start again as it is now."""
    first, second = user.site["xen1"], user.site["xen2"]
    given = first.paths.root / "for-xen2.cfg"
    given.write_text(CONFIG.text() + "# as xen2 has it\n")
    own = (first.paths.auto.parent / "centos.cfg").read_text()
    user.move("xen2", "-e", "migrate_method=cold", "-e", f"migrate_config={given}")
    assert files(second) == {"centos.cfg": given.read_text(), "auto/centos.cfg": "centos.cfg"}
    assert files(first)[f"centos.cfg.moved-{user.result['session']}"] == own


def test_config_and_autostart_go_there_and_back_without_leftovers(user: User) -> None:
    """At no time both hosts start it; mode and owner are kept; after the way back all is as it was."""
    first, second = user.site["xen1"], user.site["xen2"]
    path = first.paths.auto.parent / "centos.cfg"
    path.chmod(0o640)
    before = files(first)
    user.move("xen2")
    arrived = second.paths.auto.parent / "centos.cfg"
    assert files(second) == {"centos.cfg": before["centos.cfg"], "auto/centos.cfg": "centos.cfg"}
    assert (arrived.stat().st_mode & 0o777, arrived.stat().st_uid) == (0o640, path.parent.stat().st_uid)
    session = user.result["session"]
    assert sorted(files(first)) == [f"auto/.centos.cfg.dom0-xen-{session}", f"centos.cfg.moved-{session}"]
    assert user.result["belongings"]["source"]["kept_as"] == f"{path}.moved-{session}"
    assert user.result["belongings"]["destination"]["config"] == str(arrived)
    assert user.result["remarks"] == []
    first.power_cycle()
    assert [run.host for run in user.site.running(GUEST)] == ["xen2"]
    user.move("xen1")
    assert files(first) == before
    user.move("xen2")
    assert sorted(files(second)) == ["auto/centos.cfg", "centos.cfg"]
    second.power_cycle()
    assert where(user.site) == "xen2", "the host that has it starts it at boot"


def test_what_is_there_is_not_written_over(user: User) -> None:
    """The check says so beforehand; the file that came is beside it, and starts the domain at boot."""
    other = user.site["xen2"].paths.auto.parent / "centos.cfg"
    text = 'name = "another"\nuuid = "99999999-3f5d-4c65-9e1a-0123456789ab"\n'
    other.write_text(text)
    log = user.move("xen2", "--check")
    assert f"{other} is there already and configures another" in log
    user.move("xen2")
    session = user.result["session"]
    assert other.read_text() == text
    assert files(user.site["xen2"])["auto/centos.cfg"] == f"centos.cfg.dom0-xen-{session}"
    assert [remark["code"] for remark in user.result["remarks"]] == ["config_name_taken"]
    assert f"{other}.dom0-xen-{session}" in user.result["remarks"][0]["msg"]
    user.move("xen1")
    assert sorted(files(user.site["xen1"])) == ["auto/centos.cfg", "centos.cfg"]


def test_it_is_left_alone_where_that_is_asked_for(user: User) -> None:
    """The autostart is out of force all the same, or two hosts would start it."""
    user.move("xen2", "-e", "migrate_follow_config=false", "-e", "migrate_liveness=false")
    assert files(user.site["xen2"]) == {}
    assert "centos.cfg" in files(user.site["xen1"]) and "auto/centos.cfg" not in files(user.site["xen1"])
    assert (user.result["liveness"], user.result["differences"]) == (None, None)


def test_life_is_part_of_success(user: User) -> None:
    """A guest that does not answer stays where it is, and the run fails, and says so; one that answers is alive."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{server.getsockname()[1]}"
        wanted = ("-e", f"migrate_liveness_address={address}", "-e", "migrate_liveness_timeout=2")
        process = user.start("dom0.xen.migrate", *user.asking("xen2"), *wanted)
        log = process.communicate(timeout=LIMIT_S)[0]
        assert process.returncode != 0
        assert "xen2: centos has moved and is not alive after 2" in log, log[-4000:]
        assert f"s: {address} does not answer." in log
        assert where(user.site) == "xen2"
        told = user.result
        assert (told["end_state"], told["owner"], told["error"]["code"]) == ("moved", "destination", "moved_not_alive")
        assert told["liveness"]["devices"] == {"vif/0": 4}
        server.listen()
        user.move("xen1", *wanted)
    assert user.result["liveness"]["alive"] is True
    assert user.result["liveness"]["answered"] is True


def test_what_is_not_as_it_was_is_told(user: User) -> None:
    """Affinity that was set by hand stays behind, and so does the processor; the rest goes along."""
    user.site["xen1"].configure(save_rate=4_000_000)
    user.site["xen2"].configure(cpu_khz=2_100_000)
    assert user.site["xen1"].run("xl", "vcpu-pin", "centos", "all", "2,3").status == 0
    log = user.move("xen2")
    clock = {
        "what": "clock_source",
        "before": "at the processor's rate of 2599.998 MHz",
        "after": "scaled or emulated at 2599.998 MHz (the processor has 2100.000)",
    }
    assert user.result["differences"] == [{"what": "affinity_hard", "before": "2-3", "after": "all"}, clock]
    assert "xen2: its time stamp counter (TSC) was at the processor's rate of 2599.998 MHz before" in log
    assert "xen2: the processors that its vCPUs may run on was 2-3 before, and is all now." in log
