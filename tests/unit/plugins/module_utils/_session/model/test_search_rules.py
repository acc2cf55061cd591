# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rule taken away at a time: the search must then find what the rule is for."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding import destination, source
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    DestroyCopy,
    Observe,
    Send,
    WriteXl,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import (
    BAR,
    CANCEL,
    DESTINATION,
    Decision,
    Step,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import Side
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import Others
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import failure_answer, success_answer
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.breaking import (
    AGAIN,
    BOTH,
    Answer,
    is_record,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import (
    Advance,
    State,
    destination_machine,
    source_machine,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.model import (
    STALLS,
    Model,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.search import search
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.settling import Decide

# Tens of thousands of worlds; beside others a search may take minutes.
pytestmark = pytest.mark.timeout(900)


def without_the_commit_record(state: State, event: words.Event) -> Answer:
    """The permission is let through with nothing on the destination's disk."""
    after, actions = destination.advance(state, event)
    return after, tuple(each for each in actions if not is_record(each, "commit"))


def with_the_commit_record_too_late(state: State, event: words.Event) -> Answer:
    """The permission is let through before the record of it is on the disk."""
    after, actions = destination.advance(state, event)
    return after, tuple(sorted(actions, key=lambda each: is_record(each, "commit")))


def without_the_record_of_the_request(state: State, event: words.Event) -> Answer:
    """The commit request leaves with nothing on the source's disk."""
    after, actions = source.advance(state, event)
    return after, tuple(each for each in actions if not is_record(each, "commit_requested"))


def with_a_deadline_after_the_request(state: State, event: words.Event) -> Answer:
    """A link that has been down for too long counts as a failure of the destination, even after the request left."""
    if isinstance(event, words.LinkExpired) and state.commit_left and state.report is None:
        after = replace(state, report=words.Report(3), answered=True)
        return after, (WriteXl(failure_answer(3)),)
    return source.advance(state, event)


def with_time_deciding_after_the_request(state: State, event: words.Event) -> Answer:
    """A destination that says nothing for too long counts as one that has failed, even after the request left."""
    if isinstance(event, words.Stalled) and state.commit_left and state.report is None:
        after = replace(state, report=words.Report(3), answered=True)
        return after, (WriteXl(failure_answer(3)),)
    return source.advance(state, event)


def with_success_from_a_guess(state: State, event: words.Event) -> Answer:
    """xl is told that the destination runs as soon as the request has left."""
    after, actions = source.advance(state, event)
    if after.commit_left and not state.commit_left:
        actions = (*actions, WriteXl(success_answer()))
    return after, actions


def with_any_report_of_failure_believed(state: State, event: words.Event) -> Answer:
    """A report of failure counts, whether or not the copy has been seen gone."""
    if isinstance(event, words.Reported) and not event.report.runs:
        status = event.report.status or 3
        event = words.Reported(words.Report(status, give_back=True, copy_gone=True))
    return source.advance(state, event)


def with_silence_after_the_commit_taken_for_failure(state: State, event: words.Event) -> Answer:
    """xl that ended after the commit without a word, and a copy that is gone, count as "it never ran"."""
    after, actions = destination.advance(state, event)
    if (
        isinstance(event, words.Observed)
        and event.copy.state is words.CopyState.ABSENT
        and after.owner is words.Owner.UNSETTLED
    ):
        given_back = Send({"type": "report", "status": 3, "give_back": True, "copy_gone": True})
        actions = tuple(given_back if isinstance(each, Send) else each for each in actions)
    return after, actions


def with_the_copy_destroyed_after_the_commit(state: State, event: words.Event) -> Answer:
    """A failure after the commit still makes the receiver destroy its copy."""
    if isinstance(event, words.Observed) and state.committed and not state.destroyed:
        return replace(state, destroyed=True), (DestroyCopy(), Observe())
    return destination.advance(state, event)


SILENT = "the destination does not answer"
POWER, ENDS = "the destination loses power", "the guest ends on the destination"
KILLED = ("the sender is killed", "the receiver is killed", "xl on the source is killed")
LOST = "the source's copy is gone, and the destination's has never run"


# The transition function, the faults it takes, and what then happens.
SOURCE_RULES: list[tuple[Advance, tuple[str, ...], set[str]]] = [
    (without_the_record_of_the_request, (SILENT, *KILLED), {BOTH, AGAIN}),
    (with_a_deadline_after_the_request, ("the link breaks",), {BOTH, AGAIN}),
    (with_time_deciding_after_the_request, (STALLS,), {BOTH, AGAIN}),
    (with_success_from_a_guess, (), {LOST}),
    (with_any_report_of_failure_believed, ("xl on the destination is killed",), {BOTH, AGAIN}),
]


DESTINATION_RULES: list[tuple[Advance, tuple[str, ...], set[str]]] = [
    (without_the_commit_record, (POWER, *KILLED), {AGAIN}),
    (with_the_commit_record_too_late, (POWER, *KILLED), {AGAIN}),
    (with_silence_after_the_commit_taken_for_failure, (ENDS, "xl on the destination is killed"), {AGAIN}),
]


def _name(value: t.Any) -> str:
    return value.__name__.replace("_", " ") if callable(value) else ""


@pytest.mark.parametrize(("advance", "kinds", "leads_to"), SOURCE_RULES, ids=_name)
def test_rule_of_the_source_is_needed(advance: Advance, kinds: tuple[str, ...], leads_to: set[str]) -> None:
    """With one rule less the search finds two running copies, or a domain that is lost, and shows the way there."""
    found = search(Model(source_machine(advance), strict=False, kinds=kinds), 2)
    assert found.broken in leads_to and found.way, str(found)


@pytest.mark.parametrize(("advance", "kinds", "leads_to"), DESTINATION_RULES, ids=_name)
def test_rule_of_the_destination_is_needed(advance: Advance, kinds: tuple[str, ...], leads_to: set[str]) -> None:
    """The same for the destination's half."""
    found = search(Model(destination_half=destination_machine(advance), strict=False, kinds=kinds), 2)
    assert found.broken in leads_to and found.way, str(found)


@pytest.mark.parametrize(
    ("model", "broken"),
    [
        (
            Model(source_machine(with_a_deadline_after_the_request)),
            'after the commit request "expired" made the sender act',
        ),
        (
            Model(destination_half=destination_machine(with_the_copy_destroyed_after_the_commit)),
            "the receiver destroys a running copy",
        ),
        (
            Model(source_machine(with_success_from_a_guess)),
            "xl on the source was told that the destination runs, which it does not",
        ),
    ],
    ids=["deadline", "destroyed", "guess"],
)
def test_wrong_act_is_found_at_once(model: Model, broken: str) -> None:
    """What must not be done is looked at by itself, not only where it leads to."""
    assert search(model, 1).broken == broken


def with_the_commit_not_barred(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Resumes the source's copy while a commit may still be on its way."""
    return decide(source_side, replace(destination_side, barred=True), others)


def with_the_copy_given_up_first(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Gives up the destination's copy because the source's was there a moment ago."""
    made = decide(source_side, destination_side, others)
    bars = made.step is not None and made.step.verb == BAR
    return replace(made, step=Step(DESTINATION, CANCEL)) if bars else made


@pytest.mark.parametrize(
    ("rule_less", "broken"),
    [
        (with_the_commit_not_barred, "both copies run"),
        (with_the_copy_given_up_first, "settling gives up a complete copy before the source's has proven good"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_rule_of_settling_is_needed(rule_less: Decide, broken: str) -> None:
    """One order of steps makes two copies, the other may destroy the last one."""
    assert search(Model(strict=False, decide=rule_less), 2).broken == broken
