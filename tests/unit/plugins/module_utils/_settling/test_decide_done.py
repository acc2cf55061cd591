# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nothing is left to be done: who has the domain is put on record."""

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
    FAILED,
    FIRST,
    HELD,
    LATER,
    LEFT,
    NAME,
    RAN,
    SILENT_DESTINATION,
    SILENT_SOURCE,
    STREAMED,
    at_destination,
    at_source,
    require,
)

CASES: dict[str, tuple[Side, Side, str]] = {
    # The source runs it.
    "runs here, nothing there": (at_source(RUNNING, STREAMED), at_destination(ABSENT, FIRST), "done: source, stayed"),
    # Whatever is on record: somebody has started it there by hand.
    "paused here": (at_source(PAUSED, STREAMED), at_destination(ABSENT, FIRST), "done: source, stayed"),
    # The source has lost it.
    "gone here, runs there": (at_source(ABSENT, ASKED), at_destination(RUNNING, RAN), "done: destination, moved"),
    "gone here, somebody saves it there": (
        at_source(ABSENT, ASKED),
        at_destination(SUSPENDED, RAN),
        "done: destination, moved",
    ),
    "gone here, ran there unasked and was paused": (
        at_source(ABSENT, STREAMED),
        at_destination(PAUSED, FIRST, ran=True),
        "done: destination, moved",
    ),
    "gone here, not started there, yet it ran": (
        at_source(ABSENT, HELD),
        at_destination(PAUSED, FAILED, ran=True),
        "done: destination, moved",
    ),
    "resumed by settling, destination silent": (
        at_source(RUNNING, replace(ASKED, resumed=True)),
        SILENT_DESTINATION,
        "done: source, stayed",
    ),
    "gone everywhere": (
        at_source(ABSENT, STREAMED, boot_id=LATER),
        at_destination(ABSENT, FIRST),
        "done: source, down",
    ),
    "ended there": (at_source(ABSENT, ASKED), at_destination(SHUT_DOWN, RAN), "done: destination, down"),
    # The copy at the destination was to be left paused.
    "to be left paused, reported, source done": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, LEFT, name=NAME),
        "done: destination, moved",
    ),
    "to be left paused, reported, source restarted": (
        at_source(ABSENT, ASKED, boot_id=LATER),
        at_destination(PAUSED, LEFT, name=NAME),
        "done: destination, moved",
    ),
    "to be left paused, reported, and it was started by hand": (
        at_source(ABSENT, ASKED),
        at_destination(RUNNING, LEFT),
        "done: destination, moved",
    ),
    "to be left paused, reported, source off for good": (
        replace(SILENT_SOURCE, gone=True),
        at_destination(PAUSED, LEFT, name=NAME),
        "done: destination, moved",
    ),
    # A host does not answer.
    "destination silent, runs here": (at_source(RUNNING, STREAMED), SILENT_DESTINATION, "done: source, stayed"),
    "destination off for good, runs here": (
        at_source(RUNNING, STREAMED),
        replace(SILENT_DESTINATION, gone=True),
        "done: source, stayed",
    ),
    "source off for good, runs there": (
        replace(SILENT_SOURCE, gone=True),
        at_destination(RUNNING, RAN),
        "done: destination, moved",
    ),
    "given back, and then the source lost its power": (
        at_source(ABSENT, replace(ASKED, refused=True, backed_out=True), boot_id=LATER),
        at_destination(ABSENT, FAILED),
        "done: source, down",
    ),
    "not started there, and the source lost its power before it knew": (
        at_source(ABSENT, ASKED, boot_id=LATER),
        at_destination(ABSENT, FAILED),
        "done: source, down",
    ),
}


@pytest.mark.parametrize(("source", "destination", "decided"), CASES.values(), ids=CASES)
def test_decision(source: Side, destination: Side, decided: str) -> None:
    """What is decided, with a reason; a person who has to choose is told what is known and between what."""
    require(source, destination, decided)
