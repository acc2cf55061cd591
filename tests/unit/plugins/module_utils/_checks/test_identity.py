# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain is meant, what it is called and who else is called so speak against a move."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import (
    findings,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    OTHER,
    UUID,
    domain,
    host,
    request,
    row,
    session,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.finding import (
    find,
    require,
    rows_here,
    rows_there,
)

CASES: list[tuple[str, str, dict[str, t.Any], list[str]]] = [
    # code, host, what is different, words that the message or the remedy must hold
    (
        "domain_unknown",
        "xen1",
        {"domain": None, "source": rows_here(row("web", 5, OTHER))},
        ["'centos'", "web", "UUID"],
    ),
    ("domain_gone", "xen1", {"domain": None}, ["a moment ago"]),
    ("domain_is_dom0", "xen1", {"domain": None, "request": request(domain="Domain-0")}, ["domain 0"]),
    ("domain_is_dom0", "xen1", {"domain": domain(domid=0, name="Domain-0")}, ["domain 0"]),
    ("domain_is_domid", "xen1", {"request": request(domain="7")}, ["7", "name or UUID"]),
    ("domain_is_domid", "xen1", {"domain": None, "request": request(domain="7")}, ["7", "name or UUID"]),
    ("name_taken", "xen2", {"destination": rows_there(row(uuid=OTHER, domid=9))}, ["domid 9", OTHER, "rename"]),
    (
        "incoming_name_taken",
        "xen2",
        {"destination": rows_there(row("centos--incoming", 9, paused=True))},
        ["centos--incoming", "paused", "xl destroy 9"],
    ),
    ("uuid_taken", "xen2", {"destination": rows_there(row("other-name", 9))}, ["both hosts", "other-name"]),
    ("uuid_taken", "xen2", {"destination": rows_there(row(domid=9))}, ["both hosts", "running"]),
    (
        "migratedaway_name_taken",
        "xen1",
        {"source": rows_here(row(), row("centos--migratedaway", 2, OTHER, shutdown=True, reason="suspend"))},
        ["suspended", "xl destroy 2"],
    ),
    ("uuid_twice", "xen1", {"source": rows_here(row(), row("copy", 2))}, ["copy", "same UUID"]),
    ("leftover_name", "xen1", {"domain": domain(name="centos--migratedaway")}, ["interrupted"]),
    (
        "leftover_name",
        "xen1",
        {"domain": None, "source": rows_here(row("centos--migratedaway", shutdown=True, reason="suspend"))},
        ["interrupted", "suspended"],
    ),
    (
        "leftover_name",
        "xen2",
        {"domain": None, "source": rows_here(), "destination": rows_there(row("centos--incoming", paused=True))},
        ["interrupted", "paused"],
    ),
    (
        "leftover_name",
        "xen2",
        {
            "domain": None,
            "source": rows_here(),
            "destination": rows_there(row("centos--incoming", paused=True)),
            "request": request(domain=UUID),
        },
        ["interrupted", "'centos--incoming'"],
    ),
    (
        "domain_not_running_there",
        "xen2",
        {
            "domain": None,
            "source": rows_here(),
            "destination": rows_there(row(shutdown=True, crashed=True, reason="crash")),
        },
        ["crash"],
    ),
    (
        "domain_not_running_there",
        "xen2",
        {"domain": None, "source": rows_here(), "destination": rows_there(row(paused=True))},
        ["paused", "`xl unpause 3` on xen2", "migrate_leave_paused=true"],
    ),
]


@pytest.mark.parametrize(("code", "where", "given", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_speaks_against_a_move_is_found(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """One cause gives one error, on the right host, with a remedy."""
    require(code, where, given, words)


@pytest.mark.parametrize("given", [case[2] for case in CASES], ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_nobody_is_told_to_destroy_a_copy_before_settling(given: dict[str, t.Any]) -> None:
    """What is in the way may be the last good copy: an interrupted migration leaves one aside, or one that runs."""
    for finding in find(**given):
        before = finding.remedy.partition("destroy")
        assert not before[1] or "dom0.xen.settle" in before[0], finding


def test_session_in_its_last_moments_is_told_instead_of_an_unknown_domain() -> None:
    """At the gate neither host has a domain of that name."""
    found = find(
        domain=None,
        source=dataclasses.replace(
            rows_here(row("centos--migratedaway", shutdown=True, reason="suspend")),
            sessions=(session(alive=True, phase="gate", end_state=None),),
        ),
        destination=rows_there(row("centos--incoming", paused=True)),
    )
    assert [finding.code for finding in found] == ["session_running"]


def test_source_that_was_not_named() -> None:
    """No host has it: the message lists where it was looked for."""
    found = findings(None, host("xen2"), None, request(source=None))
    assert [finding.code for finding in found] == ["domain_unknown"]
    assert "xen1, xen2" in found[0].message
