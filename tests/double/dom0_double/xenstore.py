# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xenstore-read``, ``-write``, ``-list``, ``-ls``, ``-rm``, ``-exists`` for people and tests."""

from __future__ import annotations

import sys
import typing as t

from .paths import HostPaths
from .xl.store_client import StoreClient, StoreRefused


def _walk(store: StoreClient, path: str) -> t.Iterator[tuple[str, str]]:
    for name in store.directory(path):
        below = f"{path.rstrip('/')}/{name}"
        yield below, store.read(below) or ""
        yield from _walk(store, below)


def main() -> None:
    """Run one command; its name is the first argument."""
    command, *arguments = sys.argv[1:]
    paths = [argument for argument in arguments if not argument.startswith("-")]
    store = StoreClient(HostPaths.from_environment().store_socket)
    try:
        if command == "read":
            for path in paths:
                value = store.read(path)
                if value is None:
                    sys.exit(f"xenstore-read: couldn't read path {path}")
                print(value)
        elif command == "write":
            for path, value in zip(paths[::2], arguments[arguments.index(paths[0]) + 1 :: 2], strict=False):
                store.write(path, value)
        elif command == "list":
            for path in paths:
                print("\n".join(store.directory(path)))
        elif command == "ls":
            for path, value in _walk(store, paths[0] if paths else "/"):
                print(f'{path} = "{value}"')
        elif command == "rm":
            for path in paths:
                store.remove(path)
        elif command == "exists":
            sys.exit(0 if all(store.read(path) is not None for path in paths) else 1)
    except StoreRefused as exc:
        sys.exit(f"xenstore-{command}: {exc}")
