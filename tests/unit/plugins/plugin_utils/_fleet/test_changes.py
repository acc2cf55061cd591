# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The digest changes with what a plan depends on, with nothing else, and the changes are told in sentences."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Card, Mount
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainState
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.changes import changes, fleet_changes
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import Essence, digest, essence
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet, Told
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import (
    DomainRule,
    GroupRule,
    HostRule,
    Rules,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import EQUIPMENT
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples

FLEET = examples.fleet(xen1=["centos", "web"], xen2=[])


def _told(dom0: Dom0) -> Told:
    assert dom0.told is not None
    return dom0.told


def with_host(fleet: Fleet, name: str, **values: t.Any) -> Fleet:
    """The fleet with other facts of one host."""
    told = _told(fleet.by_name[name])
    new = dataclasses.replace(told, host=dataclasses.replace(told.host, **values))
    return _with(fleet, dataclasses.replace(fleet.by_name[name], told=new))


def with_domain(fleet: Fleet, host: str, name: str, **values: t.Any) -> Fleet:
    """The fleet with other facts of one domain."""
    told = _told(fleet.by_name[host])
    domains = tuple(dataclasses.replace(d, **values) if d.name == name else d for d in told.domains)
    return _with(fleet, dataclasses.replace(fleet.by_name[host], told=dataclasses.replace(told, domains=domains)))


def _with(fleet: Fleet, new: Dom0) -> Fleet:
    return dataclasses.replace(fleet, dom0s=tuple(new if dom0.name == new.name else dom0 for dom0 in fleet.dom0s))


@given(clock=st.floats(0, 1e10), domid=st.integers(1, 32000), running=st.booleans(), reverse=st.booleans())
def test_what_changes_while_nothing_happens_is_not_in_the_digest(
    clock: float, domid: int, running: bool, reverse: bool
) -> None:
    """Clocks, processor time, domids, whether a guest computes just now, the order in which hosts were asked."""
    cards = (Card(domid, "00:16:3e:5e:00:01"),)
    equipment = dataclasses.replace(
        _told(FLEET.by_name["xen1"]).host.equipment, cards=cards, recent_domids=(domid,), read_only=(f"147:{domid}",)
    )
    later = with_host(FLEET, "xen1", clock_s=clock, asked_s=clock, answered_s=clock, domains=(), equipment=equipment)
    later = with_domain(later, "xen1", "centos", domid=domid, state=DomainState(running=running, blocked=not running))
    later = _with(later, dataclasses.replace(later.by_name["xen2"], asked_s=clock))
    if reverse:
        later = dataclasses.replace(later, dom0s=tuple(reversed(later.dom0s)))
    assert digest(later) == digest(FLEET)
    assert fleet_changes(FLEET, later) == []


RULES = Rules((DomainRule("centos", ("never_move",)),), (), ())
CHANGED: dict[str, tuple[Fleet, list[str]]] = {
    "moved": (examples.fleet(xen1=["web"], xen2=["centos"]), ["centos is on xen2 now, not on xen1."]),
    "new": (examples.fleet(xen1=["centos", "web"], xen2=["db"]), ["db is new, on xen2."]),
    "gone": (examples.fleet(xen1=["centos"], xen2=[]), ["web is on xen1 no more, and on no other host that answered."]),
    "twice": (examples.fleet(xen1=["centos", "web"], xen2=["web"]), ["web is on xen1, xen2 now, not on xen1."]),
    "less memory": (with_host(FLEET, "xen1", free_memory_mib=900 - 512), ["xen1 has 0.5 GiB less free memory."]),
    "dom0 grew": (with_host(FLEET, "xen2", dom0_memory_mib=1124), ["xen2 has 100 MiB more memory for itself."]),
    "memory not known": (
        with_host(FLEET, "xen2", free_memory_mib=None),
        ["xen2: how much free memory it has is not known any more."],
    ),
    "bridge": (
        with_host(FLEET, "xen2", bridges=("br7",)),
        ["xen2 has no bridge xenbr0 any more.", "xen2 has a bridge br7 now."],
    ),
    "rebooted": (with_host(FLEET, "xen2", boot_id="b"), ["xen2 was started anew."]),
    "mtu": (
        with_host(FLEET, "xen2", equipment=dataclasses.replace(EQUIPMENT, mtus={"xenbr0": 9000})),
        ["xen2 has other equipment: mtus."],
    ),
    "new host": (examples.fleet(xen1=["centos", "web"], xen2=[], xen3=[]), ["xen3 is new."]),
    "host left": (examples.fleet(xen1=["centos", "web"]), ["xen2 is no dom0 of the inventory any more."]),
    "dead host": (
        Fleet((examples.dead("xen1"), examples.dom0("xen2"))),
        ["xen1 is in trouble now: unreachable."],
    ),
    "bigger": (
        with_domain(FLEET, "xen1", "web", memory_mib=256, memory_max_kib=1024 * 1024),
        ["web has 256 MiB (at most 1 GiB) now, not 128 MiB."],
    ),
    "paused": (
        with_domain(FLEET, "xen1", "web", state=DomainState(paused=True)),
        ["web was running, and is paused now."],
    ),
    "other cards": (
        with_domain(FLEET, "xen1", "web", config={**(examples.domain("web", 4).config or {}), "nics": []}),
        ["web has another configuration: network cards."],
    ),
    "tags": (dataclasses.replace(FLEET, rules=RULES), ["centos has the tags never_move now, not none."]),
    "closed": (
        dataclasses.replace(FLEET, rules=Rules(hosts=(HostRule("xen2", closed=True),))),
        ["xen2 has other rules (dom0_xen_host)."],
    ),
    "group": (
        dataclasses.replace(FLEET, rules=Rules(groups=(GroupRule("pair", "apart", ("centos", "web")),))),
        ["The group pair is new."],
    ),
}


@pytest.mark.parametrize("case", sorted(CHANGED))
def test_what_a_plan_depends_on_changes_the_digest_and_is_told(case: str) -> None:
    """An operator reads why the plan of last night holds no more."""
    now, said = CHANGED[case]
    assert digest(now) != digest(FLEET)
    assert fleet_changes(FLEET, now) == said
    assert fleet_changes(now, FLEET) != []


def test_a_few_mib_are_no_change() -> None:
    """Xen's own bookkeeping moves by some MiB; no plan is refused for that."""
    assert fleet_changes(FLEET, with_host(FLEET, "xen1", free_memory_mib=900 - 16)) == []
    assert fleet_changes(FLEET, with_host(FLEET, "xen1", free_memory_mib=900 - 17)) != []


def test_what_a_plan_carries_survives_a_file() -> None:
    """A plan that was read back has the digest it was made with, and it is small."""
    carried = json.dumps(essence(FLEET).to_result())
    back = Essence.from_result(json.loads(carried))
    assert (back, back.digest, changes(back, essence(FLEET))) == (essence(FLEET), digest(FLEET), [])
    many = examples.fleet(xen1=[f"guest{number}" for number in range(100)])
    assert len(json.dumps(essence(many).to_result())) < 60_000


def test_mounts_count_where_files_of_domains_are_on_them() -> None:
    """A login makes one, and no plan is outdated by it; without the one that the disks are on a domain cannot move."""
    root = Mount("/", "ext4", "/dev/sda1", "/", "8:1", True)
    shared = Mount("/srv/xen", "nfs4", "nas:/xen", "/", "0:45", False)
    login = Mount("/run/user/1000", "tmpfs", "tmpfs", "/", "0:51", True)
    config = {**(FLEET.by_name["xen1"].domains[0].config or {}), "disks": [{"pdev_path": "/srv/xen/centos.img"}]}

    def having(*mounts: Mount) -> Fleet:
        equipment = dataclasses.replace(EQUIPMENT, mounts=mounts)
        return with_host(with_domain(FLEET, "xen1", "centos", config=config), "xen2", equipment=equipment)

    before = essence(having(root, shared))
    assert essence(having(root, shared, login)) == before
    assert essence(having(root, dataclasses.replace(shared, number="0:52"))) == before
    for mounts in ((root,), (root, dataclasses.replace(shared, source="nas:/other"))):
        assert changes(before, essence(having(*mounts))) == ["xen2 has other equipment: mounts."]
