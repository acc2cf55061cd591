# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every order of events and faults, tried on the real machines: never two running copies, never none where one was.

The second half takes one rule away at a time, and the search must then find what the rule is for.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding import destination, source
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Action,
    Actions,
    DestroyCopy,
    GoOn,
    Journal,
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
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import RUNNING, SUSPENDED, Side
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import NOBODY, Others
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import failure_answer, success_answer
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import (
    Advance,
    Machine,
    State,
    destination_machine,
    source_machine,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.model import (
    BESIDE,
    BY_HAND,
    LET_GO,
    STALLS,
    Model,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.search import search
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.settling import Decide
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import World

# Tens of thousands of worlds; beside others a search may take minutes.
pytestmark = pytest.mark.timeout(900)

Answer = tuple[State, Actions]


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


SAVES = World(saves=True)


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
    return after, tuple(each for each in actions if not _is_record(each, "suspending"))


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


COLD = World(cold=True)


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
    return after, tuple(each for each in actions if not _is_record(each, "shutting_down"))


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


# One rule less. ------------------------------------------------------------------------------------------------------


def without_the_commit_record(state: State, event: words.Event) -> Answer:
    """The permission is let through with nothing on the destination's disk."""
    after, actions = destination.advance(state, event)
    return after, tuple(each for each in actions if not _is_record(each, "commit"))


def with_the_commit_record_too_late(state: State, event: words.Event) -> Answer:
    """The permission is let through before the record of it is on the disk."""
    after, actions = destination.advance(state, event)
    return after, tuple(sorted(actions, key=lambda each: _is_record(each, "commit")))


def without_the_record_of_the_request(state: State, event: words.Event) -> Answer:
    """The commit request leaves with nothing on the source's disk."""
    after, actions = source.advance(state, event)
    return after, tuple(each for each in actions if not _is_record(each, "commit_requested"))


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


def _is_record(action: Action, step: str) -> bool:
    return isinstance(action, Journal) and action.step == step


SILENT = "the destination does not answer"
POWER, ENDS = "the destination loses power", "the guest ends on the destination"
KILLED = ("the sender is killed", "the receiver is killed", "xl on the source is killed")
BOTH, AGAIN = "both copies run", "the source's copy runs again after the destination's has run"
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


def with_the_undoing_forgotten_after_the_commit(source_side: Side, destination_side: Side, others: Others) -> Decision:
    """Resumes a domain that was given back although its storage may be elsewhere."""
    asked = source_side.history.asked
    past = replace(source_side.history, tasks_open=not asked)
    return decide(replace(source_side, history=past), destination_side, others)


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


def test_a_domain_that_was_given_back_needs_the_tasks_undone() -> None:
    """The tasks at the gate were begun, and the destination has failed after the commit."""
    halves = source_machine(gate_held=True)
    found = search(Model(halves, strict=False, decide=with_the_undoing_forgotten_after_the_commit), 2)
    assert found.broken == "the source runs the domain before the tasks at the gate are undone"
