# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts and domains are made so that something speaks against a move; each is put back as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from dom0lab.guest_disk import guest_config

from .circumstances import OTHER_UUID, THIRD_UUID, being_saved, cluster, crashed, paused, volume
from .findings import SMALL_MIB, Changed, small
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
