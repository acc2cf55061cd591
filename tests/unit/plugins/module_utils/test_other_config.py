# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be another one in a configuration for a guest that goes on with what it has in its memory."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _other_config as other_config

RUNNING: dict[str, t.Any] = {
    "c_info": {"type": "pvh", "name": "centos", "domid": 7},
    "b_info": {"max_vcpus": 2, "max_memkb": 131072, "target_memkb": 65536, "sched_params": {"weight": 256}},
    "disks": [
        {"pdev_path": "/dev/a", "vdev": "xvda", "format": "raw", "readwrite": 1},
        {"pdev_path": "/dev/b", "vdev": "xvdb", "format": "raw"},
    ],
    "nics": [{"devid": 0, "mac": "00:16:3e:00:00:64", "bridge": "xenbr0"}],
}


def changed(**parts: t.Any) -> dict[str, t.Any]:
    """The configuration with other parts; those of c_info and b_info are merged."""
    found = copy.deepcopy(RUNNING)
    for key, value in parts.items():
        found[key] = {**found[key], **value} if isinstance(value, dict) else value
    return found


def whats(changes: t.Iterable[other_config.Change]) -> list[str]:
    """Their names."""
    return [change.what for change in changes]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (changed(), []),
        (changed(c_info={"type": "hvm"}), ["type"]),
        (changed(b_info={"max_vcpus": 4}), ["maxvcpus"]),
        (changed(b_info={"max_memkb": 262144}), ["maxmem in KiB"]),
        (changed(b_info={"target_memkb": 65535}), ["memory in KiB"]),
        (changed(b_info={"video_memkb": 8192}), []),
        (changed(b_info={"target_memkb": 131072}), []),
    ],
)
def test_the_machine_must_be_the_same(other: dict[str, t.Any], what: list[str]) -> None:
    """Type, vCPUs and most memory; and it must get what it has at present."""
    assert whats(other_config.machine(RUNNING, other)) == what


def test_video_memory_that_both_give_must_be_the_same() -> None:
    """Where one leaves it out libxl takes its default for the kind of card."""
    here, there = changed(b_info={"video_memkb": 4096}), changed(b_info={"video_memkb": 8192})
    assert other_config.machine(here, there) == (other_config.Change("videoram in KiB", 4096, 8192),)
    assert whats(other_config.machine({"c_info": {}, "b_info": {}}, {"c_info": {"type": "pv"}})) == []


CARD, DISK = RUNNING["nics"][0], RUNNING["disks"][0]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (changed(nics=[{**CARD, "bridge": "br-lan", "mac": CARD["mac"].upper()}]), []),
        (changed(nics=[]), ["vif 00:16:3e:00:00:64"]),
        (changed(nics=[{**CARD, "mac": "00:16:3e:00:00:65"}]), ["vif 00:16:3e:00:00:64", "vif 00:16:3e:00:00:65"]),
        (changed(disks=[{**DISK, "pdev_path": "/dev/c", "backend": "qdisk"}, RUNNING["disks"][1]]), []),
        (changed(disks=[DISK]), ["disk xvdb"]),
        (changed(disks=[{**DISK, "format": "qcow2"}, RUNNING["disks"][1]]), ["disk xvda"]),
        (changed(disks=[{**DISK, "readwrite": 0}, RUNNING["disks"][1]]), ["disk xvda"]),
        (changed(disks=[*RUNNING["disks"], {"pdev_path": "/dev/c", "vdev": "xvdc"}]), ["disk xvdc"]),
    ],
)
def test_the_devices_must_be_those_that_the_guest_has_open(other: dict[str, t.Any], what: list[str]) -> None:
    """Where they lead to on the host may be another place."""
    assert whats(other_config.devices(RUNNING, other)) == what


def test_the_medium_in_a_drive_may_be_another_one() -> None:
    """The guest is used to that."""
    drive = {"vdev": "hdc", "format": "empty", "pdev_path": "", "is_cdrom": 1, "removable": 1}
    here, there = changed(disks=[drive]), changed(disks=[{**drive, "format": "raw", "pdev_path": "/srv/a.iso"}])
    assert other_config.devices(here, there) == ()
    assert other_config.paths(here, there) == {}
    third = changed(disks=[{**drive, "format": "raw", "pdev_path": "/srv/b.iso"}])
    assert other_config.paths(there, third) == {} and other_config.disks(there, third) == third["disks"]
    assert other_config.disks(there, here) == [drive]


def test_paths_of_disks() -> None:
    """By what the guest calls them: in a file they may stand in another order."""
    other = changed(disks=[RUNNING["disks"][1], {**DISK, "pdev_path": "/dev/c"}])
    assert other_config.paths(RUNNING, other) == {"/dev/a": "/dev/c"}
    assert other_config.paths(RUNNING, changed()) == {}
    assert other_config.disks(RUNNING, other) == [RUNNING["disks"][1], DISK]
    more = {"pdev_path": "/dev/d", "vdev": "xvdd"}
    assert other_config.disks(RUNNING, changed(disks=[more])) == [more]


def test_all_differences_are_told() -> None:
    """Each once, by its place; the number, which is the source's, is none, and neither is the order of keys."""
    other = changed(c_info={"domid": 9}, b_info={"sched_params": {"weight": 512, "cap": 0}}, on_crash="preserve")
    found = other_config.differences(RUNNING, other)
    assert {change.what: (change.source, change.destination) for change in found} == {
        "b_info.sched_params.weight": (256, 512),
        "b_info.sched_params.cap": (None, 0),
        "on_crash": (None, "preserve"),
    }
    assert other_config.sentence(found[:1]) == "b_info.sched_params.weight is 512, not 256"
    assert other_config.differences(RUNNING, changed()) == ()


def test_what_libxl_works_out_itself_makes_no_difference() -> None:
    """A file need not say it; what it says counts, and so does what only a file can say."""
    resolved = {"video_memkb": 0, "arch_x86": {"msr_relaxed": "False"}, "shadow_memkb": 2048, "kernel": "/boot/a"}
    here = changed(b_info=resolved, nics=[{**CARD, "nictype": "vif", "script": "vif-bridge"}], on_reboot="restart")
    assert whats(other_config.differences(here, changed())) == ["b_info.kernel", "on_reboot"]
    said = whats(other_config.differences(changed(), here))
    assert {"b_info.shadow_memkb", "nics[00:16:3e:00:00:64].script", "on_reboot"} <= set(said)


def test_what_is_told_is_bounded() -> None:
    """In number, and in length."""
    other = changed(b_info={str(number): "x" * 1000 for number in range(1000)})
    found = other_config.differences(RUNNING, other)
    assert len(found) == other_config.MOST
    assert all(len(change.destination) <= 200 for change in found)
