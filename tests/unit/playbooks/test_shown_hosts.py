# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages show about many hosts and domains is typed, over hosts of the double."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys

import pytest
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit import shown
from ansible_collections.dom0.xen.tests.unit.playbooks.emptying import IDS
from ansible_collections.dom0.xen.tests.unit.playbooks.reader import Reader
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, ROOT, where

pytestmark = pytest.mark.timeout(1500)

UPGRADE = """
- name: Restart the host
  ansible.builtin.command:
    argv: {argv}
  delegate_to: localhost
  vars:
    ansible_connection: local
    ansible_python_interpreter: {python}
  changed_when: true
  when: not maintain_rebooted
"""


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Three hosts, the guest on xen1 with two more, and one on xen2."""
    return with_guests(make_site("xen1", "xen2", "xen3"))


def with_guests(site: Site) -> Site:
    """Start the guests."""
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    for name, host in (("a", "xen1"), ("b", "xen2")):
        site[host].start_guest(GuestConfig(name, IDS[name], memory_mib=16, bridge=None, compact=True))
    return site


@pytest.fixture
def reader(site: Site, tmp_path: pathlib.Path) -> Reader:
    """Somebody with a rack in the inventory."""
    return with_rack(site, tmp_path)


def with_rack(site: Site, tmp_path: pathlib.Path) -> Reader:
    """Return somebody whose rack has one of the hosts."""
    (tmp_path / "reader").mkdir()
    return Reader(site, tmp_path / "reader", rack7="xen1")


def guests(site: Site) -> dict[str, int]:
    """Return how many domains each host has."""
    return {name: len(host.domains()) for name, host in site.hosts.items()}


def test_what_is_where(reader: Reader) -> None:
    """Nothing of it changes a host."""
    reader.type("ansible-playbook -i hosts.ini dom0.xen.audit")
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.audit -e audit_fail_on=warning -e audit_result_path=/var/tmp/audit.json"
    )
    reader.type("ansible-playbook -i hosts.ini dom0.xen.status")
    reader.type("ansible-playbook -i hosts.ini dom0.xen.status -e status_result_path=/var/tmp/status.json")
    for name in ("audit", "status"):
        json.loads((reader.folder / f"var/tmp/{name}.json").read_text())
    log = reader.type("ansible-playbook -i hosts.ini dom0.xen.settle")
    assert "Nothing to settle" in log
    reader.type("ansible -i hosts.ini dom0 -m dom0.xen.migration_info -a 'uuid=UUID'")
    assert guests(reader.site) == {"xen1": 2, "xen2": 1, "xen3": 0}


def test_one_host_is_asked(reader: Reader) -> None:
    """As the remedies of findings say."""
    assert "pong" in reader.type("ansible -i hosts.ini HOST -m ansible.builtin.ping")
    reader.type("ansible -i hosts.ini HOST -m dom0.xen.host_info")
    reader.type("ansible -i hosts.ini HOST -m dom0.xen.migration_info")
    reader.type("ansible -i hosts.ini HOST -m dom0.xen.host_arrivals -a state=open")
    reader.type("ansible-playbook -i hosts.ini dom0.xen.settle -e domain=NAME")
    reader.type("ansible-playbook -i hosts.ini dom0.xen.prepare -e prepare_ssh=true")


def test_the_inventory_of_domains(reader: Reader) -> None:
    """With the plugin's file as the page has it, one of its hosts is moved."""
    (fleet, *dummy) = (block for block in shown.blocks(shown.RST / "guide_fleet.rst", "yaml") if "plugin:" in block)
    (reader.folder / "fleet.dom0_xen.yml").write_text(fleet)
    reader.type("ansible-playbook -i hosts.ini dom0.xen.facts")
    assert "centos@xen1" in reader.type("ansible-inventory -i hosts.ini -i fleet.dom0_xen.yml --graph")
    assert GUEST in reader.type("ansible-inventory -i hosts.ini -i fleet.dom0_xen.yml --host centos@xen1")
    reader.type(
        "ansible-playbook -i hosts.ini -i fleet.dom0_xen.yml dom0.xen.migrate -l centos@xen1 -e destination=xen2"
    )
    assert where(reader.site) == "xen2"


def test_a_plan_is_made_and_carried_out(reader: Reader) -> None:
    """The second time, from where the other page has it, there is nothing left to do."""
    reader.type("ansible-playbook -i hosts.ini dom0.xen.plan -e dom0s=xen1,xen2 -e plan_path=tonight.yml")
    reader.type("ansible-playbook -i hosts.ini dom0.xen.apply -e plan_path=tonight.yml --check")
    assert guests(reader.site) == {"xen1": 2, "xen2": 1, "xen3": 0}
    reader.type("ansible-playbook -i hosts.ini dom0.xen.apply -e plan_path=tonight.yml")
    assert guests(reader.site) == {"xen1": 0, "xen2": 0, "xen3": 3}
    shutil.copy(reader.folder / "tonight.yml", reader.folder / "srv/plans/night.yml")
    reader.type("ansible-playbook -i hosts.ini dom0.xen.apply -e plan_path=/srv/plans/night.yml")
    reader.type("ansible-playbook -i hosts.ini dom0.xen.rebalance -e plan_path=even.yml")
    assert (reader.folder / "even.yml").is_file()


def test_hosts_are_emptied(reader: Reader) -> None:
    """One, two, and those of a group; opened and closed in between as the page says."""
    reader.type("ansible-playbook -i hosts.ini dom0.xen.evacuate -e dom0s=xen1 --check")
    assert guests(reader.site)["xen1"] == 2
    reader.type("ansible-playbook -i hosts.ini dom0.xen.evacuate -e dom0s=xen1")
    assert guests(reader.site)["xen1"] == 0
    reader.type("ansible -i hosts.ini xen1 -m dom0.xen.host_arrivals -a state=open")
    reader.type("ansible-playbook -i hosts.ini dom0.xen.evacuate -e dom0s=xen1,xen2")
    assert guests(reader.site) == {"xen1": 0, "xen2": 0, "xen3": 3}
    reader.type("ansible-playbook -i hosts.ini dom0.xen.evacuate -e dom0s=rack7")
    reader.type("ansible-playbook -i hosts.ini dom0.xen.evacuate -e dom0s=xen1,xen2 -e evacuate_unmovable=skip")
    reader.type(
        "ansible -i hosts.ini xen1 -m dom0.xen.host_arrivals"
        """ -a "state=closed reason='a new power supply' by=alice\""""
    )


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("busy", [False, pytest.param(True, marks=pytest.mark.long)], ids=["empty", "busy"])
def test_hosts_are_maintained(make_site: MakeSite, tmp_path: pathlib.Path, busy: bool) -> None:
    """With tasks that restart a host of the double, as the page's own restart a real one.

    To be short, one host without guests is maintained; what is typed for several is checked.
    """
    site = make_site("xen1", "xen2", "xen3")
    reader = with_rack(with_guests(site) if busy else site, tmp_path)
    more = () if busy else ("--check",)
    double = str(ROOT / "tests" / "double" / "double.py")
    python = sys.executable
    argv = json.dumps([python, double, "power-cycle", "--state", str(site.state), "{{ inventory_hostname }}"])
    (reader.folder / "upgrade.yml").write_text(UPGRADE.format(argv=argv, python=python))
    before = {name: host.paths.boot_id.read_text() for name, host in site.hosts.items()}
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.maintain -e dom0s=rack7 -e maintain_tasks=upgrade.yml"
        " -e maintain_reboot=true --check"
    )
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.maintain -e dom0s=xen1,xen2 -e maintain_tasks=upgrade.yml --check"
    )
    assert before == {name: host.paths.boot_id.read_text() for name, host in site.hosts.items()}
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.maintain -e dom0s=rack7 -e maintain_tasks=upgrade.yml"
        " -e maintain_reboot=true"
    )
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.maintain -e dom0s=xen1,xen2 -e maintain_tasks=upgrade.yml"
        " -e maintain_reboot=true",
        *more,
    )
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.maintain -e dom0s=xen1,xen2,xen3 -e maintain_tasks=upgrade.yml", *more
    )
    after = {name: host.paths.boot_id.read_text() for name, host in site.hosts.items()}
    assert {name for name in before if before[name] != after[name]} == (set(before) if busy else {"xen1"})
    for host in site.hosts.values():
        host.machine.close()
    assert guests(site) == ({"xen1": 2, "xen2": 1, "xen3": 0} if busy else dict.fromkeys(site.hosts, 0))
