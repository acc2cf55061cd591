# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a record travels between a dom0 and the controller (private to the collection).

``to_result()`` gives plain dicts and lists as Ansible carries them, ``from_result()`` is the way back.
Keys that a newer version of the collection added on the other side are ignored on the way back.
"""

from __future__ import annotations

import dataclasses
import typing as t

Result = t.Dict[str, t.Any]
R = t.TypeVar("R", bound="Record")


@dataclasses.dataclass(frozen=True)
class Record:
    """A frozen dataclass that becomes a module result and comes back from one; RECORDS names the fields that nest."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {}

    def to_result(self) -> Result:
        """Return the record as dicts, lists and plain values."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_result(cls: type[R], result: t.Mapping[str, t.Any]) -> R:
        """Return the record that ``to_result`` had made this of; raises TypeError when a value is missing."""
        values = {}
        for field in dataclasses.fields(cls):
            if field.name in result:
                values[field.name] = _record(cls.RECORDS.get(field.name), result[field.name])
        return cls(**values)


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, Record):
        return value.to_result()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def _record(kind: t.Any, value: t.Any) -> t.Any:
    if isinstance(value, (list, tuple)):
        return tuple(_record(kind, item) for item in value)
    if kind is not None and value is not None:
        return kind.from_result(value)
    return value
