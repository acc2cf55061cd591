# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callback plugin keeps of real runs, and that these do not mind when it cannot."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.plugin_utils._metrics import textfile
from ansible_collections.dom0.xen.tests.tools.places import ROOT
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)

pytest.importorskip("prometheus_client")


class Measured(User):
    """Somebody whose runs are kept."""

    @property
    def events_path(self) -> pathlib.Path:
        """Where the lines are."""
        return self.folder / "log" / "events.jsonl"

    @property
    def textfile_path(self) -> pathlib.Path:
        """Where the numbers are."""
        return self.folder / "textfile" / "dom0_xen.prom"

    @property
    def events(self) -> list[dict[str, t.Any]]:
        """The lines."""
        return [json.loads(line) for line in self.events_path.read_text().splitlines()]

    @property
    def numbers(self) -> textfile.Samples:
        """The numbers."""
        return textfile.read(self.textfile_path.read_text(), "")

    def environment(self, **more: str) -> dict[str, str]:
        """What switches the plugin on."""
        paths = {"EVENTS": self.events_path, "TEXTFILE": self.textfile_path}
        given = {f"DOM0_XEN_METRICS_{name}_PATH": str(path) for name, path in paths.items()}
        return {"ANSIBLE_CALLBACKS_ENABLED": "dom0.xen.metrics", **given, **more}


@pytest.fixture
def measured(tmp_path: pathlib.Path) -> t.Iterator[Measured]:
    """Two hosts, the guest on xen1."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield Measured(site, tmp_path)
    site.down()


def test_moves_are_kept_once_each(measured: Measured) -> None:
    """A check is none, a move is one, the same command again is none, a refusal is one of its own."""
    switched_on = measured.environment()
    log = measured.move("xen2", "--check", **switched_on)
    assert not measured.events_path.exists() and not measured.textfile_path.exists()
    log = measured.move("xen2", **switched_on)
    assert where(measured.site) == "xen2" and "dom0.xen.metrics" not in log
    assert [event["event"] for event in measured.events] == ["run_began", "migration", "run_ended"]
    moved = measured.events[1]
    told = {
        key: moved[key] for key in ("outcome", "succeeded", "uuid", "name", "source", "destination", "method", "code")
    }
    assert told == {
        **{"outcome": "moved", "succeeded": True, "uuid": GUEST, "name": "centos", "source": "xen1"},
        **{"destination": "xen2", "method": "live", "code": None},
    }
    for key in ("session", "transport", "bytes", "total_ms", "stop_ms", "began_s"):
        assert moved[key] == measured.result[key]
    log = measured.move("xen2", **switched_on)
    process = measured.start("dom0.xen.migrate", *measured.asking("nowhere"), **switched_on)
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == 2
    outcomes = [event["outcome"] for event in measured.events if event["event"] == "migration"]
    assert outcomes == ["moved", "already_there", "refused"]
    assert [event["code"] for event in measured.events if event["event"] == "failure"] == ["host_not_in_inventory"]
    assert len({event["run"] for event in measured.events}) == 3
    numbers = measured.numbers
    assert numbers["dom0_xen_migrations_total", (("method", "live"), ("outcome", "moved"))] == 1
    assert numbers["dom0_xen_migration_stop_seconds_count", (("method", "live"),)] == 1
    assert numbers["dom0_xen_runs_total", (("outcome", "ok"), ("playbook", "migrate"))] == 2
    assert numbers["dom0_xen_runs_total", (("outcome", "failed"), ("playbook", "migrate"))] == 1
    # Neither what the tasks were given, nor a folder of this machine.
    kept = measured.events_path.read_text() + measured.textfile_path.read_text()
    assert str(measured.folder) not in kept and "BEGIN" not in kept and "module_args" not in kept


def test_a_move_is_made_whether_it_can_be_kept_or_not(measured: Measured) -> None:
    """A file that cannot be written is one warning; so is a library that is not there, and a plugin without files."""
    nowhere = {"DOM0_XEN_METRICS_EVENTS_PATH": "/proc/events", "DOM0_XEN_METRICS_TEXTFILE_PATH": "/proc/x.prom"}
    log = " ".join(measured.move("xen2", **measured.environment(**nowhere)).split())
    assert where(measured.site) == "xen2"
    assert re.findall(r"dom0.xen.metrics: (\S+) cannot be written", log) == ["/proc/events", "/proc/x.prom"]
    missing = measured.folder / "missing"
    missing.mkdir()
    (missing / "prometheus_client.py").write_text("raise ImportError('for the test')\n")
    python_path = os.pathsep.join([str(missing), os.environ.get("PYTHONPATH", "")])
    log = " ".join(measured.move("xen1", **measured.environment(PYTHONPATH=python_path)).split())
    assert where(measured.site) == "xen1"
    assert log.count("prometheus_client where Ansible runs") == 1
    assert [event["event"] for event in measured.events] == ["run_began", "migration", "run_ended"]
    assert not measured.textfile_path.exists()
    nothing = {"DOM0_XEN_METRICS_EVENTS_PATH": "", "DOM0_XEN_METRICS_TEXTFILE_PATH": ""}
    log = measured.run("dom0.xen.audit", "-e", "audit_fail_on=never", **measured.environment(**nothing))
    assert " ".join(log.split()).count("neither events_path nor textfile_path is set") == 1


GIVEN_UP = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Judge a move that is made again
      dom0.xen.migration_verdict:
        domain: {uuid: 1c2d3e4f-0000-4000-8000-00000000002a, name: centos}
        source: xen1
        destination: xen2
        status: {session: 0123456789abcdef, method: live, bytes: 1000, total_ms: 5000, stop_ms: 7}
      ignore_errors: true
"""


def test_a_move_that_is_made_again_counts_as_one_that_failed(measured: Measured) -> None:
    """Nobody minds its verdict yet, and its bytes and times are none of a move that succeeded."""
    (measured.folder / "again.yml").write_text(GIVEN_UP)
    measured.run("again.yml", **measured.environment())
    (told,) = [event for event in measured.events if event["event"] == "migration"]
    assert (told["outcome"], told["succeeded"], told["code"]) == ("unreachable", False, "unreachable")
    assert not any("_seconds_count" in name or "_bytes_" in name for name, dummy in measured.numbers)


FORGOTTEN = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Name a host that does not answer
      ansible.builtin.add_host: {name: silent, groups: lost, ansible_connection: dom0.xen.move}
- hosts: localhost,lost
  gather_facts: false
  tasks:
    - name: Ask it
      dom0.xen.moves_info:
      when: inventory_hostname != "localhost"
- import_playbook: "{{ parts }}/answered.yml"
"""


def test_a_run_that_ends_well_is_one_that_was_well(measured: Measured) -> None:
    """A move was made at its second try, after a host was silent: what Ansible forgets fails no run here either."""
    (measured.folder / "forgotten.yml").write_text(FORGOTTEN.replace("lost", "dom0_moves"))
    parts = ROOT / "playbooks" / "parts"
    measured.run("forgotten.yml", "-e", f"parts={parts}", **measured.environment())
    assert [event["succeeded"] for event in measured.events if event["event"] == "run_ended"] == [True]
    (measured.folder / "told.yml").write_text(FORGOTTEN)
    process = measured.start("told.yml", "-e", f"parts={parts}", **measured.environment())
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == 4
    assert [event["succeeded"] for event in measured.events if event["event"] == "run_ended"] == [True, False]
