# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XenStore's tree of nodes, and transactions over it that notice conflicts."""

from __future__ import annotations

import dataclasses
import typing as t


class StoreError(Exception):
    """A request that XenStore answers with the name of an error, such as ``ENOENT``."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclasses.dataclass(frozen=True)
class Node:
    """One node. Generations grow with every change of value, permissions or list of children."""

    value: bytes
    permissions: tuple[bytes, ...]
    generation: int
    children: tuple[bytes, ...] = ()


def parent_of(path: bytes) -> bytes:
    """Return the path above; the root is its own parent."""
    return path.rsplit(b"/", 1)[0] or b"/"


def is_below(path: bytes, above: bytes) -> bool:
    """Tell whether a path is another one or lies below it."""
    return path == above or path.startswith(above.rstrip(b"/") + b"/")


class Tree:
    """All nodes by absolute path, and the operations xenstored offers on them."""

    def __init__(self, nodes: dict[bytes, Node] | None = None, generation: int = 0) -> None:
        self._generation = generation
        self.nodes = nodes if nodes is not None else {b"/": Node(b"", (b"n0",), 0)}

    def copy(self) -> Tree:
        """Return a copy that can be changed by itself."""
        return Tree(dict(self.nodes), self._generation)

    def _next(self) -> int:
        self._generation += 1
        return self._generation

    def get(self, path: bytes) -> Node:
        """Return a node; ENOENT where there is none."""
        try:
            return self.nodes[path]
        except KeyError:
            raise StoreError("ENOENT") from None

    def read(self, path: bytes) -> bytes:
        """Return a node's value."""
        return self.get(path).value

    def mkdir(self, path: bytes) -> bool:
        """Make a node and those above it, with the permissions of the nearest one above; tell whether it was new."""
        if path in self.nodes:
            return False
        above = parent_of(path)
        self.mkdir(above)
        node = self.nodes[above]
        name = path[len(above.rstrip(b"/")) + 1 :]
        self.nodes[above] = dataclasses.replace(node, children=(*node.children, name), generation=self._next())
        self.nodes[path] = Node(b"", node.permissions, self._next())
        return True

    def write(self, path: bytes, value: bytes) -> None:
        """Set a node's value, making it and those above it where missing."""
        self.mkdir(path)
        self.nodes[path] = dataclasses.replace(self.nodes[path], value=value, generation=self._next())

    def remove(self, path: bytes) -> bool:
        """Remove a node with all below it. A missing node below an existing one is no error; tells what happened."""
        if path == b"/":
            raise StoreError("EINVAL")
        above = parent_of(path)
        if path not in self.nodes:
            if above in self.nodes:
                return False
            raise StoreError("ENOENT")
        for gone in [p for p in self.nodes if is_below(p, path)]:
            del self.nodes[gone]
        node = self.nodes[above]
        name = path.rsplit(b"/", 1)[1]
        children = tuple(child for child in node.children if child != name)
        self.nodes[above] = dataclasses.replace(node, children=children, generation=self._next())
        return True

    def set_permissions(self, path: bytes, permissions: tuple[bytes, ...]) -> None:
        """Replace a node's permissions."""
        node = self.get(path)
        self.nodes[path] = dataclasses.replace(node, permissions=permissions, generation=self._next())

    def generation(self, path: bytes) -> int | None:
        """Return a node's generation, None where there is no node."""
        node = self.nodes.get(path)
        return node.generation if node else None


class Transaction:
    """A private copy of the tree, the generations of what it looked at, and the changes to replay at its end."""

    def __init__(self, base: Tree) -> None:
        self.tree = base.copy()
        self._base = base
        self._seen: dict[bytes, int | None] = {}
        self.changes: list[tuple[str, bytes, tuple[t.Any, ...]]] = []

    def look(self, path: bytes) -> None:
        """Note that the transaction depends on a node."""
        self._seen.setdefault(path, self._base.generation(path))

    def change(self, operation: str, path: bytes, *arguments: t.Any) -> None:
        """Change the private copy, and remember the change."""
        self.look(path)
        getattr(self.tree, operation)(path, *arguments)
        self.changes.append((operation, path, arguments))

    def conflicts(self) -> bool:
        """Tell whether a node the transaction looked at has changed in the meantime."""
        return any(self._base.generation(path) != generation for path, generation in self._seen.items())
