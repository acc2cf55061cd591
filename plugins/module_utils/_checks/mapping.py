# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what is said about the destination's names fit the domain? (pure; private to the collection)"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _mapping
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, listed
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts

# What the caller calls the mapping of a kind, and where xl shows the source's names of it.
OPTIONS: t.Mapping[str, tuple[str, str]] = {
    _mapping.BRIDGE: ("migrate_map_bridges", "bridge of a network card"),
    _mapping.DISK: ("migrate_map_disks", "disk"),
}


def names(case: Case) -> t.Iterator[Finding]:
    """Every name that is mapped can be one, the domain has it, and no two disks become one."""
    wanted = case.request.names
    wrong = list(_mapping.objections(wanted))
    for text in wrong:
        yield case.error("map_invalid", case.request.destination, f"{text}.", _mapping.MappingWrong.remedy)
    if wrong or case.domain is None or case.domain.config is None:
        return
    used = wanted.used_by(case.config)
    for what, (option, words) in OPTIONS.items():
        for name in wanted.of(what):
            if name not in used.of(what):
                yield _unused(case, name, option, words, what)
    for path, disks in collisions(case, wanted, case.config) if wanted.disks else ():
        yield case.error(
            "map_collides",
            case.request.destination,
            f"disks of {case.domain.name} would all be {path}: {listed(disks)}.",
            "Correct migrate_map_disks: each disk has a path of its own, which leads to no other one's there.",
            path=path,
            disks=list(disks),
        )


def collisions(case: Case, wanted: _mapping.Names, config: _mapping.Config) -> t.Iterator[_mapping.Collision]:
    """Yield each path at the destination that several disks would have, whichever of its names they are given."""
    return _mapping.collisions(wanted, config, _alias(case.source), _alias(case.destination))


def _alias(host: HostFacts | None) -> _mapping.Alias:
    disks = host.equipment.disks if host is not None else ()
    numbers = {name: disk.number for disk in disks for name in disk.names}
    return lambda path: numbers.get(path, path)


def _unused(case: Case, name: str, option: str, words: str, what: str) -> Finding:
    group, key = _mapping.FIELDS[what]
    there = sorted({str(item.get(key)) for item in case.config.get(group) or () if item.get(key)})
    return case.error(
        "map_unused",
        case.source_name,
        f"{name!r} is no {words} of {case.creation.get('name') or case.request.domain}; it has: {listed(there)}.",
        f"Correct or leave out this name of {option}; names are those that `xl list -l` shows on {case.source_name}.",
        what=what,
        name=str(name),
        names=there,
    )
