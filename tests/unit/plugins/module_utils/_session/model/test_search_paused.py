# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method ``suspend``, and a copy that is left paused, tried in every order; and with one rule less."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding import source
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    GoOn,
    Observe,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import Side
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import Others
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.breaking import (
    AGAIN,
    BOTH,
    SAVES,
    Answer,
    is_record,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import (
    State,
    source_machine,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.model import Model
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.search import search
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import World

# Tens of thousands of worlds; beside others a search may take minutes.
pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("gate_held", [False, True], ids=["engine", "controller"])
def test_with_a_guest_that_is_paused(gate_held: bool) -> None:
    """The same with the method ``suspend``, where one unpause too many makes two copies."""
    found = search(Model(source_machine(gate_held=gate_held, pauses=True)), 2, SAVES)
    assert not found.broken, str(found)
    assert found.worlds > 20_000
    assert {
        "saver takes its copy back and lets it go on",
        "saver gets no report and leaves its copy paused",
        "sender: lets its copy go on",
        "sender: writes suspending",
        "settling: resume at the source",
    } <= found.labels


def without_the_record_of_the_pause(state: State, event: words.Event) -> Answer:
    """The guest is paused with nothing on the disk."""
    after, actions = source.advance(state, event)
    return after, tuple(each for each in actions if not is_record(each, "suspending"))


def test_the_pause_must_be_on_record() -> None:
    """Without that rule a source that stands still passes for one that somebody has paused, and counts as alive."""
    found = search(Model(source_machine(without_the_record_of_the_pause, pauses=True)), 1, SAVES)
    assert found.broken == "settling gives up a complete copy before the source's has proven good", str(found)


def leaving_paused(**more: t.Any) -> World:
    """The destination is not to start its copy."""
    return World(leaves=True, **more)


@pytest.mark.parametrize("saves", [False, True], ids=["live", "suspend"])
def test_with_a_copy_that_is_left_paused(saves: bool) -> None:
    """The same when the destination does not start it: what is paused there and was reported counts, and stays so."""
    found = search(Model(source_machine(pauses=saves)), 2, leaving_paused(saves=saves))
    assert not found.broken, str(found)
    assert found.worlds > 20_000
    assert {"settling: roll_forward at the destination", "settling: destroy at the source"} <= found.labels


def with_what_is_left_paused_forgotten(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Takes what xl has reported for a copy that has run."""
    past = replace(destination_side.history, leave_paused=False)
    return decide(source_side, replace(destination_side, history=past), others)


def test_a_copy_that_was_left_paused_and_is_gone_is_not_one_that_has_run() -> None:
    """Without that rule the source's copy is destroyed, which may be the only one that is good."""
    found = search(Model(strict=False, decide=with_what_is_left_paused_forgotten), 2, leaving_paused())
    assert found.broken == "settling gives up a copy that may be the last one that is good", str(found)


def test_a_paused_guest_is_not_let_go_after_the_commit() -> None:
    """Without that rule the search finds two copies."""

    def hasty(state: State, event: words.Event) -> Answer:
        if isinstance(event, words.Observed) and event.copy.state is words.CopyState.PAUSED and state.commit_left:
            return replace(state, let_go=True), (GoOn(), Observe()) if not state.let_go else ()
        return source.advance(state, event)

    found = search(Model(source_machine(hasty, pauses=True), strict=False), 1, SAVES)
    assert found.broken in {BOTH, AGAIN}, str(found)
