# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command that somebody copies at night has its inventory in it: without one it is about other hosts, or none."""

from __future__ import annotations

import pathlib
import re

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _commands

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A command of a playbook, or of a module on a host, without "-i"; "..." stands for what was said before.
_BARE = re.compile(r"ansible-playbook(?! -i )(?! \.\.\. -e)(?= +[-{\w]*[.{-])|\bansible (?:[A-Za-z{][\w{}.]*) -m ")
_LOCAL = "ansible localhost -m"
_FOLDERS = ("plugins", "roles", "playbooks", "docs", "examples")
_TEXTS = [
    path for folder in _FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".yml", ".rst", ".md")
]


@pytest.mark.parametrize(
    "text", ["ansible-playbook dom0.xen.settle -e domain=x", "ansible xen1 -m ansible.builtin.ping"]
)
def test_a_bare_command_is_seen(text: str) -> None:
    """By what looks for it here."""
    assert _BARE.search(text) and not _BARE.search(text.replace(" ", " -i INVENTORY ", 1))


def test_no_command_is_without_its_inventory() -> None:
    """In what is printed and in what is read, but for one that is about no host."""
    found = []
    for path in (*_TEXTS, ROOT / "README.md"):
        text = path.read_text(encoding="utf-8").replace(_LOCAL, "")
        found += [
            f"{path.relative_to(ROOT)}: {text[match.start() : match.start() + 60]!r}" for match in _BARE.finditer(text)
        ]
    assert found == []


def test_commands_are_made_in_one_place() -> None:
    """What else writes one out would forget the inventory some day."""
    code = [path for path in _TEXTS if path.suffix == ".py" and "plugins" in path.parts]
    beside = [path.name for path in code if "ansible-playbook" in path.read_text(encoding="utf-8")]
    assert beside == ["_commands.py"]


def test_commands() -> None:
    """As they are typed."""
    assert _commands.playbook("settle", "-e domain=x") == "ansible-playbook -i INVENTORY dom0.xen.settle -e domain=x"
    assert _commands.playbook("audit", inventory="a -i b") == "ansible-playbook -i a -i b dom0.xen.audit"
    assert _commands.module("xen1", "m", "a=1 b=2") == "ansible -i INVENTORY xen1 -m m -a 'a=1 b=2'"
    assert _commands.module("xen1", "m") == "ansible -i INVENTORY xen1 -m m"
