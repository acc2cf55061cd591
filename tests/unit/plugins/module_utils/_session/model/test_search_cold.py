# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method ``cold``, tried in every order, and what somebody does by hand meanwhile; and with one rule less."""

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
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import NOBODY, Others
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.breaking import (
    AGAIN,
    COLD,
    Answer,
    is_record,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import (
    Advance,
    Machine,
    State,
    destination_machine,
    source_machine,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.model import (
    BESIDE,
    Model,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.search import search
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.settling import Decide

# Tens of thousands of worlds; beside others a search may take minutes.
pytestmark = pytest.mark.timeout(900)


THIRD = "it runs on a third host as well, where somebody has started it"
GONE_ON = "the source starts it again on disks that have gone on elsewhere"


def cold(source_half: Machine, **more: t.Any) -> Model:
    """A model whose destination makes the domain."""
    return Model(source_half, destination_machine(makes=True), **more)


@pytest.mark.parametrize("gate_held", [False, True], ids=["engine", "controller"])
def test_with_a_guest_that_is_shut_down(gate_held: bool) -> None:
    """The same with the method ``cold``, where a domain that is not there may be one that is to be started again."""
    found = search(cold(source_machine(gate_held=gate_held, shuts_down=True)), 2, COLD)
    assert not found.broken, str(found)
    assert found.worlds > 20_000
    assert {
        "shutter takes its request back",
        "shutter is given up and starts it again",
        "shutter starts it again",
        "shutter gets no report and ends",
        "sender: lets its copy go on",
        "sender: writes shutting_down",
        "settling: resume at the source",
        "settling: destroy at the source",
        "the guest goes down",
        "the guest goes down, and cannot be started again",
        "the sender has watched for long enough",
        "somebody starts it on a third host",
        "somebody starts it on a third host, which does not answer",
        "somebody starts it on a third host, where it ends",
        "somebody moves it to a third host",
        "somebody saves it",
        "shutter sees that it was taken away",
    } <= found.labels


def test_a_sender_may_be_killed_while_it_watches() -> None:
    """What the guest does after that is not lost, nor is it started without asking."""
    found = search(cold(source_machine(shuts_down=True), kinds={"the sender is killed"}), 2, COLD)
    assert not found.broken, str(found)
    assert {"the sender has watched for long enough", "the guest goes down"} <= found.labels


def with_other_hosts_forgotten(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Looks at both sides only."""
    return decide(source_side, destination_side, NOBODY)


def with_a_boot_forgotten(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Takes the record of a domain that was shut down for as good after a boot as before it."""
    return decide(replace(source_side, boot_id=source_side.history.boot_id or ""), destination_side, others)


def with_silence_forgotten(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Takes a host that does not answer for one that has not got the domain."""
    return decide(source_side, destination_side, replace(others, unseen=()))


def with_the_end_not_seen(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Takes a domain that is gone for one that has shut down."""
    return decide(replace(source_side, history=replace(source_side.history, seen_down=True)), destination_side, others)


@pytest.mark.parametrize(
    ("rule_less", "broken"),
    [
        (with_other_hosts_forgotten, THIRD),
        (with_silence_forgotten, THIRD),
        (with_a_boot_forgotten, GONE_ON),
        (with_the_end_not_seen, GONE_ON),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_somebody_has_done_by_hand_counts(rule_less: Decide, broken: str) -> None:
    """A domain that is not there is only a record, and that does not tell what was done since."""
    found = search(cold(source_machine(shuts_down=True), strict=False, decide=rule_less), 3, COLD)
    assert found.broken == broken, str(found)


def test_one_that_somebody_starts_at_the_destination() -> None:
    """While the session lives, at whatever moment: the source hears of it, and does not start it a second time."""
    found = search(cold(source_machine(shuts_down=True), kinds={BESIDE}), 1, COLD)
    assert not found.broken, str(found)
    assert {BESIDE, "starter finds one that somebody has started", "sender: kills xl"} <= found.labels


def test_the_destination_looks_before_it_tells_of_a_failure() -> None:
    """Without that rule the source starts it again while it runs there."""
    model = Model(source_machine(shuts_down=True), destination_machine(), strict=False, kinds={BESIDE})
    found = search(model, 1, COLD)
    assert found.broken == AGAIN, str(found)


def without_the_record_of_the_shutdown(state: State, event: words.Event) -> Answer:
    """The guest is asked with nothing on the disk."""
    after, actions = source.advance(state, event)
    return after, tuple(each for each in actions if not is_record(each, "shutting_down"))


def started_again_after_the_request(state: State, event: words.Event) -> Answer:
    """What is not there is started again although the destination may have the permission."""
    if isinstance(event, words.Observed) and event.copy.state is words.CopyState.ABSENT and state.commit_left:
        return replace(state, let_go=True), (GoOn(), Observe()) if not state.let_go else ()
    return source.advance(state, event)


def what_is_gone_taken_for_shut_down(state: State, event: words.Event) -> Answer:
    """Why the guest is not there any more does not count."""
    if isinstance(event, words.Observed) and event.copy.state is words.CopyState.TAKEN:
        event = words.Observed(words.Copy(words.CopyState.ABSENT))
    return source.advance(state, event)


@pytest.mark.parametrize(
    ("advance", "leads_to"),
    [
        (
            what_is_gone_taken_for_shut_down,
            {
                THIRD,
                GONE_ON,
            },
        ),
        (without_the_record_of_the_shutdown, {"a domain that was shut down for the move is started nowhere"}),
        (
            started_again_after_the_request,
            {"both copies run", "the source's copy runs again after the destination's has run"},
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_rule_of_a_guest_that_is_shut_down_is_needed(advance: Advance, leads_to: set[str]) -> None:
    """With one rule less the search finds two running copies, or a domain that nobody starts again."""
    strict = advance is without_the_record_of_the_shutdown
    found = search(cold(source_machine(advance, shuts_down=True), strict=strict), 1, COLD)
    assert found.broken in leads_to, str(found)
