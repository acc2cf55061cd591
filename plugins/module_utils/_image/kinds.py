# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting the records of a stream by type. Pure."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._image.description import RecordKind

KINDS_MAX = 64
"""How many types are told apart; Xen has 25. A stream can name any number of optional ones."""
OTHERS = "others"


class Kinds:
    """Types of records in the order in which they first came, with how many there were and their bytes."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int | None], tuple[str, int, int]] = {}

    def add(self, layer: str, name: str, kind: int, size: int) -> None:
        """Count one record of ``size`` bytes, its frame included."""
        key: tuple[str, int | None] = (layer, kind)
        if key not in self._seen and len(self._seen) >= KINDS_MAX:
            key, name = (layer, None), OTHERS
        known = self._seen.get(key, (name, 0, 0))
        self._seen[key] = (known[0], known[1] + 1, known[2] + size)

    def seen(self) -> tuple[RecordKind, ...]:
        """Return them."""
        return tuple(
            RecordKind(layer=layer, name=name, type=kind, count=count, bytes=size)
            for (layer, kind), (name, count, size) in self._seen.items()
        )
