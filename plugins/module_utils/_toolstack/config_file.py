# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's configuration file, read and made complete so that it makes the same domain (pure; private).

The syntax is that of tools/libs/util/libxlu_cfg_l.l and libxlu_cfg_y.y: what xl refuses, xl is left to refuse.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import (
    CONFIG_ESCAPE,
    CONFIG_TOKEN,
    parse_config_file,
)

# What libxl calls a kind of domain that a file names in the old way (tools/xl/xl_parse.c parse_config_data).
_BUILDERS = {"hvm": "hvm", "generic": "pv", "linux": "pv"}
_PREFIXES = ("phy:", "file:", "tap:aio:", "tap2:aio:", "tap:", "raw:", "aio:")

Config = t.Mapping[str, t.Any]


def parse_lists(text: str) -> dict[str, tuple[str, ...]]:
    """Return the settings whose value is a list of texts; of lists in lists nothing."""
    found: dict[str, tuple[str, ...]] = {}
    before = ["\n", "\n", "\n"]
    key, depth = "", 0
    for token in CONFIG_TOKEN.findall(text):
        if token.startswith("#"):
            continue
        if token == "[":
            depth += 1
            if depth == 1 and before[-1] in ("=", "+=") and before[-3] in "\n;":
                key = before[-2]
                found[key] = found.get(key, ()) if before[-1] == "+=" else ()
        elif token == "]":
            depth = max(0, depth - 1)
            key = key if depth else ""
        elif depth == 1 and key and token not in ",\n":
            found[key] = (*found[key], _plain(token))
        before = [*before[-2:], token]
    return found


def completed(text: str, config: Config, uuid: str, name: str, *, goes_off: bool = True) -> str:
    """Return the text with what makes the domain the same one: its UUID, the ``name``, the cards' addresses.

    With ``goes_off`` one that shuts down is destroyed, whatever the file says.

    A file without them gets others each time. ``config`` is the domain's own (``xl list -l``). Of two settings of one
    key the last counts (tools/libs/util/libxlu_cfg.c xlu__cfg_set_store). Raises ValueError for a name that is none.
    """
    lines = [f"uuid={_quoted(uuid)}", f"name={_quoted(name)}", *(['on_poweroff="destroy"'] if goes_off else [])]
    cards = _with_addresses(parse_lists(text).get("vif", ()), config.get("nics") or ())
    if cards is not None:
        lines.append(f"vif=[{', '.join(map(_quoted, cards))}]")
    return "\n".join([text.rstrip("\n"), "", "# Put in by dom0.xen for a move.", *lines, ""])


def differences(text: str, config: Config) -> tuple[str, ...]:
    """Return in which respects a file describes another domain than the one that runs with ``config``.

    They are type, memory, vcpus, disks, vifs, on_poweroff.
    """
    values, lists = parse_config_file(text), parse_lists(text)
    build = config.get("b_info") or {}
    kind = values.get("type") or _BUILDERS.get(values.get("builder", "generic"), "pv")
    memory = _number(values.get("maxmem")) or _number(values.get("memory"))
    vcpus = _number(values.get("maxvcpus")) or _number(values.get("vcpus")) or 1
    same = {
        "type": kind == ((config.get("c_info") or {}).get("type") or kind),
        "memory": memory is not None and memory * 1024 == build.get("max_memkb", memory * 1024),
        "vcpus": vcpus == build.get("max_vcpus", vcpus),
        "disks": _targets(lists.get("disk", ()))
        == sorted(str(disk["pdev_path"]) for disk in config.get("disks") or () if disk.get("pdev_path")),
        "vifs": _same_cards(lists.get("vif", ()), config.get("nics") or ()),
        "on_poweroff": values.get("on_poweroff", "destroy") == "destroy",
    }
    return tuple(word for word, true in same.items() if not true)


def _with_addresses(given: t.Sequence[str], nics: t.Sequence[Config]) -> list[str] | None:
    """Return the network cards with their addresses, ``None`` when the file has them all.

    One without gets that of the card in its place, or where another one of the file has that, one that none has.
    """
    macs = [str(nic.get("mac") or "") for nic in nics]
    named = [_pairs(card).get("mac") for card in given]
    free = [mac for mac in macs if mac and mac.lower() not in [str(each).lower() for each in named]]
    bare = [place for place, mac in enumerate(named[: len(macs)]) if mac is None]
    put = {place: macs[place] for place in bare if macs[place] in free}
    free = [mac for mac in free if mac not in put.values()]
    put.update(zip([place for place in bare if place not in put], free))
    if not put:
        return None
    return [_with_address(card, put[place]) if place in put else card for place, card in enumerate(given)]


def _with_address(card: str, mac: str) -> str:
    return f"{card.rstrip(', ')},mac={mac}" if card.strip() else f"mac={mac}"


def _same_cards(given: t.Sequence[str], nics: t.Sequence[Config]) -> bool:
    if len(given) != len(nics):
        return False
    for card, nic in zip(given, nics):
        for key, value in _pairs(card).items():
            if key in ("mac", "bridge") and str(nic.get(key, value)).lower() != value.lower():
                return False
    return True


def _pairs(text: str) -> dict[str, str]:
    pieces = (piece.partition("=") for piece in text.split(","))
    return {key.strip().lower(): value.strip() for key, equals, value in pieces if equals}


def _targets(given: t.Sequence[str]) -> list[str]:
    """Return the targets of disks (docs/man/xl-disk-configuration.5.pod), without those that are empty."""
    found = []
    for disk in given:
        first, equals, dummy = disk.partition(",")[0].partition("=")
        # A target that is named takes everything up to the end of the text.
        named = disk.partition("target=")[2].strip()
        target = named if named or equals else first.strip()
        for prefix in _PREFIXES:
            target = target[len(prefix) :] if target.startswith(prefix) else target
        found += [target] if target else []
    return sorted(found)


def _number(text: str | None) -> int | None:
    try:
        return int(text or "", 0)
    except ValueError:
        return None


def _plain(token: str) -> str:
    return CONFIG_ESCAPE.sub(r"\1", token[1:-1]) if token[0] in "\"'" else token


def _quoted(text: str) -> str:
    if any(ord(letter) < 0x20 for letter in text):
        raise ValueError(f"{text!r} cannot be written into a configuration file")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
