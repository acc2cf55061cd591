# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody misses what a domain boots from before it reboots: so it is looked for when it is moved."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Finding
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import BOOT_MAX, ConfigFile, Equipment
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    EQUIPMENT,
    UUID,
    host,
    request,
    with_config,
)

KERNEL = "/boot/vmlinuz-6.1.0-27-amd64"
INITRD = "/boot/initrd.img-6.1.0-27-amd64"


def found(subject: DomainFacts, *boot: str, **asked: t.Any) -> list[Finding]:
    """Check the move to a host that has these files."""
    there = host("xen2", equipment=dataclasses.replace(EQUIPMENT, boot=boot))
    return list(findings(host("xen1"), there, subject, request(**asked)))


@pytest.mark.parametrize(
    ("build", "boot", "missing"),
    [
        ({"kernel": KERNEL, "ramdisk": INITRD}, (KERNEL, INITRD), []),
        ({"kernel": KERNEL, "ramdisk": INITRD}, ("/boot/vmlinuz-6.12", INITRD), [KERNEL]),
        ({"kernel": KERNEL, "ramdisk": INITRD}, (), [KERNEL, INITRD]),
        ({"kernel": "/usr/lib/grub-xen/grub-i386-xen_pvh.bin"}, (KERNEL,), ["/usr/lib/grub-xen/grub-i386-xen_pvh.bin"]),
        # The folder of another release of Xen.
        (
            {"bootloader": "/usr/lib/xen-4.14/bin/pygrub"},
            ("/usr/lib/xen-4.17/bin/pygrub",),
            ["/usr/lib/xen-4.14/bin/pygrub"],
        ),
        ({"bootloader": "pygrub"}, ("/usr/lib/xen-4.17/bin/pygrub",), []),
        ({"bootloader": "pygrub"}, (KERNEL,), ["pygrub"]),
        # What was not looked at is not told as missing.
        ({"kernel": "/srv/guest/vmlinuz", "bootloader": "own-loader"}, (), []),
        ({"kernel": "/boot/guests/vmlinuz"}, (), []),
        ({"kernel": KERNEL}, tuple(f"/boot/{number}" for number in range(BOOT_MAX)), []),
        ({}, (), []),
    ],
)
def test_what_a_domain_boots_from(build: dict[str, t.Any], boot: tuple[str, ...], missing: list[str]) -> None:
    """A warning, which names all that is missing: the move itself does not need it."""
    seen = found(with_config(b_info=build), *boot)
    assert [finding.code for finding in seen] == (["boot_file_unseen"] if missing else [])
    assert not missing or (seen[0].details["paths"] == missing and "next reboot" in seen[0].message)


def test_what_was_not_looked_at_is_not_told_as_missing() -> None:
    """By an older host_info, or where the folder cannot be read; a host that has nothing in it has told that."""
    subject = with_config(b_info={"kernel": KERNEL, "bootloader": "pygrub"})
    told = dataclasses.replace(EQUIPMENT, boot=()).to_result()
    for equipment, codes in (
        (Equipment.from_result({key: value for key, value in told.items() if key != "boot"}), []),
        (Equipment.from_result({**told, "boot": None}), []),
        (Equipment.from_result(told), ["boot_file_unseen"]),
    ):
        seen = findings(host("xen1"), host("xen2", equipment=equipment), subject, request())
        assert [finding.code for finding in seen] == codes


def test_what_it_means_for_the_move() -> None:
    """QEMU is given the kernel again, and a domain that is started anew boots at once."""
    (emulated,) = found(with_config(c_info={"type": "hvm"}, b_info={"kernel": KERNEL}))
    assert "QEMU there does not start without" in emulated.message
    file = ConfigFile("/etc/xen/centos.cfg", "centos", UUID)
    subject = dataclasses.replace(with_config(b_info={"kernel": KERNEL}), config_files=(file,))
    (anew,) = found(subject, method="cold")
    assert "cannot be started there" in anew.message


def test_within_one_host_it_is_the_same_file() -> None:
    """Whether it is there or not."""
    subject, one = with_config(b_info={"kernel": KERNEL}), host("xen1")
    assert findings(one, one, subject, request(destination="xen1", allow_same_host=True)) == ()
