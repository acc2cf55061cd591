# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sessions are to be settled."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import SessionDomain, SessionSeen
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import Interrupted, interrupted
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import UUID, host

SESSION = "a" * 16
SENDER = SessionSeen(SESSION, "sender", "streaming", "source", None, SessionDomain(UUID, "centos"), 10, True, "xen2")
RECEIVER = SessionSeen(
    SESSION, "receiver", "streaming", "source", None, SessionDomain(UUID, "centos"), 20, True, "xen1"
)
FOUND = (Interrupted(SESSION, UUID, "centos", "xen1", "xen2"),)


def over(side: SessionSeen, owner: str = "source") -> SessionSeen:
    """The same, ended."""
    return replace(side, phase="ended", owner=owner, end_state="stayed", alive=False)


def dead(side: SessionSeen) -> SessionSeen:
    """The same, killed."""
    return replace(side, alive=False)


def find(sender: SessionSeen | None, receiver: SessionSeen | None, wanted: str = "") -> tuple[Interrupted, ...]:
    """Return what is found on two hosts with these sides of one session."""
    return interrupted(
        {
            "xen1": host("xen1", sessions=(sender,) if sender else ()),
            "xen2": host("xen2", sessions=(receiver,) if receiver else ()),
        },
        wanted,
    )


@pytest.mark.parametrize(
    ("sender", "receiver", "found"),
    [
        pytest.param(SENDER, RECEIVER, (), id="under way"),
        pytest.param(replace(SENDER, waits=True), RECEIVER, FOUND, id="waits to be settled"),
        pytest.param(dead(SENDER), RECEIVER, FOUND, id="sender killed"),
        pytest.param(SENDER, dead(RECEIVER), FOUND, id="receiver killed"),
        pytest.param(dead(SENDER), dead(RECEIVER), FOUND, id="both killed"),
        pytest.param(over(SENDER), over(RECEIVER), (), id="over"),
        pytest.param(over(SENDER), RECEIVER, FOUND, id="receiver waits"),
        pytest.param(over(SENDER, "unsettled"), over(RECEIVER), FOUND, id="unsettled at the source"),
        pytest.param(over(SENDER), over(RECEIVER, "unsettled"), FOUND, id="unsettled at the destination"),
        pytest.param(None, over(RECEIVER), (), id="over, sender's host not asked"),
        pytest.param(None, dead(RECEIVER), FOUND, id="receiver killed, sender's host not asked"),
        pytest.param(dead(SENDER), None, FOUND, id="sender killed, receiver's host not asked"),
        pytest.param(None, replace(RECEIVER, phase="starting"), (), id="its sender is about to come"),
        pytest.param(None, replace(dead(RECEIVER), domain=SessionDomain(None, None)), (), id="of an unknown domain"),
    ],
)
def test_found(sender: SessionSeen | None, receiver: SessionSeen | None, found: t.Any) -> None:
    """A session is to be settled unless it is under way on both hosts or over on both, with an owner."""
    assert find(sender, receiver) == found


@pytest.mark.parametrize(
    ("wanted", "count"), [("", 1), ("centos", 1), ("CentOS", 0), (UUID, 1), (UUID.upper(), 1), ("web", 0)]
)
def test_wanted(wanted: str, count: int) -> None:
    """By name or UUID; all when nothing is named."""
    assert len(find(dead(SENDER), RECEIVER, wanted)) == count


def test_host_that_nobody_knows() -> None:
    """It stays empty, and a person can name it."""
    found = find(replace(dead(SENDER), peer_host=None), None)
    assert found == (Interrupted(SESSION, UUID, "centos", "xen1", ""),)
