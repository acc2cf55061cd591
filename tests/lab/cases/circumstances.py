# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts are made to be for a while: with domains that never run, without a bridge, under an xl save."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterable, Iterator

from dom0lab import Host

CRASHES_S = 300
CIB = "/var/lib/pacemaker/cib/cib.xml"
# One resource, as `crm configure primitive ... ocf:heartbeat:Xen` makes it.
CIB_TEXT = """<cib><configuration><crm_config/><nodes/><constraints/><resources>
<primitive id="r-{0}" class="ocf" provider="heartbeat" type="Xen"><instance_attributes id="r-{0}-attributes">
<nvpair id="r-{0}-name" name="name" value="{0}"/></instance_attributes></primitive>
</resources></configuration></cib>
"""
OTHER_UUID = "0ddba11e-0000-4000-8000-000000000001"
THIRD_UUID = "0ddba11e-0000-4000-8000-000000000002"
# The second word of a command line is xl's command once the shell, and Debian's wrapper, have become xl.
_SAVES = "until tr '\\0' '\\n' < /proc/$(cat /run/lab-hand)/cmdline | sed -n 2p | grep -qx save; do sleep 0.3; done"


@contextlib.contextmanager
def paused(host: Host, name: str, text: str) -> Iterator[None]:
    """A domain that is created and never runs."""
    host.run(f"cat > /run/{name}.cfg && xl create -p -q /run/{name}.cfg", stdin=text)
    try:
        yield
    finally:
        host.run(f"xl destroy $(xl domid {name}); rm /run/{name}.cfg")


@contextlib.contextmanager
def crashed(host: Host, name: str, text: str) -> Iterator[None]:
    """A domain that runs into its end, and of which all is kept."""
    host.run(f"cat > /run/{name}.cfg && xl create -q /run/{name}.cfg", stdin=text)
    try:
        look = f"until xl list {name} | grep -q ' [-rbp]*sc[-d] '; do sleep 2; done"
        host.run(["timeout", str(CRASHES_S), "sh", "-c", look], timeout=CRASHES_S + 60)
        yield
    finally:
        host.run(f"xl destroy $(xl domid {name}); rm /run/{name}.cfg")


@contextlib.contextmanager
def volume(host: Host, name: str, uuid: str, size_mib: int, *options: str) -> Iterator[str]:
    """A mapped device of this name and identity, as LVM makes one; yields its path. ``options`` are dmsetup's."""
    file = f"/var/lib/lab-{name}.raw"
    host.run(
        f"modprobe -a loop dm_mod && truncate -s {size_mib}M {file} && loop=$(losetup -f --show {file})"
        f' && dmsetup create {name} {" ".join(options)} --uuid {uuid} --table "0 {size_mib * 2048} linear $loop 0"'
    )
    try:
        yield f"/dev/mapper/{name}"
    finally:
        # Whoever has looked at the new device may still have it open.
        host.run(
            f"udevadm settle; dmsetup remove --retry {name} && losetup -d $(losetup -nO NAME -j {file}) && rm {file}"
        )


@contextlib.contextmanager
def cluster(host: Host, domain: str) -> Iterator[None]:
    """A process that is called as Pacemaker's, and its configuration with this domain in it; none, if it is empty."""
    if domain:
        host.run(f"mkdir -p $(dirname {CIB}) && cat > {CIB}", stdin=CIB_TEXT.format(domain))
    started = "setsid bash -c 'exec -a pacemakerd sleep 3600' </dev/null >/dev/null 2>&1 & echo $! > /run/lab-cluster"
    host.run(started)
    try:
        yield
    finally:
        host.run("kill $(cat /run/lab-cluster); rm /run/lab-cluster; rm -rf /var/lib/pacemaker")


@contextlib.contextmanager
def bridge_renamed(host: Host, old: str, new: str) -> Iterator[None]:
    """A host that calls the bridge that the guest's network card is on by another name."""
    rename = "ip link set {0} down && ip link set {0} name {1} && ip link set {1} up"
    host.run(rename.format(old, new))
    try:
        yield
    finally:
        host.run(rename.format(new, old))


@contextlib.contextmanager
def second_network(hosts: Iterable[Host]) -> Iterator[tuple[str, str]]:
    """Hosts that are in one more network, over the same cable (a VLAN); yields it, and what its interface is called."""
    name, made = "lan20", []
    try:
        for host in hosts:
            number = host.address.rpartition(".")[2]
            host.run(
                f"modprobe 8021q && ip link add link eth1 name {name} mtu 8900 type vlan id 20"
                f" && ip addr add 10.88.0.{number}/24 dev {name} && ip link set {name} up"
            )
            made.append(host)
        yield "10.88.0.0/24", name
    finally:
        for host in made:
            host.run(["ip", "link", "del", name])


def card_less(text: str) -> str:
    """A configuration without its network card, so that it needs no bridge."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("vif"))


@contextlib.contextmanager
def being_saved(host: Host, name: str) -> Iterator[None]:
    """Somebody's xl save, which waits for whoever reads its file before it does anything to the domain.

    xl opens the file before it calls libxl (tools/xl/xl_saverestore.c save_domain), and a FIFO without a reader holds
    it there.
    """
    host.run("mkfifo /run/lab-fifo")
    silent = subprocess.DEVNULL
    save = f"echo $$ > /run/lab-hand; exec xl save {name} /run/lab-fifo"
    process = host.start(save, stdin=silent, stdout=silent, stderr=silent)
    try:
        host.run(["timeout", "60", "bash", "-c", f"until test -s /run/lab-hand; do sleep 0.3; done; {_SAVES}"])
        yield
    finally:
        host.run("kill -KILL $(cat /run/lab-hand); rm /run/lab-fifo /run/lab-hand")
        process.wait(60)
