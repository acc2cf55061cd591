# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON as libxl prints it with yajl: four spaces, and an empty line in what is empty."""

from __future__ import annotations

import json
import typing as t


def dump(value: t.Any) -> str:
    """Return a value as text, with a newline at the end."""
    return _dump(value, "") + "\n"


def _dump(value: t.Any, indent: str) -> str:
    inner = indent + "    "
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(key)}: {_dump(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _dump(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
