# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain that is moved with another configuration is checked as it is to arrive."""

from __future__ import annotations

import copy
import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings, plan
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import WARNING, Finding
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import ConfigFile, Disk
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    AutostartEntry,
    DeviceSeen,
    DomainFacts,
    HostFacts,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    CONFIG,
    DOM0,
    EQUIPMENT,
    OTHER,
    UUID,
    domain,
    host,
    request,
    row,
)

PATH = "/root/there.cfg"
CARD = CONFIG["nics"][0]
DISK = Disk("8:0", ("/dev/z",), 1024, {"wwn": "9"})
ELSEWHERE = host("xen2", bridges=("br-lan",))


def with_file(running: dict[str, t.Any] | None = None, **parts: t.Any) -> DomainFacts:
    """The domain with a file that describes it as it runs, but for these parts."""
    config = copy.deepcopy(running or CONFIG)
    for key, value in parts.items():
        config[key] = {**config[key], **value} if isinstance(value, dict) else value
    return domain(
        config=running or CONFIG, config_files=(ConfigFile(PATH, "centos", UUID, config=config, digest="d" * 64),)
    )


def found(subject: DomainFacts, there: HostFacts | None = None, /, **changes: t.Any) -> list[Finding]:
    """What speaks against it."""
    asked = request(**{"config_path": PATH, **changes})
    source = host("xen1")
    return list(findings(source, source if asked.destination == "xen1" else there or host("xen2"), subject, asked))


def codes(*arguments: t.Any, **changes: t.Any) -> list[str]:
    """The same, in one word each."""
    return [finding.code for finding in found(*arguments, **changes)]


@pytest.mark.parametrize("method", ["live", "suspend", "auto"])
def test_the_destination_is_looked_at_as_the_file_has_it(method: str) -> None:
    """The source's bridge is not there, and the file's is; and the other way round."""
    subject = with_file(nics=[{**CARD, "bridge": "br-lan"}])
    (warning,) = found(subject, ELSEWHERE, method=method)
    assert (warning.code, warning.severity) == ("config_arrives", WARNING)
    assert warning.details["differs"] == [
        {"what": "nics[00:16:3e:5e:00:01].bridge", "source": "xenbr0", "destination": "br-lan"}
    ]
    (missing,) = [one for one in found(subject, method=method) if one.severity != WARNING]
    assert missing.code == "bridge_missing" and missing.details["bridge"] == "br-lan"
    assert PATH in missing.remedy and "migrate_map_bridges" not in missing.remedy
    assert "bridge_missing" in [one.code for one in findings(host("xen1"), ELSEWHERE, subject, request(method=method))]


def test_a_file_that_says_the_same_is_nothing_to_be_told() -> None:
    """And the plan has it."""
    assert codes(with_file()) == []
    planned = plan(host("xen1"), host("xen2"), with_file(), request(config_path=PATH))
    assert planned is not None
    assert (planned.method, planned.config_path, planned.config_digest) == ("live", PATH, "d" * 64)
    planned = plan(host("xen1"), host("xen2"), with_file(), request())
    assert planned is not None and (planned.config_path, planned.config_digest) == ("", "")
    there = host("xen2", domains=(DOM0, row(domid=9)))
    planned = plan(host("xen1", domains=(DOM0,)), there, None, request(config_path=PATH))
    assert planned is not None and (planned.config_path, planned.config_digest) == ("", "")


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"c_info": {"type": "hvm"}}, "config_other_machine"),
        ({"b_info": {"max_vcpus": 2}}, "config_other_machine"),
        ({"b_info": {"max_memkb": 262144}}, "config_other_machine"),
        ({"b_info": {"target_memkb": 65536}}, "config_other_machine"),
        ({"nics": []}, "config_other_devices"),
        ({"disks": [{"pdev_path": "/dev/vg/x", "vdev": "xvda"}]}, "config_other_devices"),
        ({"pcidevs": [{"bus": 3}]}, "pci_passthrough"),
        ({"c_info": {"pool_name": "fast"}}, "cpupool_missing"),
        ({"b_info": {"target_memkb": 4194304, "max_memkb": 131072}}, "not_enough_memory"),
        ({"nics": [{**CARD, "script": "/etc/xen/scripts/vif-own"}]}, "script_missing"),
        ({"c_info": {"ssid_label": "system_u:x"}}, "label_unchecked"),
    ],
)
def test_what_the_file_says_is_checked(parts: dict[str, t.Any], code: str) -> None:
    """What the guest has in memory must be so; what it needs there must be there. Each says which file it is about."""
    (one,) = [each for each in found(with_file(**parts)) if each.code == code]
    assert PATH in one.message + one.remedy


def test_what_the_source_refuses_stays_refused() -> None:
    """A device of the host is not given back by leaving it out of a file, and is told once."""
    running = {**CONFIG, "pcidevs": [{"bus": 3}]}
    assert codes(with_file(running, pcidevs=[])).count("pci_passthrough") == 1
    assert codes(with_file(running)).count("pci_passthrough") == 1


def test_a_disk_of_another_name_is_the_same_disk() -> None:
    """By its identity, as with a mapping."""
    running = {**CONFIG, "disks": [{"pdev_path": "/dev/a", "vdev": "xvda", "format": "raw", "readwrite": 1}]}
    subject = with_file(running, disks=[{**running["disks"][0], "pdev_path": "/dev/b"}])
    here = dataclasses.replace(EQUIPMENT, disks=(Disk("8:0", ("/dev/a",), 1024, {"wwn": "1"}),))

    def against(wwn: str) -> list[str]:
        there = dataclasses.replace(EQUIPMENT, disks=(Disk("8:0", ("/dev/b",), 1024, {"wwn": wwn}),))
        seen = findings(host("xen1", equipment=here), host("xen2", equipment=there), subject, request(config_path=PATH))
        return [finding.code for finding in seen]

    assert against("1") == ["config_arrives"]
    assert against("2") == ["config_arrives", "disk_differs"]


RAW = {"format": "raw", "readwrite": 1}
TWO = [{"pdev_path": f"/dev/{name}", "vdev": f"xvd{name}", **RAW} for name in "ab"]


def test_two_disks_of_the_guest_must_not_become_one() -> None:
    """A slip of the hand in the file would have it write over one of them with what belongs on the other."""
    subject = with_file({**CONFIG, "disks": TWO}, disks=[TWO[0], {**TWO[1], "pdev_path": "/dev/a"}])
    one, other = [each for each in found(subject) if each.severity != WARNING]
    assert (one.code, other.code) == ("map_collides", "disk_unproven")
    assert one.details["disks"] == ["/dev/a", "/dev/b"]
    assert PATH in one.message and PATH in one.remedy
    swapped = with_file(
        {**CONFIG, "disks": TWO}, disks=[{**TWO[0], "pdev_path": "/dev/b"}, {**TWO[1], "pdev_path": "/dev/a"}]
    )
    assert "map_collides" not in codes(swapped)


@pytest.mark.parametrize("medium", ["", "/srv/b.iso"])
def test_a_medium_that_the_file_does_not_have_is_not_looked_for(medium: str) -> None:
    """The one in the drive here stays here."""
    drive = {"pdev_path": "/dev/sr0", "vdev": "hdc", "format": "raw", "is_cdrom": 1, "removable": 1}
    there = {**drive, "pdev_path": medium, "format": "raw" if medium else "empty"}
    disks = (Disk("11:0", ("/dev/sr0",), 1024, {"wwn": "1"}),)
    here, bare = dataclasses.replace(EQUIPMENT, disks=disks), dataclasses.replace(EQUIPMENT, disks=(DISK,))
    subject = with_file({**CONFIG, "disks": [drive]}, disks=[there])
    seen = findings(host("xen1", equipment=here), host("xen2", equipment=bare), subject, request(config_path=PATH))
    assert [one.code for one in seen] == ["config_arrives", *(["disk_unchecked"] if medium else [])]


def test_a_disk_that_another_domain_serves_here_may_be_served_by_dom0_there() -> None:
    """What XenStore tells of the devices is how they are here."""
    subject = with_file({**CONFIG, "nics": [{**CARD, "backend_domid": 7}]}, nics=[CARD])
    seen = DeviceSeen("vif", 0, backend_domid=7, state=4)
    assert subject.xenstore is not None
    store = dataclasses.replace(subject.xenstore, devices=(seen,))
    subject = dataclasses.replace(subject, xenstore=store)
    assert "driver_domain" not in codes(subject)
    assert "driver_domain" in [one.code for one in findings(host("xen1"), host("xen2"), subject, request())]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ((), "no_config_file"),
        ((ConfigFile(PATH, "centos", OTHER, config=CONFIG),), "config_other_domain"),
        ((ConfigFile(PATH, "web", None, config=CONFIG),), "config_other_domain"),
        ((ConfigFile(PATH, "web", UUID, config=CONFIG),), "config_other_domain"),
        ((ConfigFile(PATH, "centos", None, config=CONFIG),), None),
        ((ConfigFile(PATH, "centos", UUID, problem=f"{PATH}:3: config parsing error"),), "config_invalid"),
    ],
)
def test_a_file_that_cannot_be_used(files: tuple[ConfigFile, ...], code: str | None) -> None:
    """One message, which names the file."""
    seen = found(domain(config_files=files))
    assert [one.code for one in seen] == ([code] if code else [])
    assert all(PATH in one.message and "migrate_config" in one.remedy for one in seen)


def test_it_has_the_destinations_names_already() -> None:
    """Two ways to say the same are one too many."""
    assert "config_with_names" in codes(with_file(), map_bridges={"xenbr0": "xenbr0"})
    assert "config_with_names" in codes(with_file(), map_disks={"/dev/a": "/dev/b"})


def test_it_goes_with_a_number_a_pause_and_one_host() -> None:
    """None of them is in a file."""
    assert codes(with_file(), preserve_domid=True, leave_paused=True) == []
    assert codes(with_file(), destination="xen1", allow_same_host=True) == []


def test_for_a_domain_that_is_shut_down_it_is_the_file_to_start_from() -> None:
    """Other vCPUs are what one may want then."""
    subject = with_file(b_info={"max_vcpus": 2})
    assert codes(subject, method="cold") == []
    planned = plan(host("xen1"), host("xen2"), subject, request(config_path=PATH, method="cold"))
    assert planned is not None and (planned.config_path, planned.config_digest) == (PATH, "d" * 64)
    planned = plan(host("xen1"), host("xen2"), subject, request(method="cold"))
    assert planned is not None and (planned.config_path, planned.config_digest) == (PATH, "")


def test_the_name_under_which_it_goes_along() -> None:
    """Where the domain has no file of its own, its own."""
    there = host("xen2", configs=(AutostartEntry("/etc/xen/there.cfg", "file", "web", OTHER),))
    assert codes(with_file(), there) == ["config_name_taken"]
    assert codes(with_file(), there, follow_config=False) == []
