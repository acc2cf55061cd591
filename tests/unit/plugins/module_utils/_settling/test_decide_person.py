# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a person must decide: what is known and what is not, and between what there is to choose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    LATER_LEFT,
    PAUSED,
    RUNNING,
    SHUT_DOWN,
    SUSPENDED,
    History,
    Side,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.sides import (
    ASKED,
    COMMITTED,
    FAILED,
    FIRST,
    HELD,
    LATER,
    LEFT,
    NAME,
    RAN,
    REFUSED,
    SILENT_DESTINATION,
    SILENT_SOURCE,
    STREAMED,
    TO_BE_LEFT,
    at_destination,
    at_source,
    require,
)

CASES: dict[str, tuple[Side, Side, str]] = {
    # The source runs it.
    "runs here, committed there": (at_source(RUNNING, ASKED), at_destination(PAUSED, COMMITTED), "human: both_have_it"),
    "runs here, has ended there": (at_source(RUNNING, ASKED), at_destination(SHUT_DOWN, RAN), "human: both_have_it"),
    "runs twice": (at_source(RUNNING), at_destination(RUNNING), "human: running_twice"),
    "runs twice on one host": (at_source(ABSENT), at_destination(RUNNING, others=1), "human: running_twice"),
    # Whatever is on record: somebody has started it there by hand.
    "runs here, half a copy there that has run": (
        at_source(RUNNING, STREAMED),
        at_destination(PAUSED, FIRST, ran=True),
        "human: both_have_it",
    ),
    "runs here, receiver waits, its copy has run": (
        at_source(RUNNING, STREAMED),
        at_destination(PAUSED, alive=True, ran=True),
        "human: both_have_it",
    ),
    "runs here, somebody saves it there": (
        at_source(RUNNING, STREAMED),
        at_destination(SUSPENDED),
        "human: both_have_it",
    ),
    "ran twice, and both were paused": (
        at_source(PAUSED, HELD),
        at_destination(PAUSED, ran=True),
        "human: both_have_it",
    ),
    # It stands still at the source.
    "suspended, asked, journal there lost": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, History(), known=False),
        "human: ran_perhaps",
    ),
    "suspended, runs there unasked": (at_source(SUSPENDED), at_destination(RUNNING), "human: ran_unasked"),
    "suspended, somebody saves it there unasked": (
        at_source(SUSPENDED),
        at_destination(SUSPENDED),
        "human: ran_unasked",
    ),
    "suspended, asked, never committed, ran there and was paused": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, ran=True),
        "human: ran_unasked",
    ),
    "suspended, commit barred, ran there and was paused": (
        at_source(SUSPENDED),
        at_destination(PAUSED, alive=True, barred=True, ran=True),
        "human: ran_unasked",
    ),
    "suspended, given back, yet it ran": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, FAILED, ran=True),
        "human: ran_perhaps",
    ),
    "suspended, committed, gone without a word": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, COMMITTED),
        "human: ran_perhaps",
    ),
    "suspended, has crashed there": (
        at_source(SUSPENDED, ASKED),
        at_destination(SHUT_DOWN, COMMITTED),
        "human: ran_perhaps",
    ),
    # A process lives.
    "barred, and started by hand": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(RUNNING, alive=True, barred=True, waits=True),
        "human: ran_unasked",
    ),
    # Storage that was handed over must not be taken back while the commit may be under way.
    "receiver gone, started by hand": (at_source(SUSPENDED, alive=True), at_destination(RUNNING), "human: ran_unasked"),
    "receiver gone, somebody saves it there": (
        at_source(SUSPENDED, alive=True),
        at_destination(SUSPENDED),
        "human: ran_unasked",
    ),
    "commit barred, started by hand": (
        at_source(SUSPENDED),
        at_destination(RUNNING, alive=True, barred=True),
        "human: ran_unasked",
    ),
    # The sender waits for the report, and somebody has let the source's copy go on, or has started one.
    "sender waits, committed, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(PAUSED, COMMITTED),
        "human: both_have_it",
    ),
    "sender waits, committed, paused here by somebody": (
        at_source(PAUSED, ASKED, alive=True),
        at_destination(PAUSED, COMMITTED),
        "human: both_have_it",
    ),
    "sender waits, committed, has gone on here and shut down": (
        at_source(SHUT_DOWN, ASKED, alive=True),
        at_destination(PAUSED, COMMITTED),
        "human: both_have_it",
    ),
    "sender waits, runs there, and was paused here because it ran twice": (
        at_source(PAUSED, ASKED, alive=True),
        at_destination(RUNNING, RAN),
        "human: both_have_it",
    ),
    "sender waits, ran there and is gone, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(ABSENT, RAN),
        "human: both_have_it",
    ),
    "sender waits, gone there without a word, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(ABSENT, COMMITTED),
        "human: both_have_it",
    ),
    "sender waits, runs here, counts, and a copy is left there": (
        at_source(RUNNING, ASKED, alive=True, vouched_ran=False),
        at_destination(PAUSED, COMMITTED, vouched_ran=False),
        "human: both_have_it",
    ),
    "sender waits, runs here, destination off for good": (
        at_source(RUNNING, ASKED, alive=True),
        replace(SILENT_DESTINATION, gone=True),
        "human: both_have_it",
    ),
    "sender waits, destination silent, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        SILENT_DESTINATION,
        "human: destination_silent",
    ),
    # A later session of the domain has no end: what is there may be that one's.
    "each host takes another session for the later one": (
        at_source(SUSPENDED, later=LATER_LEFT, session="a", after=("b",)),
        at_destination(ABSENT, session="a", before=("b", "c")),
        "human: order_unknown",
    ),
    "each host takes another session for the later one, the other way round": (
        at_source(SUSPENDED, session="a", before=("b",)),
        at_destination(ABSENT, later=LATER_LEFT, session="a", after=("b",)),
        "human: order_unknown",
    ),
    "runs twice, a later session left": (
        at_source(RUNNING, later=LATER_LEFT),
        at_destination(RUNNING),
        "human: running_twice",
    ),
    # One that has ended has had the domain since.
    "gone here, whole copy there, a later session has ended": (
        at_source(ABSENT, HELD, superseded=True),
        at_destination(PAUSED),
        "human: resumed_perhaps",
    ),
    "gone here, committed, not started, a later session has ended": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, COMMITTED, superseded=True),
        "human: resumed_perhaps",
    ),
    # The source has lost it.
    "shut down here, ran there and was paused": (
        at_source(SHUT_DOWN, STREAMED),
        at_destination(PAUSED, ran=True),
        "human: both_have_it",
    ),
    "source restarted after it was given back": (
        at_source(ABSENT, REFUSED, boot_id=LATER),
        at_destination(PAUSED),
        "human: resumed_perhaps",
    ),
    "source restarted before the permission": (
        at_source(ABSENT, STREAMED, boot_id=LATER),
        at_destination(PAUSED),
        "human: resumed_perhaps",
    ),
    "source restarted after it was given back, not started there": (
        at_source(ABSENT, REFUSED, boot_id=LATER),
        at_destination(PAUSED, FAILED),
        "human: resumed_perhaps",
    ),
    # The copy at the destination was to be left paused.
    "to be left paused, reported, and gone": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, LEFT),
        "human: ran_perhaps",
    ),
    "to be left paused, reported, and gone with the power": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(ABSENT, LEFT, boot_id=LATER),
        "human: ran_perhaps",
    ),
    "to be left paused, said that it started, and gone": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, replace(TO_BE_LEFT, said_started=True)),
        "human: ran_perhaps",
    ),
    "to be left paused, reported, source runs": (
        at_source(RUNNING, ASKED),
        at_destination(PAUSED, LEFT, name=NAME),
        "human: both_have_it",
    ),
    "to be left paused, reported, source has shut down": (
        at_source(SHUT_DOWN, ASKED),
        at_destination(PAUSED, LEFT, name=NAME),
        "human: both_have_it",
    ),
    "committed, source has shut down": (
        at_source(SHUT_DOWN, ASKED),
        at_destination(PAUSED, COMMITTED),
        "human: both_have_it",
    ),
    "to be left paused, reported, source silent": (
        SILENT_SOURCE,
        at_destination(PAUSED, LEFT, name=NAME),
        "human: source_silent",
    ),
    # A host does not answer.
    "destination silent, asked": (
        at_source(SUSPENDED, ASKED, alive=True),
        SILENT_DESTINATION,
        "human: destination_silent",
    ),
    "destination silent, asked, runs here": (
        at_source(RUNNING, ASKED),
        SILENT_DESTINATION,
        "human: destination_silent",
    ),
    "destination silent, lost here": (
        at_source(ABSENT, HELD, boot_id=LATER),
        SILENT_DESTINATION,
        "human: destination_silent",
    ),
    "destination off for good, asked": (
        at_source(SUSPENDED, ASKED),
        replace(SILENT_DESTINATION, gone=True),
        "human: ran_perhaps",
    ),
    "source silent, never committed": (SILENT_SOURCE, at_destination(PAUSED), "human: source_silent"),
    "source silent, receiver waits": (SILENT_SOURCE, at_destination(PAUSED, alive=True), "human: source_silent"),
    "source silent, runs there": (SILENT_SOURCE, at_destination(RUNNING, RAN), "human: source_silent"),
    "source off for good, never committed": (
        replace(SILENT_SOURCE, gone=True),
        at_destination(PAUSED, alive=True),
        "human: resumed_perhaps",
    ),
    "one silent, one off for good": (replace(SILENT_SOURCE, gone=True), SILENT_DESTINATION, "human: both_silent"),
    "one off for good, one silent": (SILENT_SOURCE, replace(SILENT_DESTINATION, gone=True), "human: both_silent"),
    "both silent": (SILENT_SOURCE, SILENT_DESTINATION, "human: both_silent"),
    # Of a session that is to be settled one host at least has something.
    "other hosts were named, such as the two in the wrong order": (
        at_source(ABSENT, History(), known=False),
        at_destination(ABSENT, History(), known=False),
        "human: no_record",
    ),
}


@pytest.mark.parametrize(("source", "destination", "decided"), CASES.values(), ids=CASES)
def test_decision(source: Side, destination: Side, decided: str) -> None:
    """What is decided, with a reason; a person who has to choose is told what is known and between what."""
    require(source, destination, decided)


def test_a_host_that_says_why_is_not_called_off_for_good() -> None:
    """The command that does so is for hosts that are away; this one says what is to be mended."""
    made = decide(replace(SILENT_SOURCE, trouble="sudo: a password is required"), at_destination(PAUSED, FIRST))
    assert "could not be looked at: sudo: a password is required" in "".join(made.known)
    assert made.choices and not any("settle_gone" in choice for choice in made.choices)


BUSY = "another session is moving the domain"


@pytest.mark.parametrize(
    ("source", "destination", "reason"),
    [
        (
            replace(SILENT_SOURCE, trouble=BUSY),
            replace(SILENT_DESTINATION, trouble=BUSY),
            "xen1 could not be looked at, and xen2 could not be looked at.",
        ),
        (
            replace(SILENT_SOURCE, trouble=BUSY),
            SILENT_DESTINATION,
            "xen1 could not be looked at, and xen2 does not answer.",
        ),
        (replace(SILENT_SOURCE, trouble=BUSY), at_destination(PAUSED, FIRST), "xen1 could not be looked at."),
        (
            at_source(SUSPENDED, ASKED),
            replace(SILENT_DESTINATION, trouble=BUSY),
            "xen2 could not be looked at, and it may have the copy that counts.",
        ),
        (SILENT_SOURCE, SILENT_DESTINATION, "Neither xen1 nor xen2 answers."),
        (SILENT_SOURCE, at_destination(PAUSED, FIRST), "xen1 does not answer."),
    ],
    ids=["both busy", "one busy", "source busy", "destination busy", "both silent", "source silent"],
)
def test_a_host_that_has_answered_is_not_called_silent(source: Side, destination: Side, reason: str) -> None:
    """It has said why it could not be looked at, and there is nothing to be brought back."""
    made = decide(source, destination)
    assert made.reason == reason
    said = BUSY in "".join(made.known)
    assert said == any("could not be looked at" in each for each in (made.reason,))
    assert all(("is mended" in choice or "has ended" in choice) == said for choice in made.choices)


def test_what_a_person_has_said_stays_in_the_commands() -> None:
    """Typed as they are shown, they must not lead back to the same question."""
    made = decide(at_source(SUSPENDED, ASKED), replace(SILENT_DESTINATION, gone=True))
    assert made.end_state == to.RAN_PERHAPS
    assert all("-e settle_gone=xen2 -e settle_ran=" in choice for choice in made.choices)


def test_every_human_case_names_what_is_not_known() -> None:
    """A person cannot choose without."""
    for source, destination, decided in CASES.values():
        made = decide(source, destination)
        if decided.startswith("human"):
            assert made.unknown
            assert "{" not in "".join((made.reason, made.unknown, *made.choices))
            assert "None" not in "".join(made.choices)
