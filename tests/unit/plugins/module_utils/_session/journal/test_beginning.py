# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session does not begin while its launcher looks whether it has; and what keeps it back ends with the launcher."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import threading

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import beginning
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.journal import Journal, read
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS

LIMIT_S = 60

KEEPS = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import beginning
with beginning.kept_back(sys.argv[2]) as kept:
    print(kept, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(name="journal")
def make_journal(tmp_path: pathlib.Path) -> Journal:
    """The journal of a session that has its runtime folder beside it."""
    (tmp_path / "run").mkdir()
    return Journal(str(tmp_path), str(tmp_path / "run"))


def steps(folder: pathlib.Path) -> list[str]:
    """What its journal holds."""
    return [record["step"] for record in read(str(folder))]


def test_it_begins_when_it_is_let_go(tmp_path: pathlib.Path, journal: Journal) -> None:
    """What comes before is written meanwhile."""
    begins = threading.Thread(target=journal.write, args=("admitted",), daemon=True)
    with beginning.kept_back(str(tmp_path / "run")) as kept:
        assert kept
        journal.write("opened")
        begins.start()
        begins.join(0.3)
        assert begins.is_alive() and steps(tmp_path) == ["opened"]
    begins.join(LIMIT_S)
    assert steps(tmp_path) == ["opened", "admitted"]


def test_nobody_who_was_killed_keeps_it_back(tmp_path: pathlib.Path, journal: Journal) -> None:
    """It has no time limit of its own."""
    words = [sys.executable, "-c", KEEPS, str(COLLECTIONS), str(tmp_path / "run")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None and launcher.stdout.readline() == "True\n"
        begins = threading.Thread(target=journal.write, args=("admitted",), daemon=True)
        begins.start()
        begins.join(0.3)
        assert begins.is_alive()
        launcher.kill()
    begins.join(LIMIT_S)
    assert steps(tmp_path) == ["admitted"]


def test_one_that_is_about_to_begin_cannot_be_kept(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk may take its time with the record; the launcher takes it for written."""
    monkeypatch.setattr(beginning, "_WRITES_S", 0.1)
    with beginning.begins(str(tmp_path)), beginning.kept_back(str(tmp_path)) as kept:
        assert not kept
    with beginning.kept_back(str(tmp_path)) as kept:
        assert kept


def test_without_its_folder(tmp_path: pathlib.Path) -> None:
    """Nobody waits: a session that has ended takes it away, and one that goes on without it is not told to wait."""
    gone = str(tmp_path / "gone")
    with beginning.kept_back(gone) as kept, beginning.begins(gone):
        assert kept


def test_a_record_that_does_not_get_to_the_disk_is_told(tmp_path: pathlib.Path, journal: Journal) -> None:
    """Whoever begins must hear of it, and holds nothing up after it."""
    journal.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        journal.write("admitted")
    with beginning.kept_back(str(tmp_path / "run")) as kept:
        assert kept
