# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier moves tell of the time that passes beside the last round."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._session.budget.learned import (
    ASSUMED_MS,
    LOOKED_AT,
    MOVES,
    base,
    rest,
    usual,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.prediction import (
    ASSUMED,
    DESTINATION,
    DOMAIN,
    Base,
)

UUID, OTHER = "1c2d3e4f-0000-4000-8000-00000000002a", "1c2d3e4f-0000-4000-8000-00000000002b"


def told(stop: int | None, uuid: str = UUID, **changes: t.Any) -> dict[str, t.Any]:
    """A sender's result, as far as it matters: 10 MB in the last round, at 100 MB a second."""
    return {
        "domain": {"uuid": uuid, "name": "centos"},
        "end_state": "moved",
        "method": "live",
        "leave_paused": False,
        "stop_ms": stop,
        "gate": {"kind": "engine"},
        "rounds": [{"kind": "live", "bytes": 1}, {"kind": "final", "bytes": 10_000_000}],
        "stop_prediction": {"destination": "xen2", "rate_bytes_per_s": 100_000_000},
        **changes,
    }


class Journals:
    """Journals of earlier sessions, the latest one last."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root, self.count = root, 0

    def add(self, document: t.Mapping[str, t.Any] | str, role: str = "sender") -> None:
        """Keep one more."""
        self.count += 1
        folder = self.root / f"{self.count:016x}.{role}"
        folder.mkdir()
        text = document if isinstance(document, str) else json.dumps(document)
        (folder / "result.json").write_text(text)
        os.utime(folder, (self.count, self.count))

    def base(self, uuid: str = UUID, destination: str = "xen2", gate: str = "engine") -> Base:
        """What they tell."""
        return base(str(self.root), uuid, destination, gate)


@pytest.fixture
def journals(tmp_path: pathlib.Path) -> Journals:
    """None yet."""
    return Journals(tmp_path)


def test_nothing_is_known(journals: Journals) -> None:
    """Then it is told that it is a guess; also where there is no folder at all."""
    assert journals.base() == Base(ASSUMED_MS, ASSUMED)
    assert base("/nonexistent", UUID, "xen2", "engine") == Base(ASSUMED_MS, ASSUMED)


def test_the_last_round_is_taken_off() -> None:
    """100 ms of it were the network's; one that has sent nothing, or of which no rate is known, took none."""
    assert rest(told(850), "xen2", "engine") == 750
    assert rest(told(50), "xen2", "engine") == 0
    assert rest(told(850, rounds=[{"kind": "live", "bytes": 10_000_000}]), "xen2", "engine") == 850
    assert rest(told(850, stop_prediction={"destination": "xen2"}), "xen2", "engine") == 850


def test_a_move_whose_rate_was_limited_is_reckoned_with_as_a_whole() -> None:
    """The limit does not hold while the guest stands still: its last round took less than at that rate, or nothing."""
    limited = {"destination": "xen2", "rate_bytes_per_s": 3_000_000, "rate_limited": True}
    assert rest(told(850, stop_prediction=limited), "xen2", "engine") == 850
    assert rest(told(850, stop_prediction={**limited, "rate_limited": False}), "xen2", "engine") == 0


def test_its_own_moves_go_before_those_of_others(journals: Journals) -> None:
    """What a domain's devices take is its own; others there still say more than a guess."""
    for stop_ms in (300, 400):
        journals.add(told(stop_ms, uuid=OTHER))
    assert journals.base() == Base(300, DESTINATION, 2)
    journals.add(told(900))
    journals.add(told(200, uuid=OTHER))
    assert journals.base() == Base(800, DOMAIN, 1)


def test_only_the_latest_moves_count(journals: Journals) -> None:
    """A host whose scripts were made faster is believed after some moves."""
    for _dummy in range(9):
        journals.add(told(5100))
    assert journals.base() == Base(5000, DOMAIN, MOVES)
    for _dummy in range(MOVES - 1):
        journals.add(told(300))
    assert journals.base() == Base(200, DOMAIN, MOVES)


@pytest.mark.parametrize(
    "document",
    [
        told(850, end_state="stayed"),
        told(850, method="suspend"),
        told(850, leave_paused=True),
        told(850, gate={"kind": "controller"}),
        told(850, stop_prediction={"destination": "xen3", "rate_bytes_per_s": 1}),
        told(None),
        {"end_state": "moved", "method": "live", "stop_ms": 850},
        told(850, rounds=7, stop_ms="x"),
        told(850, domain=None, stop_prediction=[], gate=None),
        "{",
        "[]",
    ],
    ids=["stayed", "suspend", "paused", "gate", "elsewhere", "unmeasured", "older", "nonsense", "more", "torn", "list"],
)
def test_what_says_nothing(journals: Journals, document: t.Mapping[str, t.Any] | str) -> None:
    """Of another way or another destination, of a move that failed or was made by an older release, or no result."""
    journals.add(document)
    assert journals.base() == Base(ASSUMED_MS, ASSUMED)


def test_a_receiver_has_nothing_to_say(journals: Journals) -> None:
    """Its domain came to this host."""
    journals.add(told(850), role="receiver")
    assert journals.base() == Base(ASSUMED_MS, ASSUMED)


def test_what_has_come_since_does_not_hide_what_has_left(journals: Journals) -> None:
    """After a host was emptied and filled again the latest journals are all of receivers."""
    journals.add(told(850))
    for _dummy in range(LOOKED_AT):
        journals.add("{", role="receiver")
    assert journals.base() == Base(750, DOMAIN, 1)
    for _dummy in range(LOOKED_AT):
        journals.add("{")
    assert journals.base() == Base(ASSUMED_MS, ASSUMED)


@given(found=st.lists(st.integers(0, 100_000), min_size=1, max_size=MOVES))
def test_the_usual_time(found: list[int]) -> None:
    """One of those that were seen; at most one of several took longer."""
    longest = usual(found)
    assert longest in found
    assert sum(each > longest for each in found) <= (len(found) > 2)
