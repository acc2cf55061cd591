# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest is saved to a file, carried to the other host, and goes on there from where it was; once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .conftest import Record
from .plays import Outcome
from .world import World, same_guest

SAVE = Path(__file__).parent / "playbooks" / "save.yml"
RESTORE = "dom0.xen.restore"
FOLDER = "/var/lib/lab-saved"
IMAGE = f"{FOLDER}/centos.xen"
# A file system with room for the image, until somebody else writes to it.
SMALL = "/var/lib/lab-small"
SMALL_MIB = 240
_FILL = f"""cd {SMALL}
until [ -s .centos.xen.saving ]; do sleep 0.1; done
for size in 32M 1M; do
    number=0
    while fallocate -l $size other-$size-$number; do number=$((number + 1)); done
done
"""
# By what was done to an image in a line of shell: the code that it is refused with, and the host that this is about.
_FLIP = "f = open('{0}', 'r+b'); f.seek(-9000, 2); b = f.read(1); f.seek(-1, 1); f.write(bytes([b[0] ^ 1]))"
SPOILT = {
    "altered": (f'python3 -c "{_FLIP.format(IMAGE)}"', "image_altered", "xen2"),
    "truncated": (f"truncate -s -4096 {IMAGE}", "image_truncated", "xen2"),
    "of a newer Xen": (
        f'sed -i \'s/"xen_version": "[^"]*"/"xen_version": "9.9"/\' {IMAGE}.json',
        "image_from_newer_xen",
        "xen2",
    ),
}
# Told before the image is read, so that what is wrong with it does not matter.
RUNS = ("true", "domain_elsewhere", "xen1")


def test_saved_here_and_restored_there(home: World, record: Record) -> None:
    """Neither a second restore there nor one here brings a second copy, or one of a state that is long gone."""
    home.stale = True  # it ends without the guest
    with home.lab.observe(everywhere=True) as watch:
        save(home)
        carry(home)
        restored = restore(home, "there", "xen2")
        watch.wait_answer(120)
    # It is restored paused, and then let go on.
    assert (restored.status, restored.changed) == (0, 2), restored.output[-3000:]
    seen = same_guest(watch.observation)
    record.note(gap_ms=seen.gap_ms)
    home.require("xen2")
    again = restore(home, "again", "xen2")
    assert (again.status, again.changed) == (0, 0), again.output[-3000:]
    require_refusal(restore(home, "here", "xen1"), "domain_elsewhere", "xen2")
    home.destination.run(["xl", "destroy", "centos"])
    require_refusal(restore(home, "twice", "xen2"), "image_restored", "xen2")
    assert home.lab.guest.where() == []


def save(world: World) -> None:
    """Save the guest on xen1; it is nowhere afterwards."""
    world.name += "-save"
    world.source.run(["mkdir", "-p", FOLDER])
    outcome = world.migrate(play=str(SAVE), path=IMAGE, compression="gzip")
    assert outcome.status == 0, outcome.output[-3000:]
    told = outcome.result["manifest"]
    assert (told["uuid"], told["name"], told["type"]) == (world.lab.guest.uuid, "centos", "pvh")
    assert (told["after"], told["compression"]) == ("shut_down", "gzip")
    # The guest has 32768 pages, most of them without anything in them.
    assert told["stream_bytes"] > 100_000_000 > told["file_bytes"] > 1_000_000
    assert world.lab.guest.where() == []
    assert {name: left.remains for name, left in world.look().items()} == {"xen1": [], "xen2": []}


def carry(world: World) -> None:
    """Bring image and manifest to the other host, as any two files."""
    world.destination.run(["mkdir", "-p", FOLDER])
    pipe = f"tar -C {FOLDER} -c . | ssh {world.destination.address} tar -C {FOLDER} -x"
    world.source.run(f"set -o pipefail; {pipe}", timeout=600)
    assert world.destination.run(["ls", "-A", FOLDER]).stdout.split() == ["centos.xen", "centos.xen.json"]


def restore(world: World, name: str, host: str) -> Outcome:
    """Run the playbook; its files are called ``name``."""
    world.name = f"{world.name.partition('-save')[0]}-save-{name}"
    return world.migrate(play=RESTORE, path=IMAGE, destination=host)


def require_refusal(outcome: Outcome, code: str, host: str) -> None:
    """The image was not restored, for this reason, which is about this host."""
    assert outcome.status != 0, outcome.output[-3000:]
    assert outcome.changed == 0, outcome.recap
    failed = [event["result"] for event in outcome.events if event["kind"] == "failed" and not event["ignored"]]
    assert [result["code"] for result in failed] == [code], outcome.message
    assert failed[0]["host"] == host and failed[0]["remedy"]


@pytest.mark.parametrize(("after", "compression"), [("checkpoint", "none"), ("leave_paused", "gzip")])
def test_it_goes_on_after_the_save(home: World, record: Record, after: str, compression: str) -> None:
    """At once, or when somebody lets it; its disks have gone on with it, so the image is restored for nobody who has
    not put them back.
    """
    home.stale = True  # the guest has another monitor than in the snapshot, and is nowhere in the end
    name = home.name
    home.source.run(["mkdir", "-p", FOLDER])
    with home.lab.observe(everywhere=True) as watch:
        saved = home.migrate(play=str(SAVE), path=IMAGE, compression=compression, after=after)
        assert saved.status == 0, saved.output[-3000:]
        state = home.look()["xen1"].domains["centos"]["state"]
        assert ("p" in state, "s" in state) == (after == "leave_paused", False), state
        if after == "leave_paused":
            home.source.run(["xl", "unpause", "centos"])
        watch.wait_answer(120)
    told = saved.result["manifest"]
    assert (told["after"], told["compression"]) == (after, compression)
    assert (saved.result["stop_ms"] is None) == (after == "leave_paused")
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    home.require("xen1")
    require_refusal(restore(home, "beside-it", "xen1"), "domain_here", "xen1")
    home.source.run(["xl", "destroy", "centos"])
    home.name = name
    require_refusal(restore(home, "without-its-disks", "xen1"), "image_checkpoint", "xen1")
    assert home.lab.guest.where() == []


def test_what_is_not_restored(home: World) -> None:
    """Each time one message says why, before xl has begun anything, and the image stays as it is; then the guest goes
    on where it was saved, and that is the last reason.
    """
    home.stale = True  # the guest has another monitor than in the snapshot
    with home.lab.observe(everywhere=True) as watch:
        save(home)
        carry(home)
        for way, spoilt in SPOILT.items():
            not_restored(home, way.replace(" ", "-"), *spoilt)
        restored = restore(home, "here", "xen1")
        watch.wait_answer(120)
        assert restored.status == 0, restored.output[-3000:]
        not_restored(home, "of-one-that-runs", *RUNS)
    same_guest(watch.observation)
    home.require("xen1")


def not_restored(world: World, name: str, line: str, code: str, host: str) -> None:
    """On xen2, where a line of shell has spoilt the image; afterwards it is whole again."""
    there = world.destination
    there.run(f"rm -rf {FOLDER}.whole && cp -a {FOLDER} {FOLDER}.whole && {line}")
    require_refusal(restore(world, name, "xen2"), code, host)
    assert there.run(["ls", "-A", FOLDER]).stdout.split() == ["centos.xen", "centos.xen.json"]
    there.run(f"rm -r {FOLDER} && mv {FOLDER}.whole {FOLDER}")


def test_full_disk(home: World, record: Record) -> None:
    """Known before, nothing is asked of the guest; in the middle of the image it goes on, and nothing is left."""
    home.stale = True
    name, disk = home.name, f"{SMALL}.img"
    host = home.source
    host.run(
        f"modprobe loop && truncate -s {SMALL_MIB}M {disk} && mkfs.ext4 -q -m 0 {disk}"
        f" && mkdir {SMALL} && mount -o loop {disk} {SMALL}"
    )
    with home.lab.observe(everywhere=True) as watch:
        before = home.migrate(play=str(SAVE), path=f"{SMALL}/centos.xen", compression="none")
        require_refusal(before, "no_room", "xen1")
        assert "are to stay free" in before.message, before.message
        other = host.start(_FILL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        home.name = f"{name}-midway"
        midway = home.migrate(play=str(SAVE), path=f"{SMALL}/centos.xen", compression="none", reserve_mib=0)
        watch.wait_answer(120)
    other.wait(60)
    require_refusal(midway, "no_room", "xen1")
    assert "No space left on device" in midway.message and "goes on here" in midway.message, midway.message
    left = set(host.run(["ls", "-A", SMALL]).stdout.split())
    assert {each for each in left if not each.startswith("other-")} == {"lost+found"}
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    home.require("xen1")
