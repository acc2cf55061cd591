# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the next step is one at the destination."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    PAUSED,
    RUNNING,
    SHUT_DOWN,
    SUSPENDED,
    Side,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.sides import (
    ASKED,
    ASKED_OPEN,
    COMMITTED,
    DUE,
    FAILED,
    FIRST,
    HELD,
    LATER,
    LEFT,
    NAME,
    READY,
    REFUSED,
    SAID_DESTROYING,
    SILENT_SOURCE,
    STREAMED,
    TO_BE_LEFT,
    at_destination,
    at_source,
    require,
)

CASES: dict[str, tuple[Side, Side, str]] = {
    # Its xl had begun to destroy the copy, which it could not start.
    "lost at the source, which stood still; half destroyed there": (
        at_source(ABSENT, ASKED, boot_id=LATER),
        at_destination(PAUSED, SAID_DESTROYING),
        "roll_forward at destination",
    ),
    "lost at the source, which may have gone on; half destroyed there": (
        at_source(ABSENT, STREAMED, boot_id=LATER),
        at_destination(PAUSED, SAID_DESTROYING),
        "human: resumed_perhaps",
    ),
    "the source does not answer; half destroyed there": (
        SILENT_SOURCE,
        at_destination(PAUSED, SAID_DESTROYING),
        "human: source_silent",
    ),
    # The source runs it.
    "runs here, receiver waits": (
        at_source(RUNNING, STREAMED),
        at_destination(PAUSED, FIRST, alive=True),
        "cancel at destination",
    ),
    "runs here, half a copy there": (
        at_source(RUNNING, STREAMED),
        at_destination(PAUSED, FIRST),
        "destroy at destination",
    ),
    "runs here, whole copy there": (at_source(RUNNING, REFUSED), at_destination(PAUSED), "destroy at destination"),
    "runs here after it was given back": (
        at_source(RUNNING, ASKED),
        at_destination(PAUSED, FAILED),
        "destroy at destination",
    ),
    # It stands still at the source.
    "suspended, receiver waits": (at_source(SUSPENDED), at_destination(PAUSED, alive=True), "bar at destination"),
    "resumed, commit barred": (
        at_source(RUNNING),
        at_destination(PAUSED, alive=True, barred=True),
        "cancel at destination",
    ),
    "suspended, committed, not started": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, COMMITTED),
        "roll_forward at destination",
    ),
    "suspended, given back and left": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, FAILED),
        "destroy at destination",
    ),
    # A process lives.
    "commit asked, and the link stays away": (
        at_source(SUSPENDED, ASKED, alive=True, waits=True),
        at_destination(PAUSED, alive=True),
        "bar at destination",
    ),
    # Storage that was handed over must not be taken back while the commit may be under way.
    "commit asked after the tasks, and the link stays away": (
        at_source(SUSPENDED, ASKED_OPEN, alive=True, waits=True),
        at_destination(PAUSED, alive=True),
        "bar at destination",
    ),
    # The sender waits for the report, and somebody has let the source's copy go on, or has started one.
    "sender waits, not started there, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(PAUSED, FAILED),
        "destroy at destination",
    ),
    # One that has ended has had the domain since.
    "gone here, committed, not started, a later session has ended, as a person says with it running": (
        at_source(ABSENT, ASKED, vouched_ran=True),
        at_destination(PAUSED, COMMITTED, superseded=True),
        "destroy at destination",
    ),
    # The source has lost it.
    "gone here, committed, not started": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, COMMITTED),
        "roll_forward at destination",
    ),
    "source restarted at the gate": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED),
        "roll_forward at destination",
    ),
    "source restarted at the gate, receiver waits": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, alive=True),
        "hand_over at destination",
    ),
    "a person says that it had gone on, tasks at the gate": (
        at_source(ABSENT, DUE, boot_id=LATER, vouched_ran=True),
        at_destination(PAUSED),
        "destroy at destination",
    ),
    "a person says that it had gone on": (
        at_source(ABSENT, STREAMED, boot_id=LATER, vouched_ran=True),
        at_destination(PAUSED),
        "destroy at destination",
    ),
    "source restarted while memory flowed": (
        at_source(ABSENT, STREAMED, boot_id=LATER),
        at_destination(PAUSED, FIRST),
        "destroy at destination",
    ),
    "source restarted, not started there": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, FAILED),
        "roll_forward at destination",
    ),
    "shut down here by itself": (
        at_source(SHUT_DOWN, STREAMED),
        at_destination(PAUSED, FIRST),
        "destroy at destination",
    ),
    # The copy at the destination was to be left paused.
    "to be left paused, not started, and left": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, replace(TO_BE_LEFT, status=6)),
        "destroy at destination",
    ),
    "to be left paused, not reported": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, TO_BE_LEFT, name=NAME),
        "roll_forward at destination",
    ),
    "to be left paused, not reported, source gone": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, TO_BE_LEFT, name=NAME),
        "roll_forward at destination",
    ),
    "to be left paused, on record before it had its name": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, LEFT),
        "roll_forward at destination",
    ),
    "to be left paused, not reported, source silent": (
        SILENT_SOURCE,
        at_destination(PAUSED, TO_BE_LEFT),
        "roll_forward at destination",
    ),
    "to be left paused, never committed, source restarted at the gate": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, replace(READY, leave_paused=True)),
        "roll_forward at destination",
    ),
    # A host does not answer.
    "source silent, committed": (SILENT_SOURCE, at_destination(PAUSED, COMMITTED), "roll_forward at destination"),
    "source off for good, it had not gone on": (
        replace(SILENT_SOURCE, gone=True, vouched_ran=False),
        at_destination(PAUSED),
        "roll_forward at destination",
    ),
}


@pytest.mark.parametrize(("source", "destination", "decided"), CASES.values(), ids=CASES)
def test_decision(source: Side, destination: Side, decided: str) -> None:
    """What is decided, with a reason; a person who has to choose is told what is known and between what."""
    require(source, destination, decided)
