# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the next step is one at the source."""

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
    AWAY,
    COMMITTED,
    FAILED,
    FIRST,
    LATER,
    LEFT,
    NAME,
    RAN,
    READY,
    REFUSED,
    SAID_DESTROYING,
    SAID_STARTED,
    SILENT_DESTINATION,
    STREAMED,
    TO_BE_LEFT,
    at_destination,
    at_source,
    require,
)

CASES: dict[str, tuple[Side, Side, str]] = {
    # The source runs it.
    "runs here under the other name": (
        at_source(RUNNING, REFUSED, name=AWAY),
        at_destination(ABSENT, FAILED),
        "rename_back at source",
    ),
    # It stands still at the source.
    "suspended, nothing there": (at_source(SUSPENDED, STREAMED), at_destination(ABSENT, FIRST), "resume at source"),
    "suspended, half a copy there": (at_source(SUSPENDED, STREAMED), at_destination(PAUSED, FIRST), "resume at source"),
    "suspended, whole copy there": (at_source(SUSPENDED), at_destination(PAUSED), "resume at source"),
    "suspended, asked, never committed": (at_source(SUSPENDED, ASKED), at_destination(ABSENT), "resume at source"),
    "suspended, asked, never committed, whole copy there": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED),
        "resume at source",
    ),
    "suspended, commit barred": (
        at_source(SUSPENDED),
        at_destination(PAUSED, alive=True, barred=True),
        "resume at source",
    ),
    "suspended, runs there": (at_source(SUSPENDED, ASKED), at_destination(RUNNING, COMMITTED), "destroy at source"),
    "suspended, ran there and is gone": (at_source(SUSPENDED, ASKED), at_destination(ABSENT, RAN), "destroy at source"),
    "suspended, ran there and the host restarted": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, RAN, boot_id=LATER),
        "destroy at source",
    ),
    "suspended, given back and gone": (at_source(SUSPENDED, ASKED), at_destination(ABSENT, FAILED), "resume at source"),
    "suspended, committed, xl said that it started": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, SAID_STARTED),
        "destroy at source",
    ),
    "suspended, committed, xl said that it destroys": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, SAID_DESTROYING),
        "resume at source",
    ),
    "suspended, committed, xl had begun to destroy its copy": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, SAID_DESTROYING),
        "destroy at destination",
    ),
    "sender waits, xl had begun to destroy its copy": (
        at_source(SUSPENDED, ASKED, alive=True, waits=True),
        at_destination(PAUSED, SAID_DESTROYING),
        "destroy at destination",
    ),
    "suspended, committed, xl had begun to destroy what has run": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, SAID_DESTROYING, ran=True),
        "roll_forward at destination",
    ),
    "suspended, committed, xl had started it": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, replace(SAID_STARTED, said_destroying=True)),
        "roll_forward at destination",
    ),
    "a person says that it ran": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, COMMITTED, vouched_ran=True),
        "destroy at source",
    ),
    "a person says that it did not": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, COMMITTED, vouched_ran=False),
        "resume at source",
    ),
    # A process lives.
    "commit asked, and barred": (
        at_source(SUSPENDED, ASKED, alive=True, waits=True),
        at_destination(PAUSED, alive=True, barred=True, waits=True),
        "outcome 3 at source",
    ),
    "barred, and the link is back": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(PAUSED, alive=True, barred=True, waits=True),
        "outcome 3 at source",
    ),
    "barred, and never asked": (
        at_source(SUSPENDED, alive=True),
        at_destination(PAUSED, alive=True, barred=True, waits=True),
        "cancel at source",
    ),
    # Storage that was handed over must not be taken back while the commit may be under way.
    "commit asked after the tasks, given back, sender to be told": (
        at_source(SUSPENDED, ASKED_OPEN, alive=True, waits=True),
        at_destination(ABSENT, FAILED),
        "outcome 3 at source",
    ),
    "sender waits after it ran there unasked": (
        at_source(SUSPENDED, alive=True, waits=True),
        at_destination(ABSENT),
        "outcome 3 at source",
    ),
    "receiver gone while memory flows": (
        at_source(RUNNING, STREAMED, alive=True),
        at_destination(PAUSED, FIRST),
        "cancel at source",
    ),
    "sender waits, runs there": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(RUNNING, COMMITTED),
        "outcome 0 at source",
    ),
    "sender waits, never committed": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(ABSENT),
        "outcome 3 at source",
    ),
    "sender waits, never committed, whole copy there": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(PAUSED),
        "outcome 3 at source",
    ),
    # The sender waits for the report, and somebody has let the source's copy go on, or has started one.
    "sender waits, runs here, and a person says that it counts": (
        at_source(RUNNING, ASKED, alive=True, vouched_ran=False),
        at_destination(ABSENT, RAN, vouched_ran=False),
        "outcome 3 at source",
    ),
    "sender waits, never committed, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(PAUSED),
        "outcome 3 at source",
    ),
    "sender waits, runs there unasked, and was destroyed here": (
        at_source(ABSENT, ASKED, alive=True),
        at_destination(RUNNING),
        "outcome 0 at source",
    ),
    # The copy at the destination was to be left paused.
    "to be left paused, reported, source suspended": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, LEFT, name=NAME),
        "destroy at source",
    ),
    "to be left paused, reported, sender waits": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(PAUSED, LEFT, name=NAME),
        "outcome 0 at source",
    ),
    "to be left paused, given back": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, replace(TO_BE_LEFT, said_destroying=True)),
        "resume at source",
    ),
    "to be left paused, reported, has ended there": (
        at_source(SUSPENDED, ASKED),
        at_destination(SHUT_DOWN, LEFT),
        "destroy at source",
    ),
    "to be left paused, never committed": (
        at_source(SUSPENDED),
        at_destination(PAUSED, replace(READY, leave_paused=True)),
        "resume at source",
    ),
    # A host does not answer.
    "destination silent, never asked": (at_source(SUSPENDED), SILENT_DESTINATION, "resume at source"),
    "destination silent, sender waits": (at_source(SUSPENDED, alive=True), SILENT_DESTINATION, "cancel at source"),
    "destination off for good, it had not run": (
        at_source(SUSPENDED, ASKED),
        replace(SILENT_DESTINATION, gone=True, vouched_ran=False),
        "resume at source",
    ),
    "destination off for good, it had run": (
        at_source(SUSPENDED, ASKED),
        replace(SILENT_DESTINATION, gone=True, vouched_ran=True),
        "destroy at source",
    ),
    "destination off for good, never asked": (
        at_source(SUSPENDED),
        replace(SILENT_DESTINATION, gone=True),
        "resume at source",
    ),
}


@pytest.mark.parametrize(("source", "destination", "decided"), CASES.values(), ids=CASES)
def test_decision(source: Side, destination: Side, decided: str) -> None:
    """What is decided, with a reason; a person who has to choose is told what is known and between what."""
    require(source, destination, decided)
