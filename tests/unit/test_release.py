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
    # Of a folder of ansible-core's own, which has no version; the line is broken anywhere.
    own = r"\[WARNING\]: Collection at '\S+_protomatter' does not .*? cannot detect version\."
    text = re.sub(own, "", " ".join(text.split()))
    assert re.findall(r"(?i).*(?:warning|error).*", text) == []
    in_copy(copy, "yamllint --strict changelogs")
    in_copy(copy, "reuse lint-file CHANGELOG.md CHANGELOG.rst changelogs/changelog.yaml")


def test_the_notes_have_what_there_is(said: tuple[pathlib.Path, str]) -> None:
    """Each module, plugin and role, each playbook by its fragment; no fragment is left for the next release."""
    copy, dummy = said
    notes = (copy / "CHANGELOG.md").read_text(encoding="utf-8").replace("\\", "")
    assert f"v{VERSION}" in notes and (copy / "CHANGELOG.rst").is_file()
    assert list((copy / "changelogs" / "fragments").glob("*.yml")) == []
    release = yaml.safe_load((copy / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"][VERSION]
    assert release["changes"]["release_summary"]
    named = {"modules": release["modules"], **release["plugins"]}
    for kind, entries in named.items():
        assert {each["name"] for each in entries} == {path.stem for path in (copy / "plugins" / kind).glob("[!_]*.py")}
    assert set(named) == {"modules", "callback", "connection", "inventory"}
    objects = {kind: {each["name"] for each in entries} for kind, entries in release["objects"].items()}
    assert objects == {
        "playbook": {path.stem for path in (copy / "playbooks").glob("*.yml")},
        "role": {path.name for path in (copy / "roles").iterdir()},
    }
    assert all(f"* dom0.xen.{name} - " in notes for name in (*objects["playbook"], *objects["role"]))
