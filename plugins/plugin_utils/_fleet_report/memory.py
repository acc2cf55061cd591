# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of hosts before and after a run, and how far their clocks are off (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import Host, Memory
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.taking import (
    Document,
    document,
    documents,
    moment,
    text,
    whole,
)

Infos = t.Mapping[str, t.Any]


def hosts(before: Infos, after: Infos) -> tuple[Host, ...]:
    """Return the hosts, by name, from what ``host_info`` returned for each before and after the run."""
    return tuple(_host(name, before, after) for name in sorted({*before, *after}))


def offsets(*looks: Infos) -> dict[str, float]:
    """Return by how many seconds each host's clock is ahead of the controller's, from the first look that tells.

    Where it is not further off than the look took, it is taken to be right.
    """
    ahead: dict[str, float] = {}
    for look in looks:
        for host, info in look.items():
            facts = document(document(info).get("host"))
            clock, asked, answered = (moment(facts.get(key)) for key in ("clock_s", "asked_s", "answered_s"))
            if clock is not None and asked is not None and answered is not None:
                right = asked <= clock <= answered
                ahead.setdefault(host, 0.0 if right else clock - (asked + answered) / 2)
    return ahead


def earliest(*looks: Infos) -> float | None:
    """Return when the first host was asked, by the controller's clock, null where nobody has told."""
    facts = [document(document(info).get("host")) for look in looks for info in look.values()]
    return min((at for each in facts if (at := moment(each.get("asked_s"))) is not None), default=None)


def _host(host: str, before: Infos, after: Infos) -> Host:
    looks = [document(look.get(host)) for look in (before, after)]
    told = [_memory(look) for look in looks]
    troubles = [
        f"{when}: {text(look.get('msg')) or 'it told no memory'}"
        for when, look, memory in zip(("before", "after"), looks, told, strict=True)
        if look and memory is None and not look.get("skipped")
    ]
    return Host(text(host), told[0], told[1], "; ".join(troubles))


def _memory(info: Document) -> Memory | None:
    facts = document(info.get("host"))
    total, free = whole(facts.get("memory_mib")), whole(facts.get("free_memory_mib"))
    if total is None or free is None:
        return None
    sizes = [whole(row.get("memory_mib")) or 0 for row in documents(facts.get("domains")) if row.get("domid")]
    return Memory(total, free, whole(facts.get("dom0_memory_mib")) or 0, sum(sizes), len(sizes))
