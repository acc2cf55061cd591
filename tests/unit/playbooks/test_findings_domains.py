# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check finds of domains that are not as a move needs them: a host full of them, asked about in one run."""

from __future__ import annotations

import dataclasses
import sys
import time
import typing as t
import uuid

import pytest
from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site
from dom0_double.machine.domain import CRASH, POWEROFF, SUSPEND

from ansible_collections.dom0.xen.tests.unit.playbooks.asking import Answer, Found, ask, require

pytestmark = pytest.mark.timeout(600)

GONE_S = 3600.0
BOOT_S = 60.0
MAC = "00:16:3e:00:00:99"
# Where no machine has anything.
NOWHERE = "/opt/no-such-place"


def uuid_of(name: str) -> str:
    """Return the UUID that a domain of this name has here."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def as_it_is(host: Host, domid: int) -> None:
    """Nothing has to be done."""


def paused(host: Host, domid: int) -> None:
    """Somebody has paused it."""
    assert host.run("xl", "pause", str(domid)).status == 0


def ended(reason: int) -> t.Callable[[Host, int], None]:
    """Return what has the guest shut down for this reason, by itself."""

    def end(host: Host, domid: int) -> None:
        host.machine.call("shut_down", domid=domid, reason=reason)

    return end


def torn_down(host: Host, domid: int) -> None:
    """It was destroyed, and a backend holds on to its memory."""
    host.configure(zombie_s=GONE_S)
    assert host.run("xl", "destroy", str(domid)).status == 0
    host.configure(zombie_s=0.0)


def written(node: str, value: str) -> t.Callable[[Host, int], None]:
    """Return what writes to a node of the domain, when its guest has written what it does when it boots."""

    def write(host: Host, domid: int) -> None:
        control, deadline = f"/local/domain/{domid}/control", time.monotonic() + BOOT_S
        while host.run("xenstore-read", f"{control}/feature-suspend").stdout.strip() != "1":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert host.run("xenstore-write", f"{control}/{node}", value).status == 0

    return write


def deaf(host: Host, domid: int) -> None:
    """It is asked to reboot, and does not listen."""
    host.behave("asked", acknowledge_s=GONE_S)
    written("shutdown", "reboot")(host, domid)


@dataclasses.dataclass(frozen=True)
class Odd:
    """A domain: what must be found of it, what its configuration has, what is done with it, and its UUID if not its
    own.
    """

    found: Found
    extra: str = ""
    kind: str = "pvh"
    then: t.Callable[[Host, int], None] = as_it_is
    uuid: str = ""


def disk(*words: str) -> str:
    """Return a disk of a configuration file."""
    return f'disk = [ "{",".join(("vdev=xvda", "access=w", *words))}" ]'


HERE: t.Mapping[str, Odd] = {
    "well": Odd(frozenset()),
    "crashed": Odd({("domain_crashed", "xen1")}, 'on_crash = "preserve"', then=ended(CRASH)),
    "off": Odd({("domain_shut_down", "xen1")}, 'on_poweroff = "preserve"', then=ended(POWEROFF)),
    "suspended": Odd({("domain_suspended", "xen1")}, then=ended(SUSPEND)),
    "paused": Odd({("domain_paused", "xen1")}, then=paused),
    "dying": Odd({("domain_dying", "xen1"), ("configuration_missing", "xen1")}, then=torn_down),
    "asked": Odd({("shutdown_pending", "xen1")}, then=deaf),
    "unwilling": Odd({("suspend_refused", "xen1")}, then=written("feature-suspend", "0")),
    "silent": Odd({("suspend_unconfirmed", "xen1")}, then=written("feature-suspend", "")),
    "bare": Odd({("drivers_unseen", "xen1")}, kind="hvm", then=written("feature-suspend", "")),
    "viewed": Odd({("altp2m_stays", "xen2")}, 'altp2m = "external"'),
    "half--incoming": Odd({("leftover_name", "xen1")}),
    "away": Odd({("migratedaway_name_taken", "xen1")}),
    "away--migratedaway": Odd({("leftover_name", "xen1")}),
    "coming": Odd({("incoming_name_taken", "xen2")}),
    "twice": Odd({("uuid_twice", "xen1")}),
    "again": Odd({("uuid_twice", "xen1")}, uuid=uuid_of("twice")),
    "moved": Odd({("uuid_taken", "xen2")}),
    "web": Odd({("name_taken", "xen2")}),
    "pinned": Odd({("affinity_impossible", "xen2")}, 'cpus = "5"'),
    "pooled": Odd({("cpupool_missing", "xen2")}, 'pool = "rt"'),
    "labelled": Odd({("label_unchecked", "xen2")}, 'seclabel = "system_u:system_r:domU_t"'),
    "shadowed": Odd({("capability_missing", "xen2")}, "hap = 0"),
    "pci": Odd({("pci_passthrough", "xen1")}, 'pci = [ "01:00.0" ]'),
    "usb": Odd({("usb_passthrough", "xen1")}, 'usbdev = [ "hostbus=1,hostaddr=3" ]'),
    "dt": Odd({("dt_passthrough", "xen1")}, 'dtdev = [ "/soc/serial@1" ]'),
    "tpm": Odd({("vtpm", "xen1")}, 'vtpm = [ "backend=vtpmmgr" ]'),
    "numa": Odd({("vnuma", "xen1")}, 'vnuma = [ [ "pnode=0", "size=8", "vcpus=0", "vdistances=10" ] ]'),
    "tied": Odd({("migration_disabled", "xen1")}, "nomigrate = 1"),
    "nested": Odd({("nested_virtualisation", "xen1")}, "nestedhvm = 1", "hvm"),
    "served": Odd({("driver_domain", "xen1")}, 'vif = [ "bridge=xenbr0,backend=net1" ]'),
    "bridged": Odd({("bridge_missing", "xen2")}, 'vif = [ "bridge=br9" ]'),
    "routed": Odd({("gateway_missing", "xen2")}, 'vif = [ "script=vif-route,gatewaydev=eth9" ]'),
    "scripted_card": Odd({("gateway_unchecked", "xen2")}, 'vif = [ "script=/usr/local/sbin/vif-own,gatewaydev=eth9" ]'),
    "alike": Odd({("mac_taken", "xen2")}, f'vif = [ "mac={MAC}" ]'),
    "low": Odd({("memory_below_maximum", "xen1")}, "memory = 48\nmaxmem = 64", "hvm"),
    "modelled": Odd({("device_model_unseen", "xen2")}, f'device_model_override = "{NOWHERE}/qemu"', "hvm"),
    "restricted": Odd({("device_model_user_missing", "xen2")}, 'device_model_user = "no-such-user"', "hvm"),
    "held": Odd({("device_model_restricted", "xen2")}, 'dm_restrict = 1\ndevice_model_user = "root"', "hvm"),
    "kernel": Odd({("boot_file_unseen", "xen2")}, 'kernel = "/boot/no-such-kernel"'),
    "booted": Odd({("firmware_unseen", "xen2")}, f'bios_path_override = "{NOWHERE}/ovmf.fd"', "hvm"),
    "image": Odd({("disk_not_raw", "xen1")}, disk("format=qcow2", "backendtype=qdisk", "target=/dev/vg/image")),
    "cached": Odd({("disk_cache_stale", "xen1")}, disk("format=raw", "backendtype=qdisk", "target=/dev/vg/cached")),
    "direct": Odd(
        {("disk_unchecked", "xen2")}, disk("format=raw", "backendtype=qdisk", "direct-io-safe", "target=/dev/vg/direct")
    ),
    "scripted": Odd({("disk_unchecked", "xen2")}, disk("script=block-nbd", "target=nbd:store:centos")),
    # All file systems of the double are this machine's, of which none is shared.
    "filed": Odd({("disk_not_shared", "xen2"), ("disk_cached", "xen1")}, disk("format=raw", "target=/usr/centos.img")),
}
# Domains of xen2, with the names whose UUID they have.
THERE = {"coming--incoming": "coming--incoming", "renamed": "moved", "web": "another web", "twin": "twin"}


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Answer]:
    """What was found, of all of them at once; none of them notices."""
    folder = tmp_path_factory.mktemp("double")
    site = Site(folder / "site")
    site.up(["xen1"], python=sys.executable, cpus=8, memory_mib=4096)
    site.up(["xen2"], python=sys.executable, addresses=(("eth0", "192.0.2.12/24"),))
    for name, odd in HERE.items():
        config = GuestConfig(name, odd.uuid or uuid_of(name), odd.kind, 16, bridge=None, extra=odd.extra, compact=True)
        odd.then(site["xen1"], site["xen1"].start_guest(config))
    for name, whose in THERE.items():
        card = f'vif = [ "mac={MAC}" ]' if name == "twin" else ""
        config = GuestConfig(name, uuid_of(whose), memory_mib=16, bridge=None, extra=card, compact=True)
        site["xen2"].start_guest(config)
    running = [site.intervals(uuid_of(name)) for name in HERE]
    found = ask(site, folder, "-e", "source=xen1", "-e", "destination=xen2")
    assert [site.intervals(uuid_of(name)) for name in HERE] == running
    yield found
    assert site.down() == []


@pytest.mark.parametrize("name", HERE)
def test_is_found(answer: Answer, name: str) -> None:
    """Just what was provoked, of this domain alone."""
    # What is being torn down has no name any more, and of two with one UUID that is no way to tell them apart.
    place = answer.place(uuid_of(name) if name == "dying" else name, "xen2")
    require(place["findings"], HERE[name].found)
    assert place["possible"] is not any(finding["severity"] == "error" for finding in place["findings"])


def test_nothing_else_is_wrong(answer: Answer) -> None:
    """With the question, or with the hosts."""
    assert (answer.status, answer.result["findings"]) == (2, [])
    assert len(answer.result["domains"]) == len(HERE)
