# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown to be copied fits what it is for: the tasks in each module's examples, and the tasks, variables and
settings in the pages.
"""

from __future__ import annotations

import configparser
import functools
import json
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml

from ansible_collections.dom0.xen.tests.tools.places import ROOT
from ansible_collections.dom0.xen.tests.unit import shown

OURS = "dom0.xen."
MODULES = sorted(
    f"{OURS}{path.stem}" for path in (ROOT / "plugins" / "modules").glob("*.py") if not path.stem.startswith("_")
)
ROLES = {path.name: path for path in (ROOT / "roles").iterdir() if path.is_dir()}
KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "list": (list,),
    "dict": (dict,),
    "str": (str, int, float),
    "path": (str,),
    "raw": (object,),
}
PAIRS = [(page, number) for page in shown.PAGES for number, dummy in enumerate(shown.blocks(page, "(?:yaml|yml)"))]
INI = [(page, number) for page in shown.PAGES for number, dummy in enumerate(shown.blocks(page, "ini"))]


@functools.cache
def documented(kind: str = "module", *names: str) -> dict[str, t.Any]:
    """What ``ansible-doc`` tells of plugins, with the fragments that their documentation is made of."""
    command = [sys.executable, "-m", "ansible.cli.doc", "-t", kind, "--json", *(names or MODULES)]
    told: dict[str, t.Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def tasks(shown_there: t.Any) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Yield our modules and roles with what they are given, wherever in a play or a block they are."""
    if isinstance(shown_there, list):
        for each in shown_there:
            yield from tasks(each)
    elif isinstance(shown_there, dict):
        for key, value in shown_there.items():
            if isinstance(key, str) and key.startswith(OURS):
                yield key, value or {}
            elif key in ("role", "ansible.builtin.include_role", "ansible.builtin.import_role"):
                name = value["name"] if isinstance(value, dict) else value
                yield name, shown_there.get("vars") or {}
            else:
                yield from tasks(value)


def wrong(name: str, given: dict[str, t.Any]) -> list[str]:
    """Return what does not fit of a task or role."""
    if name in documented():
        return list(_misfits(documented()[name]["doc"].get("options") or {}, given))
    role = name[len(OURS) :]
    if role not in ROLES:
        return [f"{name} is no module and no role"]
    spec = yaml.safe_load((ROLES[role] / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return list(_misfits(spec["argument_specs"]["main"]["options"], given))


def _misfits(options: dict[str, t.Any], given: dict[str, t.Any]) -> t.Iterator[str]:
    names = {alias: name for name, option in options.items() for alias in (name, *(option.get("aliases") or ()))}
    yield from (f"{name} is no option" for name in given if name not in names)
    there = {names[name] for name in given if name in names}
    yield from (
        f"{name} is missing" for name, option in options.items() if option.get("required") and name not in there
    )
    for name, value in given.items():
        option = options.get(names.get(name, ""))
        if option is None or (isinstance(value, str) and "{{" in value):
            continue
        if not isinstance(value, KINDS[option.get("type", "str")]):
            yield f"{name} is to be a {option['type']}, not {value!r}"
        several = value if isinstance(value, list) else [value]
        yield from (
            f"{each!r} is no choice of {name}" for each in several if each not in (option.get("choices") or [each])
        )


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name: str) -> None:
    """Each has one at least of the module itself, and no task that it, or another of ours, would refuse."""
    found = list(tasks(yaml.safe_load(documented()[name]["examples"])))
    assert name in {each for each, dummy in found}
    assert [(each, text) for each, given in found for text in wrong(each, given)] == []


@pytest.mark.parametrize(("page", "number"), PAIRS, ids=[f"{page.stem}-{number}" for page, number in PAIRS])
def test_what_pages_show_in_yaml(page: pathlib.Path, number: int) -> None:
    """It can be read, and our modules and roles would take it; so they would variables that are set for them."""
    text = shown.blocks(page, "(?:yaml|yml)")[number]
    shown_there = yaml.safe_load(text)
    assert shown_there
    assert [(each, why) for each, given in tasks(shown_there) for why in wrong(each, given)] == []
    for name in shown_there if isinstance(shown_there, dict) else ():
        role = str(name).partition("_")[0]
        if role in ROLES:
            assert wrong(f"{OURS}{role}", {name: shown_there[name]}) in ([], _missing(role)), name


def _missing(role: str) -> list[str]:
    return wrong(f"{OURS}{role}", {})


@pytest.mark.parametrize(("page", "number"), INI, ids=[f"{page.stem}-{number}" for page, number in INI])
def test_what_pages_show_of_settings(page: pathlib.Path, number: int, tmp_path: pathlib.Path) -> None:
    """An inventory is one to Ansible; settings of our callback are settings that it has."""
    text = shown.blocks(page, "ini")[number]
    if "ansible_host=" in text:
        (tmp_path / "hosts.ini").write_text(text)
        command = [sys.executable, "-m", "ansible.cli.inventory", "-i", str(tmp_path / "hosts.ini"), "--list"]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        assert json.loads(told.stdout)["_meta"]["hostvars"] and "WARNING" not in told.stderr
        return
    found = configparser.ConfigParser(interpolation=None)
    found.read_string(text)
    plugins = [name for name in found.get("defaults", "callbacks_enabled", fallback="").split(",") if name]
    keys = {
        (entry["section"], entry["key"])
        for name in plugins
        for option in documented("callback", name.strip())[name.strip()]["doc"]["options"].values()
        for entry in option.get("ini") or ()
    }
    shown_keys = {(section, key) for section in found.sections() if section != "defaults" for key in found[section]}
    assert plugins and shown_keys and shown_keys <= keys
