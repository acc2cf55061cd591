# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A point that vanishes from the code is noticed."""

from __future__ import annotations

import pathlib

from dom0_faults.names import Place
from dom0_faults.points import Baseline, Passed, load, save, stable, unknown, vanished

ONE, TWO = Place("source", "sender.begin"), Place("destination", "receiver.begin")
KNOWN: Baseline = {"smooth": (Passed(ONE, ("sender",)), Passed(TWO, ()))}


def test_the_list_survives_its_file(tmp_path: pathlib.Path) -> None:
    """What was recorded is what is read."""
    save(KNOWN, tmp_path / "points.json")
    assert load(tmp_path / "points.json") == KNOWN


def test_what_is_not_passed_any_more_is_told() -> None:
    """And so is what nobody knew."""
    assert vanished(KNOWN, {"smooth": {ONE}}) == ["smooth:destination/receiver.begin"]
    assert vanished(KNOWN, {"smooth": {ONE, TWO}}) == vanished(KNOWN, {}) == []
    assert unknown(KNOWN, {"smooth": {ONE, Place("source", "new")}}) == ["smooth:source/new"]


def test_only_what_every_recording_has_is_kept() -> None:
    """A point or a process that is there by chance would make faults that miss."""
    first = (Passed(ONE, ("sender", "shim")), Passed(TWO, ()))
    assert stable([first, (Passed(ONE, ("shim",)),)]) == (Passed(ONE, ("shim",)),)
