# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a guest may be suspended, for the time that it would stand still then."""

from __future__ import annotations

import json
import math
import pathlib
import typing as t

import pytest
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import NONE, Packer
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.keeper import OverBudget, StopKeeper
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.learned import ASSUMED_MS
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.prediction import ENTRY_BYTES
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import READ_BYTES
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Authorised, Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

RATE = 2e6


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
    """A sender that reads a stream as fast as the way takes it, up to where xl asks for the suspend."""

    # One that is up, for all of them: nothing is sent over it here.
    link: Link

    def __init__(self, data: bytes, **changes: t.Any) -> None:
        self.data, self.position, self.waited = data, 0, 0.0
        self.packer = Packer([NONE])
        self.link.packer, self.link.used_bytes = self.packer, 0
        self.stream = Outgoing(Authorised(streams.UUID, "centos"))
        self.keeper = StopKeeper(settings(**changes), self.link, self.clock)

    def clock(self) -> float:
        """Seconds: those that the bytes took, and those in which nothing came."""
        return self.position / RATE + self.waited

    def read(self, end: int, suspends: bool = False) -> None:
        """Read up to a position."""
        while self.position < end:
            piece = self.data[self.position : min(end, self.position + READ_BYTES)]
            self.position += len(piece)
            self.stream.take(piece, self.clock())
            self.packer.stream_bytes = self.link.used_bytes = self.position
            self.keeper.look(self.stream, suspends)

    def refused(self, end: int) -> Failure | None:
        """Why the guest may not be suspended there."""
        self.read(end)
        return self.keeper.against(self.stream)

    def needed_ms(self) -> float:
        """How long the guest would stand still that has written on as in the last live round, of which all was read."""
        before, last = self.stream.rounds.rounds[-2:]
        # Of rounds that came in one piece nothing tells whether the guest wrote faster.
        gathered = last.started - before.started
        growth = max(1.0, (self.clock() - last.started) / gathered) if gathered else 1.0
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
@example(first=3000, rounds=[177, 400, 60], last=1, left_ms=0)
@given(
    first=st.integers(3000, 3200),
    rounds=st.lists(st.integers(60, 400), min_size=3, max_size=3),
    last=st.integers(1, 1400),
    left_ms=st.integers(0, 3500),
)
def test_whoever_is_suspended_stands_still_for_no_longer(
    first: int, rounds: list[int], last: int, left_ms: int
) -> None:
    """Whatever its rounds were; and who is not would have stood still for longer."""
    data, end = live(first, *rounds, last)
    budget = ASSUMED_MS + left_ms
    reading = Reading(data, max_stop_ms=budget)
    refused = reading.refused(end)
    # In the rate that was measured the time for some heads of records is missing.
    if refused is None:
        assert reading.needed_ms() <= budget * 1.01 + 1
    else:
        assert reading.needed_ms() * 1.01 + 1 >= budget


def test_the_cause_says_what_was_reckoned_with() -> None:
    """With the figures, and a remedy."""
    data, end = live(1100, 1100, 1100, 1100, 1400)
    error = Reading(data, max_stop_ms=ASSUMED_MS + 300).refused(end)
    assert error is not None and (error.code, bool(error.remedy)) == ("stop_over_budget", True)
    told = error.details
    assert told["pages"] >= 1400 and told["base_known_by"] == "assumed"
    assert told["rate_bytes_per_s"] == pytest.approx(RATE, rel=0.01)
    assert told["predicted_ms"] == math.ceil(ASSUMED_MS + told["pages"] * ENTRY_BYTES * 1000 / told["rate_bytes_per_s"])
    assert str(told["predicted_ms"]) in error.msg


def test_a_slow_beginning_is_no_reason_to_refuse() -> None:
    """The destination's xl may wait for its lock, or somebody have the network: what comes after that counts."""
    data, end = live(5000, 400, 400, 400, 60)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 300)
    for position in (300_000, 2_000_000, 6_000_000):
        reading.read(position)
        reading.waited += 20.0
    assert reading.refused(end) is None
    assert reading.keeper.told(None)["rate_bytes_per_s"] == pytest.approx(RATE, rel=0.02)


def test_what_has_not_arrived_counts() -> None:
    """It goes before the last round, while the guest stands still."""
    data, end = live(1100, 400, 400, 400, 60)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 300)
    assert reading.refused(end) is None
    reading.packer.stream_bytes -= int(RATE)
    refused = reading.keeper.against(reading.stream)
    assert refused is not None and refused.details["predicted_ms"] > ASSUMED_MS + 1000


def test_a_guest_that_comes_to_rest_is_not_refused_for_what_it_did_before() -> None:
    """The first rounds were far over; only the last live one counts, or one with hardly a page."""
    for rounds in ((1400, 1400, 1400, 1400, 60), (1400, 1400, 30)):
        data, end = live(*rounds)
        reading = Reading(data, max_stop_ms=ASSUMED_MS + 300)
        assert reading.refused(end) is None
        told = reading.keeper.told(1010)
        assert told["over_budget"] is False
        assert told["pages"] == rounds[-1]
        assert told["off_ms"] == 1010 - told["predicted_ms"]


def test_while_nothing_tells_how_fast_it_is_the_guest_may_be_suspended() -> None:
    """A guest of so little memory stands still for no time."""
    data, end = live(40, 30)
    reading = Reading(data, max_stop_ms=ASSUMED_MS)
    assert reading.refused(end) is None and reading.keeper.told(None)["predicted_ms"] is None


@pytest.mark.parametrize("changes", [{"max_stop_ms": 0}, {"max_stop_ms": 1100, "on_over_budget": "continue"}])
def test_it_goes_on_and_is_told(changes: dict[str, t.Any]) -> None:
    """Without a limit the prediction is told too: what it is worth shows before one is set."""
    data, end = live(1100, 1100, 1100, 1100, 1400)
    reading = Reading(data, **changes)
    assert reading.refused(end) is None
    told = reading.keeper.told(None)
    assert told["predicted_ms"] == pytest.approx(reading.needed_ms(), rel=0.05)
    assert told["over_budget"] is bool(changes["max_stop_ms"]) and told["off_ms"] is None
    assert told["budget_ms"] == (changes["max_stop_ms"] or None)


def test_what_is_rehearsed_is_refused_and_told() -> None:
    """However little time it would take."""
    data, end = live(1100, 400, 400, 400, 60)
    reading = Reading(data, rehearse=True)
    refused = reading.refused(end)
    assert refused is not None and refused.code == "rehearsed"
    assert reading.keeper.told(None)["predicted_ms"] > ASSUMED_MS


def test_nothing_is_predicted_in_the_last_round() -> None:
    """The guest stands still by then, and what was predicted is compared with how long it does."""
    data, end = live(1100, 1100, 1100, 1100, 1024, last=1400)
    reading = Reading(data, max_stop_ms=ASSUMED_MS + 4000)
    assert reading.refused(end) is None
    before = reading.keeper.told(None)
    reading.read(len(data), suspends=True)
    assert reading.stream.rounds.rounds[-1].pages == 1400 and reading.keeper.told(None) == before


@pytest.mark.parametrize("changes", [{"rehearse": True}, {"max_stop_ms": ASSUMED_MS + 300}, {"max_stop_ms": 60_000}])
def test_what_was_answered_is_what_is_told(changes: dict[str, t.Any]) -> None:
    """However long xl takes to end, or to suspend the guest: the cause, the result and its budget say the same."""
    data, end = live(1100, 1100, 1100, 1100, 1400)
    reading = Reading(data, **changes)
    reading.refused(end)
    before = reading.keeper.told(None)
    reading.waited += 10.0
    reading.keeper.look(reading.stream, suspends=False)
    assert reading.keeper.told(None) == before


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
