# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The caller's tasks at the gate, tried in every order: what they began is undone, or ended, before a copy runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding import source
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import Side
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import Others
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.breaking import Answer
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import (
    State,
    source_machine,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.model import Model
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.search import search

# Tens of thousands of worlds; beside others a search may take minutes.
pytestmark = pytest.mark.timeout(900)


def test_with_a_gate_that_the_controller_holds() -> None:
    """The same, whatever the controller says and when; and the source does not go on before its tasks are undone."""
    found = search(Model(source_machine(gate_held=True)), 2)
    assert not found.broken, str(found)
    assert {
        "the controller permits",
        "settling: undo",
        "settling: tasks",
        "sender: writes gate_tasks_started",
    } <= found.labels


def test_tasks_must_be_undone() -> None:
    """Without that rule the search finds the source running while its storage may be elsewhere."""

    def without(state: State, event: words.Event) -> Answer:
        return source.advance(replace(state, tasks_started=False), event)

    found = search(Model(source_machine(without, gate_held=True), strict=False), 1)
    assert found.broken == "the source runs the domain before the tasks at the gate are undone"


def test_no_permission_is_taken_while_tasks_are_undone() -> None:
    """A run that comes late must not start the destination while another one hands the storage back."""

    def late(state: State, event: words.Event) -> Answer:
        return source.advance(replace(state, undo_started=False), event)

    found = search(Model(source_machine(late, gate_held=True), strict=False), 1)
    assert found.broken == "the destination runs the domain before the tasks at the gate have come to their end"


def with_the_tasks_forgotten(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Starts the only copy although its storage may be the source's."""
    past = replace(source_side.history, tasks_due=False)
    return decide(replace(source_side, history=past), destination_side, others)


def test_tasks_must_be_run() -> None:
    """Without that rule the search finds the destination running while its storage may be elsewhere."""
    found = search(Model(source_machine(gate_held=True), strict=False, decide=with_the_tasks_forgotten), 1)
    assert found.broken == "the destination runs the domain before the tasks at the gate have come to their end"


def with_the_undoing_forgotten_after_the_commit(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Resumes a domain that was given back although its storage may be elsewhere."""
    asked = source_side.history.asked
    past = replace(source_side.history, tasks_open=not asked)
    return decide(replace(source_side, history=past), destination_side, others)


def test_a_domain_that_was_given_back_needs_the_tasks_undone() -> None:
    """The tasks at the gate were begun, and the destination has failed after the commit."""
    halves = source_machine(gate_held=True)
    found = search(Model(halves, strict=False, decide=with_the_undoing_forgotten_after_the_commit), 2)
    assert found.broken == "the source runs the domain before the tasks at the gate are undone"
