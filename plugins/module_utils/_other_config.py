# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another configuration for a domain that runs: what must not be another one in it, and what is (pure; private).

Both are in libxl's form: what ``xl list -l`` says of the domain, and what ``xl create -n`` makes of a file.
"""

from __future__ import annotations

import typing as t

Config = t.Mapping[str, t.Any]

MOST = 64
"""How many differences are told."""
_SHOWN_MAX = 200

# What the guest has in its memory: what xl.cfg calls it, where libxl has it, and what it is where nothing is said.
_MACHINE: t.Sequence[tuple[str, str, str, t.Any]] = (
    ("type", "c_info", "type", "pv"),
    ("maxvcpus", "b_info", "max_vcpus", 1),
    ("maxmem in KiB", "b_info", "max_memkb", None),
    ("videoram in KiB", "b_info", "video_memkb", None),
)
# By which the guest knows a device, and what of it the guest has seen; in a drive it may have had another medium.
_DEVICES: t.Sequence[tuple[str, str, str, t.Sequence[str]]] = (
    ("disk", "disks", "vdev", ("format", "readwrite", "is_cdrom", "removable")),
    ("vif", "nics", "mac", ()),
)
_MEDIUM = ("format",)
# A number of the source's, which the destination does not get (tools/xl/xl_saverestore.c save_domain_core_begin).
_NOT_SENT = ("c_info.domid",)
_LABELS = ("vdev", "mac", "devid")
# Of a domain that runs libxl has on record what it has worked out itself too, with autoballoon all of that
# (libxl_mem.c libxl_domain_need_memory). So what a file does not say is no difference, but for what nobody works out.
_SAID = (
    *("on_", "c_info.pool_name", "c_info.ssid_label", "b_info.cpuid", "b_info.vcpu_hard_affinity", "b_info.extra"),
    *("b_info.vcpu_soft_affinity", "b_info.kernel", "b_info.cmdline", "b_info.ramdisk", "b_info.bootloader"),
)


class Change(t.NamedTuple):
    """What is another one: its name, as the domain runs, and as the file has it."""

    what: str
    source: t.Any
    destination: t.Any


def machine(running: Config, other: Config) -> tuple[Change, ...]:
    """Return what would be another machine for the guest, which goes on with the one that it has in its memory."""
    found = []
    for word, section, key, otherwise in _MACHINE:
        here, there = ((config.get(section) or {}).get(key, otherwise) for config in (running, other))
        if here != there and None not in (here, there):
            found.append(Change(word, here, there))
    here, there = ((config.get("b_info") or {}).get("target_memkb") for config in (running, other))
    if isinstance(here, int) and isinstance(there, int) and there < here:
        # The destination gives it no more, and cannot take all its pages (libxl_dom.c libxl__build_pre).
        found.append(Change("memory in KiB", here, there))
    return tuple(found)


def devices(running: Config, other: Config) -> tuple[Change, ...]:
    """Return which devices would be others for the guest, which is connected to those that it has."""
    found = []
    for word, group, key, seen in _DEVICES:
        here, there = (_devices(config, group, key, seen) for config in (running, other))
        for name in dict.fromkeys((*here, *there)):
            if here.get(name) != there.get(name):
                found.append(Change(f"{word} {name}", here.get(name, "none"), there.get(name, "none")))
    return tuple(found)


def paths(running: Config, other: Config) -> dict[str, str]:
    """Return the paths of disks that are others in the file, by those of the domain that runs."""
    here = _paths(running)
    found = ((here.get(disk.get("vdev")), disk.get("pdev_path")) for disk in _items(other, "disks") if not _drive(disk))
    return {old: new for old, new in found if old and new and old != new}


def disks(running: Config, other: Config) -> list[dict[str, t.Any]]:
    """Return the disks that the file gives the domain, under the paths that they have where it runs.

    What it does not have there, and the medium in a drive, which may be another one, are under those of the file.
    """
    here = _paths(running)
    return [{**disk, "pdev_path": _here(disk, here) or disk.get("pdev_path")} for disk in _items(other, "disks")]


def _here(disk: Config, paths_here: t.Mapping[t.Any, str]) -> str | None:
    return paths_here.get(disk.get("vdev")) if disk.get("pdev_path") and not _drive(disk) else None


def _paths(config: Config) -> dict[t.Any, str]:
    return {disk.get("vdev"): str(disk["pdev_path"]) for disk in _items(config, "disks") if disk.get("pdev_path")}


def _drive(disk: Config) -> bool:
    return bool(disk.get("is_cdrom") or disk.get("removable"))


def differences(running: Config, other: Config) -> tuple[Change, ...]:
    """Return what the file says in another way, or leaves out though nobody else knows it; at most :data:`MOST`."""
    here, there = dict(_values(running, "")), dict(_values(other, ""))
    names = (*there, *(name for name in here if name not in there and name.startswith(_SAID)))
    changes = (Change(name, _shown(here.get(name)), _shown(there.get(name))) for name in names if name not in _NOT_SENT)
    return tuple(change for change in changes if change.source != change.destination)[:MOST]


def sentence(changes: t.Iterable[t.Mapping[str, t.Any] | Change]) -> str:
    """Return a part of a sentence that tells changes."""
    told = (change._asdict() if isinstance(change, Change) else change for change in changes)
    return ", ".join(f"{one['what']} is {_word(one['destination'])}, not {_word(one['source'])}" for one in told)


def _devices(config: Config, group: str, key: str, seen: t.Sequence[str]) -> dict[str, str]:
    found = {}
    for item in _items(config, group):
        name = str(item.get(key) or "without a name").lower()
        kept = [what for what in seen if item.get(what) not in (None, "") and not (_drive(item) and what in _MEDIUM)]
        found[name] = ", ".join(f"{what}={item[what]}" for what in kept) or "there"
    return found


def _items(config: Config, group: str) -> t.Iterator[Config]:
    return (item for item in config.get(group) or () if isinstance(item, dict))


def _values(value: t.Any, name: str) -> t.Iterator[tuple[str, t.Any]]:
    """Yield each value with the names that lead to it; a list of plain values is one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _values(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            labels = (item.get(label) for label in _LABELS) if isinstance(item, dict) else ()
            label = next((label for label in labels if label not in (None, "")), number)
            yield from _values(item, f"{name}[{label}]")
    else:
        yield name, value


def _shown(value: t.Any) -> t.Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return (value if isinstance(value, str) else str(list(value)))[:_SHOWN_MAX]


def _word(value: t.Any) -> str:
    return "not given" if value is None else str(value)
