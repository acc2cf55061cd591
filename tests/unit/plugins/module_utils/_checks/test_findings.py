# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each thing that speaks against a move is found, named with its host and remedy, and nothing else is."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import (
    describe,
    errors,
    findings,
    warnings,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    NO_FACTS,
    NOT_IN_INVENTORY,
    UNREACHABLE,
    Finding,
    HostTrouble,
)
from ansible_collections.dom0.xen.plugins.module_utils._equipment_records import Disk
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    AutostartEntry,
    ClusterFacts,
    ClusterResource,
    DeviceSeen,
    DomainFacts,
    DomainState,
    Hand,
    HostFacts,
    Problem,
    SessionDomain,
    SessionSeen,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    DOM0,
    EQUIPMENT,
    OTHER,
    UUID,
    XEN,
    domain,
    host,
    request,
    row,
    session,
    with_config,
)


def _find(**given: t.Any) -> tuple[Finding, ...]:
    """Check the possible move of the examples with some things given otherwise."""
    source: HostFacts | None = given.get("source", host("xen1"))
    destination: HostFacts | None = given.get("destination", host("xen2"))
    subject: DomainFacts | None = given.get("domain", domain())
    return findings(source, destination, subject, given.get("request", request()))


def _there(*rows: t.Any) -> HostFacts:
    return host("xen2", domains=(DOM0, *rows))


def _here(*rows: t.Any) -> HostFacts:
    return host("xen1", domains=(DOM0, *rows))


def _xen(**changes: t.Any) -> t.Any:
    return dataclasses.replace(XEN, **changes)


def test_possible_move_has_no_findings() -> None:
    """The examples are what all others differ from."""
    assert _find() == ()


UNREACHED = HostTrouble(UNREACHABLE, "Connection refused")
OTHERS = SessionDomain(OTHER, "other")
PV = {"c_info": {"type": "pv"}, "b_info": {"shadow_memkb": 0}}
HVM = {"c_info": {"type": "hvm"}}
QCOW2 = {"pdev_path": "/srv/a.qcow2", "vdev": "xvda", "backend": "qdisk", "format": "qcow2"}


def _cluster(**changes: t.Any) -> ClusterFacts:
    resource = ClusterResource("vm-centos", "ocf:heartbeat:Xen", "centos", None, True)
    return ClusterFacts("pacemaker", True, (dataclasses.replace(resource, **changes),))


CASES: list[tuple[str, str, dict[str, t.Any], list[str]]] = [
    # code, host, what is different, words that the message or the remedy must hold
    ("domain_unknown", "xen1", {"domain": None, "source": _here(row("web", 5, OTHER))}, ["'centos'", "web", "UUID"]),
    ("domain_gone", "xen1", {"domain": None}, ["a moment ago"]),
    ("domain_is_dom0", "xen1", {"domain": None, "request": request(domain="Domain-0")}, ["domain 0"]),
    ("domain_is_dom0", "xen1", {"domain": domain(domid=0, name="Domain-0")}, ["domain 0"]),
    ("domain_is_domid", "xen1", {"request": request(domain="7")}, ["7", "name or UUID"]),
    ("domain_is_domid", "xen1", {"domain": None, "request": request(domain="7")}, ["7", "name or UUID"]),
    (
        NOT_IN_INVENTORY,
        "xen9",
        {
            "destination": None,
            "request": request(destination="xen9", destination_trouble=HostTrouble(NOT_IN_INVENTORY)),
        },
        ["xen9", "xen1, xen2"],
    ),
    (
        UNREACHABLE,
        "xen2",
        {"destination": None, "request": request(destination_trouble=UNREACHED)},
        ["Connection refused", "ansible xen2"],
    ),
    (
        UNREACHABLE,
        "xen1",
        {"source": None, "domain": None, "request": request(source_trouble=UNREACHED)},
        ["Connection refused", "ansible xen1"],
    ),
    (NO_FACTS, "xen2", {"destination": None}, ["host_info"]),
    ("same_host", "xen1", {"destination": host("xen1"), "request": request(destination="xen1")}, ["allow_same_host"]),
    ("same_host", "xen2", {"destination": host("xen1")}, ["same machine", "allow_same_host"]),
    (
        "not_enough_memory",
        "xen2",
        {"destination": host("xen2", free_memory_mib=100)},
        ["132 MiB", "100 MiB are free", "32 MiB are missing"],
    ),
    ("not_enough_memory", "xen2", {"request": request(memory_reserve_mib=800)}, ["800 are to stay free"]),
    ("name_taken", "xen2", {"destination": _there(row(uuid=OTHER, domid=9))}, ["domid 9", OTHER, "rename"]),
    (
        "incoming_name_taken",
        "xen2",
        {"destination": _there(row("centos--incoming", 9, paused=True))},
        ["centos--incoming", "paused", "xl destroy 9"],
    ),
    ("uuid_taken", "xen2", {"destination": _there(row("other-name", 9))}, ["both hosts", "other-name"]),
    ("uuid_taken", "xen2", {"destination": _there(row(domid=9))}, ["both hosts", "running"]),
    (
        "migratedaway_name_taken",
        "xen1",
        {"source": _here(row(), row("centos--migratedaway", 2, OTHER, shutdown=True, reason="suspend"))},
        ["suspended", "xl destroy 2"],
    ),
    (
        "foreign_hand",
        "xen1",
        {"source": host("xen1", hands=(Hand(70, "xl save", "centos"), Hand(71, "libxl-save-helper", "3")))},
        ["process 70", "`xl save centos`", "kill 70"],
    ),
    ("foreign_hand", "xen1", {"source": host("xen1", hands=(Hand(71, "libxl-save-helper", "3"),))}, ["helper 3"]),
    ("foreign_hand", "xen1", {"source": host("xen1", hands=(Hand(70, "xl shutdown", None),))}, ["all domains"]),
    (
        "closed_to_arrivals",
        "xen2",
        {"destination": host("xen2", closed={"by": "alice", "reason": "it is emptied", "since": "2026-11-24"})},
        ["by alice: it is emptied", "since 2026-11-24", "state=open"],
    ),
    (
        "cluster_managed",
        "xen1",
        {"source": host("xen1", cluster=_cluster()), "destination": host("xen2", cluster=_cluster())},
        ["vm-centos", "ocf:heartbeat:Xen", "pcs resource unmanage vm-centos"],
    ),
    (
        "cluster_managed",
        "xen2",
        {"destination": host("xen2", cluster=_cluster(name="other", uuid=UUID))},
        ["pacemaker", "a second time"],
    ),
    ("cluster_managed", "xen1", {"source": host("xen1", cluster=_cluster(id="centos", name=None))}, ["unmanage"]),
    ("uuid_twice", "xen1", {"source": _here(row(), row("copy", 2))}, ["copy", "same UUID"]),
    ("leftover_name", "xen1", {"domain": domain(name="centos--migratedaway")}, ["interrupted"]),
    (
        "leftover_name",
        "xen1",
        {"domain": None, "source": _here(row("centos--migratedaway", shutdown=True, reason="suspend"))},
        ["interrupted", "suspended"],
    ),
    (
        "leftover_name",
        "xen2",
        {"domain": None, "source": _here(), "destination": _there(row("centos--incoming", paused=True))},
        ["interrupted", "paused"],
    ),
    (
        "leftover_name",
        "xen2",
        {
            "domain": None,
            "source": _here(),
            "destination": _there(row("centos--incoming", paused=True)),
            "request": request(domain=UUID),
        },
        ["interrupted", "'centos--incoming'"],
    ),
    (
        "domain_not_running_there",
        "xen2",
        {"domain": None, "source": _here(), "destination": _there(row(shutdown=True, crashed=True, reason="crash"))},
        ["crash"],
    ),
    (
        "domain_not_running_there",
        "xen2",
        {"domain": None, "source": _here(), "destination": _there(row(paused=True))},
        ["paused", "`xl unpause 3` on xen2", "migrate_leave_paused=true"],
    ),
    ("bridge_missing", "xen2", {"destination": host("xen2", bridges=("br9", "lan"))}, ["'xenbr0'", "br9, lan"]),
    ("bridge_missing", "xen2", {"destination": host("xen2", bridges=())}, ["'xenbr0'", "none"]),
    ("bridge_missing", "xen2", {"request": request(map_bridges={"xenbr0": "br7"})}, ["'br7'", "xenbr0"]),
    ("map_invalid", "xen2", {"request": request(map_bridges={"no such name": "xenbr0"})}, ["'no such name'"]),
    ("map_invalid", "xen2", {"request": request(map_disks={"lun7": "/dev/a"})}, ["'lun7'", "absolute path"]),
    ("map_unused", "xen1", {"request": request(map_bridges={"xenbr9": "xenbr0"})}, ["'xenbr9'", "has: xenbr0"]),
    ("map_unused", "xen1", {"request": request(map_disks={"/dev/a": "/dev/b"})}, ["'/dev/a'", "has: none"]),
    (
        "map_collides",
        "xen2",
        {
            "domain": with_config(disks=[{"pdev_path": "/dev/a"}, {"pdev_path": "/dev/b"}]),
            "request": request(map_disks={"/dev/a": "/dev/b"}),
        },
        ["all be /dev/b", "/dev/a, /dev/b"],
    ),
    (
        "map_collides",
        "xen2",
        {
            "domain": with_config(disks=[{"pdev_path": "/dev/a"}, {"pdev_path": "/dev/b"}]),
            "request": request(map_disks={"/dev/a": "/dev/mapper/c", "/dev/b": "/dev/dm-0"}),
            "destination": host(
                "xen2",
                equipment=dataclasses.replace(
                    EQUIPMENT, disks=(Disk("253:0", ("/dev/dm-0", "/dev/mapper/c"), 1024, {"lvm": "1"}),)
                ),
            ),
        },
        ["all be /dev/mapper/c", "/dev/a, /dev/b"],
    ),
    (
        "no_shadow_paging",
        "xen1",
        {"domain": with_config(**PV), "request": request(method="live")},
        ["PV", "shadow", "migrate_method to suspend"],
    ),
    (
        "suspend_disk_cached",
        "xen1",
        {"domain": with_config(**HVM, disks=[QCOW2]), "request": request(method="suspend")},
        ["/srv/a.qcow2", "migrate_method: live"],
    ),
    (
        "xen_older",
        "xen2",
        {"destination": host("xen2", xen=_xen(version="4.14.6", minor=14))},
        ["4.14.6", "4.17.7", "Upgrade"],
    ),
    ("domain_paused", "xen1", {"domain": domain(state=DomainState(paused=True))}, ["xl unpause 3"]),
    (
        "domain_crashed",
        "xen1",
        {"domain": domain(state=DomainState(shutdown=True, crashed=True, reason="crash"))},
        ["xl destroy 3"],
    ),
    (
        "domain_shut_down",
        "xen1",
        {"domain": domain(state=DomainState(shutdown=True, reason="poweroff"))},
        ["poweroff"],
    ),
    (
        "domain_suspended",
        "xen1",
        {"domain": domain(state=DomainState(shutdown=True, reason="suspend"))},
        ["resume"],
    ),
    ("domain_dying", "xen1", {"domain": domain(state=DomainState(dying=True))}, ["torn down"]),
    ("pci_passthrough", "xen1", {"domain": with_config(pcidevs=[{"bus": 3}])}, ["PCI", "pci-detach"]),
    ("dt_passthrough", "xen1", {"domain": with_config(dtdevs=[{"path": "/a"}])}, ["device tree"]),
    ("usb_passthrough", "xen1", {"domain": with_config(usbdevs=[{"ctrl": 0}])}, ["USB"]),
    (
        "usb_passthrough",
        "xen1",
        {"domain": with_config(b_info={"type.hvm": {"usbdevice_list": ["tablet", "host:1.2"]}})},
        ["host:1.2"],
    ),
    ("vtpm", "xen1", {"domain": with_config(vtpms=[{"devid": 0}])}, ["TPM"]),
    ("vnuma", "xen1", {"domain": with_config(b_info={"vnuma_nodes": [{"memkb": 1}]})}, ["NUMA"]),
    ("migration_disabled", "xen1", {"domain": with_config(b_info={"disable_migrate": "True"})}, ["nomigrate"]),
    ("nested_virtualisation", "xen1", {"domain": with_config(b_info={"nested_hvm": "True"})}, ["nestedhvm"]),
    (
        "device_model_gone",
        "xen2",
        {
            "domain": with_config(c_info={"type": "hvm"}, b_info={"device_model_version": "qemu_xen_traditional"}),
            "destination": host("xen2", xen=_xen(version="4.21.0", minor=21)),
        },
        ["4.21.0"],
    ),
    (
        "device_model_gone",
        "xen2",
        {
            "domain": with_config(c_info={"type": "hvm"}, b_info={"device_model_stubdomain": "True"}),
            "destination": host("xen2", xen=_xen(version="4.21.0", minor=21)),
        },
        ["qemu-xen-traditional"],
    ),
    ("configuration_missing", "xen1", {"domain": domain(config=None)}, ["no configuration"]),
    (
        "capability_missing",
        "xen2",
        {"destination": host("xen2", xen=_xen(virt_caps=("pv", "gnttab-v1")))},
        ["hvm, hap", "firmware"],
    ),
    (
        "capability_missing",
        "xen2",
        {
            "domain": with_config(**PV),
            "source": host("xen1", xen=_xen(virt_caps=("pv", "shadow"))),
            "destination": host("xen2", xen=_xen(virt_caps=("hvm", "hap"), caps=("hvm-3.0-x86_64",))),
        },
        ["pv is missing"],
    ),
    ("capability_missing", "xen2", {"domain": with_config(c_info={"hap": "False"})}, ["shadow is missing"]),
    (
        "capability_missing",
        "xen2",
        {
            "domain": with_config(b_info={"max_grant_version": 2}),
            "destination": host("xen2", xen=_xen(virt_caps=("pv", "hvm", "hap", "gnttab-v1"))),
        },
        ["gnttab-v2"],
    ),
    ("capability_missing", "xen2", {"domain": with_config(b_info={"vpmu": "True"})}, ["vpmu is missing", "vpmu=1"]),
    (
        "capability_missing",
        "xen2",
        {
            "domain": with_config(b_info={"altp2m": "external"}),
            "destination": host("xen2", xen=_xen(version="4.21.0", minor=21, commandline="altp2m=0 loglvl=all")),
        },
        ["Xen 4.21.0", "altp2m=1"],
    ),
    ("disk_not_raw", "xen1", {"domain": with_config(disks=[QCOW2])}, ["xvda", "qcow2", "PVH"]),
    ("cpupool_missing", "xen2", {"domain": with_config(c_info={"pool_name": "rt"})}, ["'rt'", "Pool-0"]),
    (
        "affinity_impossible",
        "xen2",
        {"domain": with_config(b_info={"vcpu_hard_affinity": [[0, 1], [4, 5]]})},
        ["vcpu-pin 3"],
    ),
    (
        "driver_domain",
        "xen1",
        {"domain": with_config(nics=[{"devid": 0, "bridge": "xenbr0", "backend_domid": 7}])},
        ["network card", "domain 7"],
    ),
    (
        "driver_domain",
        "xen1",
        {"domain": with_config(disks=[{"pdev_path": "/dev/a", "backend_domid": 7, "backend_domname": "store"}])},
        ["store", "no domain of that name"],
    ),
    ("driver_domain", "xen1", {"domain": with_config(p9s=[{"tag": "a", "backend_domid": 7}])}, ["9p file system"]),
    ("driver_domain", "xen1", {"domain": with_config(vfbs=[{"backend_domname": "ui"}])}, ["frame buffer", "ui"]),
    ("session_running", "xen1", {"source": host("xen1", sessions=(session(alive=True, phase="gate"),))}, ["gate"]),
    ("session_running", "xen2", {"destination": host("xen2", sessions=(session(alive=True),))}, ["role=sender"]),
    *[
        (code, name, {side: host(name, problems=(Problem(code, "what is wrong", "what to do"),))}, ["what to do"])
        for code in ("pyxs_missing", "no_xen", "not_root", "xl_missing", "no_runtime_path", "xenstore_unreachable")
        for side, name in (("source", "xen1"), ("destination", "xen2"))
    ],
]


@pytest.mark.parametrize(("code", "where", "given", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_speaks_against_a_move_is_found(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """One cause gives one error, on the right host, with a remedy."""
    found = errors(_find(**given))
    assert [(finding.code, finding.host) for finding in found] == [(code, where)]
    assert found[0].remedy
    for word in words:
        assert word in f"{found[0].message} {found[0].remedy}"


def test_shutdown_that_is_under_way() -> None:
    """A guest that is about to power off must not be asked to suspend."""
    seen = domain().xenstore
    assert seen is not None
    asked = domain(xenstore=dataclasses.replace(seen, control_shutdown="poweroff"))
    assert [finding.code for finding in _find(domain=asked)] == ["shutdown_pending"]


@pytest.mark.parametrize(
    ("feature", "kind", "expected"),
    [
        ("1", "pvh", []),
        ("0", "pvh", [("suspend_refused", "error")]),
        ("", "pvh", [("suspend_unconfirmed", "warning")]),
        (None, "pvh", [("suspend_unconfirmed", "warning")]),
        (None, "hvm", []),
    ],
)
def test_guest_that_cannot_suspend(feature: str | None, kind: str, expected: list[tuple[str, str]]) -> None:
    """HVM guests without drivers are suspended from outside; others must say that they can."""
    seen = domain().xenstore
    assert seen is not None
    subject = dataclasses.replace(
        with_config(c_info={"type": kind}), xenstore=dataclasses.replace(seen, feature_suspend=feature)
    )
    assert [(finding.code, finding.severity) for finding in _find(domain=subject)] == expected


@pytest.mark.parametrize(
    ("feature", "state", "sessions", "expected"),
    [
        ("1", 1, (), []),
        ("", 4, (), []),
        ("", 1, (), ["drivers_unseen"]),
        (None, None, (), ["drivers_unseen"]),
        ("", 1, (session(role="receiver"),), []),
    ],
)
def test_an_hvm_guest_without_drivers(
    feature: str | None, state: int | None, sessions: tuple[SessionSeen, ...], expected: list[str]
) -> None:
    """Is moved all the same; that one which has come by a move has not written anew that it can be suspended."""
    seen = domain().xenstore
    assert seen is not None
    store = dataclasses.replace(seen, feature_suspend=feature, devices=(DeviceSeen("vif", 0, 0, state),))
    subject = dataclasses.replace(with_config(c_info={"type": "hvm"}), xenstore=store)
    found = _find(domain=subject, source=host("xen1", sessions=sessions))
    assert [finding.code for finding in found] == expected


@pytest.mark.parametrize(
    ("build", "options", "minor", "expected"),
    [
        ({"altp2m": "external"}, "altp2m=1", 17, ["altp2m_stays"]),
        ({"altp2m": "external"}, "loglvl=all altp2m", 21, ["altp2m_stays"]),
        ({"altp2m": "external"}, "altp2m=off", 17, ["altp2m_stays"]),
        ({"altp2m": "external"}, "no-altp2m", 21, ["capability_missing"]),
        ({"type.hvm": {"altp2m": "True"}}, "altp2m=yes", 21, ["altp2m_stays"]),
        ({"altp2m": "disabled", "type.hvm": {"altp2m": "False"}}, "", 21, []),
    ],
)
def test_views_of_memory_stay_behind(build: dict[str, t.Any], options: str, minor: int, expected: list[str]) -> None:
    """A Xen without them makes such a domain all the same, up to 4.20."""
    there = host("xen2", xen=_xen(minor=minor, commandline=options))
    found = _find(domain=with_config(b_info=build), destination=there)
    assert [finding.code for finding in found] == expected
    assert ["has none" in finding.message for finding in found] == [options == "altp2m=off"] * len(expected)


@pytest.mark.parametrize(
    ("changes", "warned"),
    [({}, False), ({"role": "sender"}, True), ({"end_state": "stayed"}, True), ({"domain": OTHERS}, True)],
)
def test_a_guest_that_a_migration_brought_is_not_suspected(changes: dict[str, t.Any], warned: bool) -> None:
    """After a move control/feature-suspend is empty until the guest boots; it has been suspended all the same."""
    seen = domain().xenstore
    assert seen is not None
    subject = domain(xenstore=dataclasses.replace(seen, feature_suspend=""))
    source = host("xen1", sessions=(session(**{"role": "receiver", **changes}),))
    found = warnings(_find(domain=subject, source=source))
    assert [finding.code for finding in found] == (["suspend_unconfirmed"] if warned else [])


HARMLESS: dict[str, dict[str, t.Any]] = {
    "pv with shadow paging": {
        "domain": with_config(**PV),
        "source": host("xen1", xen=_xen(virt_caps=("pv", "hvm", "hap", "shadow"))),
    },
    "newer xen": {"destination": host("xen2", xen=_xen(version="4.20.5", minor=20))},
    "older patch of the same version": {"destination": host("xen2", xen=_xen(version="4.17.2", extra=".2"))},
    "next major": {"destination": host("xen2", xen=_xen(version="5.0.0", major=5, minor=0))},
    "same host when allowed": {
        "destination": host("xen1"),
        "request": request(destination="xen1", allow_same_host=True),
    },
    "routed network card": {
        "domain": with_config(
            nics=[{"bridge": "no", "script": "/etc/xen/scripts/vif-route", "gatewaydev": "xenbr0"}],
        ),
    },
    "vlan of a virtual switch": {
        "domain": with_config(nics=[{"bridge": "xenbr0.10", "script": "vif-openvswitch"}]),
    },
    "no network card": {"domain": with_config(nics=[])},
    "other domain of another name": {"destination": _there(row("web", 9, OTHER))},
    "other session": {
        "source": host("xen1", sessions=(session(alive=True, domain=SessionDomain(OTHER, "web")),)),
    },
    "old session": {"source": host("xen1", sessions=(session(),))},
    "session that was settled as down, or put elsewhere": {
        "source": host("xen1", sessions=(session(owner="source", end_state="down"),)),
        "destination": host("xen2", sessions=(session(owner="elsewhere", end_state="elsewhere"),)),
    },
    "journal without a name": {
        "source": host("xen1", sessions=(session(end_state=None, domain=SessionDomain(None, None)),)),
    },
    "interrupted before a good one": {
        "source": host("xen1", sessions=(session(), session(session="b" * 16, end_state=None))),
    },
    "empty drive": {
        "domain": with_config(disks=[{"vdev": "hdc", "format": "empty", "backend": "qdisk", "is_cdrom": 1}]),
    },
    "dom0 as the named backend": {
        "domain": with_config(nics=[{"bridge": "xenbr0", "backend_domid": 0}]),
    },
    "others at work on other domains": {
        "source": host("xen1", hands=(Hand(70, "xl save", "web"), Hand(71, "libxl-save-helper", "4"))),
        "destination": host("xen2", hands=(Hand(72, "xl save", "3"),)),
    },
    "cluster that looks after others, or was told to let go": {
        "source": host("xen1", cluster=_cluster(managed=False)),
        "destination": host("xen2", cluster=_cluster(id="centos", name="web", uuid=OTHER)),
    },
    "autostart, which is set aside": {
        "source": host("xen1", autostart=(AutostartEntry("/etc/xen/auto/centos", "config", "centos", None),)),
    },
    "affinity that partly fits": {"domain": with_config(b_info={"vcpu_hard_affinity": [[3, 4, 5]]})},
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_not_found(name: str) -> None:
    """A check that cries wolf is switched off."""
    assert _find(**HARMLESS[name]) == ()


WARNED: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "interrupted session": (
        {"source": host("xen1", sessions=(session(end_state=None, phase="gate"),))},
        ["session_interrupted"],
    ),
    "block device": (
        {"domain": with_config(disks=[{"pdev_path": "/dev/vg/a", "format": "raw", "backend": "phy"}])},
        ["disk_unchecked"],
    ),
    "file through a loop device": (
        {"domain": with_config(disks=[{"pdev_path": "/srv/a.img", "format": "raw", "backend": "phy"}])},
        ["disk_cached", "disk_unchecked"],
    ),
    "raw image through qemu": (
        {"domain": with_config(disks=[{"pdev_path": "/dev/vg/a", "format": "raw", "backend": "qdisk"}])},
        ["disk_cached", "disk_unchecked"],
    ),
    "image of an hvm domain": (
        {"domain": with_config(c_info={"type": "hvm"}, disks=[QCOW2])},
        ["disk_unchecked"],
    ),
    "memory from dom0": (
        {"destination": host("xen2", free_memory_mib=0, autoballoon=True, dom0_memory_mib=1024)},
        ["dom0_ballooned"],
    ),
    "cluster that cannot be looked into": (
        {"destination": host("xen2", cluster=ClusterFacts("pacemaker", False))},
        ["cluster_unknown"],
    ),
    "unknown pool": (
        {"domain": with_config(c_info={"pool_name": "rt"}), "destination": host("xen2", cpupools=())},
        ["cpupool_unchecked"],
    ),
    "ballooned hvm": (
        {"domain": with_config(c_info={"type": "hvm"}, b_info={"target_memkb": 65536})},
        ["memory_below_maximum"],
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_a_person_should_know(name: str) -> None:
    """It does not stop the move."""
    given, codes = WARNED[name]
    found = _find(**given)
    assert [finding.code for finding in found] == codes
    assert warnings(found) == found and errors(found) == ()
    assert all(finding.remedy for finding in found)


def test_everything_is_told_at_once() -> None:
    """Nobody wants to learn of the second obstacle after removing the first."""
    found = _find(
        source=host("xen1", problems=(Problem("pyxs_missing", "no pyxs", "install it"),)),
        destination=_there(row("centos", 9, OTHER)),
        domain=with_config(nics=[{"bridge": "a"}, {"bridge": "b", "devid": 1}], pcidevs=[{"bus": 1}]),
        request=request(memory_reserve_mib=900),
    )
    codes = [finding.code for finding in errors(found)]
    assert codes == [
        *("pyxs_missing", "name_taken", "not_enough_memory", "pci_passthrough", "bridge_missing", "bridge_missing"),
    ]
    text = describe(found, request())
    first, second = text.splitlines()[:2]
    assert first == "centos cannot be moved from xen1 to xen2, for 6 reasons:"
    assert second == "1. xen1: no pyxs Remedy: install it"
    assert text.count("Remedy:") == 6


def test_one_reason_is_one_line() -> None:
    """And no reason is no text."""
    text = describe(_find(request=request(memory_reserve_mib=900)), request())
    assert text.startswith("centos cannot be moved from xen1 to xen2. xen2: centos needs")
    assert describe((), request()) == ""
    assert describe(_find(request=request(memory_reserve_mib=900)), request(domain=UUID), "centos") == text


def test_session_in_its_last_moments_is_told_instead_of_an_unknown_domain() -> None:
    """At the gate neither host has a domain of that name."""
    found = _find(
        domain=None,
        source=dataclasses.replace(
            _here(row("centos--migratedaway", shutdown=True, reason="suspend")),
            sessions=(session(alive=True, phase="gate", end_state=None),),
        ),
        destination=_there(row("centos--incoming", paused=True)),
    )
    assert [finding.code for finding in found] == ["session_running"]


@pytest.mark.parametrize("wanted", ["centos", UUID.upper()])
def test_running_session_is_found_by_name_and_uuid(wanted: str) -> None:
    """However the caller names the domain."""
    source = dataclasses.replace(_here(), sessions=(session(alive=True, phase="gate", end_state=None),))
    found = _find(domain=None, source=source, request=request(domain=wanted))
    assert [finding.code for finding in found] == ["session_running"]


def test_source_that_was_not_named() -> None:
    """No host has it: the message lists where it was looked for."""
    found = findings(None, host("xen2"), None, request(source=None))
    assert [finding.code for finding in found] == ["domain_unknown"]
    assert "xen1, xen2" in found[0].message


def test_a_receiver_without_a_sender_ends_by_itself() -> None:
    """A run interrupted between the two starts leaves one; whoever runs it again must know that waiting helps."""
    waiting = session(role="receiver", alive=True, phase="starting", end_state=None)
    (found,) = _find(destination=host("xen2", sessions=(waiting,)))
    assert "ends by itself" in found.message and "migrate_admission_timeout" in found.message
    assert f"`ansible xen2 -m dom0.xen.migration_cancel -a 'session={waiting.session} role=receiver'`" in found.remedy
    (found,) = _find(destination=host("xen2", sessions=(dataclasses.replace(waiting, phase="streaming"),)))
    assert "ends by itself" not in found.message


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("192.0.2.11", None),
        ("xen2.example.org", None),
        ("", None),
        ("fe80::1", None),
        ("127.0.0.1", "the source itself"),
        ("::1", "the source itself"),
        ("198.51.100.7", "none of its own (192.0.2.11)"),
    ],
)
def test_an_address_that_is_not_the_destinations_is_doubted(address: str, words: str | None) -> None:
    """Else the move fails only after the receiver was started; translated addresses stay possible."""
    found = _find(request=request(destination_address=address))
    assert [(finding.code, finding.severity) for finding in found] == (
        [("address_doubtful", "warning")] if words else []
    )
    assert not words or words in found[0].message


def _clock(name: str, clock: float, asked: float, answered: float) -> HostFacts:
    return host(name, clock_s=clock, asked_s=asked, answered_s=answered)


@pytest.mark.parametrize(
    ("here", "there", "apart"),
    [
        ((1000.0, 999.0, 1001.0), (1060.0, 1059.0, 1061.0), None),  # asked a minute later
        ((1000.0, 999.9, 1000.1), (1003.0, 1000.4, 1000.6), 2.3),
        ((1000.0, 998.0, 1002.0), (1005.0, 1001.0, 1005.0), None),  # the answers took too long to tell
        ((1000.0, 999.0, 1001.0), (900.0, 1002.0, 1004.0), -101.0),
        ((1000.0, 999.9, 1000.1), (1001.5, 1000.0, 1000.2), None),
    ],
)
def test_clocks_are_compared_over_the_controllers(
    here: tuple[float, float, float], there: tuple[float, float, float], apart: float | None
) -> None:
    """Neither the time between two looks nor a slow answer is taken for a difference."""
    found = _find(source=_clock("xen1", *here), destination=_clock("xen2", *there))
    assert [(finding.code, finding.severity, finding.details["apart_s"]) for finding in found] == (
        [] if apart is None else [("clocks_differ", "warning", apart)]
    )
    assert all(("behind" if apart and apart < 0 else "ahead of") in finding.message for finding in found)


def test_clocks_of_one_host_or_of_old_facts_are_not_compared() -> None:
    """Without the controller's times nothing is known."""
    assert _find(destination=host("xen2", clock_s=9999.0)) == ()
    one = _clock("xen1", 5.0, 1.0, 1.0)
    later = dataclasses.replace(one, clock_s=99.0)
    assert findings(one, later, domain(), request(destination="xen1", allow_same_host=True)) == ()


def test_an_empty_inventory_asks_for_one() -> None:
    """Who forgot -i has no host to choose among."""
    lost = HostTrouble(NOT_IN_INVENTORY)
    (found,) = findings(None, None, None, request(source=None, destination_trouble=lost, inventory=()))[:1]
    assert found.code == NOT_IN_INVENTORY
    assert "-i hosts.ini" in found.remedy


def test_findings_can_travel() -> None:
    """They become the result of a task."""
    (finding,) = _find(destination=host("xen2", bridges=()))
    assert Finding.from_result(finding.to_result()).code == "bridge_missing"
    assert finding.to_result()["details"] == {"bridge": "xenbr0", "bridges": []}


def test_our_own_session_is_no_foreign_hand() -> None:
    """A session at work is told as that: its xl may have been found before its process was."""
    hands = (Hand(70, "xl migrate", "3"),)
    found = _find(source=host("xen1", hands=hands, sessions=(session(alive=True, end_state=None, phase="streaming"),)))
    assert [finding.code for finding in found] == ["session_running"]


@pytest.mark.parametrize(
    ("there", "warned"),
    [
        (AutostartEntry("/etc/xen/centos.cfg", "file", "web", OTHER), True),
        (AutostartEntry("/etc/xen/centos.cfg", "file", "centos", OTHER), True),
        (AutostartEntry("/etc/xen/centos.cfg", "file", "centos", None), False),
        (AutostartEntry("/etc/xen/web.cfg", "file", "web", OTHER), False),
    ],
)
def test_a_configuration_of_the_same_name_is_told_beforehand(there: AutostartEntry, warned: bool) -> None:
    """Only where it configures another domain; it refuses nothing, and is not told where the file stays."""
    source = host("xen1", configs=(AutostartEntry("/etc/xen/centos.cfg", "file", "centos", UUID),))
    found = _find(source=source, destination=host("xen2", configs=(there,)))
    assert [(finding.code, finding.severity) for finding in found] == (
        [("config_name_taken", "warning")] if warned else []
    )
    left = _find(source=source, destination=host("xen2", configs=(there,)), request=request(follow_config=False))
    assert left == ()
