# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on the controller needs no rights there, whatever an inventory says for all of its hosts."""

from __future__ import annotations

import typing as t

import yaml

from ansible_collections.dom0.xen.tests.tools.places import ROOT

FILES = sorted(path for folder in ("playbooks", "roles") for path in (ROOT / folder).rglob("*.yml"))


def delegated(content: object) -> t.Iterator[dict[str, t.Any]]:
    """Yield the tasks in a file that are delegated to the controller, also those in blocks."""
    if isinstance(content, list):
        for each in content:
            yield from delegated(each)
    elif isinstance(content, dict):
        if content.get("delegate_to") == "localhost":
            yield content
        for each in content.values():
            yield from delegated(each)


def test_it_becomes_nobody_else() -> None:
    """With ``ansible_become`` for all hosts it would ask for sudo there, in the middle of a move or of settling one."""
    tasks = [task for path in FILES for task in delegated(yaml.safe_load(path.read_text(encoding="utf-8")))]
    assert len(tasks) >= 3
    assert [task["name"] for task in tasks if task.get("vars", {}).get("ansible_become") is not False] == []
