# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain may be shut down for the move when its memory cannot be sent, and when it is known what it is made from."""

from __future__ import annotations

import copy
import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings, plan
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import WARNING, Finding
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import ConfigFile, Disk, Processor
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts, XenStoreFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    CONFIG,
    EQUIPMENT,
    OTHER,
    UUID,
    XEN,
    domain,
    host,
    request,
    with_config,
)

FILE = ConfigFile("/etc/xen/centos.cfg", "centos", UUID)
OLDER = host("xen2", xen=dataclasses.replace(XEN, version="4.16.1", minor=16))
_XENSTORE, _PROCESSOR = domain().xenstore, EQUIPMENT.processor
assert isinstance(_XENSTORE, XenStoreFacts) and isinstance(_PROCESSOR, Processor)
SUSPENDS_NOT = dataclasses.replace(_XENSTORE, feature_suspend="0")
AMD = host(
    "xen2",
    equipment=dataclasses.replace(EQUIPMENT, processor=dataclasses.replace(_PROCESSOR, vendor="AuthenticAMD")),
)
QCOW2 = {"pdev_path": "/srv/a.qcow2", "vdev": "xvda", "backend": "qdisk", "format": "qcow2", "readwrite": 1}
DEVICE = {"pdev_path": "/dev/vg/a", "vdev": "xvda", "backend": "qdisk", "format": "raw", "readwrite": 1}
SUBJECTS: dict[str, tuple[DomainFacts, HostFacts]] = {
    "xen_older": (domain(), OLDER),
    "cpu_vendor": (domain(), AMD),
    "migration_disabled": (with_config(b_info={"disable_migrate": "True"}), host("xen2")),
    "vnuma": (with_config(b_info={"vnuma_nodes": [{}]}), host("xen2")),
    "nested_virtualisation": (with_config(b_info={"nested_hvm": "True"}), host("xen2")),
    "suspend_refused": (domain(xenstore=SUSPENDS_NOT), host("xen2")),
    "disk_not_raw": (with_config(disks=[QCOW2]), host("xen2")),
    "disk_cache_stale": (with_config(disks=[DEVICE]), host("xen2")),
}


def found(subject: DomainFacts, destination: HostFacts | None = None, **changes: t.Any) -> list[Finding]:
    """What speaks against it."""
    return list(findings(host("xen1"), destination or host("xen2"), subject, request(**changes)))


def codes(*arguments: t.Any, **changes: t.Any) -> list[str]:
    """The same, in one word each."""
    return [finding.code for finding in found(*arguments, **changes)]


@pytest.mark.parametrize("code", SUBJECTS)
def test_auto_shuts_down_only_what_cannot_be_sent_and_only_when_it_may(code: str) -> None:
    """The plan says why, and what forbids to send it is no finding then."""
    subject, destination = SUBJECTS[code]
    subject = dataclasses.replace(subject, config_files=(FILE,))
    # Whether both hosts have the same disks matters to it all the same.
    others = ["disk_unchecked"] if code.startswith("disk_") else []
    assert codes(subject, destination) == [code, *others]
    assert codes(subject, destination, allow_cold=True) == others
    planned = plan(host("xen1"), destination, subject, request(allow_cold=True))
    assert planned is not None
    assert (planned.method, planned.config_path) == ("cold", FILE.path)
    assert "cannot move while it runs: " in planned.method_reason


def test_what_can_be_sent_is_not_shut_down() -> None:
    """Neither what nothing speaks against, nor what somebody has taken upon himself."""
    for subject, waive in ((domain(), ()), (SUBJECTS["migration_disabled"][0], ("migration_disabled",))):
        planned = plan(host("xen1"), host("xen2"), subject, request(allow_cold=True, waive=waive))
        assert planned is not None and (planned.method, planned.config_path) == ("live", "")


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ((), "no_config_file"),
        ((FILE, dataclasses.replace(FILE, path="/etc/xen/auto/centos")), "config_ambiguous"),
        ((dataclasses.replace(FILE, uuid=OTHER),), "config_other_domain"),
        ((dataclasses.replace(FILE, uuid=None, name="another"),), "config_other_domain"),
        ((dataclasses.replace(FILE, differs=("memory", "disks")),), "config_differs"),
        ((dataclasses.replace(FILE, uuid=None),), None),
        ((dataclasses.replace(FILE, name="old"),), None),
    ],
)
def test_there_is_one_file_and_it_is_of_this_domain(files: tuple[ConfigFile, ...], code: str | None) -> None:
    """A remedy names the option."""
    subject = domain(config_files=files)
    seen = found(subject, method="cold")
    assert [finding.code for finding in seen] == ([code] if code else [])
    assert all("migrate_config" in each.remedy for each in seen if each.severity != WARNING)
    assert codes(subject, method="live") == []


LESS = dataclasses.replace(_PROCESSOR, features=("0", *_PROCESSOR.features[1:]), mhz=1000.0)


@pytest.mark.parametrize(
    ("subject", "destination", "told"),
    [
        (with_config(disks=[QCOW2]), host("xen2"), ["disk_not_raw"]),
        (with_config(disks=[{**QCOW2, "format": "raw"}]), host("xen2"), ["disk_cached"]),
        (domain(), host("xen2", xen=dataclasses.replace(XEN, commandline="gnttab_max_frames=32")), ["grant_limits"]),
        (
            domain(),
            host("xen2", equipment=dataclasses.replace(EQUIPMENT, processor=LESS)),
            ["cpu_features_fewer", "tsc_rate_differs"],
        ),
    ],
)
def test_what_matters_to_a_running_domain_only(subject: DomainFacts, destination: HostFacts, told: list[str]) -> None:
    """It is what being shut down is the remedy of. The disks must be the same ones all the same."""
    subject = dataclasses.replace(subject, config_files=(FILE,))
    others = ["disk_unchecked"] if subject.config and subject.config.get("disks") else []
    assert sorted(codes(subject, destination)) == sorted([*told, *others])
    assert codes(subject, destination, method="cold") == others


def test_what_xen_there_does_not_make_is_not_shut_down_for_it() -> None:
    """It could not be started there either."""
    subject = dataclasses.replace(with_config(b_info={"max_grant_frames": 128}), config_files=(FILE,))
    assert codes(subject, method="cold") == codes(subject, method="live") == ["grant_limits"]


def test_a_domain_that_comes_back_by_itself_is_not_shut_down() -> None:
    """It would never be seen down."""
    subject = dataclasses.replace(with_config(on_poweroff="restart"), config_files=(FILE,))
    assert codes(subject, method="cold") == ["restarts_at_poweroff"]


def test_within_one_host_it_is_a_reboot() -> None:
    """Two copies could not be told apart."""
    asked = request(destination="xen1", method="cold", allow_same_host=True)
    seen = findings(host("xen1"), host("xen1"), domain(config_files=(FILE,)), asked)
    assert "cold_same_host" in [finding.code for finding in seen]


CARD = CONFIG["nics"][0]


def started_from(running: DomainFacts | None = None, /, path: str = FILE.path, **parts: t.Any) -> DomainFacts:
    """The domain with a file that xl has read, which has these parts otherwise than what runs."""
    subject = running or domain()
    config = copy.deepcopy(dict(subject.config or {}))
    for key, value in parts.items():
        config[key] = {**config[key], **value} if isinstance(value, dict) else value
    return dataclasses.replace(subject, config_files=(dataclasses.replace(FILE, path=path, config=config),))


@pytest.mark.parametrize("named", ["", FILE.path])
def test_the_destination_is_looked_at_as_the_file_has_it(named: str) -> None:
    """The file is what the domain is made from: its network, and not the one that the domain has here."""
    subject = started_from(nics=[{**CARD, "bridge": "br-lan"}])
    asked: dict[str, t.Any] = {"method": "cold", "config_path": named}
    assert codes(subject, host("xen2", bridges=("br-lan",)), **asked) == []
    (missing,) = found(subject, **asked)
    assert (missing.code, missing.details["bridge"]) == ("bridge_missing", "br-lan")
    assert f"takes its place in {named or 'its configuration file'}." in missing.remedy and FILE.path in missing.remedy
    assert codes(subject, method="live") == []


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"b_info": {"max_memkb": 4194304, "target_memkb": 4194304}}, "not_enough_memory"),
        ({"c_info": {"pool_name": "fast"}}, "cpupool_missing"),
        ({"pcidevs": [{"bus": 3}]}, "pci_passthrough"),
        ({"nics": [{**CARD, "script": "/etc/xen/scripts/vif-own"}]}, "script_missing"),
        ({"c_info": {"type": "pv"}}, None),
        ({"b_info": {"max_memkb": 65536, "target_memkb": 65536}}, None),
    ],
)
def test_all_that_the_file_says_is_checked(parts: dict[str, t.Any], code: str | None) -> None:
    """Nothing is left of what ran: it may be of another type, and need less."""
    small = host("xen2", free_memory_mib=100) if code is None and "b_info" in parts else None
    assert codes(started_from(**parts), small, method="cold") == ([code] if code else [])


def test_a_device_of_the_host_that_the_file_leaves_out_stays_behind() -> None:
    """It goes back to the host when the guest is shut down."""
    running = with_config(pcidevs=[{"bus": 3}])
    assert codes(started_from(running, pcidevs=[]), method="cold") == []
    assert codes(dataclasses.replace(running, config_files=(FILE,)), method="cold") == ["pci_passthrough"]


def test_its_disks_are_those_of_the_file() -> None:
    """By what the guest calls them, each the same disk as here; one that is left out is not looked for."""
    disks = [{"pdev_path": f"/dev/{name}", "vdev": f"xvd{name}", "format": "raw", "readwrite": 1} for name in "ab"]
    subject = started_from(with_config(disks=disks), disks=[{**disks[0], "pdev_path": "/dev/there"}])
    here = Disk("8:0", ("/dev/a",), 1024, {"wwn": "1"})
    source = host("xen1", equipment=dataclasses.replace(EQUIPMENT, disks=(here,)))
    for wwn, told in (("1", []), ("2", ["disk_differs"])):
        there = dataclasses.replace(here, names=("/dev/there",), ids={"wwn": wwn})
        destination = host("xen2", equipment=dataclasses.replace(EQUIPMENT, disks=(there,)))
        assert [each.code for each in findings(source, destination, subject, request(method="cold"))] == told


def test_a_file_that_xl_does_not_take_or_that_is_elsewhere_for_each_process() -> None:
    """Told before the guest is shut down for it."""
    broken = domain(config_files=(dataclasses.replace(FILE, problem="centos.cfg:3: config parsing error"),))
    (invalid,) = found(broken, method="cold")
    assert invalid.code == "config_invalid" and "centos.cfg:3" in invalid.message
    (relative,) = found(started_from(path="centos.cfg"), method="cold", config_path="centos.cfg")
    assert relative.code == "no_config_file" and "centos.cfg is no absolute path" in relative.message


@pytest.mark.parametrize("asked", [{"leave_paused": True}, {"map_bridges": {"xenbr0": "xenbr1"}}])
def test_what_its_file_does_not_know_is_refused(asked: dict[str, t.Any]) -> None:
    """A domain that is to be left paused is not started, and none with a bridge of another name."""
    assert "cold_as_in_file" in codes(domain(config_files=(FILE,)), method="cold", **asked)
