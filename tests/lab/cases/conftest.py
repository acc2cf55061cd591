# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab for the cases, and the record of how each ended. ``--results FILE`` writes it."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from dom0lab import Lab
from proof import figures, share

from .findings import ours
from .world import World, same_guest

# Three moves, one of them with ten cuts, take 25 minutes on a slow machine. A run that hangs is ended before.
TIMEOUT_S = 2700
# Where a guest is watched that is only asked about: every question costs the emulated hosts time.
ASK_S = 0.2
RECORD = pytest.StashKey["Record"]()
WORLD = pytest.StashKey[World]()


class Record:
    """What one case has to say beside its outcome: figures in milliseconds, and checks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.figures: dict[str, float | None] = {"total_ms": None, "stop_ms": None, "gap_ms": None}
        self.checks: list[figures.Check] = []
        self.outcome = "not run"
        self.left_out = False

    def note(self, **values: float | None) -> None:
        """Keep total_ms, stop_ms or gap_ms."""
        self.figures |= values

    def check(self, check: figures.Check) -> None:
        """Keep a check, and require that it holds."""
        self.checks.append(check)
        assert check.ok, f"{check.name} is {check.value!r}, needed {check.needed}"

    def document(self) -> dict[str, t.Any]:
        """The case for the file of results."""
        return {"name": self.name, "outcome": self.outcome, **self.figures}


class Results:
    """The records of a session, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: dict[str, Record] = {}

    def write(self) -> None:
        """Write the cases and their checks; proof.cases adds the rest."""
        records = self.records.values()
        checks = [check for record in records for check in record.checks]
        checks += [figures.equal(record.name, record.outcome, "passed") for record in records if not record.left_out]
        figures.write(self.path, {"cases": [record.document() for record in records]}, checks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the file for the results."""
    parser.addoption("--results", type=Path, help="file for the cases' figures and checks (JSON)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real hosts take their time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))
            name = f"{item.path.stem.removeprefix('test_')}: {item.name.removeprefix('test_').replace('_', ' ')}"
            item.stash[RECORD] = Record(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> t.Generator[None, t.Any, t.Any]:
    """Note how a case ended; one that failed leaves a lab that nobody can rely on."""
    report = yield
    record = item.stash.get(RECORD, None)
    if record is None:
        return report
    if report.skipped and any(reason in str(report.longrepr) for reason in share.REASONS):
        record.left_out = True
        return report
    # Set-up, call and tear-down are reported one after the other; the first that is not well is what counts.
    if record.outcome in ("not run", "passed") and (report.when == "call" or not report.passed):
        record.outcome = report.outcome
    world = item.stash.get(WORLD, None)
    if world is not None and report.failed:
        world.stale = True
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the results of what was run."""
    path = session.config.getoption("results")
    if path:
        results = Results(path)
        for item in session.items:
            if RECORD in item.stash:
                results.records[item.nodeid] = item.stash[RECORD]
        results.write()


@pytest.fixture(scope="session")
def lab_world() -> Iterator[World]:
    """The lab, for all cases: that of whoever started them, whose settings they do not know."""
    with Lab.found_or_up() as lab:
        world = World(lab)
        yield world
        world.end_runs()


@pytest.fixture
def world(lab_world: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """The lab as it is, wherever the guest is; reset when a case before failed."""
    request.node.stash[WORLD] = lab_world
    lab_world.name = re.sub(r"[^A-Za-z0-9-]+", "-", request.node.name).strip("-")
    if lab_world.stale:
        lab_world.lab.reset()
        lab_world.stale = False
    yield lab_world
    lab_world.end_runs()


@pytest.fixture
def home(world: World) -> World:
    """The guest runs on xen1, and both hosts are clean."""
    try:
        world.require("xen1", 0)
    except AssertionError:
        world.lab.reset()
    return world


@pytest.fixture
def fresh(world: World) -> World:
    """The lab as its snapshot has it."""
    world.lab.reset()
    return world


@pytest.fixture(scope="module")
def watched(lab_world: World) -> Iterator[World]:
    """A guest on xen1 that never notices any of this, on hosts on which nothing is left of it."""
    # What is found wrong here is told of the last case; whatever it is, nobody goes on from it.
    lab_world.stale = True
    lab_world.lab.reset()
    before = ours(lab_world)
    with lab_world.lab.observe(interval=ASK_S, everywhere=True) as watch:
        yield lab_world
    same_guest(watch.observation)
    lab_world.require("xen1", 5)
    assert ours(lab_world) == before
    lab_world.stale = False


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """The record of this case."""
    kept: Record = request.node.stash[RECORD]
    return kept
