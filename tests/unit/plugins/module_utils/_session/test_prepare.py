# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the start of a session does about those before it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from dataclasses import dataclass

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._places import CERTIFICATE, KEY
from ansible_collections.dom0.xen.plugins.module_utils._session import launch

NEW, OLD = "1" * 16, "0" * 16 + ".sender"
ENDED = {"phase": "ended", "owner": "source", "end_state": "stayed", "pid": None}
MONTHS_AGO = time.time() - 100 * 86400


@dataclass(frozen=True)
class Folders:
    """Where sessions are on a host, in memory and on the disk."""

    run: pathlib.Path
    lib: pathlib.Path

    def begin(self) -> None:
        """Have the folders of a new session made, which has its credentials."""
        folder = self.run / f"{NEW}.sender"
        folder.mkdir(mode=0o700)
        for name in (KEY, CERTIFICATE):
            (folder / name).write_text("")
        launch.prepare(str(self.run), str(self.lib), NEW, "sender")

    def before(self, root: pathlib.Path, name: str, document: t.Mapping[str, t.Any]) -> pathlib.Path:
        """Make what another session has left."""
        (self.lib / OLD).mkdir(mode=0o700, parents=True, exist_ok=True)
        path = root / OLD / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text(json.dumps(document))
        return path


@pytest.fixture
def folders(tmp_path: pathlib.Path) -> t.Iterator[Folders]:
    """A host of its own; what is kept in memory must be on a tmpfs."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as run:
        yield Folders(pathlib.Path(run), tmp_path / "lib")


def test_what_a_full_disk_did_not_take_is_written_later(folders: Folders) -> None:
    """The status of a session that has ended is its result, and nothing of it is left in memory."""
    status = folders.before(folders.run, "status.json", ENDED)
    folders.begin()
    assert json.loads((folders.lib / OLD / "result.json").read_text()) == ENDED
    assert not status.parent.exists()


@pytest.mark.parametrize(
    "changes", [{"phase": "gate"}, {"owner": "unsettled"}, {"watches": True}], ids=["gate", "unsettled", "watches"]
)
def test_what_has_not_ended_is_left_alone(folders: Folders, changes: dict[str, t.Any]) -> None:
    """Somebody will settle it."""
    status = folders.before(folders.run, "status.json", {**ENDED, **changes})
    folders.begin()
    assert status.exists()


def test_who_is_about_to_end_does_it_himself(folders: Folders) -> None:
    """The process waits for its last word to be taken."""
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", str(folders.run / OLD)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        # Linux lets Popen go on before the new program's arguments can be seen in /proc.
        assert process.stdout is not None and process.stdout.readline()
        status = folders.before(folders.run, "status.json", {**ENDED, "pid": process.pid})
        folders.begin()
        assert status.exists()


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"owner": "source"}, False),
        ({"owner": "destination"}, False),
        ({"owner": "elsewhere", "end_state": "elsewhere"}, False),
        ({"owner": "unsettled"}, True),
        ({"owner": "source", "watches": True}, True),
    ],
)
def test_old_journals_go_once_it_is_known_how_they_ended(
    folders: Folders, changes: dict[str, t.Any], kept: bool
) -> None:
    """After 30 days; what nobody has settled is evidence."""
    result = folders.before(folders.lib, "result.json", {**ENDED, **changes})
    os.utime(result, (MONTHS_AGO, MONTHS_AGO))
    folders.begin()
    assert result.exists() is kept


def test_two_that_begin_at_once_take_the_same_old_journal_away(folders: Folders) -> None:
    """As in an evacuation: what the one has just read is gone when the other one looks how old it is."""
    result = folders.before(folders.lib, "result.json", ENDED)
    result.unlink()
    os.mkfifo(result)

    def told() -> None:
        with result.open("w") as file:
            result.unlink()
            file.write(json.dumps(ENDED))

    other = threading.Thread(target=told)
    other.start()
    folders.begin()
    other.join(60)
    assert not result.exists() and (folders.lib / f"{NEW}.sender").is_dir()
