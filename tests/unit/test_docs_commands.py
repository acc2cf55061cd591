# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command that a page shows calls a playbook that there is, with variables that it takes."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from ansible_collections.dom0.xen.tests.tools import playbooks
from ansible_collections.dom0.xen.tests.tools.places import ROOT

PAGES = [
    *sorted((ROOT / "docs").rglob("*.rst")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "roles").glob("*/README.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
DATA = yaml.safe_load(playbooks.DATA.read_text(encoding="utf-8"))
NAMES = {path.stem for path in playbooks.PLAYBOOKS.glob("*.yml")}
COMMAND = re.compile(r"ansible-playbook[^\n`]*?\bdom0\.xen\.(\w+)((?:[^\n`\\]|\\\n)*)")


def taken(name: str) -> set[str]:
    """Return the variables that a playbook takes."""
    read = playbooks.reads(name)
    found = set(DATA[name]["options"]).union(*read.of_roles.values())
    for role, given in read.runs.items():
        found |= set(playbooks.options_of(role)) - given
    return found


TAKEN = {name: taken(name) for name in NAMES}


def _name(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_call_what_there_is(page: pathlib.Path) -> None:
    """Pages are copied from, and a variable that no playbook reads changes nothing without a word."""
    wrong = []
    for name, rest in COMMAND.findall(page.read_text(encoding="utf-8")):
        if name not in NAMES:
            wrong.append(f"dom0.xen.{name}")
            continue
        given = set(re.findall(r"-e (\w+)=", rest)) | set(re.findall(r"-e '?\{\"(\w+)\"", rest))
        wrong += [f"dom0.xen.{name} -e {variable}" for variable in sorted(given - TAKEN[name])]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_variables_are_those_of_some_playbook(page: pathlib.Path) -> None:
    """What stands behind -e alone, as in a table of what to add, is a variable too."""
    known = set().union(*TAKEN.values()) | {"NAME", "VARIABLE"}
    assert set(re.findall(r"-e (\w+)=", page.read_text(encoding="utf-8"))) <= known


def test_commands_are_found() -> None:
    """A pattern that finds nothing finds no fault."""
    found = COMMAND.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(found) > 4
    assert ("migrate", " -e domain=centos -e destination=xen2 --check") in found
