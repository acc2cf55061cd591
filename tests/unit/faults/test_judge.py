# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge can fail: each wrong that it looks for is found in a made-up site."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from dom0_faults import judge as j
from dom0_faults.truth import CopySeen, PowerLoss, Session, Truth

HERE = CopySeen("source", 1, "centos", "running", True, True)
AWAY = CopySeen("source", 1, "centos--migratedaway", "suspended", True, True)
THERE = CopySeen("destination", 1, "centos", "running", True, True)
COMING = CopySeen("destination", 1, "centos--incoming", "paused", True, False)
STAYED = Session(("opened",), "source", "stayed")
MOVED = Session(("opened",), "destination", "moved")
HELD = Session(("opened", "permission_held"))
WITH_AWAY = PowerLoss("source", (AWAY,), (COMING,))
NOTHING = j.Settled()
# Where it is to be left when the course is to leave it paused, and what is made anew there for one that is shut down.
ARRIVED = CopySeen("destination", 1, "centos", "paused", True, False)
DOWN = CopySeen("source", 1, "centos", "down", True, True)
OFF = PowerLoss("source", (), ())


def _truth(*copies: CopySeen, **more: t.Any) -> Truth:
    return Truth(**{"overlaps": 0, "copies": copies, **more})


def _found(after: Truth, before: Truth | None = None, settled: j.Settled = NOTHING) -> tuple[str, ...]:
    return j.judge(before or after, after, settled).found


@pytest.mark.parametrize("copy", [HERE, THERE])
def test_one_copy_that_runs_is_all_right(copy: CopySeen) -> None:
    """No false alarm."""
    said = {"source": STAYED if copy is HERE else MOVED}
    assert _found(_truth(copy, sessions=said)) == ()


def test_a_copy_that_is_left_paused_as_it_was_to_be_is_all_right() -> None:
    """It counts as one that runs elsewhere does; one that nobody asked to be left paused does not."""
    said = {"source": MOVED, "destination": MOVED}
    assert _found(_truth(ARRIVED, arrives_paused=True, sessions=said)) == ()
    assert j.LEFT_UNSETTLED in _found(_truth(ARRIVED, sessions=said))


ASKS = j.Settled(False, "unsettled", "started_perhaps")


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"power_losses": (OFF,), "starts_anew": True}, j.ASKED),
        ({"power_losses": (OFF,)}, j.LEFT_UNSETTLED),
        ({"starts_anew": True}, j.LEFT_UNSETTLED),
        ({"power_losses": (PowerLoss("destination", (), ()),), "starts_anew": True}, j.LEFT_UNSETTLED),
        (
            {
                "power_losses": (PowerLoss("destination", (), ()),),
                "sessions": {"destination": Session(("commit",))},
                "starts_anew": True,
            },
            j.ASKED,
        ),
    ],
)
def test_a_question_is_all_right_where_nobody_can_know(more: dict[str, t.Any], found: str) -> None:
    """A host has lost its power with what it knew; a process that died is no reason to ask."""
    after = _truth(HERE, **more)
    assert found in j.judge(after, after, j.Settled(True, "source", "stayed"), "has it run?").found


def test_what_is_asked_is_told_apart() -> None:
    """From a run that gave up for another reason, and from one that came to an end."""
    assert ASKS.asks and not j.Settled(False, "unsettled", "both_silent").asks
    assert not j.Settled(True, "source", "stayed").asks


WRONG: list[tuple[str, Truth]] = [
    (j.RUNNING_TWICE, _truth(HERE, overlaps=1)),
    (j.LOST, _truth()),
    (j.LOST, _truth(power_losses=(PowerLoss("destination", (COMING,), (AWAY,)),))),
    (j.LAST_COPY_DESTROYED, _truth(power_losses=(PowerLoss("source", (AWAY,), (COMING,)),))),
    (j.LEFT_UNSETTLED, _truth(AWAY)),
    (j.LEFT_UNSETTLED, _truth(COMING, power_losses=(WITH_AWAY,), sessions={"source": HELD})),
    (j.LEFT_UNSETTLED, _truth(AWAY, COMING, sessions={"destination": Session(("opened", "commit"))})),
    (j.TOUCHED, _truth(HERE, touched_before_banner=True)),
    (j.LEFTOVERS, _truth(THERE, AWAY)),
    (j.LEFTOVERS, _truth(dataclasses.replace(HERE, name="centos--migratedaway"))),
    (j.LEFTOVERS, _truth(HERE, processes=("source: xl migrate",))),
    (j.WITHOUT_STORAGE, _truth(HERE, without_storage=("it ran on source while its storage was destination's",))),
    (j.LEFT_BEHIND, _truth(THERE, left_behind=("destination's copy ran after source's",))),
    (j.CORRUPT, _truth(dataclasses.replace(THERE, verified=False))),
    # What was shut down can be started again, whatever has lost its power, if it did not run elsewhere then.
    (j.LOST, _truth(power_losses=(PowerLoss("source", (HERE,), ()),), starts_anew=True)),
    (j.LOST, _truth(power_losses=(PowerLoss("destination", (COMING,), ()),), starts_anew=True)),
    (j.LEFT_UNSETTLED, _truth(DOWN, starts_anew=True)),
    (j.LEFTOVERS, _truth(THERE, DOWN, starts_anew=True)),
    (j.STARTED, _truth(THERE, arrives_paused=True)),
    (j.LEFT_UNSETTLED, _truth(dataclasses.replace(ARRIVED, name="centos--incoming"), arrives_paused=True)),
    (j.LEFTOVERS, _truth(ARRIVED, AWAY, arrives_paused=True)),
    (j.WRONG_REPORT, _truth(ARRIVED, sessions={"source": STAYED}, arrives_paused=True)),
    (j.WRONG_REPORT, _truth(THERE, sessions={"source": STAYED})),
    (j.WRONG_REPORT, _truth(HERE, sessions={"destination": MOVED})),
    (j.WRONG_REPORT, _truth(THERE, sessions={"destination": STAYED})),
    (j.WRONG_REPORT, _truth(AWAY, sessions={"source": STAYED})),
    (j.WRONG_REPORT, _truth(HERE, sessions={"source": Session(("opened",), "destination", "stayed")})),
]


@pytest.mark.parametrize(("name", "after"), WRONG)
def test_each_wrong_is_found(name: str, after: Truth) -> None:
    """It is named, and counts as a failure."""
    verdict = j.judge(after, after, NOTHING)
    assert name in verdict.found and verdict.failed and verdict.why


# The destination's copy had not been read to its end when the source lost its power.
WITH_AWAY_ALONE = PowerLoss("source", (AWAY,), ())

ALLOWED: list[tuple[str, Truth]] = [
    (j.ALLOWED, _truth(COMING, power_losses=(WITH_AWAY_ALONE,), sessions={"source": Session(("opened",))})),
    (j.ALLOWED, _truth(COMING, power_losses=(WITH_AWAY,), sessions={"source": Session(("opened",))})),
    (j.WITH_ITS_HOST, _truth(power_losses=(PowerLoss("source", (HERE,), ()),))),
    (j.WITH_ITS_HOST, _truth(power_losses=(PowerLoss("destination", (THERE,), (AWAY,)),))),
    (j.WITH_ITS_HOST, _truth(power_losses=(PowerLoss("source", (AWAY,), (COMING,), given_up=True),))),
    (j.WITH_ITS_HOST, _truth(power_losses=(WITH_AWAY,), xl_gave_back=True)),
    (j.WITH_ITS_HOST, _truth(power_losses=(PowerLoss("destination", (THERE,), ()),), starts_anew=True)),
    (j.WITH_ITS_HOST, _truth(power_losses=(PowerLoss("destination", (ARRIVED,), ()),), arrives_paused=True)),
    # With the method suspend it stands still by a pause.
    (
        j.ALLOWED,
        _truth(
            COMING,
            power_losses=(PowerLoss("source", (dataclasses.replace(AWAY, state="paused"),), (COMING,)),),
            sessions={"source": Session(("opened",))},
        ),
    ),
    (
        j.WITH_ITS_HOST,
        _truth(power_losses=(PowerLoss("source", (AWAY,), (COMING,)), PowerLoss("destination", (COMING,), ()))),
    ),
    (j.STALE, _truth(HERE, folders=("source: 0123.sender",))),
    (j.ALLOWED, _truth(AWAY, gone=frozenset({"destination"}))),
    (
        j.ALLOWED,
        _truth(
            AWAY,
            power_losses=(PowerLoss("destination", (COMING,), (AWAY,)),),
            sessions={"destination": Session(("opened", "commit"))},
        ),
    ),
]


@pytest.mark.parametrize(("name", "after"), ALLOWED)
def test_what_power_takes_is_no_failure(name: str, after: Truth) -> None:
    """A guest goes down with the host it runs on; a host that is gone leaves something to a person."""
    verdict = j.judge(after, after, NOTHING)
    assert name in verdict.found and not verdict.failed


def test_a_durable_status_takes_the_excuse_away() -> None:
    """With a status on its disk, the destination's power loss is no reason to leave it unsettled."""
    loss = (PowerLoss("destination", (COMING,), (AWAY,)),)
    after = _truth(AWAY, power_losses=loss, sessions={"destination": Session(("commit", "not_started"))})
    assert j.LEFT_UNSETTLED in _found(after)


def test_settling_is_held_to_what_it_says() -> None:
    """A settled owner who does not run it, and giving up where there is nothing to decide."""
    assert j.WRONG_REPORT in _found(_truth(THERE), settled=j.Settled(True, "source", "stayed"))
    assert j.WRONG_REPORT in _found(_truth(THERE), settled=j.Settled(False))
    assert _found(_truth(THERE), settled=j.Settled(True, "destination", "moved")) == ()
