# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file says whose it is, is about one subject, and can be found where Ansible looks for it."""

from __future__ import annotations

import pathlib

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = (
    "# Copyright (c) ",
    "# GNU General Public License v3.0+ "
    "(see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)",
    # In two pieces, else reuse takes this line for the licence of this file.
    "# SPDX-License-" + "Identifier: GPL-3.0-or-later",
)
FOLDERS = ("extensions", "meta", "playbooks", "plugins", "roles", "tests")
LONGEST = 300
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
SOURCES = [
    path
    for folder in FOLDERS
    for ending in ("py", "yml", "sh")
    for path in sorted((ROOT / folder).rglob(f"*.{ending}"))
    if path.stat().st_size and not {"data", "fixtures", "output"} & set(path.relative_to(ROOT).parts)
]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
ACTIONS = sorted(path.stem for path in (ROOT / "plugins" / "action").glob("[!_]*.py"))


def _name(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_says_whose_it_is(path: pathlib.Path) -> None:
    """The three lines about copyright and licence come first, after the line that names an interpreter."""
    lines = path.read_text(encoding="utf-8").splitlines()
    header = lines[1:4] if lines[0].startswith("#!") else lines[:3]
    assert header[0].startswith(HEADER[0])
    assert header[1:] == list(HEADER[1:])


@pytest.mark.parametrize("path", PLUGINS, ids=_name)
def test_is_about_one_subject(path: pathlib.Path) -> None:
    """A file that has grown beyond this holds more than one subject."""
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST


@pytest.mark.parametrize("path", PLUGINS, ids=_name)
def test_only_modules_name_an_interpreter(path: pathlib.Path) -> None:
    """Ansible replaces this very line by the host's interpreter; nothing in plugins is run directly."""
    is_module = path.parent.name == "modules" and path.stem in MODULES
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/python\n") == is_module
    assert not path.stat().st_mode & 0o111


def test_action_group_holds_every_module() -> None:
    """Defaults set for the group reach all modules and actions of the collection."""
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert sorted(set(MODULES)) == runtime["action_groups"]["xen"]


def test_every_action_has_its_documentation() -> None:
    """ansible-doc finds the documentation of an action plugin in a module of the same name."""
    assert set(ACTIONS) <= set(MODULES)
