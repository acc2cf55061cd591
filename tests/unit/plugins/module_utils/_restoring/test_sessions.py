# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A migration that has no end, on whichever dom0, speaks against restoring its domain."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import SessionDomain, SessionSeen
from ansible_collections.dom0.xen.plugins.module_utils._restoring import elsewhere, sessions
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import DOM0, OTHER, UUID, host
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._restoring.test_here import MANIFEST

OVER: dict[str, t.Any] = {"phase": "ended", "owner": "source", "end_state": "stayed"}
DEAD: dict[str, t.Any] = {"phase": "transferred", "owner": "source", "end_state": None}


def session(number: int = 1, uuid: str = UUID, alive: bool = False, **changes: t.Any) -> SessionSeen:
    """A sender of the domain."""
    domain = SessionDomain(uuid=uuid, name="centos")
    return SessionSeen(f"{number:016x}", "sender", **{**DEAD, **changes}, domain=domain, pid=None, alive=alive)


@pytest.mark.parametrize(
    ("told", "codes"),
    [
        ([session(**OVER)], []),
        ([session()], ["session_interrupted"]),
        ([session(alive=True)], ["session_running"]),
        ([session(phase="ended", owner="unsettled", end_state="unsettled")], ["session_interrupted"]),
        ([session(phase="ended", owner="elsewhere", end_state="down")], []),
        ([session(2, **OVER), session(1)], []),
        ([session(2, OTHER, **OVER), session(1)], ["session_interrupted"]),
        ([session(2, **OVER), session(1, alive=True)], ["session_running"]),
        ([session(2), session(1, **OVER)], ["session_interrupted"]),
        ([session(uuid=OTHER)], []),
    ],
)
def test_what_speaks_against_it(told: list[SessionSeen], codes: list[str]) -> None:
    """As they are told, newest first; what a newer one has ended is history."""
    found = list(sessions.findings("xen1", told, UUID))
    assert [each.code for each in found] == codes
    assert all(each.severity == "error" and each.remedy for each in found)


def test_only_what_is_needed_travels() -> None:
    """And it is judged on the host as it would have been here."""
    facts = host("xen2", domains=(DOM0,), sessions=(session(2, OTHER, **OVER), session(1)))
    condensed = elsewhere.condensed({"xen2": {"host": facts.to_result()}})
    assert [each["session"] for each in condensed["xen2"]["host"]["sessions"]] == [f"{1:016x}"]
    here = host("xen1", domains=(DOM0,), sessions=(session(3),))
    answers = {**condensed, "xen1": {"host": here.to_result()}}
    found = elsewhere.findings(answers, ["xen1", "xen2"], (), here, MANIFEST, None)
    assert [(each.host, each.code) for each in found] == [
        ("xen1", "session_interrupted"),
        ("xen2", "session_interrupted"),
    ]
