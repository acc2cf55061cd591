# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``dom0.xen.check`` finds on real hosts that are not as a move needs them; neither they nor the guest notice.

All of it on one lab, one after the other: the guest is watched from before the first to after the last. A run takes an
emulated host most of a minute, and tells everything at once: what can be wrong at the same time is.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence

import pytest
from dom0lab.guest_disk import GUEST_UUID, guest_config

from .circumstances import OTHER_UUID, THIRD_UUID, being_saved, cluster, crashed, paused, volume
from .findings import PAUSED, SMALL_MIB, Changed, Provoked, ask, of_kind, require, small
from .world import World, another_xl

OTHER_MAC = "00:16:3e:77:00:20"
STUBBORN_UUID, RENAMED_UUID, LONELY_UUID, PARAVIRTUAL_UUID, UNKNOWN_UUID, FALLEN_UUID = (
    f"0ddba11e-0000-4000-8000-00000000001{number}" for number in range(6)
)
DISK_FILES = ("/var/lib/lab-odd.raw", "/var/lib/lab-odd.iso")
FILE = "/run/lab-given.cfg"
# /run is mounted so that nothing in it can be started.
BARE = "/var/lib/lab-bare-python"
AHEAD_S = 600
OTHER_NETWORK = "198.51.100.0/24"
CLOSED = {"ansible_host": "127.0.0.1", "ansible_port": 9}
# At its second look at the domains of the host there is one less. It is listed as long as xenconsoled has not let go of
# its memory.
LOSES_ODD = f"""#!/bin/sh
if [ "$1" = list ]; then
    if [ -e /run/lab-listed ]; then
        /usr/sbin/xl destroy odd
        while /usr/sbin/xl list -v | grep -q {OTHER_UUID}; do sleep 0.2; done
    else
        touch /run/lab-listed
    fi
fi 2>/dev/null
exec /usr/sbin/xl "$@"
"""


def together(*changes: Callable[[World], Changed]) -> Callable[[World], Changed]:
    """What changes the hosts in all of these ways."""

    @contextlib.contextmanager
    def all_of_them(world: World) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for change in changes:
                stack.enter_context(change(world))
            yield

    return all_of_them


@contextlib.contextmanager
def everything_at_once(world: World) -> Iterator[None]:
    """Both hosts are as wrong as they can be at one time: names, a guest, other hands, a mark, a processor, memory."""
    away, incoming = "centos--migratedaway", "centos--incoming"
    source, destination = world.source, world.destination
    with contextlib.ExitStack() as stack:
        # The names that xl gives to the two copies while it migrates are taken, and so is the guest's own.
        stack.enter_context(paused(source, away, small(away)))
        stack.enter_context(paused(destination, incoming, small(incoming)))
        stack.enter_context(paused(destination, "centos", small("centos", uuid=THIRD_UUID)))
        stack.enter_context(cluster(source, "centos"))
        stack.enter_context(takes_no_domains(world))
        stack.enter_context(of_another_maker(world))
        stack.enter_context(nothing_in_memory(world))
        stack.enter_context(guest_that_cannot_suspend(world))
        stack.enter_context(being_saved(source, "centos"))
        yield


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
def stubborn(world: World) -> Iterator[None]:
    """A domain that is not to be moved, is asked to reboot, and has a card whose script the source alone has."""
    script = "/etc/xen/scripts/lab-vif"
    text = guest_config(name="stubborn", uuid=STUBBORN_UUID, memory_mib=SMALL_MIB, mac=OTHER_MAC) + "nomigrate = 1\n"
    world.source.run(f"cp -p /etc/xen/scripts/vif-bridge {script}")
    try:
        with paused(world.source, "stubborn", text.replace("bridge=xenbr0", "bridge=xenbr0,script=lab-vif")):
            world.source.run("xenstore-write /local/domain/$(xl domid stubborn)/control/shutdown reboot")
            yield
    finally:
        world.source.run(["rm", script])


@contextlib.contextmanager
def with_disks(world: World, name: str, uuid: str, here: str, there: str, files: Sequence[str] = ()) -> Iterator[None]:
    """A domain whose disks are volumes of the source, and files; the destination has volumes too, in its own ways.

    The emulated host's script takes many seconds for a disk, and libxl waits 40 s for all that it adds at one time: so
    they come one after the other.
    """
    with contextlib.ExitStack() as stack:
        # Nobody has given n and o an identity, by which they would be known for the same on both hosts.
        ids = {letter: f"LVM-lab-{letter}" for letter in "absmr"} | {"n": "lab-n"}
        paths = [stack.enter_context(volume(world.source, f"vg-{letter}", ids[letter], 16)) for letter in here]
        # What is called b there is the source's a, s is smaller, and r can only be read.
        theirs: dict[str, tuple[str, int, tuple[str, ...]]] = {
            "b": ("LVM-lab-a", 16, ()),
            "s": ("LVM-lab-s", 8, ()),
            "r": ("LVM-lab-r", 16, ("--readonly",)),
            "o": ("lab-o", 16, ()),
        }
        for letter in there:
            identity, size, options = theirs[letter]
            stack.enter_context(volume(world.destination, f"vg-{letter}", identity, size, *options))
        words = [f"access=w,backendtype=phy,target={path}" for path in paths]
        if files:
            world.source.run(["truncate", "-s", "16M", *files])
            stack.callback(world.source.run, ["rm", *files])
            words += [f"access={access},target={path}" for access, path in zip("wr", files, strict=True)]
        stack.enter_context(paused(world.source, name, small(name, uuid=uuid)))
        for letter, each in zip("abcde", words, strict=False):
            world.source.run(["xl", "block-attach", name, f"format=raw,vdev=xvd{letter},{each}"])
        yield


def renamed(world: World) -> Changed:
    """The destination has its volumes under other names, of which one is that of another volume here, or not at all."""
    return with_disks(world, "renamed", RENAMED_UUID, "abmn", "bo")


def lonely(world: World) -> Changed:
    """What the destination has is smaller, or can only be read; two files it has not got."""
    return with_disks(world, "lonely", LONELY_UUID, "sr", "sr", DISK_FILES)


def odd_that_restarts(world: World) -> Changed:
    """A domain that is started again when it has shut down."""
    return paused(world.source, "odd", small("odd", 'on_poweroff = "restart"'))


@contextlib.contextmanager
def unknown(world: World) -> Iterator[None]:
    """A domain of which libxl has lost its record (tools/libs/light/libxl_dom.c libxl__userdata_path)."""
    kept = "/run/lab-record"
    with paused(world.source, "unknown", small("unknown", uuid=UNKNOWN_UUID)):
        record = f"/var/lib/xen/userdata-d.$(xl domid unknown).{UNKNOWN_UUID}.libxl-json"
        world.source.run(f"mv {record} {kept}")
        try:
            yield
        finally:
            world.source.run(f"mv {kept} {record}")


def paravirtual(world: World) -> Changed:
    """A PV domain, on a Xen without shadow paging."""
    return paused(world.source, "paravirtual", small("paravirtual", uuid=PARAVIRTUAL_UUID, type="pv"))


def fallen(world: World) -> Changed:
    """A domain whose kernel has found no file system, and tells Xen at once (Linux, arch/x86/xen/enlighten.c)."""
    lines = [line for line in small("fallen", uuid=FALLEN_UUID).splitlines() if not line.startswith("ramdisk")]
    return crashed(world.source, "fallen", "\n".join(lines).replace('extra = "', 'extra = "xen_legacy_crash '))


@contextlib.contextmanager
def odd_that_goes(world: World) -> Iterator[None]:
    """A domain that is destroyed when its host has told of it, and before it is looked at."""
    world.source.run("cat > /run/odd.cfg && xl create -p -q /run/odd.cfg && rm /run/odd.cfg", stdin=small("odd"))
    try:
        with another_xl(world.source, LOSES_ODD):
            yield
    finally:
        world.source.run("xl destroy odd 2>/dev/null; rm -f /run/lab-listed")


@contextlib.contextmanager
def without_a_file(world: World) -> Iterator[None]:
    """The file that makes the guest, in the lab a link, is not where xl's files are."""
    path, kept = "/etc/xen/centos.cfg", "/run/lab-centos.cfg"
    world.source.run(["mv", path, kept])
    try:
        yield
    finally:
        world.source.run(["mv", kept, path])


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


def a_file(*lines: str, **changes: int) -> Callable[[World], Changed]:
    """A file of the source that makes the guest, but for what is told."""

    @contextlib.contextmanager
    def written(world: World) -> Iterator[None]:
        world.source.run(f"cat > {FILE}", stdin="\n".join([guest_config(**changes), *lines, ""]))
        try:
            yield
        finally:
            world.source.run(["rm", FILE])

    return written


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
def bare_python(world: World) -> Iterator[None]:
    """A Python on the source that has nothing beside its own library."""
    world.source.run(f"cat > {BARE} && chmod 755 {BARE}", stdin='#!/bin/sh\nexec /usr/bin/python3 -S "$@"\n')
    try:
        yield
    finally:
        world.source.run(["rm", BARE])


@contextlib.contextmanager
def worth_a_word(world: World) -> Iterator[None]:
    """The destination has another clock and MTU and an unknown Pacemaker, and the source has two addresses."""
    address = "10.77.0.101/24 dev xenbr0"
    # The lab's frames are longer than usual.
    mtu = world.destination.run("cat /sys/class/net/xenbr0/mtu").stdout.strip()
    world.source.run(f"ip addr add {address}")
    world.destination.run("ip link set dev xenbr0 mtu 1400")
    world.destination.run(f"date -u -s @$(($(date +%s) + {AHEAD_S}))")
    try:
        with cluster(world.destination, ""):
            yield
    finally:
        world.destination.set_clock()
        world.destination.run(f"ip link set dev xenbr0 mtu {mtu}")
        world.source.run(f"ip addr del {address}")


@contextlib.contextmanager
def takes_no_domains(world: World) -> Iterator[None]:
    """The destination is marked as one that is being emptied."""
    folder = "/var/lib/dom0-xen/fleet"
    mark = f"{folder}/closed.json"
    text = '{"by": "alice", "reason": "it is being emptied", "run": "", "since_s": 1795448672.0}'
    world.destination.run(f"mkdir -p -m 700 {folder} && cat > {mark}", stdin=text)
    try:
        yield
    finally:
        # Nothing of ours was there before.
        world.destination.run(f"rm {mark} && rmdir -p --ignore-fail-on-non-empty {folder}")


ODD = {"domain": "odd"}
COLD = {"migrate_method": "cold"}
GIVEN = {"migrate_config": FILE}
WITHIN = {"destination": "xen1", "allow_same_host": True, "migrate_preserve_domid": True}
CASES = {
    # The question is as wrong as the hosts are.
    "everything at once": Provoked(
        {
            *(("migratedaway_name_taken", "xen1"), ("incoming_name_taken", "xen2"), ("name_taken", "xen2")),
            *(("cluster_managed", "xen1"), ("cpu_vendor", "xen2"), ("no_runtime_path", "xen2")),
            *(("suspend_refused", "xen1"), ("foreign_hand", "xen1"), ("closed_to_arrivals", "xen2")),
            *(("waiver_unknown", "localhost"), ("waiver_forbidden", "localhost"), ("network_invalid", "localhost")),
            *(("map_invalid", "xen2"), ("bridge_missing", "xen2"), ("plain_not_allowed", "xen1")),
        },
        everything_at_once,
        {
            "migrate_waive": "all,foreign_hand",
            "migrate_map_bridges": {"xenbr0": "no bridge"},
            "migrate_network": ["192.0.2.1"],
            "migrate_transport": "tcp",
        },
        variables={"xen2": {"dom0_xen_runtime_path": "/var/lab"}},
    ),
    "gone": Provoked({("domain_gone", "xen1")}, odd_that_goes, ODD),
    "bare source, and another machine": Provoked(
        {
            *(("paramiko_missing", "xen1"), ("pyxs_missing", "xen1"), ("map_unused", "xen1")),
            *(("network_no_address", "xen1"), ("network_no_address", "xen2"), ("config_with_names", "xen1")),
            *(("config_other_machine", "xen1"), ("config_other_devices", "xen1")),
        },
        together(bare_python, a_file(vcpus=2, cards=2)),
        {
            **GIVEN,
            "migrate_transport": "ssh",
            "migrate_network": [OTHER_NETWORK],
            "migrate_map_bridges": {"br9": "xenbr0"},
        },
        variables={"xen1": {"ansible_python_interpreter": BARE}},
        drop=("dom0_xen_address",),
    ),
    "number": Provoked({("domain_is_domid", "xen1")}, question={"domain": "7"}),
    "name of the move": Provoked({("move_name_taken", "xen1")}, groups={"web": {"centos@xen1": {}}}),
    "closed": Provoked(
        {("domain_not_looked_for", "xen2")},
        question={"domain": "nobody", "source": ""},
        groups={"dom0": {"closed": CLOSED}},
    ),
    # Both hosts are in it, and dom0_xen_address names the other network.
    "another network, and cold without a file": Provoked(
        {("network_contradicts", "xen1"), ("network_contradicts", "xen2"), ("no_config_file", "xen1")},
        without_a_file,
        {**COLD, "migrate_network": ["10.0.2.0/24"]},
    ),
    "cold with two files": Provoked({("config_ambiguous", "xen1")}, two_files, COLD),
    "cold with a file of another": Provoked(
        {("config_other_domain", "xen1")}, question={**COLD, "migrate_config": "/etc/xen/xlexample.pvhlinux"}
    ),
    "cold and never down": Provoked(
        {PAUSED, ("restarts_at_poweroff", "xen1")},
        odd_that_restarts,
        {**ODD, **COLD, "migrate_config": "/run/odd.cfg"},
    ),
    # Whether it can keep its number is not asked of a domain that is started anew.
    "within a host, by no file of xl": Provoked(
        {("domid_same_host", "xen1"), ("config_invalid", "xen1")},
        a_file('serial = [ "pty"'),
        {**WITHIN, **GIVEN},
    ),
    "cold within a host": Provoked(
        {("cold_same_host", "xen1"), ("cold_as_in_file", "xen1")},
        question={**COLD, **WITHIN, "migrate_config": "/etc/xen/centos.cfg"},
    ),
    "cold with another word, to an address of nobody": Provoked(
        {("config_differs", "xen1"), ("address_doubtful", "xen2"), ("listens_on_all", "xen2")},
        a_file(memory_mib=144),
        {**COLD, **GIVEN, "migrate_destination_address": "192.0.2.99"},
        forbids=False,
    ),
    "worth a word": Provoked(
        {
            *(("clocks_differ", "xen2"), ("cluster_unknown", "xen2"), ("mtu_smaller", "xen2")),
            *(("network_several_addresses", "xen1"), ("config_arrives", "xen1")),
        },
        together(worth_a_word, a_file('on_reboot = "destroy"')),
        {**GIVEN, "migrate_network": ["10.77.0.0/24"]},
        forbids=False,
        drop=("dom0_xen_address",),
    ),
}
# Domains of xen1 by their names, all of which are there at one time; the last one boots, which costs the others time.
ALL_OF_XEN1 = {
    "domain": "",
    "migrate_method": "live",
    "migrate_map_disks": {"/dev/mapper/vg-a": "/dev/mapper/vg-b", "/dev/mapper/vg-n": "/dev/mapper/vg-o"},
}
DOMAINS = {
    "stubborn": Provoked(
        {PAUSED, ("shutdown_pending", "xen1"), ("migration_disabled", "xen1"), ("script_missing", "xen2")},
        stubborn,
        beside={("suspend_unconfirmed", "xen1")},
    ),
    "renamed": Provoked(
        {
            *(PAUSED, ("map_collides", "xen2"), ("disk_differs", "xen2"), ("disk_unproven", "xen2")),
            ("disk_missing", "xen2"),
        },
        renamed,
    ),
    "lonely": Provoked(
        {PAUSED, ("disk_size_differs", "xen2"), ("disk_not_shared", "xen2"), ("disk_read_only", "xen2")},
        lonely,
        beside={("disk_unchecked", "xen2"), ("disk_cached", "xen1")},
    ),
    "paravirtual": Provoked({PAUSED, ("no_shadow_paging", "xen1")}, paravirtual),
    "unknown": Provoked({PAUSED, ("configuration_missing", "xen1")}, unknown),
    "fallen": Provoked({("domain_crashed", "xen1")}, fallen),
}
# Which domain is meant, where xen2 has one of the guest's name and one of its UUID.
MEANT = {
    "two of a name": Provoked({("domain_ambiguous", "xen2")}, question={"source": ""}),
    "two copies": Provoked({("domain_on_several_hosts", "xen2")}, question={"domain": GUEST_UUID, "source": ""}),
    "only there": Provoked({("domain_not_running_there", "xen2")}, question={"domain": OTHER_UUID}),
}


def called(name: str) -> str:
    """What the files of this case are called; by a comma Ansible knows a list of hosts."""
    return f"finding-{re.sub('[^A-Za-z0-9]+', '-', name)}"


@pytest.mark.parametrize("name", CASES)
def test_is_found(watched: World, name: str) -> None:
    """Just what was provoked, with a message and a remedy each, on the host that it is about."""
    case = CASES[name]
    watched.name = called(name)
    with case.changed(watched):
        outcome = ask(watched, case)
    require(outcome, case)


def test_of_each_domain(watched: World) -> None:
    """Just what was provoked of it, of all in one run; the guest is among them, and could go."""
    watched.name = called("of each domain")
    with contextlib.ExitStack() as stack:
        for case in DOMAINS.values():
            stack.enter_context(case.changed(watched))
        outcome = ask(watched, Provoked(set(), question=ALL_OF_XEN1))
    assert outcome.result, outcome.output[-3000:]
    assert (outcome.status, outcome.changed, outcome.result["findings"]) == (2, 0, []), outcome.output[-3000:]
    places = {domain["name"]: domain["places"] for domain in outcome.result["domains"]}
    told = {name: place["findings"] for name, (place,) in places.items()}
    wanted = {"centos": Provoked(set()), **DOMAINS}
    found = {name: of_kind(each, "error") for name, each in told.items()}
    assert found == {name: case.found for name, case in wanted.items()}
    missed = {name: case.beside - of_kind(told[name], "warning") for name, case in wanted.items()}
    assert not any(missed.values()), missed
    assert {name for name, (place,) in places.items() if place["possible"]} == {"centos"}


def test_which_domain_is_meant(watched: World) -> None:
    """Where a name or a UUID means more than one, or one that does not run, nothing is guessed."""
    host = watched.destination
    outcomes = {}
    with (
        paused(host, "centos", small("centos")),
        paused(host, "twin", small("twin", uuid=GUEST_UUID)),
    ):
        for name, case in MEANT.items():
            watched.name = called(name)
            outcomes[name] = ask(watched, case)
    for name, case in MEANT.items():
        require(outcomes[name], case)
