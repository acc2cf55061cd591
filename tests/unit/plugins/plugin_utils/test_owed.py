# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sessions owe their caller's tasks after the move, and what these are told of where the domain is."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, DomainState, HostFacts
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import Interrupted
from ansible_collections.dom0.xen.plugins.plugin_utils._owed import Owed, owed, sentence
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import UUID, host
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils.test_interrupted import (
    RECEIVER,
    SENDER,
    SESSION,
    dead,
    over,
)

ROW = DomainRow(7, UUID, "centos", DomainState(blocked=True), 128, 1, 4.2)
OWES = (
    dataclasses.replace(over(SENDER), after_tasks="owed"),
    dataclasses.replace(over(RECEIVER), after_tasks="owed"),
)
DONE = dataclasses.replace(OWES[1], after_tasks="done")


def site(**rows: t.Any) -> dict[str, HostFacts]:
    """Return two hosts with a session that owes something, and the domain where it is named."""
    sides = {"xen1": (OWES[0],), "xen2": (OWES[1],)}
    return {
        name: host(name, sessions=sides.get(name, ()), domains=tuple(rows.get(name, ())))
        for name in ("xen1", "xen2", "xen3")
    }


@pytest.mark.parametrize(
    ("rows", "owner"),
    [
        pytest.param({"xen2": [ROW]}, "destination", id="moved"),
        pytest.param({"xen1": [ROW]}, "source", id="stayed"),
        pytest.param({"xen3": [ROW]}, "elsewhere", id="moved on since"),
        pytest.param({}, "unsettled", id="down, or on a host that did not answer"),
        pytest.param({"xen1": [ROW], "xen2": [ROW]}, "unsettled", id="on both"),
        pytest.param(
            {"xen2": [dataclasses.replace(ROW, name="centos--incoming")]}, "unsettled", id="about to come again"
        ),
        pytest.param(
            {"xen2": [dataclasses.replace(ROW, state=DomainState(shutdown=True))]}, "unsettled", id="has shut down"
        ),
    ],
)
def test_where_the_domain_is_now(rows: t.Any, owner: str) -> None:
    """That counts, not how the session ended: storage is closed where the domain is not."""
    assert owed(site(**rows)) == (Owed(SESSION, UUID, "centos", "xen1", "xen2", owner),)


def test_nobody_knows_where_it_is_while_it_is_moved_again() -> None:
    """What is open on both hosts may be what that move needs."""
    hosts = site(xen2=[ROW])
    again = dataclasses.replace(SENDER, session="b" * 16)
    hosts["xen2"] = dataclasses.replace(hosts["xen2"], sessions=(*hosts["xen2"].sessions, again))
    assert [each.owner for each in owed(hosts)] == ["unsettled"]


@pytest.mark.parametrize(("there", "owner"), [("xen1", "destination"), ("xen2", "elsewhere")])
def test_within_one_host_the_session_says_it(there: str, owner: str) -> None:
    """Both sides are there, and so is the domain, unless it has moved on since."""
    sides = tuple(dataclasses.replace(side, owner="destination", peer_host="xen1") for side in OWES)
    hosts = {name: host(name, domains=(ROW,) if name == there else ()) for name in ("xen1", "xen2")}
    hosts["xen1"] = dataclasses.replace(hosts["xen1"], sessions=sides)
    assert [each.owner for each in owed(hosts)] == [owner]


@pytest.mark.parametrize(
    ("sender", "receiver", "found"),
    [
        pytest.param(*OWES, True, id="neither has run them"),
        pytest.param(OWES[0], DONE, False, id="the source has not heard"),
        pytest.param(None, OWES[1], True, id="the source does not answer"),
        pytest.param(OWES[0], over(RECEIVER), True, id="the destination has no such record"),
        pytest.param(over(SENDER), over(RECEIVER), False, id="none"),
        pytest.param(dataclasses.replace(dead(SENDER), after_tasks="owed"), OWES[1], False, id="to be settled first"),
        pytest.param(dataclasses.replace(SENDER, after_tasks="owed"), OWES[1], False, id="not at its end"),
    ],
)
def test_which_sessions_owe_something(sender: t.Any, receiver: t.Any, found: bool) -> None:
    """Those that are over, unless one side knows that it was done; and only of the domain that is meant."""
    hosts = {
        "xen1": host("xen1", sessions=(sender,) if sender else ()),
        "xen2": host("xen2", sessions=(receiver,), domains=(ROW,)),
    }
    assert [each.session for each in owed(hosts)] == [SESSION] * found
    assert len(owed(hosts, "centos")) == found and owed(hosts, "another") == ()


def test_what_is_told() -> None:
    """What is owed, and two commands to choose from, as they are to be typed."""
    text = sentence(
        Interrupted(SESSION, UUID, "centos", "xen1", ""), "hosts.ini", {"dom0_group": "metal", "source": ""}
    )
    settle = "ansible-playbook -i hosts.ini dom0.xen.settle -e domain=centos -e dom0_group=metal"
    assert "its move from xen1 to an unknown host (migrate_after_tasks)" in text and SESSION in text
    assert f"\n  - {settle} -e migrate_after_tasks=/ABSOLUTE/PATH\n" in text
    assert f"\n  - {settle} -e settle_after_done=true  # " in text
