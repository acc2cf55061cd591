# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is being moved, of what hosts tell of their sessions."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._under_way import ENDING, INTERRUPTED, MOVING, ONE_SIDE, moves
from ansible_collections.dom0.xen.plugins.plugin_utils._under_way_table import remarks, summary, table

MIB = 1024 * 1024
UUID = "00000000-0000-0000-0000-00000000002a"
Session = dict[str, t.Any]
OPENED = {"step": "opened", "details": {"uuid": UUID, "name": "centos", "peer_host": "xen2"}}
CLAIM = {
    "token": "b" * 16,
    "run": "evacuate xen1",
    "by": "alice",
    "controller": "ctl1",
    "since_s": 0.0,
    "silent_s": 3.2,
}


def sender(**changes: t.Any) -> Session:
    """A sender's status while memory flows."""
    told = {
        "session": "a" * 16,
        "role": "sender",
        "alive": True,
        "phase": "streaming",
        "owner": "source",
        "domain": {"uuid": UUID, "name": "centos"},
        "method": "live",
        "transport": "tls",
        "round": 2,
        "bytes": 57.6 * MIB,
        "expected_bytes": 128 * MIB,
        "rate_bytes_per_s": 21.3 * MIB,
        "eta_s": 3.3,
        "elapsed_ms": 12_345,
        "journal": [OPENED],
        "error": None,
    }
    return {**told, **changes}


def receiver(**changes: t.Any) -> Session:
    """The receiver's."""
    opened = {"step": "opened", "details": {**OPENED["details"], "peer_host": "xen1"}}  # type: ignore[dict-item]
    told = {key: sender()[key] for key in ("session", "alive", "phase", "owner", "domain", "elapsed_ms", "error")}
    return {**told, "role": "receiver", "bytes": 57 * MIB, "journal": [opened], **changes}


def test_the_two_sides_are_one_move() -> None:
    """Hosts by the names of the inventory, figures of the sender, for people and for programs."""
    (seen,) = moves({"xen1": [sender()], "xen2": [receiver()]})
    move = seen.move
    assert (move.name, move.source, move.destination, move.state) == ("centos", "xen1", "xen2", MOVING)
    assert (move.percent, move.elapsed_s, move.round) == (45.0, 12.3, 2)
    assert (move.seen_on, move.alive_on) == (("xen1", "xen2"), ("xen1", "xen2"))
    assert table([seen]) == [
        "domain  from  to    method  phase    sent             rate        so far  owner",
        "centos  xen1  xen2  live    round 2  45 % of 128 MiB  21.3 MiB/s  12 s    source",
    ]
    assert remarks([seen], {}) == []


def test_a_move_within_one_host_has_both_sides_there() -> None:
    """Source and destination may be the same."""
    (seen,) = moves({"xen1": [sender(), receiver()]})
    assert (seen.move.source, seen.move.destination, seen.move.state) == ("xen1", "xen1", MOVING)


@pytest.mark.parametrize(
    ("at_source", "at_destination", "state"),
    [
        pytest.param([sender(waits_for_settling=True)], [receiver()], INTERRUPTED, id="waits to be settled"),
        pytest.param([sender(alive=False)], [receiver(alive=False)], INTERRUPTED, id="both killed"),
        pytest.param([sender(alive=False)], [receiver()], ONE_SIDE, id="sender killed"),
        pytest.param([sender()], [receiver(alive=False)], ONE_SIDE, id="receiver killed"),
        pytest.param([sender()], [], ONE_SIDE, id="receiver over, or not yet there"),
        pytest.param([], [receiver(phase="starting")], ONE_SIDE, id="receiver starts"),
        pytest.param([sender(phase="ended", end_state="stayed", watches=True)], [], ENDING, id="watches the guest"),
        pytest.param([sender(phase="ended", owner="unsettled", alive=False)], [], INTERRUPTED, id="unsettled"),
    ],
)
def test_the_state_is_what_was_seen(at_source: list[Session], at_destination: list[Session], state: str) -> None:
    """A move that needs somebody is not told as one that goes on, nor one that goes on as one that needs somebody."""
    (seen,) = moves({"xen1": at_source, "xen2": at_destination})
    assert (seen.move.state, seen.move.source, seen.move.destination) == (state, "xen1", "xen2")
    told = remarks([seen], {})
    assert len(told) == 1 and ("dom0.xen.settle -e domain=" + UUID in told[0]) == (state == INTERRUPTED)


def test_a_host_that_was_restarted_has_a_journal_and_nothing_else() -> None:
    """The domain is in the journal's first record; without one the session is told all the same."""
    journal = {"session": "a" * 16, "role": "sender", "alive": False, "journal": [OPENED]}
    (seen,) = moves({"xen1": [journal], "xen2": []})
    assert (seen.move.name, seen.move.destination, seen.move.phase, seen.move.owner) == (
        *("centos", "xen2", "unknown", "unsettled"),
    )
    (nameless,) = moves({"xen1": [{**journal, "journal": []}]})
    assert remarks([nameless], {}) == [
        "The session aaaaaaaaaaaaaaaa on xen1 was interrupted, and has no domain on record."
    ]
    assert table([nameless])[1].split()[:3] == ["?", "xen1", "?"]


def test_spoilt_documents_do_not_end_it() -> None:
    """What a host has in its folders may be anything."""
    spoilt = sender(
        bytes="many", elapsed_ms=1e300, gate=[], error="no", domain=7, journal=[7, {}], method=5, round=True
    )
    (seen,) = moves({"xen1": [spoilt], "xen2": [{}]})[:1]
    assert (seen.move.bytes, seen.move.elapsed_s, seen.move.method, seen.move.uuid) == (None, None, None, None)
    assert len(table(moves({"xen1": [spoilt], "xen2": [{}]}))) == 3
    assert remarks([], {"xen1": {"silent_s": "long"}, "xen2": 7}) == []


def test_what_needs_somebody_comes_last() -> None:
    """Next to the prompt."""
    stuck = sender(session="b" * 16, alive=False)
    seen = moves({"xen1": [stuck, sender(waits_for_settling=False)], "xen2": [receiver()]})
    assert [each.move.state for each in seen] == [MOVING, INTERRUPTED]
    assert summary(seen, 2, 2) == "1 being moved, 1 interrupted."
    assert summary(seen[:1], 3, 2) == "1 being moved, as 2 of 3 dom0s told."
    assert summary([], 2, 2) == "Nothing is being moved."


def test_who_holds_a_host_and_who_has_the_word_is_told() -> None:
    """Somebody else's run is not to be disturbed."""
    (seen,) = moves({"xen1": [sender(phase="gate", gate={"waits": True})], "xen2": [receiver(phase="gate")]})
    assert remarks([seen], {"xen1": CLAIM}) == [
        "centos waits at the gate for the run that moves it.",
        "xen1 is claimed by `evacuate xen1` of alice on ctl1, since 1970-01-01 00:00:00 UTC, last heard of 3.2 s ago.",
    ]
