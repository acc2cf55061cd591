# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains of a fleet as hosts, in real inventories: listed, grouped, limited to, and moved."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet import folder
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import DomainRule, Rules
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples

ROOT = pathlib.Path(__file__).resolve().parents[4]
RULES = Rules((DomainRule("centos", ("db", "prod-1")),))


@dataclasses.dataclass(frozen=True)
class Folder:
    """Somebody's project: an inventory of dom0s, the plugin's file, and facts."""

    path: pathlib.Path

    def keep(self, fleet: Fleet, age_s: float = 0.0) -> None:
        """Write facts that were told so long ago."""
        asked = time.time() - age_s
        dom0s = [
            dataclasses.replace(dom0, asked_s=asked, told=dom0.told and dataclasses.replace(dom0.told, asked_s=asked))
            for dom0 in fleet.dom0s
        ]
        folder.write(str(self.path / "facts"), [*dom0s, fleet.rules])

    def plugin(self, **options: t.Any) -> None:
        """Write the plugin's file."""
        content = {"plugin": "dom0.xen.domains", "path": "facts", **options}
        (self.path / "fleet.dom0_xen.yml").write_text(json.dumps(content))

    def run(self, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of Ansible's programs over both inventories."""
        command = [sys.executable, "-m", f"ansible.cli.{program}", "-i", "hosts.ini", "-i", "fleet.dom0_xen.yml"]
        values = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_CONFIG": str(self.path / "none.cfg"),
            "ANSIBLE_HOME": str(self.path / "home"),
            "COLUMNS": "1000",
            **environment,
        }
        return subprocess.run(
            [*command, *arguments], env=values, cwd=self.path, text=True, capture_output=True, check=False, timeout=300
        )

    def list(self, *arguments: str) -> tuple[dict[str, t.Any], str]:
        """Return what ``ansible-inventory --list`` tells, and its warnings in one line."""
        done = self.run("inventory", "--list", *arguments)
        assert done.returncode == 0, done.stderr
        listed: dict[str, t.Any] = json.loads(done.stdout, object_hook=_plain)
        return listed, " ".join(done.stderr.split())


def _plain(value: dict[str, t.Any]) -> t.Any:
    """Texts that Ansible will not take for templates are marked; whoever reads its inventory undoes that."""
    return value["__ansible_unsafe"] if value.keys() == {"__ansible_unsafe"} else value


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Folder:
    """Two dom0s in the inventory, the plugin without options, and no facts."""
    (tmp_path / "hosts.ini").write_text("[dom0]\nxen1\nxen2\n")
    project = Folder(tmp_path)
    project.plugin()
    return project


def test_the_domains_are_hosts_in_groups(project: Folder) -> None:
    """By dom0, state and tag; each says what it is, and cannot be connected to."""
    project.keep(examples.fleet(RULES, xen1=["centos", "web: x"], xen2=["centos--incoming"]), age_s=90)
    listed, told = project.list()
    assert listed["dom0_xen_domains"]["hosts"] == ["centos@xen1", "web__x@xen1"]
    assert listed["dom0_xen_on_xen1"]["hosts"] == ["centos@xen1", "web__x@xen1"]
    assert listed["dom0_xen_state_running"]["hosts"] == ["centos@xen1", "web__x@xen1"]
    assert listed["dom0_xen_tag_db"]["hosts"] == listed["dom0_xen_tag_prod_1"]["hosts"] == ["centos@xen1"]
    assert "dom0_xen_on_xen2" not in listed
    facts = listed["_meta"]["hostvars"]["centos@xen1"]
    assert facts["ansible_connection"] == "dom0.xen.move"
    domain = facts["dom0_xen_domain"]
    assert 90 <= domain.pop("age_s") < 400
    assert domain == {
        **{"name": "centos", "uuid": examples.identity("centos"), "domid": 3, "dom0": "xen1", "state": "running"},
        **{"memory_mib": 128, "vcpus": 1, "type": "pvh", "tags": ["db", "prod-1"], "trouble": ""},
    }
    assert "WARNING" not in told
    # Software that stores it does not have to know of marks.
    assert '"ansible_connection": "dom0.xen.move"' in project.run("inventory", "--list").stdout
    graph = project.run("inventory", "--graph", "dom0_xen_on_xen1").stdout
    assert graph.split() == ["@dom0_xen_on_xen1:", "|--centos@xen1", "|--web__x@xen1"]
    one = json.loads(project.run("inventory", "--host", "centos@xen1").stdout)
    assert one["dom0_xen_domain"]["dom0"] == "xen1"


def test_a_limit_takes_one_domain_and_no_connection_comes_up(project: Folder) -> None:
    """An ad hoc command on it reaches nobody, neither the guest nor a dom0."""
    project.keep(examples.fleet(xen1=["centos", "web"]))
    only = project.run("inventory", "--list", "-l", "centos@xen1")
    assert list(json.loads(only.stdout)["_meta"]["hostvars"]) == ["centos@xen1"]
    pinged = project.run("adhoc", "all", "-m", "ansible.builtin.ping", "-l", "centos@xen1")
    assert pinged.returncode != 0
    assert "centos@xen1 is a domain or its move, and no machine" in pinged.stdout + pinged.stderr
    assert "xen1 |" not in pinged.stdout.replace("centos@xen1 |", "")


def test_groups_of_ones_own(project: Folder) -> None:
    """As constructed inventories make them, from names without a prefix; a wrong expression is an error when strict."""
    project.keep(examples.fleet(RULES, xen1=["centos", "web"]))
    project.plugin(
        groups={"small": "memory_mib < 200", "with_tags": "tags | length > 0"},
        keyed_groups=[{"key": "type", "prefix": "type"}, {"key": "dom0_xen_domain.tags", "prefix": "t"}],
        compose={"label": "name ~ ' on ' ~ dom0"},
    )
    listed, dummy = project.list()
    assert listed["small"]["hosts"] == listed["type_pvh"]["hosts"] == ["centos@xen1", "web@xen1"]
    assert listed["with_tags"]["hosts"] == listed["t_db"]["hosts"] == listed["t_prod_1"]["hosts"] == ["centos@xen1"]
    assert listed["_meta"]["hostvars"]["web@xen1"]["label"] == "web on xen1"
    project.plugin(compose={"label": "nothing_like_this"}, strict=True)
    listed, told = project.list()
    assert "Could not set label for host centos@xen1" in told
    third = {"plugin": "ansible.builtin.constructed", "groups": {"ours": "'db' in dom0_xen_domain.tags"}}
    (project.path / "third.yml").write_text(json.dumps(third))
    project.plugin()
    assert project.list("-i", "third.yml")[0]["ours"]["hosts"] == ["centos@xen1"]


def test_a_host_of_that_name_is_left_alone(project: Folder) -> None:
    """A domain must not inherit the address of a machine, nor a machine become a domain."""
    (project.path / "hosts.ini").write_text("[dom0]\nxen1\n[web]\ncentos@xen1 ansible_host=192.0.2.9\n")
    project.keep(examples.fleet(xen1=["centos", "web"]))
    listed, told = project.list()
    assert listed["dom0_xen_domains"]["hosts"] == ["web@xen1"]
    assert listed["_meta"]["hostvars"]["centos@xen1"] == {"ansible_host": "192.0.2.9"}
    assert "The inventory has a host centos@xen1 already" in told


def test_old_facts_and_dead_dom0s_are_told(project: Folder) -> None:
    """By age; what a host that is dead now told before is listed, as such; too old is a warning, or what was chosen."""
    before = examples.told("xen2", [examples.domain("mail", 3)])
    fleet = Fleet((examples.dom0("xen1", "centos"), examples.dead("xen2", before)))
    project.keep(fleet, age_s=7300)
    listed, told = project.list()
    assert listed["dom0_xen_domains"]["hosts"] == ["centos@xen1", "mail@xen2"]
    assert "xen2 told nothing when it was asked 2 h ago (No route to host); its domains are those of" in told
    assert "What xen2 told is from" in told and "What xen1 told" not in told
    assert listed["_meta"]["hostvars"]["mail@xen2"]["dom0_xen_domain"]["trouble"] == "unreachable"
    project.plugin(max_age=3600, too_old="leave_out")
    listed, told = project.list()
    assert "hosts" not in listed.get("dom0_xen_domains", {})
    assert "What xen1 told is from 2 h ago, and may hold no longer; its domains are left out" in told
    project.plugin(max_age=3600, too_old="fail")
    failed = project.run("inventory", "--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true")
    assert failed.returncode != 0 and "xen1: What xen1 told is from 2 h ago, older than 3600 s." in failed.stderr


def test_nothing_known_and_files_not_in_order(project: Folder) -> None:
    """Each is a warning that says what to do, and the rest is listed."""
    listed, told = project.list()
    assert "run the playbook dom0.xen.facts" in told and "Failed to parse" not in told
    project.keep(examples.fleet(xen1=["centos"], xen2=["web"]))
    pathlib.Path(folder.file_of(str(project.path / "facts"), "xen1")).write_text("{")
    twice = Rules((DomainRule("web", ("a",)), DomainRule(examples.identity("web"), ("b",))))
    folder.write(str(project.path / "facts"), [twice])
    listed, told = project.list()
    assert listed["dom0_xen_domains"]["hosts"] == ["web@xen2"]
    assert "xen1.dom0.json is no JSON" in told and "No domain has tags: " in told


def test_asking_without_saying_whom_is_an_error(project: Folder) -> None:
    """The message says which option is missing, or which inventory."""
    for inventories, words in (([], "inventories names no inventory"), (["x.ini"], "x.ini is not there")):
        project.plugin(ask=True, inventories=inventories)
        assert words in project.list()[1]


def test_dom0s_that_are_asked_and_do_not_answer_are_a_warning(project: Folder) -> None:
    """What was known before is listed; the file may lie in the very folder that is asked, and is not asked again."""
    project.keep(examples.fleet(xen1=["centos"]), age_s=300)
    gone = "ansible_host=127.0.0.1 ansible_port=1 ansible_connection=ssh"
    (project.path / "hosts.ini").write_text(f"[dom0]\nxen1 {gone}\n")
    project.plugin(ask=True, ask_after=600, inventories=["hosts.ini", "fleet.dom0_xen.yml"])
    assert "WARNING" not in project.list()[1]
    project.plugin(ask=True, inventories=["hosts.ini", "fleet.dom0_xen.yml"])
    listed, told = project.list()
    assert listed["dom0_xen_domains"]["hosts"] == ["centos@xen1"]
    assert "dom0.xen.facts ended with the exit status 2" in told
    assert "xen1 told nothing when it was asked" in told
    project.plugin(ask=True, ask_after=0, ask_timeout=0, inventories=["hosts.ini"])
    assert "took longer than 0 s" in project.list()[1]
