# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who imports whom in ``plugins/``, read from the sources the way Ansible does when it packs a module's payload."""

from __future__ import annotations

import ast
import pathlib
import typing as t

COLLECTION = "ansible_collections.dom0.xen."


def _imported_names(tree: ast.AST, package: str) -> t.Iterator[str]:
    """Yield the full names that a file imports; like Ansible, everywhere in the file, also under ``TYPE_CHECKING``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            yield from (f"{base}.{alias.name}" for alias in node.names)


class Imports:
    """The imports of all Python files below ``plugins`` of the collection at ``root``.

    Files are named by their path relative to ``plugins``, as in ``module_utils/_wire/reader.py``.
    """

    def __init__(self, root: pathlib.Path) -> None:
        self._plugins = root / "plugins"
        self.files: dict[str, ast.Module] = {
            str(path.relative_to(self._plugins)): ast.parse(path.read_text(encoding="utf-8"), str(path))
            for path in sorted(self._plugins.rglob("*.py"))
        }
        self._names = {
            file: set(_imported_names(tree, COLLECTION + "plugins." + ".".join(file.split("/")[:-1])))
            for file, tree in self.files.items()
        }
        self._direct = {
            file: {found for found in map(self._file_of, names) if found is not None and found != file}
            for file, names in self._names.items()
        }

    def _file_of(self, name: str) -> str | None:
        """Return the file that holds ``name``, which may be a module, a package or something inside one of them."""
        if not name.startswith(COLLECTION + "plugins."):
            return None
        parts = name[len(COLLECTION + "plugins.") :].split(".")
        while parts:
            for candidate in ("/".join(parts) + ".py", "/".join(parts) + "/__init__.py"):
                if candidate in self.files:
                    return candidate
            parts.pop()
        return None

    def names(self, file: str) -> set[str]:
        """Return the full names that ``file`` imports."""
        return self._names[file]

    def direct(self, file: str) -> set[str]:
        """Return the collection's files that ``file`` imports itself."""
        return self._direct[file]

    def payload(self, file: str) -> set[str]:
        """Return all files of the collection that travel with ``file``, the packages they lie in included."""
        seen: set[str] = set()
        waiting = {file}
        while waiting:
            current = waiting.pop()
            seen.add(current)
            waiting |= self.direct(current)
            folders = current.split("/")[:-1]
            packages = {"/".join(folders[:depth]) + "/__init__.py" for depth in range(1, len(folders) + 1)}
            waiting |= packages & self.files.keys()
            waiting -= seen
        return seen


def rooms(files: t.Iterable[str]) -> set[str]:
    """Return the rooms of ``module_utils`` that files lie in: the folder's name, or the file's without its ending."""
    return {file.split("/")[1].removesuffix(".py") for file in files if file.startswith("module_utils/")}


def session_rooms(files: t.Iterable[str]) -> set[str]:
    """Return the rooms within ``_session`` that files lie in; ``""`` for what lies beside them."""
    parts = [file.split("/") for file in files if file.startswith("module_utils/_session/")]
    return {"/".join(part[2:-1]) for part in parts}
