# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a domain is, judged from copies alone: every pair of looks has one verdict, no better than the looks."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _ownership
from ansible_collections.dom0.xen.plugins.module_utils._ownership import Evidence, Verdict, verdict, verdict_same_host
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, DomainState

NAME = "guest"
STATES = {
    "running": DomainState(running=True),
    "blocked": DomainState(blocked=True),
    "neither": DomainState(),
    "paused": DomainState(paused=True),
    "suspended": DomainState(shutdown=True, reason="suspend"),
    "shut down": DomainState(shutdown=True, reason="poweroff"),
    "crashed": DomainState(shutdown=True, crashed=True, reason="crash"),
    "dying": DomainState(dying=True),
}
RUNS = ("running", "blocked", "neither")
NAMES = (NAME, f"{NAME}--incoming", f"{NAME}--migratedaway")


def row(state: str = "running", name: str = NAME, domid: int = 7) -> DomainRow:
    """A copy of the domain."""
    return DomainRow(domid, "5d3d33a6-5a0c-4d0a-9f43-0a3d5ad0b111", name, STATES[state], 256, 1, 1.0)


def look(host: str, *copies: DomainRow) -> Evidence:
    """A host that answered."""
    return Evidence(host, True, copies)


ONE_COPY = [row(state, name) for state in STATES for name in NAMES]
LOOKS: list[tuple[DomainRow, ...]] = [(), *((copy,) for copy in ONE_COPY), (row(), row("suspended", NAMES[2], 6))]


def runs(copy: DomainRow) -> bool:
    """Whether this copy runs."""
    return any(copy.state == STATES[state] for state in RUNS)


def expected(here: tuple[DomainRow, ...], there: tuple[DomainRow, ...]) -> tuple[str, str, bool]:
    """Owner, end state and whether anything is left to do, told another way than the code under test does."""
    running = [copy for copy in (*here, *there) if runs(copy)]
    if len(running) > 1:
        return _ownership.UNSETTLED, _ownership.RUNNING_TWICE, False
    if not running:
        return _ownership.UNSETTLED, _ownership.RUNNING_NOWHERE, False
    settled = len(here) + len(there) == 1 and running[0].name == NAME
    if any(runs(copy) for copy in there):
        return _ownership.DESTINATION, _ownership.MOVED, settled
    return _ownership.SOURCE, _ownership.STAYED, settled


def test_every_pair_of_looks() -> None:
    """One running copy owns the domain, two are an alarm, none is nobody's; settled means that nothing is left."""
    for here, there in itertools.product(LOOKS, LOOKS):
        found = verdict(NAME, look("xen1", *here), look("xen2", *there))
        assert (found.owner, found.end_state, found.settled) == expected(here, there), (here, there)


def test_a_copy_that_was_to_be_left_paused() -> None:
    """It has arrived where it is the only one, paused, under its own name; everything else is judged as ever."""
    for here, there in itertools.product(LOOKS, LOOKS):
        found = verdict(NAME, look("xen1", *here), look("xen2", *there), left_paused=True)
        arrived = not here and [(copy.state, copy.name) for copy in there] == [(STATES["paused"], NAME)]
        told = (_ownership.DESTINATION, _ownership.MOVED, True) if arrived else expected(here, there)
        assert (found.owner, found.end_state, found.settled) == told, (here, there)
    paused = look("xen1", row("paused"))
    assert verdict_same_host(NAME, paused, _ownership.MOVED, left_paused=True).settled
    assert verdict_same_host(NAME, paused, None, left_paused=True).end_state == _ownership.RUNNING_NOWHERE
    assert verdict_same_host(NAME, paused, _ownership.MOVED).end_state == _ownership.RUNNING_NOWHERE


def test_what_is_left_is_named() -> None:
    """A user reads the host, the name, the domid and the state of what is left."""
    found = verdict(NAME, look("xen1", row("suspended", NAMES[2], 3)), look("xen2", row()))
    assert found.reason == "It runs on xen2, but xen1 still has guest--migratedaway (domid 3, suspended)."
    found = verdict(NAME, look("xen1", row()), look("xen2", row("paused", NAMES[1], 9)))
    assert found.reason == "It runs on xen1, but xen2 still has guest--incoming (domid 9, paused)."
    found = verdict(NAME, look("xen1", row("dying")), look("xen2"))
    assert found.reason == "It runs nowhere: xen1 has guest (domid 7, dying), xen2 has no copy."
    found = verdict(NAME, look("xen1", row("crashed")), look("xen2", row("shut down")))
    assert found.reason.count("shut down") == 2


@pytest.mark.parametrize("copies", [(), (row(),), (row("suspended"),)])
@pytest.mark.parametrize("silent", ["xen1", "xen2"])
def test_a_host_that_does_not_answer(silent: str, copies: tuple[DomainRow, ...]) -> None:
    """Nothing is certain, whatever the other host has, and the silent one is named."""
    looks = [Evidence(silent, False) if host == silent else look(host, *copies) for host in ("xen1", "xen2")]
    found = verdict(NAME, looks[0], looks[1])
    assert (found.owner, found.end_state, found.settled) == (_ownership.UNSETTLED, _ownership.UNREACHABLE, False)
    assert silent in found.reason


def test_two_copies_on_one_host_are_an_alarm_even_if_the_other_is_silent() -> None:
    """Two running copies are certain already."""
    found = verdict(NAME, look("xen1", row(), row(domid=8)), Evidence("xen2", False))
    assert found.end_state == _ownership.RUNNING_TWICE and "xen1 AND on xen1" in found.reason


@pytest.mark.parametrize(
    ("copies", "ended", "owner", "end_state", "settled"),
    [
        ((row(),), "moved", _ownership.DESTINATION, _ownership.MOVED, True),
        ((row(),), "stayed", _ownership.SOURCE, _ownership.STAYED, True),
        ((row(),), None, _ownership.SOURCE, _ownership.STAYED, True),
        ((row(), row("suspended", NAMES[2])), "moved", _ownership.UNSETTLED, _ownership.UNSETTLED, False),
        ((row(name=NAMES[1]),), "moved", _ownership.UNSETTLED, _ownership.UNSETTLED, False),
        ((row(), row(domid=8)), "moved", _ownership.UNSETTLED, _ownership.RUNNING_TWICE, False),
        ((row("suspended"),), "stayed", _ownership.UNSETTLED, _ownership.RUNNING_NOWHERE, False),
        ((), "moved", _ownership.UNSETTLED, _ownership.RUNNING_NOWHERE, False),
    ],
)
def test_within_one_host(
    copies: tuple[DomainRow, ...], ended: str | None, owner: str, end_state: str, settled: bool
) -> None:
    """A look cannot tell the sides apart there: one copy under its name, and the session's word which it is."""
    found = verdict_same_host(NAME, look("xen1", *copies), ended)
    assert (found.owner, found.end_state, found.settled) == (owner, end_state, settled)


def test_silent_single_host() -> None:
    """Nothing is certain there either."""
    assert verdict_same_host(NAME, Evidence("xen1", False), "moved").end_state == _ownership.UNREACHABLE


def test_records_travel() -> None:
    """Evidence and verdict come back from a module's result as they were."""
    evidence = look("xen1", row(), row("suspended", NAMES[2]))
    assert Evidence.from_result(evidence.to_result()) == evidence
    found = verdict(NAME, evidence, look("xen2"))
    assert Verdict.from_result(found.to_result()) == found
