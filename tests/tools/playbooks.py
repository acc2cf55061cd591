# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the page of the playbooks from ``docs/reference.yml``, the playbooks and the roles' specifications."""

from __future__ import annotations

import pathlib
import re
import sys
import typing as t

import jinja2
import jinja2.nodes
import yaml

from ansible_collections.dom0.xen.tests.tools.places import ROOT

DATA = ROOT / "docs" / "reference.yml"
PAGE = ROOT / "docs" / "docsite" / "rst" / "playbooks.rst"
PLAYBOOKS = ROOT / "playbooks"
ROLES = ROOT / "roles"
LABEL = "ansible_collections.dom0.xen"

# Keywords of tasks and plays whose text is an expression without braces.
BARE = ("when", "that", "failed_when", "changed_when", "until")
# What Ansible itself gives a task. Variables of the dom0s in the inventory have a section of their own.
# What the roles leave behind.
LEFT = {"migrate_result", "maintain_back", "maintain_opened", "maintain_started"}
GIVEN = {"groups", "hostvars", "inventory_hostname", "item", "omit", "lookup", "query", "dict", "range", "now"}
HOST_VARIABLES = {
    "dom0_xen_address": "the host's address for moves, where that is not ``ansible_host``",
    "dom0_xen_runtime_path": "folder in memory for sockets and keys, ``/run/dom0-xen`` by default",
    "dom0_xen_journal_path": "folder for what must outlive a reboot, ``/var/lib/dom0-xen`` by default",
    "dom0_xen_departures": "domains that may leave the host at one time, over all runs; before ``migrate_departures``",
    "dom0_xen_arrivals": "domains that may come to the host at one time, over all runs; before ``migrate_arrivals``",
}

HEAD = f"""..
  Copyright (c) 2026, dom0.xen contributors
  GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

..
  Made from docs/reference.yml by tests/tools/playbooks.py: change it there.

.. _{LABEL}.docsite.playbooks:

The playbooks
=============

.. contents::
   :local:

Each is run by its full name. What they ask for are variables: ``-e NAME=VALUE``, in AWX extra variables or the
answers of a survey. The dom0s are in an inventory group, ``dom0`` unless ``dom0_group`` names another one.
"""

FOOT = """
Every exit status
-----------------

Besides those above, ``ansible-playbook`` ends with 1 or 250 where Ansible itself has failed, with 4 or 5 where it
cannot read what it was given, and with 99 after Ctrl-C. A run that is killed, or ends with 99, has not stopped a move:
the same command watches it to its end.
"""


class Reads(t.NamedTuple):
    """What a playbook asks its caller for, by the first word of the name."""

    own: set[str]
    # By role: options that the playbook passes through or uses itself.
    of_roles: dict[str, set[str]]
    # Roles that the playbook runs, with the options that it gives them by itself.
    runs: dict[str, set[str]]


def templates(node: t.Any, key: str = "") -> t.Iterator[str]:
    """Yield all texts of a playbook that are templates, expressions with braces put around them."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from templates(value, str(name))
    elif isinstance(node, list):
        for value in node:
            yield from templates(value, key)
    elif isinstance(node, str):
        yield f"{{{{ {node} }}}}" if key in BARE else node


def made(node: t.Any) -> set[str]:
    """Return the names that a playbook makes itself."""
    if isinstance(node, list):
        return set().union(*(made(value) for value in node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found = set(node.get("vars") or {}) | ({node["register"]} if "register" in node else set())
    facts = node.get("ansible.builtin.set_fact") or {}
    # What only gets another value was there before.
    found |= {name for name, value in facts.items() if not re.search(rf"\b{name}\b", str(value))}
    return found | made(list(node.values()))


def pieces(path: pathlib.Path) -> list[t.Any]:
    """Return the plays and tasks of a playbook's file, and of the files next to it that it takes in."""
    found = [yaml.safe_load(path.read_text(encoding="utf-8"))]
    taken = re.findall(
        r"ansible\.builtin\.(?:import_playbook|include_tasks|import_tasks): *(\S+\.yml)", path.read_text("utf-8")
    )
    for name in dict.fromkeys(taken):
        if "{" not in name:
            # From a file that is taken in itself, the folder of the playbooks counts as well.
            beside = path.parent / name
            found += pieces(beside if beside.exists() else PLAYBOOKS / name)
    return found


def tasks_of(node: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Yield all dicts in plays and tasks."""
    if isinstance(node, list):
        for value in node:
            yield from tasks_of(value)
    elif isinstance(node, dict):
        yield node
        for value in node.values():
            yield from tasks_of(value)


def options_of(role: str) -> dict[str, t.Any]:
    """Return the options of a role's main entry point."""
    spec = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    found: dict[str, t.Any] = spec["argument_specs"]["main"]["options"]
    return found


def reads(playbook: str) -> Reads:
    """Return what a playbook reads that neither Ansible, nor the playbook, nor the host's variables give."""
    plays = pieces(PLAYBOOKS / f"{playbook}.yml")
    environment = jinja2.Environment(autoescape=True)
    names: set[str] = set()
    for text in templates(plays):
        names |= {node.name for node in environment.parse(text).find_all(jinja2.nodes.Name)}
    # Names that are looked up one after the other.
    for task in tasks_of(plays):
        if "ansible.builtin.vars" in str({key: value for key, value in task.items() if key != "block"}):
            loop = task.get("loop")
            names |= {name for name in loop if isinstance(name, str)} if isinstance(loop, list) else set()
    names -= GIVEN | LEFT | set(HOST_VARIABLES) | made(plays)
    # What begins with dom0 they give each other, but for the group.
    names = {name for name in names if not name.startswith(("__", "ansible_", "dom0_")) or name == "dom0_group"}
    roles = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
    of_roles = {role: {name for name in names if name.startswith(f"{role}_")} & set(options_of(role)) for role in roles}
    runs: dict[str, set[str]] = {}
    for entry in tasks_of(plays):
        included = entry.get("ansible.builtin.import_role") or entry.get("ansible.builtin.include_role") or {}
        role = str(entry.get("role") or included.get("name") or "").rpartition(".")[2]
        if role:
            given = {*runs.get(role, ()), *(entry.get("vars") or {}), *made(plays)}
            runs[role] = given & set(options_of(role))
    own = names - set().union(*of_roles.values())
    return Reads(own, {role: found for role, found in of_roles.items() if found}, runs)


def table(rows: t.Sequence[tuple[str, ...]], head: tuple[str, ...], widths: str) -> list[str]:
    """Return a table of rst."""
    lines = ["", ".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in [head, *rows]:
        lines += [f"   {'* -' if not number else '  -'} {cell}".rstrip() for number, cell in enumerate(row)]
    return lines


def without(about: dict[str, t.Any]) -> str:
    """Return what is taken where an option is not given, or that it has to be."""
    if "required" in about:
        return "**required**" if about["required"] is True else f"required {about['required']}"
    default = about.get("default", "")
    return default if default in ("", "none") else f"``{default}``"


def section(name: str, entry: dict[str, t.Any]) -> list[str]:
    """Return what the page has about one playbook."""
    title = f"dom0.xen.{name}: {entry['title'][0].lower()}{entry['title'][1:]}"
    lines = ["", f".. _{LABEL}.docsite.playbooks.{name}:", "", title, "-" * len(title), "", *wrap(entry["text"])]
    lines += [f"Guide: :ref:`{LABEL}.docsite.{entry['guide']}`.", "", ".. code-block:: console", ""]
    lines += [f"   {example}" for example in entry["examples"]]
    rows = []
    for option, about in entry["options"].items():
        rows.append((f"``{option}``", without(about), about["text"]))
    lines += table(rows, ("variable", "default", "meaning"), "20 15 65")
    found = reads(name)
    role = entry.get("role")
    if role:
        told = f"All variables of :ref:`the role {role} <{LABEL}.{role}_role>`, ``{role}_...``"
        given_by_playbook = found.runs[role]
        lines += ["", *wrap(f"{told}{', but those that the playbook gives it' if given_by_playbook else ''}.")]
    for other in sorted(set(found.of_roles) - {role}):
        listed = ", ".join(f"``{option}``" for option in sorted(found.of_roles[other]))
        lines += ["", *wrap(f"Of :ref:`the role {other} <{LABEL}.{other}_role>`, with the same meaning: {listed}.")]
    statuses = [(f"{status}", meaning) for status, meaning in entry["status"].items()]
    lines += table(statuses, ("exit status", "meaning"), "15 85")
    return [*lines, "", f"``--check``: {entry['check']}", "", f"``--limit``: {entry['limit']}."]


def wrap(text: str) -> list[str]:
    """Return a paragraph in lines that yamllint and people can read, and an empty line behind it."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > 150:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [*lines, ""]


def page() -> str:
    """Return the page."""
    data = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    lines = [HEAD.rstrip("\n")]
    for name, entry in data.items():
        lines += section(name, entry)
    title = "Variables of the dom0s"
    lines += ["", title, "-" * len(title), "", "These are set in the inventory, for a host or a group:"]
    lines += table([(f"``{name}``", text) for name, text in HOST_VARIABLES.items()], ("variable", "meaning"), "30 70")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines) + "\n" + FOOT)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
