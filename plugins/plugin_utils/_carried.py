# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told about the interfaces that have carried a move (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._progress import mib

Document = t.Mapping[str, t.Any]

_LOOK = "Look at the routes of this host: ip route get %s from %s, ip rule."


def over(path: Document) -> str:
    """Return the interfaces that are proven to have carried the bytes, for a sentence; empty where they are not."""
    sides = [path.get(role) or {} for role in ("source", "destination")]
    names = [_names(side) for side in sides]
    if not all(names) or not all(side.get("shown") for side in sides):
        return ""
    return f"over {names[0]}" if names[0] == names[1] else f"from {names[0]} to {names[1]}"


def remarks(side: Document | None, role: str, host: str) -> list[dict[str, t.Any]]:
    """Return what a person should know of one side's: other interfaces than planned, bytes that were not counted."""
    if not side:
        return []
    found, planned = [], side.get("planned_interface")
    for way in side["connections"]:
        if planned and way["interface"] != planned:
            other = way["interface"] or "no interface that is known"
            msg = (
                f"the connection from {way['local']} to {way['peer']} was one of {other}, not of {planned} as planned."
            )
            found.append(_remark("path_other_interface", host, msg, _LOOK % (way["peer"], way["local"])))
    if side.get("shown") is False:
        found.append(_not_counted(side, role, host))
    return found


def _not_counted(side: Document, role: str, host: str) -> dict[str, t.Any]:
    key, verb = ("tx_bytes", "sent") if role == "source" else ("rx_bytes", "received")
    way, counters = side["connections"][0], side["counters"]
    own = {each["interface"] for each in side["connections"]}
    counted = sum(figures[key] for name, figures in counters.items() if name in own)
    others = [name for name in counters if name not in own]
    as_much = f"; as much was {verb} by: {', '.join(others)}" if others else ""
    msg = (
        f"{_names(side)} has {verb} {mib(counted)}, less than the {mib(side['bytes'])} of the move: they took another"
        f" way{as_much}."
    )
    return _remark("path_not_counted", host, msg, _LOOK % (way["peer"], way["local"]))


def _names(side: Document) -> str:
    return ", ".join(dict.fromkeys(str(way["interface"]) for way in side.get("connections") or () if way["interface"]))


def _remark(code: str, host: str, msg: str, remedy: str) -> dict[str, t.Any]:
    return {"code": code, "host": host, "msg": msg, "remedy": remedy}
