# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts and a domain between which a move is possible; tests change one thing at a time."""

from __future__ import annotations

import copy
import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import MoveRequest
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Equipment, Processor
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    Address,
    DeviceSeen,
    DomainFacts,
    DomainRow,
    DomainState,
    HostFacts,
    SessionDomain,
    SessionSeen,
    XenFacts,
    XenStoreFacts,
)

UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
OTHER = "99999999-3f5d-4c65-9e1a-0123456789ab"
XEN = XenFacts(
    version="4.17.7",
    major=4,
    minor=17,
    extra=".7",
    caps=("xen-3.0-x86_64", "hvm-3.0-x86_32", "hvm-3.0-x86_32p", "hvm-3.0-x86_64"),
    virt_caps=("pv", "hvm", "hap", "gnttab-v1", "gnttab-v2"),
    commandline="placeholder dom0_mem=1024M,max:1024M",
)
EQUIPMENT = Equipment(
    scripts=("block", "vif-bridge", "vif-openvswitch", "vif-route"),
    emulators=("/usr/libexec/xen-qemu-system-i386",),
    users=("root",),
    processor=Processor(
        "GenuineIntel", ("bfebfbff", "77faf3ff", "2c100800", "00000121", "0000000f", "d39ffffb", "0", "0"), 2600.0
    ),
)
CONFIG: dict[str, t.Any] = {
    "c_info": {"type": "pvh", "name": "centos", "uuid": UUID, "run_hotplug_scripts": "True"},
    "b_info": {"max_vcpus": 1, "avail_vcpus": [0], "max_memkb": 131072, "target_memkb": 131072, "shadow_memkb": 2048},
    "nics": [{"devid": 0, "mac": "00:16:3e:5e:00:01", "bridge": "xenbr0", "script": "/etc/xen/scripts/vif-bridge"}],
}


def row(name: str = "centos", domid: int = 3, uuid: str = UUID, **state: t.Any) -> DomainRow:
    """A domain as xl list -v shows it."""
    return DomainRow(domid, uuid, name, DomainState(**(state or {"blocked": True})), 128, 1, 43.9)


DOM0 = row("Domain-0", 0, "00000000-0000-0000-0000-000000000000", running=True)


def host(name: str, **changes: t.Any) -> HostFacts:
    """A dom0 that lacks nothing; xen1 has the domain."""
    facts = HostFacts(
        hostname=name,
        uid=0,
        boot_id=f"{sum(name.encode()):08x}-6513-48e3-a9c6-d2d0263407a2",
        python="3.11.2",
        pyxs="0.4.2.dev0",
        systemd=True,
        xen=XEN,
        cpus=4,
        memory_mib=2047,
        free_memory_mib=900,
        dom0_memory_mib=1024,
        autoballoon=False,
        bridges=("xenbr0",),
        addresses=(Address("xenbr0", "192.0.2.11"),),
        cpupools=("Pool-0",),
        clock_s=1.0,
        runtime_path="/run/dom0-xen",
        domains=(DOM0, row()) if name == "xen1" else (DOM0,),
        sessions=(),
        problems=(),
        equipment=EQUIPMENT,
    )
    return dataclasses.replace(facts, **changes)


def domain(**changes: t.Any) -> DomainFacts:
    """The domain on xen1. Type and memory follow the configuration."""
    config = copy.deepcopy(changes.pop("config", CONFIG))
    facts = DomainFacts(
        domid=3,
        uuid=UUID,
        name="centos",
        state=DomainState(blocked=True),
        config=config,
        memory_mib=128,
        memory_max_kib=131072,
        vcpus=1,
        type=config["c_info"]["type"] if config else None,
        xenstore=XenStoreFacts(
            "centos", f"/vm/{UUID}", "1", "", 131072, 131072, (DeviceSeen("vif", 0, backend_domid=0, state=4),)
        ),
    )
    return dataclasses.replace(facts, **changes)


def with_config(**parts: t.Any) -> DomainFacts:
    """The domain with other parts in its configuration; parts of c_info and b_info are merged, others replaced."""
    config = copy.deepcopy(CONFIG)
    for key, value in parts.items():
        if key in ("c_info", "b_info"):
            config[key].update(value)
        else:
            config[key] = value
    return domain(config=config)


def request(**changes: t.Any) -> MoveRequest:
    """A move of centos from xen1 to xen2."""
    return dataclasses.replace(MoveRequest("centos", "xen1", "xen2", inventory=("xen1", "xen2")), **changes)


def session(**changes: t.Any) -> SessionSeen:
    """A session of centos that ended well."""
    seen = SessionSeen("a" * 16, "sender", "ended", "destination", "moved", SessionDomain(UUID, "centos"), 4711, False)
    return dataclasses.replace(seen, **changes)
