# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the values of a record have the types that it declares (pure; private to the collection).

``Record.from_result`` takes what it is given. For what a person may have edited, or a host has answered, that is not
enough: a text in place of a number would come up far from its cause.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._record import Record

_KNOWN: dict[type[Record], dict[str, t.Any]] = {}


def wrong(record: Record) -> str | None:
    """Return what is wrong with a record in a few words that name the place, None when nothing is."""
    return _wrong_record(record, "")


def _wrong_record(record: Record, place: str) -> str | None:
    for name, kind in _hints(type(record)).items():
        found = _wrong(getattr(record, name), kind, f"{place}.{name}" if place else name)
        if found is not None:
            return found
    return None


def _hints(kind: type[Record]) -> dict[str, t.Any]:
    if kind not in _KNOWN:
        hints = t.get_type_hints(kind)
        _KNOWN[kind] = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    return _KNOWN[kind]


def _wrong(value: t.Any, kind: t.Any, place: str) -> str | None:
    if kind is t.Any:
        return None
    origin, arguments = t.get_origin(kind), t.get_args(kind)
    if origin in (t.Union, types.UnionType):
        found = [_wrong(value, each, place) for each in arguments]
        # What is wrong inside a record tells more than that it is not null.
        return None if None in found else max(found, key=lambda text: len(text or ""))
    if origin is tuple:
        return _wrong_items(value, arguments, place)
    if origin is collections.abc.Mapping:
        return _wrong_mapping(value, arguments, place)
    if isinstance(kind, type) and issubclass(kind, Record):
        return _wrong_record(value, place) if isinstance(value, kind) else f"{place} is no {kind.__name__}"
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return None  # JSON does not tell 1 from 1.0
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return None
    return f"{place} is {_shown(value)}, which is no {kind.__name__}"


def _wrong_items(value: t.Any, arguments: tuple[t.Any, ...], place: str) -> str | None:
    if not isinstance(value, tuple):
        return f"{place} is {_shown(value)}, which is no list"
    found = (_wrong(item, arguments[0], f"{place}[{number}]") for number, item in enumerate(value))
    return next((text for text in found if text is not None), None)


def _wrong_mapping(value: t.Any, arguments: tuple[t.Any, ...], place: str) -> str | None:
    if not isinstance(value, collections.abc.Mapping):
        return f"{place} is {_shown(value)}, which is no mapping"
    found = (_wrong(item, arguments[1], f"{place}.{key}") for key, item in value.items())
    return next((text for text in found if text is not None), None)


def _shown(value: t.Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."
