# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the domain on another dom0 of the inventory, a migration at work on it, or was it restored there? (pure; private)

Judged from what ``host_info`` returned there.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    ERROR,
    NO_FACTS,
    NOT_IN_INVENTORY,
    UNREACHABLE,
    WARNING,
    Finding,
    listed,
)
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, HostFacts, SessionSeen
from ansible_collections.dom0.xen.plugins.module_utils._restoring import again, sessions
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import Manifest
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import Mark

ELSEWHERE = "domain_elsewhere"
NOT_ASKED = "host_not_asked"
SWITCHED_OFF = "host_switched_off"

Info = t.Mapping[str, t.Any]
# What is needed of a host's facts; the rest would only travel to the host for nothing.
_NEEDED = ("hostname", "boot_id", "domains", "restored")


def condensed(answers: t.Mapping[str, Info]) -> dict[str, dict[str, t.Any]]:
    """Return of what ``host_info`` returned for each host only what :func:`findings` reads."""
    return {name: _condensed(info) for name, info in answers.items()}


def _condensed(info: Info) -> dict[str, t.Any]:
    host = info.get("host")
    if not host:
        return {key: info[key] for key in ("unreachable", "msg") if key in info}
    left = [session.to_result() for session in sessions.without_end(_sessions(host))]
    return {"host": {**{key: host[key] for key in _NEEDED if key in host}, "sessions": left}}


def _sessions(host: Info) -> list[SessionSeen]:
    return [SessionSeen.from_result(session) for session in host.get("sessions") or ()]


def findings(
    answers: t.Mapping[str, Info],
    inventory: t.Sequence[str],
    switched_off: t.Collection[str],
    here: HostFacts,
    manifest: Manifest,
    mark: Mark | None,
) -> t.Iterator[Finding]:
    """Yield where the domain is, or may be, or may come back, or was restored from this image; of ``here`` only the
    sessions and restores, under whichever name.

    ``inventory`` names all dom0s. Of those ``switched_off`` somebody says that nothing runs there. ``mark`` is the
    record beside the image, which is judged by itself.
    """
    for name in switched_off:
        if name not in inventory:
            text = f"{name}, which is said to be switched off, is not among the dom0s of the inventory:"
            yield Finding(
                NOT_IN_INVENTORY,
                ERROR,
                name,
                f"{text} {listed(inventory)}.",
                "Give it the name that the inventory gives it.",
            )
    yield from sessions.findings(here.hostname, here.sessions, manifest.uuid)
    yield from again.told_by(here.hostname, here.restored, manifest, mark)
    for name in dict.fromkeys([*inventory, *answers]):
        info = answers.get(name)
        yield from _host(name, info, name in switched_off, here, manifest.uuid)
        if not _same(info, here):
            yield from again.told_by(name, _facts(info).get("restored") or (), manifest, mark)


def _facts(info: Info | None) -> Info:
    return (info or {}).get("host") or {}


def _same(info: Info | None, here: HostFacts) -> bool:
    facts = _facts(info)
    return (facts.get("boot_id"), facts.get("hostname")) == (here.boot_id, here.hostname)


def _host(name: str, info: Info | None, off: bool, here: HostFacts, uuid: str) -> t.Iterator[Finding]:
    facts = _facts(info)
    rows = [DomainRow.from_result(row) for row in facts.get("domains") or ()]
    if not rows:
        yield _off(name) if off else _silent(name, info)
        return
    if _same(info, here):
        return
    yield from sessions.findings(name, _sessions(facts), uuid)
    for row in rows:
        if row.uuid == uuid and not row.state.dying:
            state = row.state.word.replace("_", " ")
            yield Finding(
                ELSEWHERE,
                ERROR,
                name,
                f"{row.name} is on {name} (domid {row.domid}, {state}): restored beside it, it would be there twice, on"
                " the same disks.",
                f"If it serves its users on {name}, nothing is to be restored. To go back to the image, end it there"
                f" first: on {name}, xl shutdown -w {row.domid}, or xl destroy {row.domid}. If it has run there since"
                " the save, put its disks back to that moment too.",
                {"host": name, "domid": row.domid, "name": row.name, "state": row.state.word},
            )


def _off(name: str) -> Finding:
    text = f"{name} could not be asked; it is said to be switched off."
    return Finding(SWITCHED_OFF, WARNING, name, text, "See to it that it stays off, or has not got the domain's disks.")


def _silent(name: str, info: Info | None) -> Finding:
    said = str((info or {}).get("msg") or "").strip().rstrip(".")
    why = f" ({said})" if said else ""
    remedy = (
        f"See that `{_commands.module(name, 'dom0.xen.host_info')}` succeeds. Where it is known that the host has no"
        f" power, name it in switched_off (-e restore_switched_off={name})."
    )
    if info is None:
        return Finding(NOT_ASKED, ERROR, name, f"{name} was not asked; the domain may run there.", remedy)
    if info.get("unreachable"):
        return Finding(UNREACHABLE, ERROR, name, f"{name} does not answer{why}; the domain may run there.", remedy)
    return Finding(NO_FACTS, ERROR, name, f"{name} does not tell its domains{why}; it may run there.", remedy)
