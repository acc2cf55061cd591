# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No playbook does a part of its work, or nothing, and ends well."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))


@pytest.mark.parametrize("path", PLAYBOOKS, ids=[path.stem for path in PLAYBOOKS])
def test_the_first_task_looks_at_the_tags(path: pathlib.Path) -> None:
    """In the first play, which every run has."""
    first = yaml.safe_load(path.read_text())[0]
    tasks = first.get("pre_tasks") or first["tasks"]
    assert tasks[0]["ansible.builtin.import_tasks"] == "tasks/whole.yml" and tasks[0]["tags"] == ["always"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("words", [("--tags", "move"), ("--tags", "untagged"), ("--skip-tags", "a,untagged")])
def test_a_part_is_refused(words: tuple[str, ...], tmp_path: pathlib.Path) -> None:
    """Whatever the tag."""
    assert "No task of this collection has a tag" in _refused(tmp_path, *words)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("words", [(), ("--skip-tags", "molecule-notest,notest")])
def test_what_leaves_nothing_out_goes_on_to_the_next_check(words: tuple[str, ...], tmp_path: pathlib.Path) -> None:
    """A site's playbook, and molecule, leave out tasks of their own by their tags."""
    assert "It was not said which hosts are to be emptied." in _refused(tmp_path, *words)


@pytest.mark.timeout(300)
def test_an_option_that_nothing_has_is_warned_of(tmp_path: pathlib.Path) -> None:
    """Ansible would take it without a word, and it would be left out."""
    log = " ".join(_refused(tmp_path, "-e", "evacuate_paralel=3", "-e", "evacuate_retries=1").split())
    assert "has an option evacuate_paralel; it has evacuate_parallel." in log
    assert log.count("has an option") == 1


def _refused(tmp_path: pathlib.Path, *words: str) -> str:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("[dom0]\n")
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", str(inventory), "dom0.xen.evacuate", *words]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    log = done.stdout + done.stderr
    assert done.returncode == 2, log
    return log
