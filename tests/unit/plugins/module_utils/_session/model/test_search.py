# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every order of events and faults, tried on the real machines: never two running copies, never none where one was.

What has a subject of its own is in the files beside this one, which take one rule away as well.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import RUNNING, SUSPENDED, Side
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import Others
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.breaking import (
    AGAIN,
    BOTH,
    COLD,
    SAVES,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import (
    destination_machine,
    source_machine,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.model import (
    BY_HAND,
    LET_GO,
    STALLS,
    Model,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.search import search
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import World

# Tens of thousands of worlds; beside others a search may take minutes.
pytestmark = pytest.mark.timeout(900)


def test_without_faults() -> None:
    """The domain moves, whatever order things happen in, whether or not somebody settles at its end."""
    found = search(Model(), 0)
    assert not found.broken, str(found)
    assert found.ends == 2


def test_with_any_two_faults() -> None:
    """No two faults, at whatever moments, break a promise; with processes left alive, exactly one copy runs."""
    found = search(Model(), 2)
    assert not found.broken, str(found)
    assert found.worlds > 20_000
    assert {STALLS, "sender: kills xl"} <= found.labels


def test_every_step_of_the_model_is_reached() -> None:
    """A fault that can no longer happen, or an action that nobody performs, would make the search say too little."""
    found = search(Model(), 1)
    kinds = {what.split(":")[0] if "report" in what or "sends" in what else what for what in found.labels}
    assert {
        "xl suspends the guest",
        "xl takes its copy back and resumes it",
        "xl gets no ready and resumes the guest",
        "xl gets no report and leaves its copy suspended",
        "xl destroys its copy and exits 0",
        "destination cannot say that it failed and leaves its copy",
        "destination says that it does not start its copy",
        "destination finds the end of its input and drops what it has",
        "sender: stops the save helper",
        "sender: destroys its copy",
        "receiver: destroys its copy",
        "sender's journal fails",
        "receiver's journal fails",
        "sender's link expires",
        "receiver's link expires",
        "settling: cancel at the source",
        "settling: cancel at the destination",
        "settling: destroy at the destination",
        "settling: outcome at the source",
        "settling: resume at the source",
        "settling: destroy at the source",
        "settling: roll_forward at the destination",
        "receiver refuses the domain",
        "sender holds permission, and something speaks against it",
    } <= kinds


def with_what_has_run_forgotten(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Takes every copy that is paused for one that has never run."""
    return decide(source_side, replace(destination_side, ran=False), others)


BOTH_KILLED = {"the sender is killed", "the receiver is killed", BY_HAND}


def test_a_copy_that_somebody_has_run_by_hand() -> None:
    """When both processes are gone, a copy that never had the permission: it neither is given up nor is the source's
    resumed beside what it has written.
    """
    found = search(Model(kinds=BOTH_KILLED), 3)
    assert not found.broken, str(found)
    assert BY_HAND in found.labels
    without = search(Model(strict=False, kinds=BOTH_KILLED, decide=with_what_has_run_forgotten), 3)
    assert without.broken == AGAIN, str(without)


def with_the_source_overlooked(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Takes it for certain that the source's copy stands still for as long as the sender waits."""
    goes_on = source_side.copy == RUNNING and source_side.alive and source_side.history.asked
    return decide(replace(source_side, copy=SUSPENDED) if goes_on else source_side, destination_side, others)


@pytest.mark.parametrize(
    ("first", "kind"),
    [(World(), {}), (SAVES, {"pauses": True}), (COLD, {"shuts_down": True})],
    ids=["live", "suspend", "cold"],
)
def test_a_copy_that_somebody_lets_go_on_at_the_source(first: World, kind: dict[str, t.Any]) -> None:
    """While the sender waits, and whatever is on record: the destination's is not started beside it."""
    kinds = {"xl on the destination is killed", "the receiver is killed", "the sender is killed", LET_GO}
    there = destination_machine(makes=first.cold)
    found = search(Model(source_machine(**kind), there, kinds=kinds), 2, first)
    assert not found.broken, str(found)
    assert LET_GO in found.labels
    overlooked = Model(source_machine(**kind), there, strict=False, kinds=kinds, decide=with_the_source_overlooked)
    assert search(overlooked, 2, first).broken == BOTH
