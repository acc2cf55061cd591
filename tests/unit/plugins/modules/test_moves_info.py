# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host tells of the moves that are not over."""

from __future__ import annotations

import json
import pathlib
import tempfile
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.modules import moves_info

OVER, DEAD, LOST, DOUBTFUL = ("a" * 16, "b" * 16, "c" * 16, "d" * 16)
OPENED = {"step": "opened", "details": {"uuid": "u", "name": "centos", "peer_host": "xen2"}}


class Dom0:
    """A host's folders, and its answer."""

    def __init__(self, runtime: pathlib.Path, journal: pathlib.Path, output: pytest.CaptureFixture[str]) -> None:
        self.runtime, self.journal, self._output = runtime, journal, output

    def keep(self, root: pathlib.Path, session: str, name: str, document: dict[str, t.Any]) -> None:
        """Write a file of a session."""
        folder = root / f"{session}.sender"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(document) + "\n")

    def tell(self) -> dict[str, t.Any]:
        """Run the module; return what it tells. No command can be found meanwhile."""
        places = {"runtime_path": str(self.runtime), "journal_path": str(self.journal)}
        with patch_module_args(places), pytest.raises(SystemExit):
            moves_info.main()
        told: dict[str, t.Any] = json.loads(self._output.readouterr().out)
        return told


@pytest.fixture
def dom0(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> t.Iterator[Dom0]:
    """A host on which neither xl nor XenStore can be reached."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        yield Dom0(pathlib.Path(memory) / "dom0-xen", tmp_path / "journal", capsys)


def test_a_host_on_which_nothing_was_ever_moved(dom0: Dom0) -> None:
    """No folder is there, none is made, and xl is not asked."""
    told = dom0.tell()
    assert (told["sessions"], told["claim"], told["changed"]) == ([], None, False)
    assert not dom0.journal.exists() and not dom0.runtime.exists()


def test_what_is_over_is_left_out(dom0: Dom0) -> None:
    """Not what was killed, of which only a journal is left, or whose owner is not known."""
    ended = {"role": "sender", "phase": "ended", "owner": "source", "pid": None}
    dom0.keep(dom0.journal, OVER, "result.json", {**ended, "session": OVER})
    dom0.keep(dom0.journal, DOUBTFUL, "result.json", {**ended, "session": DOUBTFUL, "owner": "unsettled"})
    dom0.keep(dom0.runtime, DEAD, "status.json", {**ended, "session": DEAD, "phase": "streaming", "bytes": 7})
    dom0.keep(dom0.journal, LOST, "journal", OPENED)
    told = {session["session"]: session for session in dom0.tell()["sessions"]}
    assert set(told) == {DEAD, LOST, DOUBTFUL}
    assert (told[DEAD]["bytes"], told[DEAD]["alive"]) == (7, False)
    assert told[LOST]["journal"] == [OPENED]


def test_the_run_that_has_claimed_the_host(dom0: Dom0) -> None:
    """With when it was last heard of."""
    claims.claim(str(dom0.journal), claims.Claim("e" * 16, "evacuate xen1", "alice", "ctl1"), 300.0)
    claim = dom0.tell()["claim"]
    assert (claim["run"], claim["by"], claim["controller"]) == ("evacuate xen1", "alice", "ctl1")
    assert 0 <= claim["silent_s"] < 100


def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(
    dom0: Dom0, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who is not root would be told that nothing moves."""
    dom0.journal.mkdir()
    monkeypatch.setattr("os.access", lambda *dummy: False)
    told = dom0.tell()
    assert (told["failed"], told["code"]) == (True, "place_unusable")
    assert "cannot be read" in told["msg"]
