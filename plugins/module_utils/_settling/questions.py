# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is asked where a decision is not ours, and the commands to choose from (pure; private)."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import (
    BOTH_HAVE_IT,
    BOTH_SILENT,
    COMMAND,
    DESTINATION_SILENT,
    HALF_MADE,
    HUMAN,
    NO_RECORD,
    ORDER_UNKNOWN,
    PUT_ELSEWHERE,
    RAN_PERHAPS,
    RAN_UNASKED,
    RESUMED_PERHAPS,
    SOURCE_SILENT,
    STARTED_PERHAPS,
    UNSETTLED,
    Decision,
    known,
    settle,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    PAUSED,
    RUNNING,
    UNKNOWN_HOST,
    Side,
)


def human(source: Side, destination: Side, why: str, **more: t.Any) -> Decision:
    """Return that a person has to decide, with what is known, what is not, and the commands to choose from.

    ``more`` is what the texts of some of these say besides.
    """
    reason, unknown, choices = _text(source, destination, why)
    if why == PUT_ELSEWHERE and (more["silent"] or more["stuck"]):
        choices = (*(_GIVEN_UP_WITHOUT if more["silent"] else _GIVEN_UP_LATER), *choices[1:])
    troubled = source.trouble or destination.trouble
    if why in (SOURCE_SILENT, DESTINATION_SILENT, BOTH_SILENT, PUT_ELSEWHERE) and troubled:
        # Nobody may call a host off for good that has just said why it cannot be looked at.
        choices = (_LOOK_AGAIN,)
    if UNKNOWN_HOST in (source.host, destination.host):
        choices = _named(source, destination)
    if more.get("unseen"):
        choices = ("{settle}  # when every dom0 of the inventory answers it", *choices)
    names = {"source": source.host, "destination": destination.host, "at": source.domid, "to": destination.domid}
    if why == BOTH_SILENT and troubled:
        reason = "{source_so}, and {destination_so}."
    names.update(source_so=_silence(source), destination_so=_silence(destination))
    names["session"] = source.session or destination.session
    unsaid = settle(replace(source, vouched_ran=None), replace(destination, vouched_ran=None))
    names.update(more, settle=settle(source, destination), unsaid=unsaid, command=COMMAND)
    return Decision(
        HUMAN,
        UNSETTLED,
        why,
        reason.format(**names),
        None,
        known(source, destination),
        unknown.format(**names),
        tuple(choice.format(**names) for choice in choices),
    )


def _text(source: Side, destination: Side, why: str) -> tuple[str, str, tuple[str, ...]]:
    if source.phantom and why in _OF_A_RECORD:
        return _OF_A_RECORD[why]
    if why == BOTH_HAVE_IT and destination.copy == ABSENT:
        return _GOES_ON
    reason, unknown, choices = _TEXTS[why]
    if why == BOTH_HAVE_IT and source.alive:
        choices = _DESTROY_ONE_AND_SETTLE
    if why == DESTINATION_SILENT and source.copy in (RUNNING, PAUSED):
        choices = (choices[0], _OFF_FOR_GOOD)
    return reason, unknown, choices


def _silence(side: Side) -> str:
    if side.gone:
        return f"{side.host} is off for good"
    return f"{side.host} could not be looked at" if side.trouble else f"{side.host} does not answer"


def _named(source: Side, destination: Side) -> tuple[str, ...]:
    """A host without a name can neither be looked at nor be called off for good."""
    unknown = [word for word, side in (("source", source), ("destination", destination)) if side.host == UNKNOWN_HOST]
    words = "".join(f" -e {word}=HOST" for word in unknown)
    return (f"{{settle}}{words}  # HOST is what the inventory calls the {' and the '.join(unknown)}",)


_LOOK_AGAIN = "{settle}  # when what keeps it from being looked at has ended, or is mended"
_GIVEN_UP_WITHOUT = (
    "{settle}  # when {silent} answers again",
    "{command} -e settle_gone={silent} -e settle_ran=yes  # {silent} is off for good, and the copy on {other} counts;"
    " what the session has of it is given up",
)
_GIVEN_UP_LATER = (
    "{settle} -e settle_ran=yes  # the copy on {other} counts; what the session has of it is given up, once no process "
    "of it lives and no copy of it runs",
)
_DESTROY_ONE = (
    "{source}: xl destroy {at}  # if the copy on {destination} counts",
    "{destination}: xl destroy {to}  # if it does not",
)
# A process of the session waits, and is to be told what has become of it.
_DESTROY_ONE_AND_SETTLE = (
    "{source}: xl destroy {at}; then {settle}  # if the copy on {destination} counts",
    "{destination}: xl destroy {to}; then {unsaid} -e settle_ran=no  # if it does not",
)
_OFF_FOR_GOOD = (
    "{command} -e settle_gone={destination}  # it is off for good; you are asked again if more must be known"
)
_GOES_ON = (
    "Somebody has let the domain go on, on {source}, after it was handed over; {destination} has no copy of it.",
    "Whether the domain has run on {destination}, and what it has written to its disks there counts.",
    (
        "{unsaid} -e settle_ran=no  # the copy on {source} counts, and stays",
        "{source}: xl destroy {at}; then {unsaid} -e settle_ran=yes  # if what has run on {destination} counts",
    ),
)
_TEXTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    BOTH_HAVE_IT: (
        "Both hosts have a copy that may have run.",
        "Which copy has the good disk state.",
        _DESTROY_ONE,
    ),
    RAN_UNASKED: (
        "{destination} has run a copy that never had the permission: somebody started it by hand.",
        "What it has written to the disks.",
        _DESTROY_ONE,
    ),
    RAN_PERHAPS: (
        "{destination} had the permission, and what became of its copy is not on record.",
        "Whether the domain has run on {destination}, even for a moment, and written to its disks.",
        (
            "{settle} -e settle_ran=yes  # it has run there; the copy on {source} is destroyed",
            "{settle} -e settle_ran=no  # it has not; the copy on {source} is resumed",
        ),
    ),
    RESUMED_PERHAPS: (
        "{source} has lost its copy, and it is not on record that it stood still to the end. The copy on {destination} "
        "is complete, but if the domain ran on, on {source}, it is older than the disks.",
        "Whether {source} had resumed the domain before it lost it.",
        (
            "{settle} -e settle_ran=no  # it had not; the copy on {destination} is started. If the move had tasks at a "
            "gate (migrate_gate_tasks), see first that {destination} has what they give",
            "{settle} -e settle_ran=yes  # it had; the copy on {destination} is destroyed, and you start the domain "
            "from its disks",
        ),
    ),
    STARTED_PERHAPS: (
        "{source} has asked the domain to shut down for the move, and it is not there any more. Somebody may have"
        " started it elsewhere since: {doubts}.",
        "Whether it is, or has been, on any host since it was shut down, or was saved.",
        (
            "{settle} -e settle_ran=no  # it has not; it is started on {source}",
            "{settle} -e settle_ran=yes  # it has, or it is to stay down; it is given up on {source}, and nothing of "
            "this session starts it",
        ),
    ),
    HALF_MADE: (
        "{source} has asked the domain to shut down for the move, and has a copy of it that was made since, is"
        " paused and has never run: the xl create that made it was cut off, or somebody has made it so.",
        "Whether that copy is whole. What counts is on the domain's disks.",
        (
            "{source}: xl destroy {at}; then {settle}  # it is started there again from its configuration file",
            "{source}: xl unpause {at}; then {settle}  # if you have made it so yourself",
        ),
    ),
    PUT_ELSEWHERE: (
        "The domain is on {other}, which has no part in the session: somebody has put it there.",
        "Whether that copy counts, or what the session has of the domain.",
        (
            "{settle} -e settle_ran=yes  # the copy on {other} counts; what the session has of it is given up",
            "{other}: xl destroy {there}; then {settle}  # if it does not",
        ),
    ),
    DESTINATION_SILENT: (
        "{destination_so}, and it may have the copy that counts.",
        "Whether the domain runs on {destination}.",
        (
            "{settle}  # when {destination} answers again",
            "{command} -e settle_gone={destination} -e settle_ran=yes  # it is off for good, and has run the domain; "
            "the copy on {source} is destroyed",
            "{command} -e settle_gone={destination} -e settle_ran=no  # it is off for good, and has not run it; the "
            "copy on {source} is resumed",
        ),
    ),
    SOURCE_SILENT: (
        "{source_so}.",
        "Whether the domain runs on {source}.",
        (
            "{settle}  # when {source} answers again",
            "{command} -e settle_gone={source}  # it is off for good; you are asked again if more must be known",
        ),
    ),
    ORDER_UNKNOWN: (
        "The domain has two sessions without an end, this one ({session}) and {other}, and {source} and {destination} "
        "do not agree which of them was begun later: a clock was wrong.",
        "Whose copies these are: the later one's. The logs of the runs that have begun them say when that was.",
        (
            "{settle} -e settle_latest={session}  # {session} was begun later, and is settled first",
            "{settle} -e settle_latest={other}  # {other} was, and is settled first",
        ),
    ),
    NO_RECORD: (
        "Neither {source} nor {destination} has a record of this session's part there, or a copy of the domain.",
        "Which hosts the session's source and destination are.",
        ("{settle} -e source=HOST -e destination=HOST  # each HOST is what the inventory calls it",),
    ),
    BOTH_SILENT: (
        "Neither {source} nor {destination} answers.",
        "Where the domain runs.",
        ("{settle}  # when at least one of them answers again",),
    ),
}
# Where all that the source has is the record of a domain that was shut down for the move: there is nothing to be
# destroyed, and its number may be another domain's by now.
_OF_A_RECORD: dict[str, tuple[str, str, tuple[str, ...]]] = {
    RAN_UNASKED: (
        *_TEXTS[RAN_UNASKED][:2],
        (
            "{settle}  # if the copy on {destination} counts, when it runs there and the session's process on {source}"
            " has ended",
            _DESTROY_ONE[1],
        ),
    ),
    DESTINATION_SILENT: (
        _TEXTS[DESTINATION_SILENT][0],
        "Whether the domain runs on {destination}, or has run on any host since it was shut down for the move.",
        (
            "{settle}  # when {destination} answers again",
            "{command} -e settle_gone={destination} -e settle_ran=yes  # it is off for good, and the domain has run"
            " since; it is given up on {source}, and nothing of this session starts it",
            "{command} -e settle_gone={destination} -e settle_ran=no  # it is off for good, and the domain has run on "
            "no host since; it is started on {source}",
        ),
    ),
}
