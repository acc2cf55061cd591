# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands and examples that pages show, and those that tests type."""

from __future__ import annotations

import ast
import pathlib
import re
import textwrap

from ansible_collections.dom0.xen.tests.tools.places import ROOT

RST = ROOT / "docs" / "docsite" / "rst"
PAGES = [
    *sorted((ROOT / "docs").rglob("*.rst")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "roles").glob("*/README.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
TESTS = pathlib.Path(__file__).parent / "playbooks"

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


def typed() -> dict[str, str]:
    """Return the commands that tests type, each with the test's file."""
    found: dict[str, str] = {}
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if node.func.attr == "type" and texts:
                found[str(texts[0])] = path.name
            elif node.func.attr == "on" and texts:
                # Before what is typed stands the host.
                found[str(texts[-1])] = path.name
    return found
