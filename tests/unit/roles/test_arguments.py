# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles say the same in their defaults, their specification and their README."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
import yaml

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())


def options(role: str) -> dict[str, t.Any]:
    """Return the options of the role's main entry point."""
    spec = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    found: dict[str, t.Any] = spec["argument_specs"]["main"]["options"]
    return found


@pytest.mark.parametrize("role", NAMES)
def test_defaults_are_those_of_the_specification(role: str) -> None:
    """What ansible-doc shows is what happens."""
    defaults = yaml.safe_load((ROLES / role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    specified = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert defaults == specified


@pytest.mark.parametrize("role", NAMES)
def test_an_option_is_required_or_has_a_default(role: str) -> None:
    """A variable that is neither ends in an error about something undefined."""
    found = {name for name, option in options(role).items() if bool(option.get("required")) == ("default" in option)}
    assert not found


LIMITS = ("link_timeout", "stop_link_timeout", "ready_timeout", "stall_timeout", "timeout", "gate_timeout")


def test_the_page_on_the_link_says_what_each_limit_counts() -> None:
    """In seconds, with its default, from when, and what comes at its end: as the role has it."""
    page = (ROLES.parent / "docs" / "docsite" / "rst" / "link.rst").read_text(encoding="utf-8")
    table = page.partition("What exactly each of the limits counts, all in seconds:")[2].partition("\nEach thing")[0]
    rows = [[" ".join(cell.split()) for cell in row.split("\n     - ")] for row in table.split("\n   * - ")[2:]]
    found = {name.strip("`"): (int(default), counted, end) for name, default, counted, end in rows}
    assert list(found) == [f"migrate_{name}" for name in LIMITS]
    for name, (default, counted, end) in found.items():
        option = options("migrate")[name]
        assert (option["default"], option["type"]) == (default, "int")
        assert "Seconds" in option["description"][0] or "in seconds" in option["description"][0]
        assert "from" in counted and "the move is given up" in end


@pytest.mark.parametrize("role", NAMES)
def test_options_carry_the_role_in_their_name(role: str) -> None:
    """Variables of other roles cannot get in."""
    assert [name for name in options(role) if not name.startswith(f"{role}_")] == []


@pytest.mark.parametrize("role", NAMES)
def test_the_readme_has_every_option_with_its_default(role: str) -> None:
    """A reader is not told what was true once."""
    readme = (ROLES / role / "README.md").read_text(encoding="utf-8")
    missing = []
    for name, option in options(role).items():
        default = option.get("default")
        text = default if isinstance(default, str) and default else json.dumps(default)
        row = f"| `{name}` |" if option.get("required") or name == "prepare_packages" else f"| `{name}` | `{text}` |"
        missing += [] if row in readme else [row]
    assert missing == []


@pytest.mark.parametrize("role", NAMES)
def test_every_option_is_used(role: str) -> None:
    """An option that nothing reads is a promise that is not kept."""
    text = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("tasks", "vars")
        for path in (ROLES / role).glob(f"{folder}/*.yml")
    )
    assert [name for name in options(role) if name not in text] == []
