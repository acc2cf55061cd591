# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes inside a JSON document, which changes of bytes rarely reach: most of those only make it unreadable."""

from __future__ import annotations

import json
import random
import typing as t

VALUES: t.Sequence[t.Any] = (
    *(None, True, False, 0, -1, 1, 255, 256, 1 << 31, 1 << 64, -(1 << 64), 10**400),
    *(0.0, -0.0, 1.5, 1e308, -1e308, float("inf"), float("-inf")),
    *("", "x", "\x00", "\x1b[31m", "\ud800", "\U0010ffff", "x" * 300, "source", "gate", "ended", "running"),
    *([], {}, [[]], [None], {"": None}, {"uuid": 1}, [[[[[[[[]]]]]]]]),
)


def mutate(data: bytes, skip: int, seed: int, longest: int) -> bytes | None:
    """Return ``data`` with one value of its JSON changed, or None where it holds none.

    The first ``skip`` bytes are kept as they are; what follows the document's first line too.
    """
    head, body = data[:skip], data[skip:]
    line, newline, rest = body.partition(b"\n") if not body.startswith(b"{\n") else (body, b"", b"")
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, (dict, list)) or not document:
        return None
    chance = random.Random(seed)
    holder: t.Any = document
    key = _key(holder, chance)
    while isinstance(holder[key], (dict, list)) and holder[key] and chance.random() < 0.7:
        holder = holder[key]
        key = _key(holder, chance)
    what = chance.random()
    if what < 0.7:
        holder[key] = chance.choice(VALUES)
    elif what < 0.8:
        del holder[key]
    elif what < 0.9:
        holder[key] = {"a": holder[key]} if chance.random() < 0.5 else [holder[key]]
    elif isinstance(holder, dict):
        holder[chance.choice([*holder, "x"])] = chance.choice(list(holder.values()))
    else:
        holder.append(chance.choice(VALUES))
    try:
        text = json.dumps(document).replace("Infinity", "1e999").encode()
    except (ValueError, RecursionError):
        return None
    made = head + text + newline + rest
    return made if len(made) <= longest else None


def _key(holder: t.Any, chance: random.Random) -> t.Any:
    return chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
