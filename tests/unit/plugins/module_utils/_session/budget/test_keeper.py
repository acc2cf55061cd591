# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a move is given up for the time that its guest would stand still, by the bytes that xl has written."""

from __future__ import annotations

import json
import math
import pathlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import NONE, Packer
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.keeper import OverBudget, StopKeeper
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.learned import ASSUMED_MS
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.prediction import ENTRY_BYTES
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import READ_BYTES
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.figures import LAST_LIVE_ROUND
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Authorised, Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

RATE = 2e6
ROOM = 256 * 1024


def settings(**changes: t.Any) -> SenderSettings:
    """Those of a sender that knows nothing of earlier moves."""
    values: dict[str, t.Any] = {
        "session": "0123456789abcdef",
        "uuid": streams.UUID,
        "name": "centos",
        "runtime_folder": "/nonexistent/a",
        "journal_folder": "/nonexistent/b",
        "peer_certificate": "",
        "xl": "xl",
        "link_timeout": 1.0,
        "peer_host": "xen2",
        "destination_address": "",
        "port": 1,
        "connect_timeout": 1.0,
        "stop_link_timeout": 1.0,
        "memory_kib": 1,
        "gate_held": False,
        "gate_timeout": 1.0,
        "progress_interval": 1.0,
    }
    return SenderSettings(**{**values, **changes})


class Reading:
    """A sender that reads a stream as fast as the way takes it, out of a pipe that xl keeps full.

    Up to the end of the last live round, after which xl writes nothing before the guest is suspended.
    """

    # One that is up, for all of them: nothing is sent over it here.
    link: Link

    def __init__(self, data: bytes, room: int = ROOM, **changes: t.Any) -> None:
        self.data, self.room, self.position, self.waited = data, room, 0, 0.0
        self.packer = Packer([NONE])
        self.link.packer, self.link.used_bytes = self.packer, 0
        self.stream = Outgoing(Authorised(streams.UUID, "centos"))
        self.keeper = StopKeeper(settings(**changes), self.link, self.clock)

    def clock(self) -> float:
        """Seconds: those that the bytes took, and those in which nothing came."""
        return self.position / RATE + self.waited

    @property
    def written(self) -> int:
        """How many bytes xl may have written."""
        return min(len(self.data), self.position + self.room)

    def read(self, end: int) -> None:
        """Read up to a position, where xl has come to the suspend. Raises OverBudget."""
        while self.position < end:
            self.keeper.judge(self.stream, self.room, suspends=False)
            may = self.keeper.most(self.stream, self.room, suspends=False)
            most = min(READ_BYTES, may, self.written - self.position, end - self.position)
            piece = self.data[self.position : self.position + most]
            if not most:
                return
            self.position += most
            self.stream.take(piece, self.clock())
            self.packer.stream_bytes = self.link.used_bytes = self.position
            self.keeper.look(self.stream)
            self.keeper.judge(self.stream, self.room, suspends=False)

    def given_up(self, end: int) -> bool:
        """Whether the move is given up before that position was read."""
        try:
            self.read(end)
        except OverBudget as exc:
            assert exc.details["predicted_ms"] > exc.details["budget_ms"]
            return True
        return False

    def needed_ms(self) -> float:
        """How long the guest would stand still that has written on as in the last live round, of which all was read."""
        before, last = self.stream.rounds.rounds[-2:]
        growth = max(1.0, last.duration / (last.started - before.started)) if last.number == LAST_LIVE_ROUND else 1.0
        return ASSUMED_MS + last.pages * growth * ENTRY_BYTES / RATE * 1000


@pytest.fixture(scope="module", autouse=True)
def link() -> t.Iterator[None]:
    """Connect it."""
    with Ends() as ends:
        ends.connect()
        Reading.link = ends.near
        yield


def live(*pages: int, last: int = 100) -> tuple[bytes, int]:
    """A stream with live rounds of so many pages and a last one, and where the last live one ends."""
    rounds = [streams.normal(range(count)) for count in (*pages, last)]
    data = streams.pvh(rounds)
    whole = streams.memory(rounds[:-1])
    return data, data.index(whole) + len(whole)


@limits(max_examples=60)
@given(
    first=st.integers(3000, 3200),
    rounds=st.lists(st.integers(60, 400), min_size=3, max_size=3),
    last=st.integers(1, 1400),
    room=st.sampled_from([4096, 65536, ROOM]),
    left_ms=st.integers(0, 3500),
)
def test_xl_cannot_run_ahead(first: int, rounds: list[int], last: int, room: int, left_ms: int) -> None:
    """Whatever xl has written into the pipe by then, a guest that it may suspend will stand still for no longer.

    And where the move is given up, xl has not written the last live round, so it is not at the suspend.
    """
    data, end = live(first, *rounds, last)
    budget = ASSUMED_MS + left_ms
    reading = Reading(data, room, max_stop_ms=budget)
    if reading.given_up(end):
        assert reading.written < end
    else:
        # In the rate that was measured the time for some heads of records is missing.
        assert reading.needed_ms() <= budget * 1.01 + 1


@pytest.mark.parametrize("last", [116, 126, 1024 + 66, 1024 + 96, 1024 + 126])
def test_a_record_is_looked_at_before_it_leaves_the_pipe(last: int) -> None:
    """Of one that is a little longer than the pipe the head is seen while xl still writes the rest."""
    data, end = live(1100, 400, 400, 400, last)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + int(last * ENTRY_BYTES / RATE * 1000) - 1)
    assert reading.given_up(end) and reading.written < end


def test_a_slow_beginning_is_no_reason_to_give_up() -> None:
    """The destination's xl may wait for its lock, or somebody have the network: what comes after that counts."""
    data, end = live(5000, 400, 400, 400, 60)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 300)
    for position in (300_000, 2_000_000, 6_000_000):
        reading.read(position)
        reading.waited += 20.0
    assert not reading.given_up(end)
    assert reading.keeper.told(None)["rate_bytes_per_s"] == pytest.approx(RATE, rel=0.02)


def test_too_late_is_left_alone() -> None:
    """The way gets slow while the end of the last live round is in the pipe: xl may be at the suspend by now."""
    data, end = live(1100, 400, 400, 400, 60)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 300)
    reading.read(end - 30 * 4096)
    reading.waited = 10.0
    assert not reading.given_up(end)
    assert reading.keeper.told(None)["over_budget"] is True


def test_the_last_look_is_where_it_is_not_too_late_yet() -> None:
    """The way gets slow when no more than a pipe is to come: no byte more is read before that is reckoned with."""
    data, end = live(1100, 400, 400, 400, 200)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 700)
    edge = end - ROOM - 1
    reading.read(edge)
    assert reading.position == edge and reading.written < end
    reading.waited = 10.0
    assert reading.given_up(end) and reading.position == edge


def test_nothing_leaves_the_pipe_once_it_is_given_up() -> None:
    """A write of the save helper that gets room before its signal is seen comes to its end, and xl to the suspend."""
    data, end = live(1100, 1100, 1100, 1100, 1400)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 100)
    assert reading.given_up(end)
    for suspends in (False, True):
        assert reading.keeper.most(reading.stream, ROOM, suspends) == 0


def test_with_the_link_away_nothing_leaves_the_pipe() -> None:
    """The guest would be suspended, and stand still until it is back; only where it can still be kept from that."""
    data, end = live(1100, 400, 400, 400, 200)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 5000)
    with Ends() as ends:
        reading.keeper._link = ends.near
        reading.read(end)
        assert reading.stream.rounds.number == LAST_LIVE_ROUND - 1 and reading.stream.passing == ROOM + 1
        assert reading.keeper.most(reading.stream, ROOM, suspends=False) == 0
        assert reading.keeper.most(reading.stream, ROOM, suspends=True) == READ_BYTES
    with Ends() as ends:
        free = Reading(data, on_over_budget="continue", max_stop_ms=ASSUMED_MS)
        free.keeper._link = ends.near
        free.read(end)
        assert free.position == end


def test_one_that_is_far_over_is_given_up_as_soon_as_that_shows() -> None:
    """In the middle of the last live round, of which nothing more need be sent."""
    data, end = live(1100, 1100, 1100, 1100, 4000)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 300)
    with pytest.raises(OverBudget) as caught:
        reading.read(end)
    assert reading.position < end - 3000 * 4096
    error = caught.value
    assert (error.code, bool(error.remedy)) == ("stop_over_budget", True)
    told = error.details
    assert told["pages"] == 1024 + ROOM // 4096 and told["base_known_by"] == "assumed"
    assert told["rate_bytes_per_s"] == pytest.approx(RATE, rel=0.01)
    assert told["predicted_ms"] == math.ceil(ASSUMED_MS + told["pages"] * ENTRY_BYTES * 1000 / told["rate_bytes_per_s"])


def test_a_guest_that_comes_to_rest_is_not_given_up_for_what_it_did_before() -> None:
    """The first rounds were far over; only the last live one counts, or one with hardly a page."""
    for rounds in ((1400, 1400, 1400, 1400, 60), (1400, 1400, 30)):
        data, end = live(*rounds)
        reading = Reading(data, max_stop_ms=ASSUMED_MS + 300)
        assert not reading.given_up(end)
        told = reading.keeper.told(1010)
        assert told["over_budget"] is False
        assert told["pages"] == rounds[-1] + ROOM // 4096
        assert told["off_ms"] == 1010 - told["predicted_ms"]


def test_what_cannot_be_seen_in_time_counts_before() -> None:
    """Where even a guest that writes hardly anything would be over, it is given up while xl is at its first round."""
    data, dummy = live(5000, 30)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 230)
    with pytest.raises(OverBudget):
        reading.read(len(data))
    assert reading.stream.rounds.current is not None and reading.stream.rounds.current.number == 0
    # These pages are 234 ms of this way.
    assert not Reading(data, max_stop_ms=ASSUMED_MS + 240).given_up(len(data))


@pytest.mark.parametrize("changes", [{"max_stop_ms": 0}, {"max_stop_ms": 1100, "on_over_budget": "continue"}])
def test_it_goes_on_and_is_told(changes: dict[str, t.Any]) -> None:
    """Without a limit the prediction is told too: what it is worth shows before one is set."""
    data, end = live(1100, 1100, 1100, 1100, 1400)
    reading = Reading(data, **changes)
    assert not reading.given_up(end)
    told = reading.keeper.told(None)
    assert told["predicted_ms"] == pytest.approx(reading.needed_ms(), rel=0.05)
    assert told["over_budget"] is bool(changes["max_stop_ms"]) and told["off_ms"] is None
    assert told["budget_ms"] == (changes["max_stop_ms"] or None)


def test_nothing_is_given_up_in_the_last_round() -> None:
    """The guest stands still by then, also where nothing in XenStore shows it."""
    data, end = live(1100, 1100, 1100, 1100, 1024, last=1400)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 2600)
    assert not reading.given_up(end)
    before = reading.keeper.told(None)
    assert not reading.given_up(len(data))
    assert reading.stream.rounds.rounds[-1].pages == 1400 and reading.keeper.told(None) == before


def test_nothing_is_given_up_once_the_guest_was_asked_to_suspend() -> None:
    """The save helper must be left alone then."""
    data, end = live(1100, 1100, 1100, 1100, 1400)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 100)
    assert reading.given_up(end)
    reading.keeper.judge(reading.stream, 0, suspends=True)
    with pytest.raises(OverBudget):
        reading.keeper._due = 0.0
        reading.keeper.judge(reading.stream, 0, suspends=False)


def test_what_is_over_before_it_begins_is_not_begun() -> None:
    """However little the guest writes, or where it stands still all the time; each says what can be done."""
    with pytest.raises(OverBudget, match="not known") as caught:
        Reading(b"", max_stop_ms=ASSUMED_MS - 1).keeper.begin()
    assert "continue" in caught.value.remedy and caught.value.details["base_known_by"] == "assumed"
    with pytest.raises(OverBudget, match="stands still until"):
        Reading(b"", max_stop_ms=100_000, method="suspend").keeper.begin()
    for changes in ({"max_stop_ms": ASSUMED_MS}, {"method": "cold"}, {}):
        Reading(b"", **changes).keeper.begin()
    for method in ("live", "suspend"):
        Reading(b"", max_stop_ms=1, on_over_budget="continue", method=method).keeper.begin()


def test_what_earlier_moves_have_taken_is_reckoned_with(tmp_path: pathlib.Path) -> None:
    """And told as that."""
    folder = tmp_path / "0123456789abcdee.sender"
    folder.mkdir()
    document = {
        **{"end_state": "moved", "method": "live", "stop_ms": 250, "gate": {"kind": "engine"}},
        **{"domain": {"uuid": streams.UUID}, "rounds": [], "stop_prediction": {"destination": "xen2"}},
    }
    (folder / "result.json").write_text(json.dumps(document))
    journal = str(tmp_path / "0123456789abcdef.sender")
    Reading(b"", max_stop_ms=250, journal_folder=journal).keeper.begin()
    with pytest.raises(OverBudget, match="it takes 250 ms") as caught:
        Reading(b"", max_stop_ms=249, journal_folder=journal).keeper.begin()
    assert (caught.value.details["base_known_by"], caught.value.details["base_moves"]) == ("domain", 1)
