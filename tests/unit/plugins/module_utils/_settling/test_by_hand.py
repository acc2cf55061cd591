# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided where somebody has, or may have, taken the domain in hand since its session was interrupted."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.by_hand import depends_on_others
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    PAUSED,
    RUNNING,
    SHUT_DOWN,
    SUSPENDED,
    History,
    Side,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import NOBODY, Copy, Others
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.sides import (
    ASKED,
    COMMITTED,
    FIRST,
    HELD,
    LATER,
    NAME,
    RAN,
    SILENT_DESTINATION,
    STREAMED,
    at_destination,
    at_source,
    short,
)

# A domain that was shut down for the move, and of which nothing is there but the record; and what else is seen of it.
ASKED_ONLY = replace(FIRST, domid=7, restartable=True)
DOWN = replace(ASKED_ONLY, seen_down=True)
GIVEN_UP = replace(DOWN, restartable=False, given_up=True)
THERE = Copy("xen3", 5, NAME, RUNNING)
THERE_PAUSED = replace(THERE, state=PAUSED)
CALLED_SO = replace(THERE, host="xen2", namesake=True)
UNSEEN = Others(unseen=("xen3",))


def phantom(history: History = DOWN, **more: t.Any) -> Side:
    """The source with only the record."""
    return at_source(SUSPENDED, history, name=NAME, phantom=True, **more)


BY_HAND: dict[str, tuple[Side, Side, Others, str]] = {
    "nobody has it": (phantom(), at_destination(ABSENT, FIRST), NOBODY, "resume at source"),
    "it runs elsewhere": (phantom(), at_destination(ABSENT, FIRST), Others((THERE,)), "destroy at source"),
    "it runs elsewhere, and the source was started again": (
        phantom(boot_id=LATER),
        at_destination(ABSENT, FIRST),
        Others((THERE,)),
        "destroy at source",
    ),
    "it runs elsewhere, and nothing is left": (
        at_source(ABSENT, GIVEN_UP),
        at_destination(ABSENT, FIRST),
        Others((THERE,)),
        "done: elsewhere, elsewhere",
    ),
    "it is paused elsewhere, which counts, and the sender's goes on": (
        at_source(RUNNING, ASKED, alive=True, vouched_ran=True),
        at_destination(ABSENT, FIRST),
        Others((THERE_PAUSED,)),
        "human: put_elsewhere",
    ),
    "it is paused elsewhere": (
        phantom(),
        at_destination(ABSENT, FIRST),
        Others((THERE_PAUSED,)),
        "human: put_elsewhere",
    ),
    "it is paused elsewhere, and that counts": (
        phantom(vouched_ran=True),
        at_destination(ABSENT, FIRST),
        Others((THERE_PAUSED,)),
        "destroy at source",
    ),
    "it runs elsewhere, and the receiver waits": (
        phantom(),
        at_destination(PAUSED, alive=True),
        Others((THERE,)),
        "bar at destination",
    ),
    "it runs elsewhere, and the commit is barred": (
        phantom(),
        at_destination(PAUSED, alive=True, barred=True),
        Others((THERE,)),
        "destroy at source",
    ),
    "it runs elsewhere, given up here, and the receiver waits": (
        at_source(ABSENT, GIVEN_UP),
        at_destination(PAUSED, alive=True, barred=True),
        Others((THERE,)),
        "cancel at destination",
    ),
    "it runs elsewhere, given up here, and a copy is left there": (
        at_source(ABSENT, GIVEN_UP),
        at_destination(PAUSED),
        Others((THERE,)),
        "destroy at destination",
    ),
    "it runs elsewhere, and the destination has the permission": (
        phantom(replace(DOWN, asked=True)),
        at_destination(PAUSED, COMMITTED),
        Others((THERE,)),
        "human: put_elsewhere",
    ),
    "it runs elsewhere, and the destination does not answer": (
        phantom(),
        SILENT_DESTINATION,
        Others((THERE,)),
        "human: put_elsewhere",
    ),
    "it runs elsewhere, and the sender waits for its report": (
        phantom(replace(DOWN, asked=True), alive=True, waits=True),
        at_destination(ABSENT, FIRST),
        Others((THERE,)),
        "human: put_elsewhere",
    ),
    "it runs elsewhere, the sender waits, and that counts": (
        phantom(replace(DOWN, asked=True), alive=True, waits=True, vouched_ran=True),
        at_destination(ABSENT, FIRST),
        Others((THERE,)),
        "outcome 0 at source",
    ),
    "suspended here, and somebody has started it elsewhere from its disks": (
        at_source(SUSPENDED),
        at_destination(ABSENT),
        Others((THERE,)),
        "human: put_elsewhere",
    ),
    "committed, not started, and it runs elsewhere": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, COMMITTED),
        Others((THERE,)),
        "human: put_elsewhere",
    ),
    "it runs here and elsewhere": (
        at_source(RUNNING, STREAMED),
        at_destination(ABSENT, FIRST),
        Others((THERE,)),
        "human: running_twice",
    ),
    "it has moved, and a copy is paused elsewhere": (
        at_source(ABSENT, ASKED),
        at_destination(RUNNING, RAN),
        Others((THERE_PAUSED,)),
        "done: destination, moved",
    ),
    "under way, and it is paused elsewhere": (
        at_source(RUNNING, STREAMED, alive=True),
        at_destination(PAUSED, FIRST, alive=True),
        Others((THERE_PAUSED,)),
        "watch",
    ),
    "somebody has started it at the destination": (
        phantom(),
        at_destination(RUNNING, FIRST),
        NOBODY,
        "destroy at source",
    ),
    "somebody has started it at the destination, whose receiver lives": (
        phantom(),
        at_destination(RUNNING, FIRST, alive=True, barred=True),
        NOBODY,
        "destroy at source",
    ),
    "somebody has started it at the destination, where it has ended": (
        phantom(),
        at_destination(SHUT_DOWN, FIRST),
        NOBODY,
        "destroy at source",
    ),
    "somebody has started it at the destination, and the sender lives": (
        phantom(alive=True),
        at_destination(RUNNING, FIRST),
        NOBODY,
        "human: ran_unasked",
    ),
    "it was started elsewhere, as a person says, and the sender lives": (
        phantom(alive=True, vouched_ran=True),
        at_destination(ABSENT, FIRST),
        UNSEEN,
        "outcome 0 at source",
    ),
    "it has moved, has ended there, and was started elsewhere": (
        at_source(ABSENT, ASKED),
        at_destination(SHUT_DOWN, RAN),
        Others((THERE,)),
        "human: put_elsewhere",
    ),
    "it has moved, has ended there, was started elsewhere, and that counts": (
        at_source(ABSENT, ASKED, vouched_ran=True),
        at_destination(SHUT_DOWN, RAN),
        Others((THERE,)),
        "done: elsewhere, elsewhere",
    ),
    "the source was started again": (
        phantom(boot_id=LATER),
        at_destination(ABSENT, FIRST),
        NOBODY,
        "human: started_perhaps",
    ),
    "the source was started again, the destination does not answer": (
        phantom(boot_id=LATER),
        SILENT_DESTINATION,
        NOBODY,
        "human: started_perhaps",
    ),
    "the destination does not answer": (phantom(), SILENT_DESTINATION, NOBODY, "human: started_perhaps"),
    "the destination is off for good": (
        phantom(),
        replace(SILENT_DESTINATION, gone=True),
        NOBODY,
        "resume at source",
    ),
    "a later session has ended": (
        phantom(superseded=True),
        at_destination(ABSENT, FIRST),
        NOBODY,
        "human: started_perhaps",
    ),
    "nobody saw it shut down": (phantom(ASKED_ONLY), at_destination(ABSENT, FIRST), NOBODY, "human: started_perhaps"),
    "another host was not looked at": (phantom(), at_destination(ABSENT, FIRST), UNSEEN, "human: started_perhaps"),
    "suspended here, another host was not looked at": (
        at_source(SUSPENDED),
        at_destination(ABSENT),
        UNSEEN,
        "resume at source",
    ),
    "from a file without its UUID": (
        phantom(),
        at_destination(ABSENT, FIRST),
        Others((CALLED_SO,)),
        "human: started_perhaps",
    ),
    "the receiver waits, another host was not looked at": (
        phantom(),
        at_destination(PAUSED, alive=True, barred=True),
        UNSEEN,
        "human: started_perhaps",
    ),
    "the destination may have run it, another host was not looked at": (
        phantom(replace(DOWN, asked=True)),
        at_destination(ABSENT, COMMITTED),
        UNSEEN,
        "human: started_perhaps",
    ),
    "a person says that it was not started": (
        phantom(boot_id=LATER, vouched_ran=False),
        at_destination(ABSENT, FIRST),
        UNSEEN,
        "resume at source",
    ),
    "a person says that it was": (
        phantom(boot_id=LATER, vouched_ran=True),
        at_destination(ABSENT, FIRST),
        NOBODY,
        "destroy at source",
    ),
    "and it was given up": (
        at_source(ABSENT, GIVEN_UP, boot_id=LATER),
        at_destination(ABSENT, FIRST),
        NOBODY,
        "done: elsewhere, down",
    ),
}


@pytest.mark.parametrize(("source", "destination", "others", "decided"), BY_HAND.values(), ids=BY_HAND)
def test_what_was_done_by_hand(source: Side, destination: Side, others: Others, decided: str) -> None:
    """Nothing is started on the strength of a record that is older than what somebody may have done since."""
    made = decide(source, destination, others)
    assert short(made) == decided
    assert len(made.known) == 2 + len(others.copies) + len(others.unseen)
    if made.next == to.HUMAN:
        assert len(made.choices) >= 2 and "{" not in "".join((made.reason, made.unknown, *made.choices))


def test_a_person_is_told_every_doubt_and_two_commands() -> None:
    """What speaks against starting it, and what to type whichever way it is."""
    source, lost = phantom(boot_id=LATER, superseded=True), SILENT_DESTINATION
    made = decide(source, lost, Others((CALLED_SO,), ("xen4",)))
    for doubt in ("xen1 was started again", "a later session", "xen2 does not answer", "xen4 was not looked at"):
        assert doubt in made.reason
    assert "xen2 has another domain of that name (domid 5)" in made.reason
    assert [choice.partition("settle_ran=")[2][:3] for choice in made.choices] == ["", "no ", "yes"]


@pytest.mark.parametrize(
    ("source", "destination", "asks"),
    [
        # Nothing shows where it is, or was since.
        (phantom(), at_destination(ABSENT, FIRST), True),
        (at_source(ABSENT, HELD, boot_id=LATER), at_destination(PAUSED), True),
        (at_source(ABSENT, HELD, boot_id=LATER), at_destination(PAUSED, alive=True), True),
        # It has stood still, or runs.
        (at_source(SUSPENDED), at_destination(ABSENT), False),
        (at_source(RUNNING, STREAMED), at_destination(ABSENT, FIRST), False),
        (at_source(SUSPENDED, ASKED), at_destination(PAUSED, COMMITTED), False),
    ],
)
def test_other_hosts_are_asked_where_it_matters(source: Side, destination: Side, asks: bool) -> None:
    """That takes time; a guest that stands still should not wait for it."""
    assert depends_on_others(source, decide(source, destination, Others(unseen=("the rest of the inventory",)))) is asks
