# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a fleet, as a table and sentences for people (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.plugin_utils._columns import columns
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet

_TITLE = ("dom0", "Xen", "domains", "memory free", "of", "told")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
# More domains than that are counted in place of named.
_NAMED = 12


@dataclasses.dataclass(frozen=True)
class Row(Record):
    """What is known of a dom0 in short; memory in MiB. ``trouble`` is why it did not tell when it was last asked.

    ``age_s`` is how old the rest is, null when nothing is known, and then the rest is null as well.
    """

    name: str
    xen: str | None
    domains: int | None
    memory_free_mib: int | None
    memory_mib: int | None
    age_s: float | None
    trouble: str | None


def row_of(dom0: Dom0, now_s: float) -> Row:
    """Return what is known of a dom0 in short."""
    told = dom0.latest
    trouble = f"{dom0.trouble.code}: {dom0.trouble.message}" if dom0.trouble else None
    if told is None:
        return Row(dom0.name, None, None, None, None, None, trouble)
    return Row(
        name=dom0.name,
        xen=told.host.xen.version if told.host.xen else None,
        domains=len(told.domains),
        memory_free_mib=told.host.free_memory_mib,
        memory_mib=told.host.memory_mib,
        age_s=dom0.age_s(now_s),
        trouble=trouble,
    )


def table(rows: t.Iterable[Row]) -> list[str]:
    """Return lines of text, a title first."""
    return columns([_TITLE, *(_cells(row) for row in rows)])


def _cells(row: Row) -> tuple[str, ...]:
    told = age(row.age_s) if row.age_s is not None else "never"
    return (
        row.name,
        row.xen or "-",
        "-" if row.domains is None else str(row.domains),
        _mib(row.memory_free_mib),
        _mib(row.memory_mib),
        f"{told}; now {row.trouble}" if row.trouble else told,
    )


def _mib(amount: int | None) -> str:
    return "-" if amount is None else f"{amount} MiB"


def age(seconds: float) -> str:
    """Return an age for people, such as ``5 min ago``."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def listed(names: t.Collection[str]) -> str:
    """Return names for a sentence; of very many the first."""
    shown = sorted(names)[:_NAMED]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def several_places(fleet: Fleet) -> list[str]:
    """Return a sentence for each domain that more than one dom0 told of."""
    return [
        f"{places[0].domain.name} ({uuid}) is on {listed({place.dom0 for place in places})}: the playbook "
        "dom0.xen.audit says whether it is being moved, or runs twice."
        for uuid, places in fleet.by_uuid.items()
        if len({place.dom0 for place in places}) > 1
    ]
