# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain is shut down here and started there from its configuration file, and whatever fails starts it again here."""

from __future__ import annotations

import json
import pathlib
import sys
import time
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)

COLD = ("-e", "migrate_method=cold", "-e", "migrate_silence_timeout=5")
MAC = "00:16:3e:00:00:64"


@pytest.fixture
def site(tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Two hosts, the guest on xen1, which starts it when it boots."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable, suspend_timeout_s=2.0)
    guest = GuestConfig(memory_mib=16, compact=True)
    site["xen1"].start_guest(guest)
    site["xen1"].autostart(guest)
    for host in site.hosts.values():
        host.record_points()
    yield site
    # A sender may still watch for a guest that shuts down late.
    site.down()


def run(user: User, *arguments: str) -> tuple[int, str]:
    """Try to move the guest to xen2; return the status and the log."""
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *COLD, *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    return process.returncode, log


def identity(site: Site, host: str) -> tuple[str, str, str]:
    """The UUID, the name and the card's address of the only domain of a host."""
    (domain,) = json.loads(site[host].run("xl", "list", "-l", "centos").stdout)
    config = domain["config"]
    return config["c_info"]["uuid"], config["c_info"]["name"], config["nics"][0]["mac"]


def test_a_domain_is_shut_down_and_started_there(user: User) -> None:
    """With its UUID and its address; what would start it here at boot is set aside."""
    before = user.site["xen1"].guest()
    log = user.move("xen2", *COLD)
    assert "shut down here and started from its configuration file there, as asked for" in log
    assert where(user.site) == "xen2"
    assert identity(user.site, "xen2") == (GUEST, "centos", MAC)
    assert user.site["xen1"].domains() == []
    after = user.site["xen2"].guest()
    assert before and after and before["boot_id"] != after["boot_id"]
    result = user.result
    assert (result["method"], result["end_state"]) == ("cold", "moved")
    assert result["stop_measured"] == "shutdown_asked_to_destination_running"
    assert result["stop_ms"] > 0
    assert not (user.site["xen1"].paths.auto / "centos.cfg").exists()


def test_auto_shuts_it_down_only_where_that_was_allowed_and_nothing_else_works(user: User) -> None:
    """Without a word about it the move is refused, and the guest is where it was; with it the plan says why."""
    source = user.site["xen1"]
    assert source.run("xl", "destroy", "centos").status == 0
    source.start_guest(GuestConfig(memory_mib=16, compact=True, extra="nomigrate = 1"))
    process = user.start("dom0.xen.migrate", *user.asking("xen2"))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2 and "migrate_allow_cold to true" in " ".join(log.split()), log[-3000:]
    assert [one["code"] for one in user.result["findings"] if one["severity"] == "error"] == ["migration_disabled"]
    assert where(user.site) == "xen1" and source.passed("shutdown.start") == []
    log = user.move("xen2", "-e", "migrate_allow_cold=true")
    assert "as it cannot move while it runs: centos was started with nomigrate=1" in " ".join(log.split())
    assert (user.result["method"], user.result["end_state"], where(user.site)) == ("cold", "moved", "xen2")
    assert user.result["method_reason"].startswith("as it cannot move while it runs: centos was started with nomig")


@pytest.mark.parametrize("memory_mib", [8, 32], ids=["less", "more"])
def test_a_file_that_has_the_destinations_network_and_other_memory(user: User, memory_mib: int) -> None:
    """It is made from that, and the destination is looked at as the file has it; the plan names the file."""
    user.site["xen2"].configure(bridges=["br-lan"])
    path = user.site["xen1"].paths.root / "for-xen2.cfg"
    path.write_text(GuestConfig(memory_mib=memory_mib, compact=True, bridge="br-lan").text())
    log = user.move("xen2", *COLD, "-e", f"migrate_config={path}")
    assert f"It is started from {path} on xen1." in log
    assert identity(user.site, "xen2") == (GUEST, "centos", MAC)
    (domain,) = json.loads(user.site["xen2"].run("xl", "list", "-l", "centos").stdout)
    assert domain["config"]["nics"][0]["bridge"] == "br-lan"
    assert domain["config"]["b_info"]["max_memkb"] == memory_mib * 1024


def test_a_guest_that_does_not_shut_down_in_time(user: User) -> None:
    """It is named as the cause, with what can be done about it; when it shuts down after all it is started again."""
    source = user.site["xen1"]
    source.behave("centos", shutdown_s=45.0)
    before = source.domains()
    status, log = run(user, "-e", "migrate_shutdown_timeout=2")
    assert status != 0
    error = user.result["error"]
    assert error["code"] == "guest_ignores_shutdown", log[-4000:]
    assert "migrate_shutdown_timeout" in error["remedy"] and error["remedy"] in log
    assert (user.result["owner"], user.result["end_state"]) == ("source", "stayed")
    assert user.site["xen2"].passed("create.make") == []
    deadline = time.monotonic() + LIMIT_S
    while [each["domid"] for each in source.domains()] in ([], [before[0]["domid"]]):
        assert time.monotonic() < deadline, "it was not started again"
        time.sleep(0.2)
    assert where(user.site) == "xen1"
    assert identity(user.site, "xen1") == (GUEST, "centos", MAC)


def test_a_guest_that_hangs(user: User) -> None:
    """It stands still when it is asked: the deadline holds, and the request is gone by the time that it goes on."""
    source = user.site["xen1"]
    source.behave("centos", shutdown="ignore")
    before = source.guest()
    (domain,) = source.domains()
    node = f"/local/domain/{domain['domid']}/control/shutdown"
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), *COLD, "-e", "migrate_shutdown_timeout=5")

    def wait_for(request: str) -> None:
        deadline = time.monotonic() + LIMIT_S
        while source.run("xenstore-read", node).stdout.strip() != request:
            assert time.monotonic() < deadline and move.poll() is None
            time.sleep(0.1)

    wait_for("poweroff")
    assert source.run("xl", "pause", "centos").status == 0
    wait_for("")
    source.behave("centos", shutdown="normal")
    assert source.run("xl", "unpause", "centos").status == 0
    log = move.communicate(timeout=LIMIT_S)[0]
    assert move.returncode != 0 and user.result["error"]["code"] == "guest_ignores_shutdown", log[-4000:]
    assert (user.result["owner"], user.result["end_state"]) == ("source", "stayed")
    after = source.guest()
    assert before and after and before["boot_id"] == after["boot_id"]
    assert where(user.site) == "xen1" and user.site["xen2"].passed("create.make") == []


def refusing(folder: pathlib.Path) -> tuple[str, ...]:
    """Arguments for tasks at the gate that fail, and for those that undo them."""
    tasks, undo = folder / "tasks.yml", folder / "undo.yml"
    tasks.write_text("- ansible.builtin.fail:\n    msg: no\n")
    undo.write_text("- ansible.builtin.debug:\n    msg: undone\n")
    gate = f"migrate_gate_tasks={tasks} migrate_gate_undo_tasks={undo} migrate_gate=controller"
    return tuple(word for each in gate.split() for word in ("-e", each))


def test_a_refusal_at_the_gate_starts_it_again(user: User, tmp_path: pathlib.Path) -> None:
    """Here, with its UUID and its address, and what starts it at boot is in its place."""
    status, dummy = run(user, *refusing(tmp_path))
    assert status != 0
    assert user.result["end_state"] == "stayed"
    assert where(user.site) == "xen1"
    assert identity(user.site, "xen1") == (GUEST, "centos", MAC)
    assert user.site["xen2"].domains() == []
    assert (user.site["xen1"].paths.auto / "centos.cfg").exists()


def interrupted(user: User, hit: t.Callable[[], object]) -> str:
    """Begin the move, and do something when the guest is down here and not yet made there; return the log."""
    user.site["xen2"].faults({"point": "create.make", "action": "stall", "seconds": 8})
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), *COLD)
    deadline = time.monotonic() + LIMIT_S
    while not user.site["xen2"].passed("create.make"):
        assert time.monotonic() < deadline and move.poll() is None
        time.sleep(0.1)
    assert user.site["xen1"].domains() == []
    hit()
    return move.communicate(timeout=LIMIT_S)[0]


def test_killed_processes_and_one_run_that_settles(user: User) -> None:
    """Nobody is left who would start it again, and nothing of it is here: the journal says that it is to be."""
    source = user.site["xen1"]
    log = interrupted(
        user, lambda: (source.kill("_session.stand_ins.shutter"), source.kill("_session.daemon", "sender"))
    )
    log += user.run("dom0.xen.settle", "-e", "domain=centos", "-v")
    assert where(user.site) == "xen1", log[-4000:]
    assert identity(user.site, "xen1") == (GUEST, "centos", MAC)
    assert user.site["xen2"].domains() == []


@pytest.mark.parametrize("elsewhere", [False, True], ids=["nowhere", "elsewhere"])
def test_the_run_that_cleans_up_asks_all_dom0s(user: User, elsewhere: bool) -> None:
    """Nobody is asked who need not be: where no dom0 has it, it is started again here, else it is left there."""
    site = user.site
    site.up(["xen3"], python=sys.executable)

    def hit() -> None:
        site["xen1"].kill("_session.stand_ins.shutter")
        site["xen1"].kill("_session.daemon", "sender")
        if elsewhere:
            site["xen3"].start_guest(GuestConfig(memory_mib=16, compact=True))

    log = interrupted(user, hit)
    assert "TASK [dom0.xen.settle : Look at all dom0s]" in log, log[-6000:]
    assert where(site) == ("xen3" if elsewhere else "xen1"), log[-6000:]
    assert site["xen2"].domains() == []
    assert "Nothing to settle" in user.run("dom0.xen.settle")


def test_the_next_run_asks_all_dom0s_though_it_names_the_source(user: User) -> None:
    """To find the domain it looks at two of them; before it says that one was not looked at it does so."""
    site = user.site
    site.up(["xen3"], python=sys.executable)
    site["xen1"].run("xl", "destroy", "centos")
    journal = site["xen1"].paths.lib / "dom0-xen" / f"{1:016x}.sender" / "journal"
    journal.parent.mkdir(mode=0o700, parents=True)
    opened = {"uuid": GUEST, "name": "centos", "role": "sender", "boot_id": "an earlier one", "peer_host": "xen2"}
    steps: list[dict[str, t.Any]] = [{"step": "opened", "details": opened}, {"step": "shutting_down"}]
    journal.write_text("".join(json.dumps(step) + "\n" for step in steps))
    status, log = run(user, "-e", "source=xen1")
    assert status != 0 and "End state: started_perhaps" in log, log[-6000:]
    assert "TASK [dom0.xen.settle : Look at all dom0s]" in log, log[-6000:]
    assert "xen1 was started again" in log and "was not looked at" not in log, log[-6000:]


def test_the_source_loses_power_when_it_is_down(user: User) -> None:
    """Unlike a suspended domain it is not lost with the host's memory; somebody says that it was not started since."""
    log = interrupted(user, user.site["xen1"].power_cycle)
    asked = user.start("dom0.xen.settle", "-e", "domain=centos").communicate(timeout=LIMIT_S)[0]
    assert "End state: started_perhaps" in asked and "xen1 was started again" in asked, asked[-4000:]
    assert user.site["xen1"].domains() == []
    log += user.run("dom0.xen.settle", "-e", "domain=centos", "-e", "settle_ran=no", "-v")
    assert where(user.site) == "xen1", log[-4000:]
    assert identity(user.site, "xen1") == (GUEST, "centos", MAC)
    assert user.site["xen2"].domains() == []


def test_one_that_somebody_has_started_elsewhere_is_left_there(user: User) -> None:
    """The source is away, and whoever is on call does not wait; when it is back nothing of the move is started."""
    site = user.site
    site.up(["xen3"], python=sys.executable)

    def hit() -> None:
        site["xen1"].power_off()
        site["xen3"].start_guest(GuestConfig(memory_mib=16, compact=True))

    interrupted(user, hit)
    site["xen1"].power_on()
    log = user.run("dom0.xen.settle", "-e", "domain=centos", "-v")
    assert "It is on xen3, where somebody has put it." in log, log[-4000:]
    assert where(site) == "xen3"
    assert site["xen1"].domains() == site["xen2"].domains() == []
    assert "Nothing to settle" in user.run("dom0.xen.settle")


def test_the_destination_loses_power_after_the_commit(user: User) -> None:
    """Whether it has run there only a person can say; then it is started again here."""
    user.site["xen2"].faults({"point": "rename.start", "action": "power_loss"})
    status, dummy = run(user, "-e", "migrate_link_timeout=3")
    assert status != 0
    user.site["xen2"].power_on()
    settle = user.start("dom0.xen.settle", "-e", "domain=centos")
    assert "settle_ran=no" in settle.communicate(timeout=LIMIT_S)[0]
    assert user.site["xen1"].domains() == user.site["xen2"].domains() == []
    log = user.run("dom0.xen.settle", "-e", "domain=centos", "-e", "settle_ran=no", "-v")
    assert where(user.site) == "xen1", log[-4000:]
