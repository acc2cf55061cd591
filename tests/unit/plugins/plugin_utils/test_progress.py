# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that tells how far a migration is."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._progress import mib, progress_line, seconds

MIB = 1024 * 1024
STREAMING: dict[str, t.Any] = {
    "domain": {"name": "centos", "uuid": "00000000-0000-0000-0000-000000000001"},
    "phase": "streaming",
    "round": 2,
    "bytes": 57.6 * MIB,
    "expected_bytes": 128 * MIB,
    "rate_bytes_per_s": 21.3 * MIB,
    "dirty_bytes_per_s": 0.8 * MIB,
    "eta_s": 6.2,
}


def line(**changes: t.Any) -> str:
    """Return the text after the prefix."""
    return progress_line({**STREAMING, **changes}, "xen1", "xen2").removeprefix("[xen1 → xen2] centos: ")


def test_a_line_tells_round_amount_rate_dirtying_and_time_left() -> None:
    """The example of the documentation stays true."""
    assert progress_line(STREAMING, "xen1", "xen2") == (
        "[xen1 → xen2] centos: round 2, 45 % of 128 MiB, 21.3 MiB/s, dirtying 0.8 MiB/s, about 6.2 s left"
    )


def test_what_is_not_known_is_left_out() -> None:
    """No zero rates and no invented time left."""
    assert line(round=0, rate_bytes_per_s=0, dirty_bytes_per_s=None, eta_s=None, expected_bytes=0, bytes=0) == (
        "first round, 0 MiB"
    )


def test_more_than_expected_is_no_percentage() -> None:
    """Dirtied pages are sent again; nobody reads 130 %."""
    assert "166 MiB so far" in line(bytes=166 * MIB)


def test_a_guest_that_is_shut_down_is_not_said_to_be_suspended() -> None:
    """Nor is there an amount to be told."""
    assert line(phase="suspending", method="cold") == "guest shuts down"
    assert "at the gate" in line(phase="gate", method="cold")


def test_a_domain_that_is_left_paused_is_not_said_to_run() -> None:
    """Nobody starts it there."""
    assert line(phase="finishing", leave_paused=True) == "is at the destination, paused; tidying up"
    assert line(phase="finishing", leave_paused=False) == "runs at the destination, tidying up"


@pytest.mark.parametrize(
    ("phase", "text"),
    [
        ("final_round", "guest stands still, last round, 45 % of 128 MiB"),
        ("gate", "at the gate: ready to run at the destination"),
        ("something_new", "something_new"),
    ],
)
def test_other_phases_are_told_by_name(phase: str, text: str) -> None:
    """A phase that is not known here is shown, not hidden."""
    assert line(phase=phase) == text


@pytest.mark.parametrize(
    ("end_state", "text"),
    [
        ("moved", "moved, 140 MiB, 26 s in all, stood still for 4.6 s"),
        ("stayed", "stayed at the source, 140 MiB, 26 s in all, stood still for 4.6 s"),
        ("unsettled", "unsettled: which copy counts is not known, 140 MiB, 26 s in all, stood still for 4.6 s"),
    ],
)
def test_the_end_tells_how_it_ended(end_state: str, text: str) -> None:
    """Staying is not shown as a success."""
    assert line(phase="ended", end_state=end_state, bytes=140 * MIB, total_ms=26400, stop_ms=4600) == text


def test_an_empty_status_is_no_error() -> None:
    """A status of another version must not end the watch."""
    assert progress_line({}, "a", "b") == "[a → b] domain: unknown"


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.42, "0.4 s"), (6, "6 s"), (6.2, "6.2 s"), (59.7, "1 min"), (125, "2 min 5 s"), (4320, "1 h 12 min")],
)
def test_times_in_words(amount: float, text: str) -> None:
    """Readable from a tenth of a second to hours."""
    assert seconds(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(0.8 * MIB, "0.8 MiB"), (128 * MIB, "128 MiB"), (20 * 1024 * MIB, "20 GiB")]
)
def test_amounts_in_words(amount: float, text: str) -> None:
    """Readable from less than a MiB to GiB."""
    assert mib(amount) == text


@pytest.mark.parametrize("value", [None, "x", [], {}, True, 10**400, -(10**400), float("inf"), float("nan")], ids=repr)
@pytest.mark.parametrize("phase", ["streaming", "final_round", "ended", "gate"])
def test_values_of_another_kind(phase: str, value: t.Any) -> None:
    """A line is told whatever a host says, since the watch goes on by it."""
    keys = ("domain", "round", "rate_bytes_per_s", "dirty_bytes_per_s", "eta_s", "bytes", "expected_bytes", "total_ms")
    status = {**dict.fromkeys((*keys, "stop_ms", "end_state"), value), "phase": phase}
    assert progress_line(status, "xen1", "xen2").startswith("[xen1 \u2192 xen2] domain: ")
