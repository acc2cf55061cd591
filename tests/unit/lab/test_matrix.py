# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of releases, guests and methods says well of nothing that is not."""

from __future__ import annotations

import itertools
import pathlib
import subprocess
import typing as t
from dataclasses import replace

import pytest
from dom0lab import LabError
from matrix import __main__ as matrix
from matrix import page
from matrix.attempt import Kept, Verdict, attempt, kept_after, usable
from matrix.listing import COLD, GUESTS, LIVE, METHODS, RELEASES, SUSPEND, UNDONE, Cell, cells, chosen
from matrix.record import KEPT, Record

WELL = Verdict(
    "name", "bookworm", "bookworm", "pvh", "live", ("xen1", "xen2"), where=["xen2"], status=0, owner="destination",
    end_state="moved", told="live", same_boot=True, counter_never_fell=True, memory_verified=True, boots=1, vcpus=1,
)  # fmt: skip
REFUSED = replace(WELL, refused="xen_older", where=["xen1"], status=2, owner="", end_state="", codes=["xen_older"])
UNDO = replace(WELL, undone=True, where=["xen1"], status=2, owner="source", end_state="stayed")
ANEW = replace(WELL, method="cold", told="cold", same_boot=False, counter_never_fell=False, boots=2)
PAIRS = [(a, b) for place, a in enumerate(RELEASES) for b in list(RELEASES)[place:]]
CELL = Cell(("bookworm", "trixie"), "pvh", LIVE, (0, 1))


def test_every_kind_of_guest_goes_by_every_method_from_each_release_to_itself_and_to_each_newer_one() -> None:
    """Nothing that is possible is left out, and nothing is tried twice."""
    names = [str(cell) for cell in cells()]
    assert len(set(names)) == len(names)
    moved = {(cell.source, cell.destination, GUESTS[cell.guest].type, cell.column) for cell in cells()}
    assert len(PAIRS) == 6
    for pair, kind, method in itertools.product(PAIRS, ("pvh", "pv", "hvm"), METHODS):
        assert (*pair, kind, method) in moved, (pair, kind, method)


def test_the_guests_have_what_they_are_to_have() -> None:
    """Of each kind one with a processor, a card and a disk, and one with two; and one for which QEMU makes them."""
    for kind in ("pv", "hvm"):
        has = {(guest.vcpus, guest.cards, bool(guest.disk)) for guest in GUESTS.values() if guest.type == kind}
        assert has >= {(1, 1, True), (2, 2, True)}
    for release in RELEASES:
        two = {GUESTS[cell.guest].type for cell in cells() if release in cell.lab and GUESTS[cell.guest].vcpus == 2}
        assert two == {"pvh", "pv", "hvm"} or release == "bookworm"
    methods = {cell.column for cell in cells() if GUESTS[cell.guest].emulated}
    assert methods == {LIVE, SUSPEND}, "nobody can ask it to shut down"


def test_a_guest_that_is_suspended_goes_on_where_it_was_on_each_release() -> None:
    """Before 4.20 there is no xl resume; each kind of guest is undone on each, by the way that suspends it there."""
    undone = {(cell.source, GUESTS[cell.guest].type): cell.method for cell in cells() if cell.undone}
    wanted = set(itertools.product(RELEASES, ("pvh", "pv", "hvm"))) - {("bookworm", "pvh")}
    assert undone.keys() == wanted
    assert {pair for pair, method in undone.items() if method == SUSPEND} == {("bookworm", "pv"), ("trixie", "pv")}


def ends(cell: Cell) -> int:
    """The host that the guest is on afterwards."""
    return cell.hosts[0] if cell.refused or cell.undone else cell.hosts[1]


def tours() -> list[list[Cell]]:
    """The cells of each guest in each lab."""
    return [list(group) for dummy, group in itertools.groupby(cells(), key=lambda cell: (cell.lab, cell.guest))]


def test_a_guest_goes_there_and_back() -> None:
    """Within a release each move begins where the one before has ended."""
    within = [tour for tour in tours() if len(tour[0].lab) == 2]
    assert len(within) == 12
    for tour in within:
        assert all(after.hosts[0] == ends(cell) for cell, after in itertools.pairwise(tour)), tour


def test_a_guest_goes_on_to_the_newest_release() -> None:
    """From the oldest over the one between; and one that is started anew comes back from there."""
    up = [tour for tour in tours() if len(tour[0].lab) == 3]
    assert {GUESTS[tour[0].guest].type for tour in up} == {"pvh", "pv", "hvm"}
    for tour in up:
        moves = [cell for cell in tour if not cell.refused]
        assert [cell.hosts for cell in moves[:2]] == [(0, 1), (1, 2)]
        assert COLD not in {cell.method for cell in moves[:2]}
        assert GUESTS[tour[0].guest].emulated or any(cell.hosts == (2, 0) for cell in moves)


def test_downward_is_refused_and_no_shadow_is_no_live_move() -> None:
    """Each pair is tried; a guest that is started anew goes anywhere."""
    down = {(cell.source, cell.destination) for cell in cells() if cell.refused == "xen_older"}
    assert down == {(b, a) for a, b in PAIRS if a != b}
    assert Cell(("bookworm", "trixie"), "pv-disk", LIVE, (0, 1)).refused == "no_shadow_paging"
    assert Cell(("bullseye", "trixie"), "pv-disk", LIVE, (0, 1)).refused == ""
    assert Cell(("bookworm", "trixie"), "pv-disk", COLD, (1, 0)).refused == ""


def test_a_lab_is_brought_up_once() -> None:
    """Its cells lie one after the other, and so do those of one of its guests."""
    labs = [lab for lab, dummy in itertools.groupby(cell.lab for cell in cells())]
    assert len(labs) == len(set(labs)) == 4
    guests = [each for each, dummy in itertools.groupby((cell.lab, cell.guest) for cell in cells())]
    assert len(guests) == len(set(guests))


@pytest.mark.parametrize(
    ("verdict", "kept"),
    [
        (WELL, Kept("pvh", "xen2", 3)),
        (ANEW, Kept("pvh", "xen2", 4)),
        (REFUSED, Kept("pvh", "xen1", 3)),
        (UNDO, Kept("pvh", "xen1", 3)),
        (replace(REFUSED, memory_verified=False), None),
        (replace(WELL, stamps_problem="two writers"), None),
    ],
)
def test_a_guest_is_kept_that_is_well(verdict: Verdict, kept: Kept | None) -> None:
    """With all boots that its disk may tell of: three before, or one more."""
    assert kept_after(verdict, 3) == kept


def test_a_guest_is_used_where_it_is() -> None:
    """Another kind of guest, or one that is on another host, is not the one that is to move."""
    assert usable(Kept("pvh", "xen1", 1), CELL)
    assert not usable(Kept("pvh", "xen2", 1), CELL) and not usable(Kept("pv-disk", "xen1", 1), CELL)
    assert not usable(None, CELL)


def test_names_choose() -> None:
    """One pair, one guest."""
    assert {cell.guest for cell in chosen(["4.17-4.20:pv-"])} == {"pv-2vcpu-2nic-disk"}
    assert len(chosen([])) == len(list(cells()))


@pytest.mark.parametrize("good", [WELL, REFUSED, UNDO, ANEW])
def test_what_is_as_expected_is_well(good: Verdict) -> None:
    """What the others differ from."""
    assert good.well


@pytest.mark.parametrize(
    "bad",
    [
        replace(WELL, error="no answer"),
        replace(WELL, stamps_problem="two writers"),
        replace(WELL, memory_verified=False),
        replace(WELL, vcpus=0),
        replace(WELL, vcpus=None),
        replace(WELL, same_boot=False),
        replace(WELL, counter_never_fell=False),
        replace(WELL, double_answers=1),
        replace(WELL, where=["xen1", "xen2"]),
        replace(WELL, where=["xen1"]),
        replace(WELL, where=[]),
        replace(WELL, status=2),
        replace(WELL, told="suspend"),
        replace(WELL, same_boot=False, counter_never_fell=False, boots=2),
        replace(REFUSED, where=["xen2"]),
        replace(REFUSED, status=0),
        replace(REFUSED, codes=["other"]),
        replace(REFUSED, same_boot=False),
        replace(UNDO, where=["xen2"]),
        replace(UNDO, status=0),
        replace(UNDO, owner="destination"),
        replace(UNDO, same_boot=False),
        replace(ANEW, same_boot=True, counter_never_fell=True, boots=1),
        replace(ANEW, boots=3),
        replace(ANEW, boots=0),
        replace(ANEW, double_answers=1),
        replace(ANEW, memory_verified=False),
        replace(ANEW, where=["xen1", "xen2"]),
        replace(ANEW, told="live"),
    ],
)
def test_what_is_not_well_is_not_called_so(bad: Verdict) -> None:
    """One thing that is wrong is enough."""
    assert not bad.well


class Broken:
    """A lab in which nothing works."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> t.Any:
        raise self.error


@pytest.mark.parametrize("error", [LabError("no answer"), subprocess.TimeoutExpired("ansible-playbook", 1)])
def test_an_error_is_that_of_its_cell(tmp_path: pathlib.Path, error: Exception) -> None:
    """The others are tried all the same."""
    lab = t.cast(t.Any, Broken(error))
    verdict, kept = attempt(lab, tmp_path / "disk", CELL, None)
    assert not verdict.well and type(error).__name__ in verdict.error and kept is None


def test_a_lab_that_breaks_is_not_the_end_of_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """The next one is brought up, and the run says in the end that it was not all."""
    begun: list[tuple[str, ...]] = []

    def run_lab(group: list[Cell], record: Record, ran: list[Verdict], since: float) -> None:
        begun.append(group[0].lab)
        if len(begun) == 1:
            raise LabError("a host did not boot")
        ran += [replace(WELL, name=str(cell)) for cell in group]

    monkeypatch.setattr(matrix, "run_lab", run_lab)
    monkeypatch.setattr(matrix, "RESULT", tmp_path / "matrix.json")
    monkeypatch.setattr("sys.argv", ["matrix"])
    assert matrix.main() == 2
    assert len(begun) == len({cell.lab for cell in cells()})


def _entry(verdict: Verdict, cell: Cell) -> dict[str, t.Any]:
    return {**replace(verdict, name=str(cell)).document(), "revision": "", "date": ""}


def test_record_keeps_what_was_tried_and_forgets_what_is_no_cell(tmp_path: pathlib.Path) -> None:
    """A run that is stopped goes on with what is not well yet."""
    one, two = chosen(["4.17-4.17:pvh:"])[:2]
    cells_ = {str(one): _entry(WELL, one), str(two): _entry(replace(WELL, where=[]), two), "old": _entry(WELL, one)}
    Record({"trixie": "4.20.5"}, cells_).save(tmp_path / "record.json", wall_s=1.0)
    read = Record.load(tmp_path / "record.json")
    assert (read.xen, set(read.cells), read.well()) == ({"trixie": "4.20.5"}, {str(one), str(two)}, {str(one)})
    assert Record.load(tmp_path / "none.json") == Record()


def test_a_record_that_is_being_written_is_whole(tmp_path: pathlib.Path) -> None:
    """A run that is stopped in the middle of it has lost nothing: the file is the one from before, or the new one."""
    path, cell = tmp_path / "record.json", chosen(["4.17-4.17:pvh:live"])[0]
    Record().save(path)
    before = path.read_text()
    with path.open() as reading:
        Record({}, {str(cell): _entry(WELL, cell)}).save(path)
        assert reading.read() == before
    assert Record.load(path).well() == {str(cell)}
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_what_was_tried_before_is_kept_and_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """In the file of figures by every run; with --continue also what only the repository's record tells of."""
    one, two, three = (chosen([f"4.17-4.17:pvh:{column}"])[0] for column in (LIVE, SUSPEND, COLD))
    tried: list[str] = []

    def run_lab(group: list[Cell], record: Record, ran: list[Verdict], since: float) -> None:
        for cell in group:
            tried.append(str(cell))
            ran.append(replace(WELL, name=str(cell)))
            record.cells[str(cell)] = _entry(WELL, cell)

    def run(*arguments: str) -> Record:
        tried.clear()
        monkeypatch.setattr("sys.argv", ["matrix", *arguments, "4.17-4.17:pvh:"])
        assert matrix.main() in (0, 1)
        return Record.load(tmp_path / "matrix.json")

    monkeypatch.setattr(matrix, "run_lab", run_lab)
    monkeypatch.setattr(matrix, "RESULT", tmp_path / "matrix.json")
    monkeypatch.setattr(matrix, "KEPT", tmp_path / "kept.json")
    Record({}, {str(one): _entry(WELL, one)}).save(tmp_path / "kept.json")
    Record({}, {str(two): _entry(WELL, two)}).save(tmp_path / "matrix.json")
    assert run("--continue").well() == {str(one), str(two), str(three)} and tried == [str(three)]
    monkeypatch.setattr(matrix, "chosen", lambda names: [two])
    assert run().well() == {str(one), str(two), str(three)} and tried == [str(two)]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (WELL, "moves"),
        (REFUSED, "refused (``xen_older``)"),
        (UNDO, "goes on"),
        (replace(WELL, error="LabError: no `answer`\nof *it*"), "**fails**: LabError: no 'answer' of \\*it\\*"),
        (replace(WELL, status=2, message="no room"), "**fails**: no room"),
        (replace(REFUSED, status=0), "**fails**: not as expected"),
    ],
)
def test_table_says_what_came_of_a_cell(verdict: Verdict, words: str) -> None:
    """What failed is not called refused."""
    cell = chosen(["4.17-4.17:pvh:live"])[0]
    assert page.outcome(_entry(verdict, cell)) == words
    assert f"     - {words}\n" in page.table(Record({}, {str(cell): _entry(verdict, cell)}))


def test_what_xen_itself_breaks_is_told_as_that_and_tried_once() -> None:
    """Where nothing of ours could mend it; the one kind of guest that libxl resumes rightly there is not meant."""
    broken = {str(cell) for cell in cells() if cell.breaks}
    assert broken == {f"4.14-4.14:{guest}:undone" for guest in ("pvh-2nic-disk", "pv-2vcpu-2nic-disk")}
    cell = next(cell for cell in cells() if cell.breaks)
    lost = replace(UNDO, name=str(cell), hosts=cell.names, where=[cell.names[0]], error="LabError: no answer")
    assert f"     - **fails**: {cell.breaks}\n" in page.table(Record({}, {str(cell): _entry(lost, cell)}))
    assert page.outcome(_entry(UNDO, cell), cell.breaks) == "goes on"
    asked = replace(lost, owner="unsettled", end_state="running_nowhere")
    assert page.known(_entry(asked, cell), cell.breaks) == cell.breaks
    more: list[dict[str, t.Any]] = [{"owner": "unsettled"}, {"where": []}, {"double_answers": 1}]
    for ours in (*more, {"stamps_problem": "two writers"}):
        assert not page.known(_entry(replace(lost, **ours), cell), cell.breaks), ours


def test_the_table_has_every_cell() -> None:
    """What is no cell is empty."""
    table = page.table(Record())
    assert table.count(" - not tried\n") == len(list(cells()))
    assert table.startswith(f"0 of {len(list(cells()))} cells tried.") and "     -\n" in table
    assert UNDONE in table


def test_docs_show_the_record() -> None:
    """The table in the docs is the one that the record gives."""
    text = matrix.PAGE.read_text(encoding="utf-8")
    assert page.printed(text, Record.load(KEPT)) == text
