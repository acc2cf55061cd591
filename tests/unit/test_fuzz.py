# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fuzzer tries what it promises to try, for as long, and says so where it does not."""

from __future__ import annotations

import dataclasses

from ansible_collections.dom0.xen.tests.fuzz import run

WELL = run.Outcome("parser", 5000, 600, 600.4, 60.0, 70.0, (), (), (), 0)


def test_the_parser_and_the_frames_have_ten_minutes_each() -> None:
    """Whoever adds a target takes nothing from them."""
    assert set(run.TARGETS) == set(run.SECONDS)
    assert min(run.SECONDS["parser"], run.SECONDS["frames"]) >= 600


def test_one_that_was_cut_short_fails() -> None:
    """A fuzzer that ends before its time has tried less than the figures seem to say."""
    assert all(check["ok"] for check in WELL.checks())
    short = dataclasses.replace(WELL, seconds=86.0)
    assert [check["name"] for check in short.checks() if not check["ok"]] == ["parser.seconds"]
