# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration in a stream, made fit to be shown: bounded, sound JSON, and without its secrets. Pure."""

from __future__ import annotations

import json
import math
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.masking import mask
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import BadConfig, ConfigTooLong

LENGTH_MAX = 128 << 10
"""Longest configuration that is read, in bytes; objects take many times as much. Real ones have a few KiB."""
DEPTH_MAX = 32
"""Real ones have a depth of six or so."""
_INTEGER_MAX = 1 << 64


def shown(text: bytes, position: int) -> dict[str, t.Any]:
    """Return the configuration without its secrets. Raises BadConfig or ConfigTooLong."""
    if len(text) > LENGTH_MAX:
        raise ConfigTooLong(f"the configuration has {len(text)} bytes, more than {LENGTH_MAX}", position=position)
    try:
        parsed = tidy(json.loads(text.decode("utf-8")))
    except (ValueError, RecursionError) as exc:
        raise BadConfig(f"the configuration is not sound JSON: {exc}", position=position) from exc
    if not isinstance(parsed, dict):
        raise BadConfig("the configuration is not a JSON object", position=position)
    found: dict[str, t.Any] = mask(parsed)
    return found


def tidy(value: t.Any, depth: int = 0) -> t.Any:
    """Return a value of JSON that every reader of JSON understands.

    Raises ValueError when it is nested too deeply, or has numbers that are larger than any in libxl.
    """
    if depth > DEPTH_MAX:
        raise ValueError(f"it is nested more than {DEPTH_MAX} deep")
    if isinstance(value, dict):
        return {tidy(key): tidy(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [tidy(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")  # one half of a surrogate pair is no text
    if isinstance(value, (int, float)) and (abs(value) > _INTEGER_MAX or math.isnan(value)):
        raise ValueError("it has a number out of all bounds")
    return value
