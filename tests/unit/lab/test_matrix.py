# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of releases, guests and methods says well of nothing that is not."""

from __future__ import annotations

import itertools
import pathlib
import typing as t
from dataclasses import replace

import pytest
from matrix import __main__ as matrix
from matrix import page
from matrix.attempt import Kept, Leg, Verdict, kept_after
from matrix.listing import GUESTS, METHODS, ORDER, PAIRS, Cell, cells, chosen
from matrix.record import KEPT, Record

GOOD = Leg(
    "xen1", "xen2", "", ["xen2"], 0, "destination", "moved", "live",
    same_boot=True, counter_never_fell=True, memory_verified=True,
)  # fmt: skip
REFUSED = replace(GOOD, refused="xen_older", where=["xen1"], status=2, owner="", end_state="", codes=["xen_older"])
ANEW = replace(GOOD, method="cold", same_boot=False, counter_never_fell=False, boots=2)
COLD = Verdict("name", "bookworm", "bookworm", "pvh", "cold", [ANEW])
WELL = Verdict("name", "bookworm", "bookworm", "pvh", "live", [GOOD])


def test_every_upward_pair_has_every_guest_and_method() -> None:
    """Nothing is left out, and nothing is tried twice."""
    names = [str(cell) for cell in cells()]
    assert len(PAIRS) == 6
    assert len(set(names)) == len(names) == len(PAIRS) * len(GUESTS) * len(METHODS)


def test_a_guest_finds_its_cells_one_after_the_other() -> None:
    """So that it can be kept; whichever of them are tried."""
    guests = [(cell.source, cell.destination, cell.guest) for cell in cells()]
    assert len(list(itertools.groupby(guests))) == len(set(guests)) == len(PAIRS) * len(GUESTS)
    assert sorted(ORDER) == sorted(METHODS)


@pytest.mark.parametrize(
    ("verdict", "kept"),
    [
        (replace(WELL, legs=[GOOD, replace(GOOD, source="xen2", destination="xen1", where=["xen1"])]), Kept("pvh", 3)),
        (replace(COLD, legs=[ANEW, replace(ANEW, source="xen2", destination="xen1", where=["xen1"])]), Kept("pvh", 5)),
        (replace(WELL, legs=[REFUSED]), Kept("pvh", 3)),
        (WELL, None),
        (replace(WELL, legs=[GOOD, replace(REFUSED, source="xen2", where=["xen2"])]), None),
        (replace(WELL, legs=[]), None),
        (replace(WELL, legs=[replace(REFUSED, memory_verified=False)]), None),
        (replace(WELL, legs=[REFUSED], stamps_problem="two writers"), None),
    ],
)
def test_a_guest_is_kept_that_is_well_and_back(verdict: Verdict, kept: Kept | None) -> None:
    """With all boots that its disk may tell of: three before, or as many as a move has added."""
    assert kept_after(verdict, 3) == kept


def test_names_choose() -> None:
    """One pair, one guest."""
    assert {cell.guest for cell in chosen(["4.17-4.20:pv-"])} == {"pv-disk"}
    assert len(chosen([])) == len(list(cells()))


def test_downward_is_refused_and_within_a_release_it_goes_back() -> None:
    """The way back is tried in every pair."""
    assert Cell("bookworm", "trixie", "pvh", "live").ways[1].refused == "xen_older"
    assert Cell("trixie", "trixie", "pvh", "live").ways[1].refused == ""


def test_a_guest_that_is_started_anew_goes_everywhere() -> None:
    """No state of it has to be understood, so that neither its kind nor an older Xen is in the way."""
    ways = Cell("bookworm", "trixie", "pv-disk", "cold").ways
    assert [(way.source, way.destination, way.refused) for way in ways] == [("xen1", "xen2", ""), ("xen2", "xen1", "")]


def test_a_good_move_and_a_good_refusal_are_well() -> None:
    """What the others differ from."""
    assert WELL.well
    assert replace(WELL, legs=[GOOD, REFUSED]).well
    assert replace(COLD, legs=[ANEW, ANEW]).well


@pytest.mark.parametrize(
    "bad",
    [
        replace(WELL, legs=[]),
        replace(WELL, error="no answer"),
        replace(WELL, stamps_problem="two writers"),
        replace(WELL, legs=[replace(GOOD, memory_verified=False)]),
        replace(WELL, legs=[replace(GOOD, same_boot=False)]),
        replace(WELL, legs=[replace(GOOD, double_answers=1)]),
        replace(WELL, legs=[replace(GOOD, where=["xen1", "xen2"])]),
        replace(WELL, legs=[replace(GOOD, where=["xen1"])]),
        replace(WELL, legs=[replace(GOOD, status=2)]),
        replace(WELL, legs=[replace(GOOD, method="suspend")]),
        replace(WELL, legs=[GOOD, replace(REFUSED, where=["xen2"])]),
        replace(WELL, legs=[GOOD, replace(REFUSED, status=0)]),
        replace(WELL, legs=[GOOD, replace(REFUSED, codes=["other"])]),
        replace(WELL, legs=[replace(GOOD, same_boot=False, counter_never_fell=False, boots=2)]),
        replace(COLD, legs=[replace(ANEW, same_boot=True, counter_never_fell=True, boots=1)]),
        replace(COLD, legs=[replace(ANEW, boots=3)]),
        replace(COLD, legs=[replace(ANEW, boots=0)]),
        replace(COLD, legs=[replace(ANEW, double_answers=1)]),
        replace(COLD, legs=[replace(ANEW, memory_verified=False)]),
        replace(COLD, legs=[replace(ANEW, where=["xen1", "xen2"])]),
        replace(COLD, legs=[replace(ANEW, method="live")]),
        replace(COLD, legs=[GOOD]),
    ],
)
def test_what_is_not_well_is_not_called_so(bad: Verdict) -> None:
    """One thing that is wrong is enough."""
    assert not bad.well


def _entry(verdict: Verdict, cell: Cell) -> dict[str, t.Any]:
    return {**replace(verdict, name=str(cell)).document(), "revision": "", "date": ""}


def test_record_keeps_what_was_tried_and_forgets_what_is_no_cell(tmp_path: pathlib.Path) -> None:
    """A run that is stopped goes on with what is not well yet."""
    one, two = (Cell("bookworm", "trixie", "pvh", method) for method in METHODS[:2])
    cells_ = {str(one): _entry(WELL, one), str(two): _entry(replace(WELL, legs=[]), two), "old": _entry(WELL, one)}
    Record({"trixie": "4.20.5"}, cells_).save(tmp_path / "record.json", wall_s=1.0)
    read = Record.load(tmp_path / "record.json")
    assert (read.xen, set(read.cells), read.well()) == ({"trixie": "4.20.5"}, {str(one), str(two)}, {str(one)})
    assert Record.load(tmp_path / "none.json") == Record()


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (WELL, "moves"),
        (replace(WELL, legs=[GOOD, GOOD]), "moves; back: moves"),
        (replace(WELL, legs=[GOOD, REFUSED]), "moves; back: refused (``xen_older``)"),
        (replace(WELL, legs=[REFUSED]), "refused (``xen_older``)"),
        (
            replace(WELL, legs=[], error="LabError: no `answer`\nof *it*"),
            "**fails**: LabError: no 'answer' of \\*it\\*",
        ),
        (replace(WELL, legs=[replace(GOOD, status=2, message="no room")]), "**fails**: no room"),
    ],
)
def test_table_says_what_came_of_a_cell(verdict: Verdict, words: str) -> None:
    """What failed is not called refused."""
    cell = Cell("bookworm", "trixie", "pvh", "live")
    assert page.outcome(_entry(verdict, cell)) == words
    assert f"     - {words}\n" in page.table(Record({}, {str(cell): _entry(verdict, cell)}))


def test_docs_show_the_record() -> None:
    """The table in the docs is the one that the record gives."""
    text = matrix.PAGE.read_text(encoding="utf-8")
    assert page.printed(text, Record.load(KEPT)) == text
