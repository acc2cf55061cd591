# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CI leaves out of the unit tests is said, and is something else with another commit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import proof
import pytest
from proof import playbook

CONFTEST = Path(__file__).with_name("conftest.py")
NAMES = "abcdefgh"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tests of playbooks, and one of something else."""
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "test_all.py").write_text("\n".join(f"def test_{name}(): pass" for name in NAMES))
    (tmp_path / "test_other.py").write_text("def test_z(): pass")
    return tmp_path


def run(folder: Path, *arguments: str) -> list[tuple[str, str]]:
    """Return names and outcomes in the order in which they came."""
    command = [sys.executable, "-m", "pytest", "-v", "-c", "/dev/null", "--rootdir", str(folder)]
    done = subprocess.run(
        [*command, *arguments, str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(proof.__file__).parent.parent)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return re.findall(r"::test_(\w) (\w+)", done.stdout)


def test_a_share_is_of_playbooks(folder: Path) -> None:
    """Another share with another commit; all else is run."""
    names = [name for name, outcome in run(folder, "--share", "4") if outcome == "PASSED"]
    turn = playbook.turn() % 4
    assert names == [NAMES[turn], NAMES[turn + 4], "z"]


def test_no_test_begins_when_the_time_is_over(folder: Path) -> None:
    """It is called skipped, not passed; the order begins elsewhere with another commit."""
    first = playbook.turn() % 9
    order = [*f"{NAMES}z"][first:] + [*f"{NAMES}z"][:first]
    assert run(folder, "--minutes", "-1") == [(name, "SKIPPED") for name in order]
    assert run(folder, "--minutes", "60") == [(name, "PASSED") for name in order]
    assert [name for name, outcome in run(folder) if outcome == "PASSED"] == [*NAMES, "z"]
