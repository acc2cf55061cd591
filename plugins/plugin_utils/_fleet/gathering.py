# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``fleet_info`` returned for a dom0, also when it failed, as a record (pure; private)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands as commands
from ansible_collections.dom0.xen.plugins.module_utils._records import Problem
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.document import record_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import DocumentInvalid
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import (
    NO_DOMAINS,
    NO_FACTS,
    UNREACHABLE,
    Dom0,
    Fleet,
    Told,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Rules

Info = t.Mapping[str, t.Any]

_REMEDIES = {
    UNREACHABLE: "Make the host answer: " + commands.module("{host}", "ansible.builtin.ping"),
    NO_FACTS: "See what the module said of it: " + commands.module("{host}", "dom0.xen.fleet_info"),
}
# A message of a host may be a traceback.
_LONGEST_MESSAGE = 500


def fleet_of(answers: t.Mapping[str, Info], rules: Rules, now_s: float, known: Fleet | None = None) -> Fleet:
    """Return the fleet from what ``fleet_info`` returned for each host that was asked.

    ``known`` is what was known before: hosts in trouble keep that as ``before``, and hosts that nobody asked stay.
    """
    found = {dom0.name: dom0 for dom0 in (known.dom0s if known else ())}
    for name, info in answers.items():
        found[name] = dom0_of(name, info, now_s, found.get(name))
    return Fleet(tuple(found[name] for name in sorted(found)), rules)


def dom0_of(name: str, info: Info, now_s: float, before: Dom0 | None = None) -> Dom0:
    """Return what is known of a dom0; ``now_s`` is the controller's clock, for a host that did not say when."""
    asked_s = now_s
    try:
        told: Told | None = _told(info, now_s, name)
        trouble = _trouble(name, info, told)
    except DocumentInvalid as exc:
        told, trouble = (
            None,
            Problem(NO_FACTS, exc.message, f"Use one version of dom0.xen for all, and ask {name} again."),
        )
    if told is not None:
        asked_s = told.asked_s
    if trouble is None:
        return Dom0(name, asked_s, told)
    return Dom0(name, asked_s, None, trouble, before.latest if before else None)


def _told(info: Info, now_s: float, name: str) -> Told | None:
    if info.get("unreachable") or info.get("failed") or not isinstance(info.get("host"), dict):
        return None
    content = {
        "asked_s": info["host"].get("asked_s") or now_s,
        "host": info["host"],
        "domains": [domain for domain in info.get("domains") or () if domain.get("domid") != 0],
    }
    return record_of(content, Told, f"What {name} answered")


def _trouble(name: str, info: Info, told: Told | None) -> Problem | None:
    if told is None:
        code = UNREACHABLE if info.get("unreachable") else NO_FACTS
        message = " ".join(str(info.get("msg") or "it said nothing").split())[:_LONGEST_MESSAGE]
        return Problem(code, message, str(info.get("remedy") or _REMEDIES[code].format(host=name)))
    problems = told.host.problems
    if told.host.domains and _complete(told):
        return None
    message = " ".join(problem.message for problem in problems) or "it did not list its domains"
    remedy = " ".join(problem.remedy for problem in problems) or _REMEDIES[NO_FACTS].format(host=name)
    return Problem(NO_DOMAINS, message, remedy)


def _complete(told: Told) -> bool:
    """Whether the domains are those that the host lists of itself."""
    return {row.domid for row in told.host.domains if row.domid} == {domain.domid for domain in told.domains}
