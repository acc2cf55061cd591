# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``dom0.xen.check`` finds on real hosts that are not as a move needs them; neither they nor the guest notice.

All of it on one lab, one after the other: the guest is watched from before the first to after the last.
"""

from __future__ import annotations

import contextlib
import json
import typing as t
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from dom0lab.guest_disk import guest_config

from .circumstances import OTHER_UUID, being_saved, bridge_renamed, card_less, cluster, crashed, paused, volume
from .plays import Outcome
from .world import BUILD, World, same_guest

pytestmark = pytest.mark.untried

CHECK = "dom0.xen.check"
OTHER_MAC = "00:16:3e:77:00:20"
SMALL_MIB = 112
ODD_DISK = "/var/lib/lab-odd.raw"
FILE = "/run/lab-given.cfg"
AHEAD_S = 600
# Every question costs the emulated hosts time; a gap is not what is looked for.
ASK_S = 0.2
# Whatever has to do with us, or with a case.
OURS = "find /run /var/lib /dev/shm /etc/xen -path '*dom0-xen*' -o -name '*lab-*' | sort"

Changed = t.ContextManager[None]


@contextlib.contextmanager
def as_it_is(world: World) -> Iterator[None]:
    """Nothing has to be done."""
    yield


def small(name: str, *lines: str, **more: t.Any) -> str:
    """The configuration of a small domain without a network card, with some lines more."""
    text = card_less(guest_config(name=name, uuid=OTHER_UUID, memory_mib=SMALL_MIB, **more))
    return "\n".join([text, *lines, ""])


@contextlib.contextmanager
def memory_full(world: World) -> Iterator[None]:
    """A domain at the destination takes all but what is not enough for the guest."""
    host = world.destination
    free = int(host.run("xl info free_memory").stdout)
    with paused(host, "fat", card_less(guest_config(name="fat", uuid=OTHER_UUID, memory_mib=free - 80))):
        yield


def bridge_gone(world: World) -> Changed:
    """The destination calls its bridge otherwise."""
    return bridge_renamed(world.destination, "xenbr0", "br-lan")


def namesake(world: World) -> Changed:
    """Another domain at the destination is called as the guest is."""
    return paused(world.destination, "centos", small("centos"))


@contextlib.contextmanager
def names_of_a_migration(world: World) -> Iterator[None]:
    """The names that xl gives to the two copies while it migrates are taken."""
    away, incoming = "centos--migratedaway", "centos--incoming"
    with paused(world.source, away, small(away)), paused(world.destination, incoming, small(incoming)):
        yield


def saved_by_somebody(world: World) -> Changed:
    """Somebody's xl save of the guest is at work."""
    return being_saved(world.source, "centos")


@contextlib.contextmanager
def guest_that_cannot_suspend(world: World) -> Iterator[None]:
    """What the guest has said of itself when it booted, and does not look at again."""
    node = "/local/domain/$(xl domid centos)/control/feature-suspend"
    assert world.source.run(f"xenstore-read {node}").stdout.strip() == "1"
    world.source.run(f"xenstore-write {node} 0")
    try:
        yield
    finally:
        world.source.run(f"xenstore-write {node} 1")


@contextlib.contextmanager
def odd_and_asked_to_reboot(world: World) -> Iterator[None]:
    """A domain that is not to be moved, never ran, and is being asked to reboot."""
    with paused(world.source, "odd", small("odd", "nomigrate = 1")):
        world.source.run("xenstore-write /local/domain/$(xl domid odd)/control/shutdown reboot")
        yield


@contextlib.contextmanager
def odd_with_a_disk(world: World) -> Iterator[None]:
    """A domain whose disk is a file on a file system of the source's own."""
    world.source.run(f"modprobe loop && truncate -s 16M {ODD_DISK}")
    disk = f'disk = [ "format=raw,vdev=xvda,access=w,target={ODD_DISK}" ]'
    try:
        with paused(world.source, "odd", small("odd", disk)):
            yield
    finally:
        world.source.run(["rm", ODD_DISK])


@contextlib.contextmanager
def odd_with_a_script(world: World) -> Iterator[None]:
    """A domain whose network card is brought up by a script that the source alone has."""
    script = "/etc/xen/scripts/lab-vif"
    text = guest_config(name="odd", uuid=OTHER_UUID, memory_mib=SMALL_MIB, mac=OTHER_MAC)
    world.source.run(f"cp -p /etc/xen/scripts/vif-bridge {script}")
    try:
        with paused(world.source, "odd", text.replace("bridge=xenbr0", "bridge=xenbr0,script=lab-vif")):
            yield
    finally:
        world.source.run(["rm", script])


def odd_pv(world: World) -> Changed:
    """A PV domain, on a Xen without shadow paging."""
    return paused(world.source, "odd", small("odd", type="pv"))


@contextlib.contextmanager
def odd_in_a_pool(world: World) -> Iterator[None]:
    """A domain in a pool of processors that the destination calls otherwise."""
    with paused(world.source, "odd", small("odd", 'pool = "Pool-0"')):
        world.destination.run("xl cpupool-rename Pool-0 lab")
        try:
            yield
        finally:
            world.destination.run("xl cpupool-rename lab Pool-0")


def odd_that_restarts(world: World) -> Changed:
    """A domain that is started again when it has shut down."""
    return paused(world.source, "odd", small("odd", 'on_poweroff = "restart"'))


@contextlib.contextmanager
def odd_unknown_to_xl(world: World) -> Iterator[None]:
    """A domain of which libxl has lost its record (tools/libs/light/libxl_dom.c libxl__userdata_path)."""
    kept = "/run/lab-record"
    with paused(world.source, "odd", small("odd")):
        record = f"/var/lib/xen/userdata-d.$(xl domid odd).{OTHER_UUID}.libxl-json"
        world.source.run(f"mv {record} {kept}")
        try:
            yield
        finally:
            world.source.run(f"mv {kept} {record}")


def odd_with_nodes(world: World) -> Changed:
    """A domain with a virtual NUMA node."""
    node = f'vnuma = [ [ "pnode=0", "size={SMALL_MIB}", "vcpus=0", "vdistances=10" ] ]'
    return paused(world.source, "odd", small("odd", node, type="pv"))


def odd_crashed(world: World) -> Changed:
    """A domain whose kernel has found no file system, and tells Xen at once (Linux, arch/x86/xen/enlighten.c)."""
    lines = [line for line in small("odd").splitlines() if not line.startswith("ramdisk")]
    return crashed(world.source, "odd", "\n".join(lines).replace('extra = "', 'extra = "xen_legacy_crash '))


def on_volumes(here: tuple[str, int], there: tuple[str, int] | None) -> Callable[[World], Changed]:
    """A domain whose disk is a volume: its UUID and its size in MiB on the source, and what has its name at xen2."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            path = stack.enter_context(volume(world.source, *here))
            if there is not None:
                stack.enter_context(volume(world.destination, *there))
            disk = f'disk = [ "format=raw,vdev=xvda,access=w,backendtype=phy,target={path}" ]'
            stack.enter_context(paused(world.source, "odd", small("odd", disk)))
            yield

    return made


@contextlib.contextmanager
def two_files(world: World) -> Iterator[None]:
    """Two configuration files that are not the same make the guest."""
    paths = [f"/etc/xen/lab-{vcpus}.cfg" for vcpus in (1, 2)]
    try:
        for vcpus, path in enumerate(paths, 1):
            world.source.run(f"cat > {path}", stdin=guest_config(vcpus=vcpus))
        yield
    finally:
        world.source.run(["rm", "-f", *paths])


def a_file(*lines: str, **changes: t.Any) -> Callable[[World], Changed]:
    """A file of the source that makes the guest, but for what is told."""

    @contextlib.contextmanager
    def written(world: World) -> Iterator[None]:
        world.source.run(f"cat > {FILE}", stdin="\n".join([guest_config(**changes), *lines, ""]))
        try:
            yield
        finally:
            world.source.run(["rm", FILE])

    return written


def in_a_cluster(world: World) -> Changed:
    """Pacemaker runs on the source, and keeps the guest."""
    return cluster(world.source, "centos")


def in_some_cluster(world: World) -> Changed:
    """Pacemaker runs on the destination, and what it keeps is not known."""
    return cluster(world.destination, "")


@contextlib.contextmanager
def of_another_maker(world: World) -> Iterator[None]:
    """The destination's processor is of another maker than the source's."""
    made = "/run/lab-cpuinfo"
    world.destination.run(f"sed 's/^vendor_id.*/vendor_id : LabMakesAll/' /proc/cpuinfo > {made}")
    world.destination.run(f"mount --bind {made} /proc/cpuinfo")
    try:
        yield
    finally:
        world.destination.run(f"umount /proc/cpuinfo && rm {made}")


@contextlib.contextmanager
def nothing_in_memory(world: World) -> Iterator[None]:
    """The destination has no file system in memory where we look for one."""
    world.destination.run("mount --bind /var/tmp /dev/shm")
    try:
        yield
    finally:
        world.destination.run("umount /dev/shm")


@contextlib.contextmanager
def clock_ahead(world: World) -> Iterator[None]:
    """The destination's clock is wrong."""
    world.destination.run(f"date -u -s @$(($(date +%s) + {AHEAD_S}))")
    try:
        yield
    finally:
        world.destination.set_clock()


@dataclass(frozen=True)
class Provoked:
    """How hosts are changed, what is asked, and what must be found: codes with the hosts they are about."""

    found: set[tuple[str, str]]
    changed: Callable[[World], Changed] = as_it_is
    question: Mapping[str, t.Any] = field(default_factory=dict)
    forbids: bool = True
    # Other variables in the inventory, by host.
    variables: Mapping[str, Mapping[str, t.Any]] = field(default_factory=dict)


PAUSED = ("domain_paused", "xen1")
ODD = {"domain": "odd"}
COLD = {"migrate_method": "cold"}
GIVEN = {"migrate_config": FILE}
ONE, OTHER = "LVM-lab-one", "LVM-lab-other"
CASES = {
    "no memory": Provoked({("not_enough_memory", "xen2")}, memory_full),
    "no bridge": Provoked({("bridge_missing", "xen2")}, bridge_gone),
    "name taken": Provoked({("name_taken", "xen2")}, namesake),
    "names of a migration": Provoked(
        {("migratedaway_name_taken", "xen1"), ("incoming_name_taken", "xen2")}, names_of_a_migration
    ),
    "xl save at work": Provoked({("foreign_hand", "xen1")}, saved_by_somebody),
    "cannot suspend": Provoked({("suspend_refused", "xen1")}, guest_that_cannot_suspend),
    "not to be moved": Provoked(
        {PAUSED, ("shutdown_pending", "xen1"), ("migration_disabled", "xen1")}, odd_and_asked_to_reboot, ODD
    ),
    "disk of its own": Provoked({PAUSED, ("disk_not_shared", "xen2")}, odd_with_a_disk, ODD),
    "no script": Provoked({PAUSED, ("script_missing", "xen2")}, odd_with_a_script, ODD),
    "PV live": Provoked({PAUSED, ("no_shadow_paging", "xen1")}, odd_pv, {**ODD, "migrate_method": "live"}),
    "no pool": Provoked({PAUSED, ("cpupool_missing", "xen2")}, odd_in_a_pool, ODD),
    "mapping": Provoked({("map_unused", "xen1")}, question={"migrate_map_bridges": {"br9": "xenbr0"}}),
    # The one in /etc/xen is a link in the lab.
    "cold without a file": Provoked({("no_config_file", "xen1")}, question=COLD),
    "cold with two files": Provoked({("config_ambiguous", "xen1")}, two_files, COLD),
    "cold with another's file": Provoked(
        {("config_other_domain", "xen1")}, question={**COLD, "migrate_config": "/etc/xen/xlexample.pvhlinux"}
    ),
    "cold and never down": Provoked(
        {PAUSED, ("restarts_at_poweroff", "xen1")},
        odd_that_restarts,
        {**ODD, **COLD, "migrate_config": "/run/odd.cfg"},
    ),
    "no record of it": Provoked({PAUSED, ("configuration_missing", "xen1")}, odd_unknown_to_xl, ODD),
    "virtual nodes": Provoked({PAUSED, ("vnuma", "xen1")}, odd_with_nodes, ODD),
    "crashed": Provoked({("domain_crashed", "xen1")}, odd_crashed, ODD),
    "another volume": Provoked({PAUSED, ("disk_differs", "xen2")}, on_volumes((ONE, 16), (OTHER, 16)), ODD),
    "smaller volume": Provoked({PAUSED, ("disk_size_differs", "xen2")}, on_volumes((ONE, 16), (ONE, 8)), ODD),
    "no volume": Provoked({PAUSED, ("disk_missing", "xen2")}, on_volumes((ONE, 16), None), ODD),
    "cluster": Provoked({("cluster_managed", "xen1")}, in_a_cluster),
    "some cluster": Provoked({("cluster_unknown", "xen2")}, in_some_cluster, forbids=False),
    "another maker": Provoked({("cpu_vendor", "xen2")}, of_another_maker),
    "nothing in memory": Provoked(
        {("no_runtime_path", "xen2")}, nothing_in_memory, variables={"xen2": {"dom0_xen_runtime_path": "/var/lab"}}
    ),
    "cold within a host": Provoked(
        {("cold_same_host", "xen1")},
        question={**COLD, "destination": "xen1", "allow_same_host": True, "migrate_config": "/etc/xen/centos.cfg"},
    ),
    "another machine": Provoked({("config_other_machine", "xen1")}, a_file(vcpus=2), GIVEN),
    "another card": Provoked({("config_other_devices", "xen1")}, a_file(cards=2), GIVEN),
    "no file of xl": Provoked({("config_invalid", "xen1")}, a_file('serial = [ "pty"'), GIVEN),
    "a file and names": Provoked(
        {("config_with_names", "xen1")}, a_file(), {**GIVEN, "migrate_map_bridges": {"xenbr0": "xenbr0"}}
    ),
    "another word": Provoked({("config_arrives", "xen1")}, a_file('on_reboot = "destroy"'), GIVEN, forbids=False),
    "cold with another word": Provoked(
        {("config_differs", "xen1")}, a_file(memory_mib=144), {**COLD, **GIVEN}, forbids=False
    ),
    # Both hosts are in it, and dom0_xen_address names the other network.
    "another network": Provoked(
        {("network_contradicts", "xen1"), ("network_contradicts", "xen2")},
        question={"migrate_network": ["10.0.2.0/24"]},
    ),
    "address": Provoked(
        {("address_doubtful", "xen2")}, question={"migrate_destination_address": "127.0.0.1"}, forbids=False
    ),
    "clocks": Provoked({("clocks_differ", "xen2")}, clock_ahead, forbids=False),
}


def ours(world: World) -> dict[str, str]:
    """What lies on the hosts of the collection and of the cases."""
    return {name: host.run(OURS).stdout for name, host in world.lab.hosts.items()}


@pytest.fixture(scope="module")
def watched(lab_world: World) -> Iterator[World]:
    """A guest on xen1 that never notices any of this, on hosts on which nothing is left of it."""
    # What is found wrong here is told of the last case; whatever it is, nobody goes on from it.
    lab_world.stale = True
    lab_world.lab.reset()
    before = ours(lab_world)
    with lab_world.lab.observe(interval=ASK_S, everywhere=True) as watch:
        yield lab_world
    same_guest(watch.observation)
    lab_world.require("xen1", 5)
    assert ours(lab_world) == before
    lab_world.stale = False


@pytest.mark.parametrize("name", CASES)
def test_is_found(watched: World, name: str) -> None:
    """Just what was provoked, with a message and a remedy each, on the host that it is about."""
    case = CASES[name]
    watched.name = f"finding-{name.replace(' ', '-')}"
    with case.changed(watched):
        outcome = ask(watched, case)
    assert outcome.result, outcome.output[-3000:]
    severity = "error" if case.forbids else "warning"
    told = [finding for finding in findings(outcome) if finding["severity"] == severity]
    found = {(finding["code"], finding["host"]) for finding in told}
    assert outcome.status == (2 if case.forbids else 0), outcome.output[-3000:]
    assert outcome.result["possible"] == (not case.forbids)
    # A warning may have company: emulated hosts give reason for others.
    assert found == case.found if case.forbids else case.found <= found, outcome.message or outcome.output[-3000:]
    assert all(finding["message"] and finding["remedy"] for finding in told)
    assert outcome.changed == 0, outcome.recap


def ask(world: World, case: Provoked) -> Outcome:
    """Ask whether a domain of xen1, the guest if no other is named, could go to xen2."""
    rest = {key: value for key, value in case.question.items() if key != "domain"}
    told = {"source": "xen1", "check_result_path": str(BUILD / world.name / "result.json"), **rest}
    changes: dict[str, t.Any] = {name: dict(variables) for name, variables in case.variables.items()}
    inventory = world.inventory(**changes)
    domain = str(case.question.get("domain", "centos"))
    return world.migrate(play=CHECK, domain=domain, inventory=inventory, options=["-e", json.dumps(told)])


def findings(outcome: Outcome) -> list[dict[str, t.Any]]:
    """All that was found, about the question and about the place."""
    places = [place for domain in outcome.result["domains"] for place in domain["places"]]
    return [finding for one in (outcome.result, *places) for finding in one["findings"]]
