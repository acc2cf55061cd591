# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ip -json`` as far as facts about bridges and addresses need it."""

from __future__ import annotations

import json
import os
import sys
import typing as t

from .paths import HostPaths
from .settings import Settings

_NAMES = {"a": "address", "addr": "address", "address": "address", "l": "link", "link": "link"}


def answer(arguments: list[str], settings: Settings) -> list[dict[str, t.Any]] | None:
    """Return what ``ip -json`` prints; None for what the double does not know."""
    words = [word for word in arguments if not word.startswith("-")]
    if not any(word in ("-j", "-json") for word in arguments) or not words or words[0] not in _NAMES:
        return None
    rest = [word for word in words[1:] if word not in ("show", "list", "ls")]
    links = [_link(1, "lo", None), _link(2, "eth0", None)]
    links += [{**_link(3 + at, name, "bridge"), "mtu": settings.bridge_mtu} for at, name in enumerate(settings.bridges)]
    if rest[:1] == ["type"]:
        links = [link for link in links if link.get("linkinfo", {}).get("info_kind") == rest[1]]
    elif rest[:1] == ["dev"] or rest:
        links = [link for link in links if link["ifname"] == rest[-1]]
    if _NAMES[words[0]] == "address":
        return [{**link, "addr_info": _addresses(link["ifname"], settings)} for link in links]
    return links


def _link(number: int, name: str, kind: str | None) -> dict[str, t.Any]:
    link: dict[str, t.Any] = {
        "ifindex": number,
        "ifname": name,
        "flags": ["LOOPBACK", "UP", "LOWER_UP"] if name == "lo" else ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
        "mtu": 65536 if name == "lo" else 1500,
        "qdisc": "noqueue",
        "operstate": "UNKNOWN" if name == "lo" else "UP",
        "link_type": "loopback" if name == "lo" else "ether",
        "address": "00:00:00:00:00:00" if name == "lo" else f"52:54:00:00:00:{number:02x}",
    }
    if kind:
        link["linkinfo"] = {"info_kind": kind}
    return link


def _addresses(name: str, settings: Settings) -> list[dict[str, t.Any]]:
    found = []
    for interface, address in settings.addresses:
        if interface == name:
            local, dummy, length = address.partition("/")
            family = "inet6" if ":" in local else "inet"
            scope = "host" if name == "lo" else "global"
            found.append({"family": family, "local": local, "prefixlen": int(length or 32), "scope": scope})
    return found


def main() -> None:
    """Answer one command."""
    found = answer(sys.argv[1:], Settings.load(HostPaths.from_environment().settings))
    if found is None:
        os.write(2, f"the double of ip does not know this command: {' '.join(sys.argv[1:])}\n".encode())
        sys.exit(99)
    print(json.dumps(found))
