# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A campaign that goes on leaves out what the same code has passed, and nothing else."""

from __future__ import annotations

import pathlib

from dom0_faults.judge import ALLOWED, LOST, MISSED
from dom0_faults.kept import Kept
from dom0_faults.run import Outcome

WELL, BAD = Outcome("well", (ALLOWED,), (), 1.5), Outcome("bad", (LOST,), ("lost",), 2.0)
# Its point was not passed: nothing was tried.
AWAY = Outcome("away", (MISSED,), (), 1.0)


def test_what_has_passed_is_left_out(tmp_path: pathlib.Path) -> None:
    """A failure is tried again, and so is a fault that did not happen; the time of both runs counts."""
    file = tmp_path / "faults" / "passed.jsonl"
    kept = Kept(False, file, "code")
    kept.add(WELL, 10.0)
    kept.add(BAD, 12.0)
    kept.add(AWAY, 13.0)
    again = Kept(True, file, "code")
    assert again.outcomes == [WELL] and again.names == {"well"} and again.seconds == 10.0


def test_other_code_begins_anew(tmp_path: pathlib.Path) -> None:
    """As does one that is not asked to go on, and one whose code has no name."""
    for go_on, code in ((True, "other"), (False, "code"), (True, "")):
        file = tmp_path / "passed.jsonl"
        Kept(False, file, "" if code == "" else "code").add(WELL, 10.0)
        assert not Kept(go_on, file, code).outcomes
        assert not Kept(True, file, code).outcomes
