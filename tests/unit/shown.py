# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands and examples that pages show, and those that tests type."""

from __future__ import annotations

import ast
import pathlib
import re
import textwrap
import typing as t

from ansible_collections.dom0.xen.tests.tools.places import ROOT

RST = ROOT / "docs" / "docsite" / "rst"
PAGES = [
    *sorted((ROOT / "docs").rglob("*.rst")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "roles").glob("*/README.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
TESTS = pathlib.Path(__file__).parent / "playbooks"
# What pytest.ini leaves out.
_LONG = "pytest.mark.long"

_BLOCKS = {
    ".rst": r"^(?P<by> *)\.\. code-block:: {language}\n\n(?P<text>(?:(?P=by)   .*\n|\n)+)",
    ".md": r"^ *```{language}\n(?P<text>.*?)^ *```$",
}
_MARKS = {".rst": "``", ".md": "`"}
# A command that goes on in the next line.
_GOES_ON = re.compile(r" *\\\n *")
_COMMENT = re.compile(r" +# .*")
# Within a line only Ansible's own are commands; ``xl save`` and the like are mostly words for what Xen does.
_INLINE = r"{mark}(ansible(?:-[a-z]+)? [^`]+){mark}"


def blocks(page: pathlib.Path, language: str) -> list[str]:
    """Return what a page shows in this language, a pattern, in its order."""
    flags = re.MULTILINE | (re.DOTALL if page.suffix == ".md" else 0)
    pattern = re.compile(_BLOCKS[page.suffix].format(language=language), flags)
    return [textwrap.dedent(match["text"]) for match in pattern.finditer(page.read_text(encoding="utf-8"))]


def commands(page: pathlib.Path) -> list[str]:
    """Return the commands in a page's blocks, in its order, each in one line and without its comment."""
    lines = [line for block in blocks(page, "(?:console|shell)") for line in _GOES_ON.sub(" ", block).splitlines()]
    return [command for line in lines if (command := _COMMENT.sub("", line).strip())]


def inline(page: pathlib.Path) -> list[str]:
    """Return the commands of Ansible in a page's sentences and tables, but those that leave something out."""
    found = re.findall(_INLINE.format(mark=_MARKS[page.suffix]), page.read_text(encoding="utf-8"))
    return [" ".join(each.split()) for each in found if " ... " not in each]


def typed(folder: pathlib.Path = TESTS) -> dict[str, str]:
    """Return the commands that the tests of a folder type, each with the test's file.

    What is typed only by a test that is left out unless it is asked for is not among them.
    """
    return {
        command: path.name
        for path in sorted(folder.glob("test_*.py"))
        for function in _run(ast.parse(path.read_text(encoding="utf-8")))
        for command in _typed_in(function)
    }


def _run(module: ast.Module) -> list[ast.FunctionDef]:
    """Return the tests of a file that ``make test`` runs, and the file's own functions and fixtures that these use."""
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    marks = [node for node in module.body if isinstance(node, ast.Assign) and "pytestmark" in map(_name, node.targets)]
    left_out = any(_LONG in ast.unparse(mark) for mark in marks)
    found: list[ast.FunctionDef] = []
    todo = [] if left_out else [name for name in functions if name.startswith("test_")]
    for name in todo:
        function = functions[name]
        if _LONG in map(ast.unparse, function.decorator_list):
            continue
        found.append(function)
        used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        used |= {argument.arg for argument in function.args.args}
        todo += sorted((used & functions.keys()) - set(todo))
    return found


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _typed_in(function: ast.FunctionDef) -> t.Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("type", "on"):
            texts = [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
            # Before what is typed on a host stands the host.
            yield from texts[:1] if node.func.attr == "type" else texts[-1:]
