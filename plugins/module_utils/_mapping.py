# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the destination calls by another name than the source: bridges and disks (pure; private to the collection).

It travels as a list of entries: ``what`` (``bridge`` or ``disk``), ``from`` (the source's name), ``to`` (the
destination's).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError

BRIDGE, DISK = "bridge", "disk"
KINDS = (BRIDGE, DISK)

MOST = 64
"""How many names of a kind may be mapped."""
PATH_MAX = 1024
"""Longest path of a disk, in characters."""

# Which list of libxl's domain_config has the name, and in which field of its items.
FIELDS: t.Mapping[str, tuple[str, str]] = {BRIDGE: ("nics", "bridge"), DISK: ("disks", "pdev_path")}

# What a network interface may be called (net/core/dev.c dev_valid_name); behind it the VLAN and trunks that
# vif-openvswitch reads from it.
_BRIDGE = re.compile(r"(?!\.{1,2}(?:[.:]|$))[^\s/:\x00-\x20\x7f\ud800-\udfff]{1,15}(?:\.\d{1,4})?(?::\d{1,4})*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

Entry = t.Dict[str, str]
Config = t.Mapping[str, t.Any]
Alias = t.Callable[[str], str]
Collision = t.Tuple[str, t.Tuple[str, ...]]


class MappingWrong(Dom0XenError):
    """A mapping holds what cannot be a bridge or a disk."""

    code = "map_invalid"
    remedy = (
        "Give names of bridges as xl has them (at most 15 characters, and what vif-openvswitch reads behind them), and"
        " absolute paths of disks."
    )


@dataclass(frozen=True)
class Names:
    """The destination's names by the source's."""

    bridges: t.Mapping[str, str] = field(default_factory=dict)
    disks: t.Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything has another name."""
        return bool(self.bridges or self.disks)

    def of(self, what: str) -> t.Mapping[str, str]:
        """Return the names of one kind."""
        return self.bridges if what == BRIDGE else self.disks

    def entries(self) -> tuple[Entry, ...]:
        """Return them as they travel."""
        return tuple({"what": what, "from": old, "to": new} for what in KINDS for old, new in self.of(what).items())

    def used_by(self, config: Config) -> Names:
        """Return those that a configuration has."""
        had = {what: set(_names(config, what)) for what in KINDS}
        kept = {what: {old: new for old, new in self.of(what).items() if old in had[what]} for what in KINDS}
        return Names(kept[BRIDGE], kept[DISK])

    def applied(self, config: Config) -> dict[str, t.Any]:
        """Return a configuration as the destination is to have it; what was given is not changed."""
        there = dict(config)
        for what, (group, key) in FIELDS.items():
            if self.of(what) and isinstance(config.get(group), (list, tuple)):
                there[group] = [self._renamed(item, key, self.of(what)) for item in config[group]]
        return there

    @staticmethod
    def _renamed(item: t.Any, key: str, names: t.Mapping[str, str]) -> t.Any:
        name = item.get(key) if isinstance(item, dict) else None
        return {**item, key: names[name]} if isinstance(name, str) and name in names else item


def of_entries(entries: t.Iterable[t.Mapping[str, str]]) -> Names:
    """Return the names in a list of entries. Raises :class:`MappingWrong`."""
    found: dict[str, dict[str, str]] = {what: {} for what in KINDS}
    for entry in entries:
        kind = found.get(str(entry.get("what")))
        if kind is None or str(entry.get("from")) in kind:
            raise MappingWrong(f"{entry.get('from')!r} is mapped twice, or as something that cannot be mapped")
        kind[str(entry.get("from"))] = str(entry.get("to"))
    names = Names(found[BRIDGE], found[DISK])
    for text in objections(names):
        raise MappingWrong(text)
    return names


def objections(names: Names) -> t.Iterator[str]:
    """Say what is no name of a bridge or a disk, or is too much; in the order of the names."""
    for what in KINDS:
        wanted = names.of(what)
        if len(wanted) > MOST:
            yield f"{len(wanted)} names are mapped as a {what}, at most {MOST} can be"
        for old, new in wanted.items():
            for name in (old, new):
                if not _fits(what, name):
                    yield f"{str(name)[:80]!r} is no {'name of a bridge' if what == BRIDGE else 'absolute path'}"


def _fits(what: str, name: t.Any) -> bool:
    if not isinstance(name, str):
        return False
    if what == BRIDGE:
        return _BRIDGE.fullmatch(name) is not None
    return name.startswith("/") and len(name) <= PATH_MAX and _UNPRINTABLE.search(name) is None


def _names(config: Config, what: str) -> t.Iterator[str]:
    group, key = FIELDS[what]
    for item in config.get(group) or ():
        if isinstance(item, dict) and isinstance(item.get(key), str):
            yield item[key]


def _itself(path: str) -> str:
    return path


def collisions(names: Names, config: Config, here: Alias = _itself, there: Alias = _itself) -> t.Iterator[Collision]:
    """Yield each path that disks with different ones would get, and which those are.

    ``here`` and ``there`` return what two paths of one and the same disk have in common on each host.
    """
    before: dict[str, dict[str, str]] = {}
    called: dict[str, str] = {}
    for old in _names(config, DISK):
        new = names.disks.get(old, old)
        called.setdefault(there(new), new)
        before.setdefault(there(new), {}).setdefault(here(old), old)
    for disk, paths in before.items():
        if len(paths) > 1:
            yield called[disk], tuple(sorted(paths.values()))


def sentence(entries: t.Sequence[t.Mapping[str, str]]) -> str:
    """Return a part of a sentence that tells the mapping; empty without one."""
    return ", ".join(f"the {entry['what']} {entry['from']} is {entry['to']}" for entry in entries)
