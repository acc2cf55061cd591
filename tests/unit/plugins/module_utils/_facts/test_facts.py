# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts are gathered with few processes, and what is missing on a host is listed, all of it."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._facts.domain import (
    disk_links,
    domain_facts,
    guest_facts,
    matching,
    xenstore_facts,
)
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Card
from ansible_collections.dom0.xen.plugins.module_utils._facts.host import host_facts
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, DomainRow, HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import CommandResult
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore import connection
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks import examples
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._xenstore.daemon import Daemon

DATA = pathlib.Path(__file__).resolve().parents[3] / "data" / "xl" / "4.17"


class RecordedHost:
    """A runner that answers as a host of the lab did; ``failing`` answers every xl with a failure instead."""

    def __init__(self, failing: CommandResult | None = None, without: str = "") -> None:
        self.failing = failing
        self.without = without
        self.commands: list[str] = []

    def __call__(self, argv: t.Sequence[str]) -> CommandResult:
        command = " ".join([argv[0].rpartition("/")[2], *argv[1:]])
        self.commands.append(command)
        if command.startswith("ip "):
            return CommandResult(0, '[{"ifname": "xenbr0", "mtu": 1500, "linkinfo": {"info_kind": "bridge"}}]', "")
        if self.without:
            raise FileNotFoundError(self.without)
        if self.failing is not None:
            return self.failing
        if command.startswith("xen-cpuid"):
            whose = f"Domain {argv[2]}" if len(argv) > 2 else "HVM Max"
            return CommandResult(0, (DATA / "xen-cpuid-pvh").read_text().replace("Domain 1", whose), "")
        name = {"xl info": "info", "xl list -v": "list-v"}.get(command, "list-l")
        return CommandResult(0, (DATA / name).read_text(), "")


def _host_facts(run: RecordedHost) -> HostFacts:
    return host_facts(run, "/dev/shm/dom0-xen-test", "/nonexistent", xl_conf="/nonexistent")


def _codes(facts: HostFacts) -> list[str]:
    return [problem.code for problem in facts.problems]


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)


@pytest.fixture
def store(xenstored: Daemon, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """The daemon, as the one of this host."""
    monkeypatch.setenv("XENSTORED_PATH", xenstored.socket)
    return xenstored


def test_host_that_lacks_nothing(store: Daemon) -> None:
    """Three processes, since each costs tenths of a second on a slow dom0."""
    run = RecordedHost()
    facts = _host_facts(run)
    assert run.commands == ["xl info", "xl list -v", "ip -details -json address show"]
    assert facts.problems == ()
    assert facts.xen is not None and facts.xen.version == "4.17.7"
    assert (facts.hostname, facts.dom0_memory_mib, facts.autoballoon) == ("xen1", 1024, False)
    assert facts.bridges == ("xenbr0",)
    assert facts.runtime_path == "/dev/shm/dom0-xen-test"
    assert [row.name for row in facts.domains] == ["Domain-0", "centos"]
    assert facts.cpupools == ("Pool-0",)
    assert facts.equipment.cards == (Card(3, "00:16:3e:5e:00:01"),)
    assert facts.equipment.mtus == {"xenbr0": 1500}
    assert HostFacts.from_result(facts.to_result()) == facts


@pytest.fixture
def xen_cpuid(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that has the program."""
    program = tmp_path / "xen-cpuid"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


@pytest.mark.usefixtures("xen_cpuid")
def test_what_xen_gives_domains(store: Daemon) -> None:
    """One process more; of a domain where one is meant, as there may be many."""
    run = RecordedHost()
    facts = _host_facts(run)
    assert run.commands[2] == "xen-cpuid -p" and len(run.commands) == 4
    processor = facts.equipment.processor
    assert processor is not None and processor.hvm_max is not None and processor.pv_max is None
    assert HostFacts.from_result(facts.to_result()).equipment.processor == processor
    (domain,), dummy = domain_facts(run, "centos")
    assert run.commands[-1] == f"xen-cpuid -p {domain.domid}" and domain.cpu_policy == processor.hvm_max
    before = len(run.commands)
    every, dummy = domain_facts(run, None)
    assert all(each.cpu_policy is None for each in every)
    assert not any("xen-cpuid" in command for command in run.commands[before:])
    assert DomainFacts.from_result(domain.to_result()) == domain


def test_machine_without_xen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No failure, and XenStore is not even tried: one cause, one problem."""
    monkeypatch.setenv("XENSTORED_PATH", "/nonexistent")
    run = RecordedHost(CommandResult(1, "", (DATA / "no-xen.stderr").read_text()))
    facts = _host_facts(run)
    assert _codes(facts) == ["no_xen"]
    assert (facts.xen, facts.free_memory_mib, facts.domains, facts.autoballoon) == (None, None, (), False)
    assert facts.hostname
    assert "xl list -v" not in run.commands


def test_everything_that_is_missing_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is not root on a machine without tools and pyxs learns it in one go."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(connection, "pyxs", None)
    facts = _host_facts(RecordedHost(without="xl"))
    assert _codes(facts) == ["not_root", "xl_missing", "pyxs_missing"]
    assert all(problem.remedy for problem in facts.problems)
    assert facts.pyxs is None


def test_missing_root_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The uid and what xl says of it are one problem."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    facts = _host_facts(RecordedHost(CommandResult(1, "", (DATA / "not-root.stderr").read_text())))
    assert _codes(facts) == ["not_root"]
    domains, problems = domain_facts(RecordedHost(CommandResult(1, "", (DATA / "not-root.stderr").read_text())), None)
    assert domains == () and [problem.code for problem in problems] == ["not_root"]


def test_xenstore_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the facts is there all the same."""
    monkeypatch.setenv("XENSTORED_PATH", "/nonexistent")
    facts = _host_facts(RecordedHost())
    assert _codes(facts) == ["xenstore_unreachable"]
    assert len(facts.domains) == 2
    (domain,), problems = domain_facts(RecordedHost(), "centos")
    assert domain.xenstore is None and domain.config is not None
    assert [problem.code for problem in problems] == ["xenstore_unreachable"]


def test_domain_by_name(store: Daemon) -> None:
    """Two processes; state, configuration and XenStore's view in one record."""
    run = RecordedHost()
    (domain,), problems = domain_facts(run, "centos")
    assert problems == ()
    assert run.commands == ["xl list -v", f"xl list -l {domain.domid}"]
    assert (domain.name, domain.type, domain.state.alive) == ("centos", "pvh", True)
    assert domain.config is not None and domain.memory_max_kib == domain.config["b_info"]["max_memkb"]
    assert domain.xenstore is not None and domain.xenstore.devices == ()


def test_links_on_the_way_to_a_disk_are_told(tmp_path: pathlib.Path) -> None:
    """What is behind them is the file that counts; udev's own under /dev are left as they are."""
    (tmp_path / "pool").mkdir()
    (tmp_path / "vm").symlink_to("pool")
    paths = [f"{tmp_path}/vm/a.img", f"{tmp_path}/pool/b.img", "/dev/disk/by-id/x", "rbd:pool/c"]
    config = {"disks": [{"pdev_path": path} for path in paths] + [{"format": "empty"}]}
    assert dict(disk_links(config)) == {f"{tmp_path}/vm/a.img": f"{tmp_path}/pool/a.img"}


def test_absent_domain_costs_one_process(store: Daemon) -> None:
    """And is no failure: the question was whether it is there."""
    run = RecordedHost()
    assert domain_facts(run, "nobody") == ((), ())
    assert run.commands == ["xl list -v"]


def test_all_domains(store: Daemon) -> None:
    """Dom0 included, still with two processes."""
    run = RecordedHost()
    domains, dummy = domain_facts(run, None)
    assert [domain.name for domain in domains] == ["Domain-0", "centos"]
    assert run.commands == ["xl list -v", "xl list -l"]


@pytest.mark.usefixtures("xen_cpuid")
def test_all_domains_of_a_fleet_from_rows_that_are_known(store: Daemon) -> None:
    """One xl list -l for all, however many; the processor of each only where it is asked for and they are few."""
    rows = domain_rows()
    run = RecordedHost()
    (centos,), problems = guest_facts(run, rows, True)
    assert run.commands == ["xl list -l", "xen-cpuid -p 3"]
    assert (centos.name, centos.type, problems) == ("centos", "pvh", ())
    assert centos == domain_facts(RecordedHost(), "centos")[0][0]
    run = RecordedHost()
    many = [dataclasses.replace(rows[1], domid=3 + number) for number in range(300)]
    assert len(guest_facts(run, many, True)[0]) == 300
    assert guest_facts(run, rows, False)[0][0].cpu_policy is None
    assert run.commands == ["xl list -l", "xl list -l"]


def test_a_host_without_domains_is_not_asked_for_configurations(store: Daemon) -> None:
    """And one whose xl fails has the domains, with what is in the way."""
    run = RecordedHost()
    assert guest_facts(run, domain_rows()[:1], True) == ((), ())
    assert run.commands == []
    failing = RecordedHost(CommandResult(1, "", "libxl: error"))
    (centos,), (problem,) = guest_facts(failing, domain_rows(), False)
    assert (centos.config, problem.code) == (None, "xl_failed")


def domain_rows() -> tuple[DomainRow, ...]:
    """The domains of the recorded host."""
    return Xl(RecordedHost()).domains()


def test_a_file_that_differs_is_read_by_xl_for_one_domain(
    store: Daemon, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process for each domain of a host would be many."""
    (tmp_path / "auto").mkdir()
    settings = tmp_path / "xendomains"
    settings.write_text(f"XENDOMAINS_AUTO={tmp_path}/auto\n")
    monkeypatch.setattr(autostart, "SETTINGS", (str(settings),))
    (tmp_path / "centos.cfg").write_text('name = "centos"\nmemory = 7\n')
    run = RecordedHost()
    (one,), dummy = domain_facts(run, "centos")
    assert len(run.commands) == 3 and run.commands[2].startswith("xl create -q -n ")
    (file,) = one.config_files
    assert "memory" in file.differs and (file.config is not None or file.problem)
    run = RecordedHost()
    every, dummy = domain_facts(run, None)
    assert len(run.commands) == 2 and every[1].config_files[0].config is None


def test_domain_is_meant_by_name_uuid_or_domid() -> None:
    """As xl understands them, plus the UUID, in any case."""
    rows = (examples.DOM0, examples.row(), examples.row("7", 5, examples.OTHER))
    assert [row.domid for row in matching(rows, "centos")] == [3]
    assert [row.domid for row in matching(rows, examples.UUID.upper())] == [3]
    assert [row.domid for row in matching(rows, "3")] == [3]
    assert matching(rows, "7") == ()
    assert matching(rows, "Centos") == ()
    assert matching(rows, None) == rows


def test_devices_and_control_nodes(store: Daemon) -> None:
    """What the checks read: who serves each device, and whether the guest can suspend."""
    with XenStore(store.socket) as opened:
        opened.write("/local/domain/3/device/vif/0/backend-id", "0")
        opened.write("/local/domain/3/device/vif/0/state", "4")
        opened.write("/local/domain/3/device/suspend/event-channel", "")
        opened.write("/local/domain/3/control/feature-suspend", "1")
        seen = xenstore_facts(opened, 3)
    assert [(device.kind, device.id, device.backend_domid, device.state) for device in seen.devices] == [
        ("vif", 0, 0, 4)
    ]
    assert (seen.name, seen.feature_suspend, seen.control_shutdown) == ("centos", "1", "")
    assert seen.memory_target_kib == 131072 and seen.memory_static_max_kib is None
