# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain is to be at the destination: under that host's names, or paused. Over two dom0s of the double."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from dom0_double.driver.commands import install_volumes, namespaces
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit import shown
from ansible_collections.dom0.xen.tests.unit.playbooks.reader import Reader
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)

DISK = "/dev/vg/centos"
THERE = "/dev/mapper/lun7-centos"
# One volume, which each host has in a group of another name.
VOLUMES = {"xen1": ("vg/centos", "LVM-abc", 1024), "xen2": ("lun7/centos", "LVM-abc", 1024)}
# Without mount namespaces both hosts have the disks of this machine.
UNSEEN = {} if namespaces() else {"migrate_waive": "disk_unproven"}
NAMES = {"migrate_map_bridges": {"xenbr0": "br-lan"}, "migrate_map_disks": {DISK: THERE}, **UNSEEN}
BACK = {"migrate_map_bridges": {"br-lan": "xenbr0"}, "migrate_map_disks": {THERE: DISK}, **UNSEEN}


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Two hosts that call their network and storage differently, the guest on xen1."""
    site = make_site("xen1", "xen2")
    site["xen2"].configure(bridges=["br-lan"])
    for name, volume in VOLUMES.items():
        install_volumes(site[name].paths, [volume])
    guest = GuestConfig(memory_mib=16, compact=True, extra=f"disk = [ '{DISK},raw,xvda,rw' ]")
    site["xen1"].start_guest(guest)
    return site


def wanted(**more: t.Any) -> tuple[str, str]:
    """Return the arguments that set these variables."""
    return "-e", json.dumps(more)


def refused(user: User, *arguments: str) -> str:
    """Try to move it to xen2, which must not succeed; return the log."""
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0
    return log


def config(site: Site, host: str) -> dict[str, t.Any]:
    """Return the domain's configuration as xl has it there."""
    (found,) = (
        each["config"]
        for each in json.loads(site[host].run("xl", "list", "-l").stdout)
        if each["config"]["c_info"].get("uuid") == GUEST
    )
    assert isinstance(found, dict)
    return found


def names(found: dict[str, t.Any]) -> tuple[str, str]:
    """Return those that may be others elsewhere."""
    return found["nics"][0]["bridge"], found["disks"][0]["pdev_path"]


@pytest.mark.parametrize("method", ["live", "suspend"])
def test_another_hosts_names(user: User, method: str) -> None:
    """There and back: the domain has the names of the host that it is on, and nothing else of it has changed."""
    log = refused(user)
    assert "xen2 does not have; its bridges are: br-lan" in log and "migrate_map_bridges" in log
    before = config(user.site, "xen1")
    log = user.move("xen2", *wanted(**NAMES, migrate_method=method))
    assert f"On xen2 the bridge xenbr0 is br-lan, the disk {DISK} is {THERE}." in log
    assert where(user.site) == "xen2"
    there = config(user.site, "xen2")
    assert names(there) == ("br-lan", THERE)
    mapped = [
        {"what": "bridge", "from": "xenbr0", "to": "br-lan"},
        {"what": "disk", "from": DISK, "to": THERE},
    ]
    assert user.result["mapped"] == mapped
    user.move("xen1", *wanted(**BACK, migrate_method=method))
    assert where(user.site) == "xen1"
    after = config(user.site, "xen1")
    assert after["nics"] == before["nics"] and after["disks"] == before["disks"] and after["b_info"] == before["b_info"]


def test_the_names_of_the_guide(reader: Reader) -> None:
    """Its file and its command, with the disk that there is here."""
    (text,) = shown.blocks(shown.RST / "guide_arrival.rst", "yaml")
    mapped = {**yaml.safe_load(text), "migrate_map_disks": {DISK: THERE}, **UNSEEN}
    assert mapped == {**yaml.safe_load(text), **NAMES}
    (reader.folder / "names.yml").write_text(json.dumps(mapped))
    reader.type("ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2 -e @names.yml")
    assert where(reader.site) == "xen2"
    assert names(config(reader.site, "xen2")) == ("br-lan", THERE)


def test_names_that_do_not_fit(user: User) -> None:
    """What the domain does not have, and what cannot be a name, refuse the move before the guest is touched."""
    log = refused(user, *wanted(migrate_map_bridges={"xenbr0": "br-lan", "xenbr9": "br-lan"}))
    assert "'xenbr9' is no bridge of a network card of centos; it has: xenbr0." in log
    log = refused(user, *wanted(**{**NAMES, "migrate_map_disks": {DISK: "lun7"}}))
    assert "'lun7' is no absolute path." in log
    assert where(user.site) == "xen1"


def test_left_paused(user: User) -> None:
    """It arrives, is not started, and counts as moved; the same run again changes nothing."""
    paused = wanted(**NAMES, migrate_leave_paused=True)
    log = user.move("xen2", *paused)
    assert "It is left paused there." in log
    told = user.result
    assert (told["owner"], told["end_state"], told["settled"]) == ("destination", "moved", True)
    assert told["reason"] == "It is paused on xen2, as was asked for, and nothing is left on xen1."
    assert told["leave_paused"] is True and told["stop_ms"] is None
    assert len(user.site.running(GUEST)) == 0
    assert user.site["xen1"].domains() == []
    again = user.move("xen2", *paused)
    assert "centos is already on xen2" in again
    assert user.result["end_state"] == "moved"
    log = refused(user, *wanted(**NAMES))
    assert "it is paused" in log
    assert user.site["xen2"].run("xl", "unpause", "centos").status == 0
    assert where(user.site) == "xen2"


@pytest.mark.parametrize(("point", "method"), [("receive.go", "suspend"), ("receive.renamed", "live")])
def test_left_paused_though_something_dies(user: User, point: str, method: str) -> None:
    """The destination's xl is killed after it had the permission: what settles it rolls forward, and starts nothing."""
    user.site["xen2"].faults({"point": point, "action": "kill"})
    process = user.start(
        "dom0.xen.migrate", *user.asking("xen2"), *wanted(**NAMES, migrate_leave_paused=True, migrate_method=method)
    )
    log = process.communicate(timeout=LIMIT_S)[0]
    told = user.result
    assert (told["owner"], told["end_state"], told["settled"]) == ("destination", "moved", True), log[-3000:]
    assert len(user.site.running(GUEST)) == 0
    assert user.site["xen1"].domains() == []
    (copy,) = user.site["xen2"].domains()
    assert copy["name"] == "centos"
