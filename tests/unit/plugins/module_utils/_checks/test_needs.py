# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processors, grants, scripts, QEMU and what else the destination must have is compared with what the domain has."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings
from ansible_collections.dom0.xen.plugins.module_utils._checks.processor import compared
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case
from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_features import missing, words
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import USERS_MAX, Processor
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    EQUIPMENT,
    XEN,
    domain,
    host,
    request,
    with_config,
)

Told = list[tuple[str, str, str]]


def equipped(name: str, **changes: t.Any) -> HostFacts:
    """The host of the examples with other equipment."""
    return host(name, equipment=dataclasses.replace(EQUIPMENT, **changes))


def processed(name: str, **changes: t.Any) -> HostFacts:
    """The host of the examples with another processor."""
    processor = EQUIPMENT.processor
    assert processor is not None
    return equipped(name, processor=dataclasses.replace(processor, **changes))


def booted(name: str, options: str) -> HostFacts:
    """The host of the examples with more on Xen's command line."""
    return host(name, xen=dataclasses.replace(XEN, commandline=f"placeholder {options}"))


def told(source: HostFacts, destination: HostFacts, subject: DomainFacts | None = None) -> tuple[Told, str]:
    """Return code, severity and host of each finding, and all their words."""
    found = findings(source, destination, subject or domain(), request())
    text = " ".join(f"{finding.message} {finding.remedy}" for finding in found)
    assert all(finding.remedy for finding in found)
    return [(finding.code, finding.severity, finding.host) for finding in found], text


# Without AVX2 (bit 5 of 7.ebx) and PCID (bit 17 of 1.ecx).
OLDER = ("bfebfbff", "77f8f3ff", "2c100800", "00000121", "0000000f", "d39fffdb", "0", "0")
HVM = with_config(c_info={"type": "hvm"})
OVMF = with_config(c_info={"type": "hvm"}, b_info={"type.hvm": {"bios": "ovmf"}})
QDISK = with_config(disks=[{"pdev_path": "rbd:a", "backend": "qdisk", "format": "raw", "readwrite": 1}])
QEMU = "/usr/libexec/xen-qemu-system-i386"
STUBDOMAIN = with_config(
    c_info={"type": "hvm"}, b_info={"device_model_stubdomain": "True", "device_model_version": "qemu_xen"}
)


def emulating(name: str, version: str, **more: str) -> HostFacts:
    """The host of the examples, where QEMU tells its version, and perhaps others do."""
    versions = {QEMU: version, **more}
    return equipped(name, emulators=tuple(versions), emulator_versions=versions)


CASES: dict[str, tuple[HostFacts, HostFacts, DomainFacts | None, Told, list[str]]] = {
    "maker": (
        host("xen1"),
        processed("xen2", vendor="AuthenticAMD"),
        None,
        [("cpu_vendor", "error", "xen2")],
        ["of AuthenticAMD", "of GenuineIntel"],
    ),
    "older processor": (
        host("xen1"),
        processed("xen2", features=OLDER),
        None,
        [("cpu_features_fewer", "warning", "xen2")],
        ["pcid, avx2", "ends before memory is sent", "cpuid="],
    ),
    "older processor, levelled": (
        host("xen1"),
        processed("xen2", features=OLDER),
        with_config(b_info={"cpuid": [{"leaf": 1}]}),
        [("cpu_features_fewer", "warning", "xen2")],
        ["a processor of its own"],
    ),
    "newer processor": (processed("xen1", features=OLDER), host("xen2"), None, [], []),
    "unknown processor there": (
        host("xen1"),
        processed("xen2", features=()),
        None,
        [("cpu_unchecked", "warning", "xen2")],
        ["processor of xen2", "hw_caps"],
    ),
    "unknown processor here": (
        processed("xen1", features=("x",)),
        host("xen2"),
        None,
        [("cpu_unchecked", "warning", "xen1")],
        ["processor of xen1"],
    ),
    "rate": (
        host("xen1"),
        processed("xen2", mhz=2100.0),
        None,
        [("tsc_rate_differs", "warning", "xen2")],
        ["2100 MHz", "at 2600"],
    ),
    "nearly the same rate": (host("xen1"), processed("xen2", mhz=2599.998), None, [], []),
    "rate that the guest does not see": (
        host("xen1"),
        processed("xen2", mhz=2100.0),
        with_config(b_info={"tsc_mode": "always_emulate"}),
        [],
        [],
    ),
    "fewer grants": (
        host("xen1"),
        booted("xen2", "gnttab_max_frames=32"),
        None,
        [("grant_limits", "error", "xen2")],
        ["gnttab_max_frames is 32", "64 on xen1", "max_grant_frames=32"],
    ),
    "fewer grants than were given": (
        booted("xen1", "gnttab_max_maptrack_frames=2048"),
        host("xen2"),
        with_config(b_info={"max_maptrack_frames": 4294967295}),
        [("grant_limits", "error", "xen2")],
        ["is 1024 there, and 2048"],
    ),
    "fewer grants than it asks for": (
        host("xen1"),
        booted("xen2", "gnttab_max_frames=0x20"),
        with_config(b_info={"max_grant_frames": 64}),
        [("grant_limits", "error", "xen2")],
        ["max_grant_frames=64", "Xen 4.17.7 on xen2 makes no domain", "which is 32", "xl.conf of the host"],
    ),
    "more than Xen has by itself, from xl.conf of the source": (
        host("xen1"),
        host("xen2"),
        with_config(b_info={"max_maptrack_frames": 2048}),
        [("grant_limits", "error", "xen2")],
        ["max_maptrack_frames=2048", "gnttab_max_maptrack_frames, which is 1024", "gnttab_max_maptrack_frames=2048"],
    ),
    "as many grants as it asks for": (
        host("xen1"),
        booted("xen2", "gnttab_max_frames=32"),
        with_config(b_info={"max_grant_frames": 32, "max_maptrack_frames": 0}),
        [],
        [],
    ),
    "more than a Xen has that gives what it is asked for": (
        host("xen1"),
        host("xen2", xen=dataclasses.replace(XEN, minor=18, commandline="gnttab_max_frames=32")),
        with_config(b_info={"max_grant_frames": 64}),
        [],
        [],
    ),
    "more grants": (host("xen1"), booted("xen2", "gnttab_max_frames=128"), None, [], []),
    "script": (
        host("xen1"),
        equipped("xen2", scripts=("block",)),
        None,
        [("script_missing", "error", "xen2")],
        ["/etc/xen/scripts/vif-bridge", "Copy it from xen1"],
    ),
    "script elsewhere": (
        host("xen1"),
        host("xen2"),
        with_config(nics=[{"bridge": "xenbr0", "script": "/opt/vif-own"}]),
        [],
        [],
    ),
    "scripts that could not be seen": (host("xen1"), equipped("xen2", scripts=()), None, [], []),
    "no QEMU": (
        host("xen1"),
        equipped("xen2", emulators=()),
        HVM,
        [("device_model_unseen", "warning", "xen2")],
        ["needs QEMU", "qemu-system-xen"],
    ),
    "no QEMU for a disk": (
        host("xen1"),
        equipped("xen2", emulators=()),
        QDISK,
        [
            ("disk_cached", "warning", "xen1"),
            ("disk_unchecked", "warning", "xen2"),
            ("device_model_unseen", "warning", "xen2"),
        ],
        [],
    ),  # fmt: skip
    "no QEMU where none is needed": (host("xen1"), equipped("xen2", emulators=()), None, [], []),
    "QEMU of its own": (
        host("xen1"),
        host("xen2"),
        with_config(c_info={"type": "hvm"}, b_info={"device_model": "/opt/qemu"}),
        [("device_model_unseen", "warning", "xen2")],
        ["needs /opt/qemu"],
    ),
    "user": (
        host("xen1"),
        host("xen2"),
        with_config(c_info={"type": "hvm"}, b_info={"device_model_user": "qemu"}),
        [("device_model_user_missing", "error", "xen2")],
        ["the user qemu", "useradd"],
    ),
    "users of restricted ones": (
        host("xen1"),
        host("xen2"),
        with_config(c_info={"type": "hvm"}, b_info={"dm_restrict": "True"}),
        [("device_model_user_missing", "error", "xen2"), ("device_model_restricted", "warning", "xen2")],
        ["xen-qemuuser-range-base or xen-qemuuser-shared", "breaks out after a move", "started anew on xen2"],
    ),
    "user among as many as a host tells": (
        host("xen1"),
        equipped("xen2", users=("root", *(f"user{n}" for n in range(USERS_MAX - 1)))),
        with_config(c_info={"type": "hvm"}, b_info={"device_model_user": "qemu"}),
        [],
        [],
    ),
    "user among nearly as many": (
        host("xen1"),
        equipped("xen2", users=("root", *(f"user{n}" for n in range(USERS_MAX - 2)))),
        with_config(c_info={"type": "hvm"}, b_info={"device_model_user": "qemu"}),
        [("device_model_user_missing", "error", "xen2")],
        [],
    ),
    "user that is there": (
        host("xen1"),
        equipped("xen2", users=("root", "xen-qemuuser-shared")),
        with_config(c_info={"type": "hvm"}, b_info={"dm_restrict": "True"}),
        [("device_model_restricted", "warning", "xen2")],
        [],
    ),
    "older QEMU": (
        emulating("xen1", "7.2.9"),
        emulating("xen2", "5.2.0"),
        HVM,
        [("device_model_older", "warning", "xen2")],
        ["QEMU on xen2 is 5.2.0, and 7.2.9 on xen1", "Upgrade QEMU"],
    ),
    "another QEMU of one series": (emulating("xen1", "7.2.22"), emulating("xen2", "7.2.9"), HVM, [], []),
    "newer QEMU": (emulating("xen1", "9.2.0"), emulating("xen2", "10.0.2"), HVM, [], []),
    "older QEMU that no device is in": (emulating("xen1", "7.2.9"), emulating("xen2", "5.2.0"), None, [], []),
    "one QEMU for Xen and others": (
        emulating("xen1", "7.2.9", **{"/usr/bin/qemu-system-i386": "8.0.0"}),
        emulating("xen2", "7.2.9", **{"/usr/bin/qemu-system-i386": "5.2.0"}),
        HVM,
        [],
        [],
    ),
    "two of them, of which nobody knows the right one": (
        emulating("xen1", "7.2.9"),
        emulating("xen2", "5.2.0", **{"/usr/lib/xen/bin/qemu-system-i386": "7.2.0"}),
        HVM,
        [],
        [],
    ),
    "the one that it names": (
        emulating("xen1", "7.2.9"),
        emulating("xen2", "5.2.0", **{"/usr/lib/xen/bin/qemu-system-i386": "7.2.0"}),
        with_config(c_info={"type": "hvm"}, b_info={"device_model": QEMU}),
        [("device_model_older", "warning", "xen2")],
        ["is 5.2.0"],
    ),
    "no domain for its QEMU": (
        host("xen1"),
        equipped("xen2", firmware=("/usr/lib/xen-4.17/boot/qemu-stubdom-linux-kernel",)),
        STUBDOMAIN,
        [("device_model_unseen", "warning", "xen2")],
        ["boots from qemu-stubdom-linux-rootfs;", "Copy it from xen1"],
    ),
    "a domain for its QEMU": (
        emulating("xen1", "7.2.9"),
        equipped("xen2", firmware=("/opt/kernel", "/usr/lib/xen-4.17/boot/qemu-stubdom-linux-rootfs")),
        with_config(
            c_info={"type": "hvm"},
            b_info={
                "device_model_stubdomain": "True",
                "device_model_version": "qemu_xen",
                "stubdomain_kernel": "/opt/kernel",
            },
        ),
        [],
        [],
    ),
    "firmware": (host("xen1"), host("xen2"), OVMF, [("firmware_unseen", "warning", "xen2")], ["OVMF"]),
    "firmware that is there": (host("xen1"), equipped("xen2", firmware=("/usr/share/ovmf/OVMF.fd",)), OVMF, [], []),
    "firmware of its own": (
        host("xen1"),
        host("xen2"),
        with_config(c_info={"type": "hvm"}, b_info={"type.hvm": {"system_firmware": "/opt/bios.bin"}}),
        [("firmware_unseen", "warning", "xen2")],
        ["/opt/bios.bin"],
    ),
    "label": (
        host("xen1"),
        host("xen2"),
        with_config(c_info={"ssid_label": "system_u:system_r:secret_t"}),
        [("label_unchecked", "warning", "xen2")],
        ["secret_t", "xl getenforce"],
    ),
    "trace buffer": (
        host("xen1"),
        host("xen2"),
        with_config(b_info={"vmtrace_buf_kb": 64}),
        [("capability_missing", "error", "xen2")],
        ["vmtrace is missing"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_destination_must_have(name: str) -> None:
    """Told once, about the right host, with both values."""
    source, destination, subject, expected, parts = CASES[name]
    found, text = told(source, destination, subject)
    assert found == expected
    for part in parts:
        assert part in text


def test_within_one_host_there_is_nothing_to_compare() -> None:
    """It is the same Xen on the same processor."""
    bare = host("xen1", equipment=dataclasses.replace(EQUIPMENT, processor=Processor(None, (), None)))
    assert findings(bare, bare, domain(), request(destination="xen1", allow_same_host=True)) == ()


def test_what_xen_adds_is_no_feature_of_the_processor() -> None:
    """What a PVH and a PV guest were shown, as captured, and hw_caps of such a machine."""
    machine = words(["078bf3fd", "82d82203", "20100800", "00000005", "00000000", "00000000", "00000000", "00000000"])
    assert missing((0x178BFBFD, 0x80202001, 0x2193FBFD, 1, 0, 0, 0, 0), machine) == ()
    assert missing((0x0789C3F5, 0x80002001, 0x2191CBF5, 1, 0, 0, 0, 0), machine) == ()
    assert missing((0, 1 << 28, 0, 0, 0, 1 << 2), machine) == ("avx", "0x7.ebx[2]")
    assert missing((0, 1 << 28), machine[:1]) == ()
    assert words(["zz"]) == ()


def test_the_stream_is_compared_unless_that_was_waived() -> None:
    """With what the destination has, where it is known."""
    case = Case(host("xen1"), host("xen2"), domain(), request())
    assert EQUIPMENT.processor is not None and compared(case) == EQUIPMENT.processor.features
    assert compared(dataclasses.replace(case, request=request(waive=("cpu_features_shown",)))) == ()
    assert compared(dataclasses.replace(case, destination=processed("xen2", features=("x",)))) == ()
    assert compared(dataclasses.replace(case, destination=host("xen1"))) == ()
    assert compared(dataclasses.replace(case, destination=None)) == ()
