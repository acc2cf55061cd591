# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release can be made from the fragments that there are, with the commands that the page for contributors has."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
import yaml

from ansible_collections.dom0.xen.tests.tools import tree
from ansible_collections.dom0.xen.tests.tools.places import ROOT
from ansible_collections.dom0.xen.tests.unit import shown

pytestmark = pytest.mark.timeout(900)

VERSION = str(yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"])
# What fragments are named by, and the folder that has it.
ADDED = {"playbook": "playbooks", "role": "roles"}
COMMANDS = [each for each in shown.commands(shown.RST / "contributing.rst") if each.startswith("antsibull-changelog ")]


def in_copy(copy: pathlib.Path, command: str) -> str:
    """Run a command with the development's programs in the copy, as if that were the checkout; return what it said."""
    programs = pathlib.Path(sys.executable).parent
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "ANSIBLE_CONFIG")}
    env |= {"ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2]), "PATH": f"{programs}:{env['PATH']}"}
    program, *words = shlex.split(command)
    done = subprocess.run([programs / program, *words], cwd=copy, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def said() -> tuple[pathlib.Path, str]:
    """Make the release in a copy; return the copy and all that was said."""
    copy = tree.copy("release")
    assert [each.split()[1] for each in COMMANDS] == ["lint", "release", "lint-changelog-yaml"]
    return copy, "".join(in_copy(copy, command) for command in COMMANDS)


def test_nothing_is_complained_about(said: tuple[pathlib.Path, str]) -> None:
    """Neither while it is made, nor by what reads the sources afterwards: its files are committed as they are."""
    copy, text = said
    assert re.findall(r"(?i)warning.*|error.*", text) == []
    in_copy(copy, "yamllint --strict changelogs")
    in_copy(copy, "reuse lint-file CHANGELOG.md CHANGELOG.rst changelogs/changelog.yaml")


def test_the_notes_have_what_there_is(said: tuple[pathlib.Path, str]) -> None:
    """Each module and plugin, each playbook and role by its fragment; no fragment is left for the next release."""
    copy, dummy = said
    notes = (copy / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"v{VERSION}" in notes and (copy / "CHANGELOG.rst").is_file()
    assert list((copy / "changelogs" / "fragments").glob("*.yml")) == []
    release = yaml.safe_load((copy / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"][VERSION]
    assert release["changes"]["release_summary"]
    for kind in ("modules", "callback", "connection", "inventory"):
        there = {path.stem for path in (copy / "plugins" / kind).glob("[!_]*.py")}
        named = release["modules"] if kind == "modules" else release["plugins"][kind]
        assert {each["name"] for each in named} == there
    for kind, folder in ADDED.items():
        there = {path.stem for path in (copy / folder).iterdir() if path.is_dir() or path.suffix == ".yml"}
        there -= {"tasks", "vars", "files", "templates"}
        assert {each["name"] for each in release["objects"][kind]} == there
    for name in sorted(path.stem for path in (copy / "plugins" / "modules").glob("[!_]*.py")):
        assert f"dom0.xen.{name}" in notes.replace("\\", ""), name
