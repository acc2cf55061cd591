# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the lab's cases that has only so much time says what it did not run, and is not always the same share."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import proof
from proof.cases import NOT_RUN, contract_cases

_TESTS = """
def test_a(): pass
def test_b(): pass
def test_c(): pass
"""


_UNTRIED = """
import pytest
@pytest.mark.untried
def test_a(): assert False
def test_b(): pass
"""


def run(folder: Path, *arguments: str, tests: str = _TESTS) -> tuple[list[tuple[str, str]], list[str]]:
    """Outcomes in the order in which they came, and what the report makes of them."""
    (folder / "test_share.py").write_text(tests)
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-v", "-c", "/dev/null", "--rootdir", str(folder), "-p", "proof.share"]
    done = subprocess.run(
        [*command, f"--junitxml={report}", *arguments, str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(proof.__file__).parent.parent)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    seen = re.findall(r"::test_(\w) (\w+)", done.stdout)
    return seen, [case["outcome"] for case in contract_cases(report.read_text())]


def test_what_there_is_no_time_for_is_not_run(tmp_path: Path) -> None:
    """It is neither passed nor failed."""
    assert run(tmp_path, "--until", "0") == ([(name, "SKIPPED") for name in "abc"], [NOT_RUN] * 3)
    in_time = str(time.time() + 3600)
    assert run(tmp_path, "--until", in_time) == ([(name, "PASSED") for name in "abc"], ["passed"] * 3)


def test_each_turn_begins_elsewhere(tmp_path: Path) -> None:
    """In a row, so that a case that needs the one before it still finds that."""
    assert [name for name, dummy in run(tmp_path, "--turn", "5")[0]] == ["c", "a", "b"]


def test_what_nobody_has_tried_on_real_xen_is_left_out_until_somebody_does(tmp_path: Path) -> None:
    """A case that was never run there may be wrong itself; it is not called passed either."""
    assert run(tmp_path, tests=_UNTRIED) == ([("a", "SKIPPED"), ("b", "PASSED")], [NOT_RUN, "passed"])
    assert run(tmp_path, "--untried", tests=_UNTRIED)[1] == ["failed", "passed"]
