# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have in hand, and what would start a second copy, speaks against a move, or is told."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import (
    AutostartEntry,
    ClusterFacts,
    Hand,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    OTHER,
    UUID,
    host,
    request,
    session,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.finding import (
    clustered,
    find,
    require,
    require_warnings,
)

CASES: list[tuple[str, str, dict[str, t.Any], list[str]]] = [
    # code, host, what is different, words that the message or the remedy must hold
    (
        "foreign_hand",
        "xen1",
        {"source": host("xen1", hands=(Hand(70, "xl save", "centos"), Hand(71, "libxl-save-helper", "3")))},
        ["process 70", "`xl save centos`", "kill 70"],
    ),
    ("foreign_hand", "xen1", {"source": host("xen1", hands=(Hand(71, "libxl-save-helper", "3"),))}, ["helper 3"]),
    ("foreign_hand", "xen1", {"source": host("xen1", hands=(Hand(70, "xl shutdown", None),))}, ["all domains"]),
    (
        "closed_to_arrivals",
        "xen2",
        {"destination": host("xen2", closed={"by": "alice", "reason": "it is emptied", "since": "2026-11-24"})},
        ["by alice: it is emptied", "since 2026-11-24", "state=open"],
    ),
    (
        "cluster_managed",
        "xen1",
        {"source": host("xen1", cluster=clustered()), "destination": host("xen2", cluster=clustered())},
        ["vm-centos", "ocf:heartbeat:Xen", "pcs resource unmanage vm-centos"],
    ),
    (
        "cluster_managed",
        "xen2",
        {"destination": host("xen2", cluster=clustered(name="other", uuid=UUID))},
        ["pacemaker", "a second time"],
    ),
    ("cluster_managed", "xen1", {"source": host("xen1", cluster=clustered(id="centos", name=None))}, ["unmanage"]),
]


@pytest.mark.parametrize(("code", "where", "given", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_speaks_against_a_move_is_found(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """One cause gives one error, on the right host, with a remedy."""
    require(code, where, given, words)


WARNED: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "cluster that cannot be looked into": (
        {"destination": host("xen2", cluster=ClusterFacts("pacemaker", False))},
        ["cluster_unknown"],
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_a_person_should_know(name: str) -> None:
    """It does not stop the move."""
    require_warnings(*WARNED[name])


def test_our_own_session_is_no_foreign_hand() -> None:
    """A session at work is told as that: its xl may have been found before its process was."""
    hands = (Hand(70, "xl migrate", "3"),)
    found = find(source=host("xen1", hands=hands, sessions=(session(alive=True, end_state=None, phase="streaming"),)))
    assert [finding.code for finding in found] == ["session_running"]


@pytest.mark.parametrize(
    ("there", "warned"),
    [
        (AutostartEntry("/etc/xen/centos.cfg", "file", "web", OTHER), True),
        (AutostartEntry("/etc/xen/centos.cfg", "file", "centos", OTHER), True),
        (AutostartEntry("/etc/xen/centos.cfg", "file", "centos", None), False),
        (AutostartEntry("/etc/xen/web.cfg", "file", "web", OTHER), False),
    ],
)
def test_a_configuration_of_the_same_name_is_told_beforehand(there: AutostartEntry, warned: bool) -> None:
    """Only where it configures another domain; it refuses nothing, and is not told where the file stays."""
    source = host("xen1", configs=(AutostartEntry("/etc/xen/centos.cfg", "file", "centos", UUID),))
    found = find(source=source, destination=host("xen2", configs=(there,)))
    assert [(finding.code, finding.severity) for finding in found] == (
        [("config_name_taken", "warning")] if warned else []
    )
    left = find(source=source, destination=host("xen2", configs=(there,)), request=request(follow_config=False))
    assert left == ()
