# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both processes of a session whose domain is shut down here and started there, on two hosts of the double."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import sessions_seen
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import NAME, UUID, Move, until

__all__ = ["make_site"]

pytestmark = pytest.mark.timeout(900)

MAC = "00:16:3e:00:00:64"
FILE = f'''name = "{NAME}"
type = "pvh"
memory = 8
kernel = "/srv/guest/vmlinuz"
vif = [ "bridge=xenbr0" ]
'''


@pytest.fixture
def site(make_site: MakeSite) -> t.Iterator[Site]:  # noqa: F811  # pytest finds fixtures by their names
    """Two hosts, the guest on xen1; its file has neither its UUID nor the address of its card."""
    site = make_site("xen1", "xen2", suspend_timeout_s=1.0)
    site["xen1"].start_guest(GuestConfig(memory_mib=8, compact=True, extra='on_crash = "preserve"'))
    for host in site.hosts.values():
        host.record_points()
    (site["xen1"].paths.root / "domain.cfg").write_text(FILE)
    yield site
    until(lambda: not any(host.left_over() for host in site.hosts.values()))


def begin(site: Site, **changes: t.Any) -> Move:
    """Begin the move."""
    path = str(site["xen1"].paths.root / "domain.cfg")
    return two_hosts.begin(site, "cold", **{"config_path": path, "shutdown_timeout": 60.0, **changes})


def runs_on(site: Site, name: str) -> None:
    """The guest runs there and nowhere else, never ran twice, and is itself."""
    assert site.overlaps(UUID) == []
    assert len(site.running(UUID)) == 1
    for host in site.hosts.values():
        assert [each["name"] for each in host.domains()] == ([NAME] if host.name == name else []), host.name
    (domain,) = json.loads(site[name].run("xl", "list", "-l", NAME).stdout)
    config = domain["config"]
    assert (config["c_info"]["uuid"], config["nics"][0]["mac"]) == (UUID, MAC)


def when_it_is_down(site: Site) -> None:
    """Wait until the guest is down here and the destination is about to make it."""
    until(lambda: site["xen2"].passed("create.make"))
    assert site["xen1"].domains() == []


def test_it_is_shut_down_and_started_there(site: Site) -> None:
    """It is the same domain, and both hosts have what it is made from on their disks."""
    move = begin(site)
    result = move.result()
    assert (result["end_state"], result["owner"], result["method"]) == ("moved", "destination", "cold")
    assert result["stop_measured"] == "shutdown_asked_to_destination_running"
    runs_on(site, "xen2")
    assert move.steps().index("shutting_down") < move.steps().index("transferred")
    for host in site.hosts.values():
        (text,) = [each.read_text() for each in host.paths.lib.glob("dom0-xen/*/domain.cfg")]
        assert MAC in text and UUID in text


def test_the_guest_is_not_asked_before_the_destination_is_prepared(site: Site) -> None:
    """What the destination's xl cannot read, and a domain that has more memory than was checked, end it before."""
    file = site["xen1"].paths.root / "domain.cfg"
    file.write_text(f"{FILE}memory = 1024\n")
    move = begin(site)
    result = move.result()
    assert (result["end_state"], "shutting_down" in move.steps()) == ("stayed", False)
    assert "1048576 KiB of memory" in json.dumps(result["error"])
    assert site["xen1"].passed("shutdown.start") == []
    runs_on(site, "xen1")


@pytest.mark.parametrize("there", [True, False])
def test_files_are_looked_for_as_the_file_names_them(site: Site, tmp_path: pathlib.Path, there: bool) -> None:
    """A destination that has its disk elsewhere gets a file that says so, and only that one must be there."""
    disk = 'disk = [ "format=raw,vdev=xvda,access=rw,target={}" ]\n'
    running, named = tmp_path / "running.img", tmp_path / "named.img"
    assert site["xen1"].run("xl", "destroy", NAME).status == 0
    extra = f'on_crash = "preserve"\n{disk.format(running)}'
    site["xen1"].start_guest(GuestConfig(memory_mib=8, compact=True, extra=extra))
    (site["xen1"].paths.root / "domain.cfg").write_text(FILE + disk.format(named))
    (named if there else running).touch()
    move = begin(site)
    result = move.result()
    if there:
        assert (result["end_state"], result["error"]) == ("moved", None)
        runs_on(site, "xen2")
        return
    assert (result["end_state"], "shutting_down" in move.steps()) == ("stayed", False)
    error = result["error"]
    assert error["code"] == "disk_file_missing" and str(named) in error["msg"] and str(running) not in error["msg"]
    runs_on(site, "xen1")


def test_a_guest_that_does_not_shut_down_runs_on(site: Site) -> None:
    """What it was asked is taken back."""
    site["xen1"].behave(NAME, shutdown="ignore")
    before = site["xen1"].guest(NAME)
    move = begin(site, shutdown_timeout=1.0)
    until(lambda: "late" in json.dumps(move.steps()) or "ended" in move.steps())
    after = site["xen1"].guest(NAME)
    assert before and after and before["boot_id"] == after["boot_id"]
    (domain,) = site["xen1"].domains()
    node = f"/local/domain/{domain['domid']}/control/shutdown"
    assert site["xen1"].run("xenstore-read", node).stdout.strip() == ""
    assert site["xen2"].passed("create.make") == []
    runs_on(site, "xen1")
    # It agrees now, as one that was slow does: the sender watches, and starts it again.
    domid = domain["domid"]
    site["xen1"].machine.call("shut_down", domid=domid, reason=0)
    result = move.result()
    assert (result["end_state"], result["error"]["code"]) == ("stayed", "guest_ignores_shutdown")
    assert site["xen1"].domains()[0]["domid"] != domid
    runs_on(site, "xen1")


def test_a_guest_that_crashes_in_place_of_it_is_kept(site: Site) -> None:
    """Its domain stays as it is, for whoever wants to know why; nothing is started, and it is named as the cause."""
    site["xen1"].behave(NAME, shutdown="ignore")
    move = begin(site)
    until(lambda: site["xen1"].passed("shutdown.start"))
    (domain,) = site["xen1"].domains()
    site["xen1"].machine.call("shut_down", domid=domain["domid"], reason=3)
    result = move.result()
    assert result["end_state"] == "unsettled" and "has crashed in place of shutting down" in result["error"]["msg"]
    assert [each["domid"] for each in site["xen1"].domains()] == [domain["domid"]]
    assert site["xen2"].passed("create.make") == []
    assert move.settle().owner == "source"


def test_one_that_goes_down_late_and_is_not_started_has_no_owner(site: Site) -> None:
    """It crashes when it shuts down at last, and is kept; the session had ended with the domain running here."""
    site["xen1"].behave(NAME, shutdown="ignore")
    move = begin(site, shutdown_timeout=1.0)
    until(lambda: "ended" in move.steps())
    (domain,) = site["xen1"].domains()
    site["xen1"].machine.call("shut_down", domid=domain["domid"], reason=3)
    result = move.result()
    assert (result["end_state"], result["owner"]) == ("unsettled", "unsettled")
    assert result["error"]["code"] == "late_shutdown" and "has crashed" in result["error"]["msg"]
    assert move.settle().owner == "source"


def test_what_a_backend_holds_on_to_is_not_moved(site: Site) -> None:
    """That may be a write on its way to the disk, which must not come after those made there; the guest comes back."""
    site["xen1"].configure(zombie_s=6.0)
    result = begin(site, shutdown_timeout=2.0).result()
    assert (result["end_state"], result["error"]["code"]) == ("stayed", "guest_lingers")
    assert site["xen2"].passed("create.make") == []
    runs_on(site, "xen1")


@pytest.mark.parametrize("how", ["destroy", "save"])
def test_what_somebody_takes_away_is_started_nowhere(site: Site, how: str) -> None:
    """It did not shut down, so they have ended it or saved it; what is theirs is not taken for what was asked for."""
    site["xen1"].behave(NAME, shutdown="ignore")
    move = begin(site)
    until(lambda: site["xen1"].passed("shutdown.start"))
    image = [str(site["xen1"].paths.root / "image")] if how == "save" else []
    assert site["xen1"].run("xl", how, NAME, *image).status == 0
    result = move.result()
    assert (result["end_state"], result["owner"]) == ("unsettled", "unsettled")
    assert "somebody has destroyed, saved or moved it" in result["error"]["msg"]
    assert site["xen2"].passed("create.make") == []
    assert move.settle().end_state == "started_perhaps"
    assert move.settle(vouched_ran=True).owner == "elsewhere"
    assert site["xen1"].domains() == site["xen2"].domains() == []


def test_a_guest_that_reboots_in_place_of_it_stays(site: Site) -> None:
    """For a moment no domain is there, and that is not taken for its end."""
    site["xen1"].behave(NAME, shutdown="reboot")
    result = begin(site).result()
    assert (result["end_state"], result["error"]["code"]) == ("stayed", "guest_rebooted")
    assert site["xen2"].passed("create.make") == []
    runs_on(site, "xen1")


@pytest.mark.parametrize("point", ["create.make", "create.done", "rename.start", "unpause.start"])
def test_a_destination_that_cannot_start_it_gives_it_back(site: Site, point: str) -> None:
    """Before the permission and after it."""
    site["xen2"].faults({"point": point, "action": "exit", "status": 1, "times": 9})
    result = begin(site).result()
    assert result["end_state"] == "stayed", result
    runs_on(site, "xen1")


def test_the_process_that_shuts_it_down_is_killed(site: Site) -> None:
    """The sender starts the guest again."""
    site["xen2"].faults({"point": "create.make", "action": "stall", "seconds": 3})
    move = begin(site)
    when_it_is_down(site)
    site["xen1"].kill("_session.stand_ins.shutter")
    assert move.result()["end_state"] == "stayed"
    runs_on(site, "xen1")


def test_a_destination_that_makes_it_gives_up_when_that_is_made(site: Site) -> None:
    """Its xl may wait for another one's arrival for as long as that takes; ended half way it leaves half a domain."""
    site["xen2"].faults({"point": "create.make", "action": "stall", "seconds": 10})
    move = begin(site)
    when_it_is_down(site)
    site["xen1"].kill("_session.stand_ins.shutter")
    assert move.result()["end_state"] == "stayed"
    until(lambda: not site["xen2"].left_over())
    assert site["xen2"].passed("create.done") and site["xen2"].passed("unpause.start") == []
    runs_on(site, "xen1")


def test_what_makes_it_there_is_waited_for_when_its_parent_is_killed(site: Site) -> None:
    """Until then nobody can know what becomes of the copy; then it is given up."""
    site["xen2"].faults({"point": "create.make", "action": "stall", "seconds": 5})
    move = begin(site)
    when_it_is_down(site)
    site["xen2"].kill("_session.stand_ins.starter")
    result = move.result()
    assert result["end_state"] == "stayed", result
    assert site["xen2"].passed("create.done")
    runs_on(site, "xen1")


def test_an_xl_that_starts_it_again_and_hangs_is_left(site: Site) -> None:
    """It is not ended half way: the run says that nothing is certain, and settling goes by what comes of it."""
    site["xen2"].faults({"point": "create.make", "action": "exit", "status": 1, "times": 9})
    site["xen1"].faults({"point": "create.made", "action": "stall", "seconds": 30})
    move = begin(site, ready_timeout=2.0, shutdown_timeout=5.0)
    result = move.result()
    assert (result["end_state"], result["owner"]) == ("unsettled", "unsettled")
    assert result["error"]["code"] == "xl_stays" and "failed with exit status 1" in result["error"]["msg"]
    assert site["xen1"].passed("create.done") == []
    assert move.settle().end_state == "stayed"
    assert site["xen1"].passed("create.done")
    runs_on(site, "xen1")


def test_half_a_domain_is_none_that_stays(site: Site) -> None:
    """Somebody ends that xl half way: what it leaves is neither started nor taken for the domain."""
    site["xen2"].faults({"point": "create.make", "action": "exit", "status": 1, "times": 9})
    site["xen1"].faults({"point": "create.made", "action": "kill"})
    move = begin(site)
    result = move.result()
    assert (result["end_state"], result["owner"]) == ("unsettled", "unsettled")
    assert "was cut off" in result["error"]["msg"]
    made = move.settle()
    assert made.end_state == "half_made"
    (domain,) = site["xen1"].domains()
    assert f"xl destroy {domain['domid']}" in made.choices[0]
    site["xen1"].run("xl", "destroy", str(domain["domid"]))
    assert move.settle().end_state == "stayed"
    runs_on(site, "xen1")


def test_one_that_somebody_starts_there_by_hand_is_not_started_here(site: Site) -> None:
    """While it is nowhere; the destination's own copy is given up, and the source hears why."""
    site["xen2"].faults({"point": "create.make", "action": "stall", "seconds": 5})
    move = begin(site)
    when_it_is_down(site)
    site["xen2"].start_guest(GuestConfig(memory_mib=8, compact=True))
    result = move.result()
    assert (result["end_state"], result["error"]["code"]) == ("unsettled", "runs_without_permission")
    made = move.settle()
    assert (made.owner, made.end_state) == ("destination", "moved")
    runs_on(site, "xen2")


def watches(site: Site) -> bool:
    """Whether the sender says that it watches for what the guest does after the session's end."""
    found = (site["xen1"].paths.run.resolve() / "dom0-xen").glob("*.sender/status.json")
    return any(json.loads(path.read_bytes())["watches"] for path in found)


@pytest.mark.parametrize("limit", [60.0, 1.0], ids=["while it is waited for", "after that"])
def test_a_guest_that_has_agreed_is_watched_by_whoever_settles(site: Site, limit: float) -> None:
    """Nobody else is left who would start it again when it goes down; and then it has not gone down unseen."""
    site["xen1"].behave(NAME, shutdown_s=20.0)
    move = begin(site, shutdown_timeout=limit)
    (domain,) = site["xen1"].domains()
    node = f"/local/domain/{domain['domid']}/control/shutdown"
    until(lambda: site["xen1"].passed("shutdown.start"))
    until(lambda: site["xen1"].run("xenstore-read", node).stdout.strip() == "")
    until(lambda: limit > 1.0 or watches(site))
    site["xen1"].kill("_session.daemon", "sender")
    site["xen1"].kill("_session.stand_ins.shutter")
    folders = str(site["xen1"].paths.run.resolve() / "dom0-xen"), str(move.journal.parent)
    until(lambda: not any(each.alive for each in sessions_seen(*folders)))
    (seen,) = sessions_seen(*folders)
    assert (seen.role, seen.over) == ("sender", False)
    assert (move.settle().end_state, move.steps()[-1]) == ("stayed", "settled")
    assert site["xen1"].domains()[0]["domid"] != domain["domid"]
    runs_on(site, "xen1")


@pytest.mark.parametrize("both", [False, True], ids=["sender", "both"])
def test_a_killed_sender_and_whoever_settles(site: Site, both: bool) -> None:
    """The other process starts it again, or, where that is killed too, settling: the journal says that it is to."""
    site["xen2"].faults({"point": "create.make", "action": "stall", "seconds": 3})
    move = begin(site)
    when_it_is_down(site)
    site["xen1"].kill("_session.daemon", "sender")
    if both:
        site["xen1"].kill("_session.stand_ins.shutter")
    assert move.settle().end_state == "stayed"
    runs_on(site, "xen1")


def test_the_source_loses_power_when_it_is_down(site: Site) -> None:
    """Unlike a suspended domain it is not lost with the host's memory; a person may have started it elsewhere since."""
    site["xen2"].faults({"point": "create.make", "action": "stall", "seconds": 3})
    move = begin(site)
    when_it_is_down(site)
    site["xen1"].power_cycle()
    assert move.settle().end_state == "started_perhaps"
    assert site["xen1"].domains() == []
    assert move.settle(vouched_ran=False).end_state == "stayed"
    runs_on(site, "xen1")


def test_a_domain_that_is_to_stay_down_is_given_up(site: Site) -> None:
    """The word of a person, after which nothing starts it here."""
    site["xen2"].faults({"point": "create.make", "action": "stall", "seconds": 3})
    move = begin(site)
    when_it_is_down(site)
    site["xen1"].power_cycle()
    made = move.settle(vouched_ran=True)
    assert (made.owner, made.end_state) == ("elsewhere", "down")
    assert move.settle().next == "done"
    assert site["xen1"].domains() == site["xen2"].domains() == []


def test_the_destination_loses_power_before_the_commit(site: Site) -> None:
    """The source goes back by itself once the link is given up."""
    site["xen2"].faults({"point": "create.make", "action": "power_loss"})
    move = begin(site, link_timeout=1.0)
    assert move.result()["end_state"] == "stayed"
    site["xen2"].power_on()
    assert move.settle().owner == "source"
    runs_on(site, "xen1")


@pytest.mark.parametrize("ran", [False, True])
def test_the_destination_loses_power_after_the_commit(site: Site, ran: bool) -> None:
    """Whether it has run there a person says; then it is started here, or given up here."""
    site["xen2"].faults({"point": "rename.start", "action": "power_loss"})
    move = begin(site, link_timeout=1.0)
    until(lambda: site["xen2"].passed("rename.start") and not site["xen2"].is_on)
    site["xen2"].power_on()
    assert move.settle().end_state == "ran_perhaps"
    made = move.settle(vouched_ran=ran)
    if ran:
        assert (made.owner, made.end_state) == ("destination", "down")
        assert site["xen1"].domains() == []
        # Nothing starts it again here afterwards.
        assert move.settle().owner == "destination"
    else:
        assert (made.owner, made.end_state) == ("source", "stayed")
        runs_on(site, "xen1")
