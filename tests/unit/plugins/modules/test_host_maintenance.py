# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run notes on a host is there for the next one, and is changed by nobody else."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.modules import host_maintenance

OURS, OTHERS = "maintain xen1,xen2 with upgrade.yml", "maintain xen1"
FIRST = {"boot_id": "one", "bridges": ["xenbr0"], "domains": [{"uuid": "u1", "name": "centos"}]}


class Host:
    """A host, by what is noted on it."""

    def __init__(self, root: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._root, self._capsys = root, capsys

    def run(self, **options: t.Any) -> dict[str, t.Any]:
        """Run the module; return its result."""
        self._capsys.readouterr()
        with patch_module_args({"journal_path": str(self._root), **options}), pytest.raises(SystemExit):
            host_maintenance.main()
        result: dict[str, t.Any] = json.loads(self._capsys.readouterr().out)
        return result

    def noted(self) -> t.Any:
        """What is noted, as a playbook looks at it: in check mode."""
        return self.run(_ansible_check_mode=True)["maintenance"]


@pytest.fixture
def host(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> Host:
    """A host where nothing is noted."""
    return Host(tmp_path / "journals", capsys)


def test_a_run_that_is_cut_off_is_taken_up(host: Host) -> None:
    """The next one sees how far it came and what the host was like before; a step is noted once."""
    assert host.noted() is None
    assert host.run(run=OURS, **FIRST)["changed"]
    assert host.run(run=OURS, stage="empty", stopped=["u1"])["changed"]
    assert not host.run(run=OURS, stage="empty", stopped=["u1"])["changed"]
    kept = host.run(run=OURS, **{**FIRST, "boot_id": "two", "domains": []})["maintenance"]
    assert kept == host.noted()
    assert (kept["run"], kept["stage"], kept["stopped"]) == (OURS, "empty", ["u1"])
    assert (kept["boot_id"], [each["name"] for each in kept["domains"]]) == ("one", ["centos"])


def test_a_restart_before_the_tasks_is_none_of_the_maintenance(host: Host) -> None:
    """Where the emptying failed and the host was restarted meanwhile, it has not been restarted since the tasks: they
    are still to come, and would be told that it was.
    """
    host.run(run=OURS, **FIRST)
    assert host.run(run=OURS, boot_id="two")["maintenance"]["boot_id"] == "two"
    host.run(run=OURS, stage="empty")
    assert host.run(run=OURS, boot_id="three")["maintenance"]["boot_id"] == "two"


def test_a_domain_that_came_since_is_one_of_the_host(host: Host) -> None:
    """It is moved away by the run that takes it up, and has to come back with the others."""
    host.run(run=OURS, **FIRST)
    came = [{"uuid": "u2", "name": "debian"}, {"uuid": "u1", "name": "renamed"}]
    kept = host.run(run=OURS, **{**FIRST, "domains": came})["maintenance"]
    assert [(each["uuid"], each["name"]) for each in kept["domains"]] == [("u1", "centos"), ("u2", "debian")]


def test_another_run_changes_nothing(host: Host) -> None:
    """It is told whose the host is, and how to begin anew."""
    host.run(run=OURS, **FIRST)
    before = host.noted()
    refused = host.run(run=OTHERS, stage="done")
    assert (refused["failed"], refused["code"]) == (True, "maintenance_of_another_run")
    assert OURS in refused["msg"] and "maintain_anew=true" in refused["msg"]
    assert host.noted() == before


def test_it_is_taken_away_once(host: Host) -> None:
    """In check mode it stays."""
    host.run(run=OURS, **FIRST)
    assert host.run(state="absent", _ansible_check_mode=True)["changed"]
    assert host.noted() is not None
    assert host.run(state="absent")["changed"] and host.noted() is None
    assert not host.run(state="absent")["changed"]


def test_a_note_that_cannot_be_kept(host: Host, tmp_path: pathlib.Path) -> None:
    """Nothing is begun that nobody could take up; the message names the folder."""
    (tmp_path / "journals").mkdir(mode=0o700)
    (tmp_path / "journals" / "fleet").write_text("a file where a folder should be")
    failed = host.run(run=OURS)
    assert failed["failed"] and str(tmp_path) in failed["msg"] and failed["remedy"]
