# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that says a word to a session finds its folder, and starts nothing that others could have put there."""

from __future__ import annotations

import pathlib
import subprocess
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._asking import ANSWER, asking_script, parse_answer
from ansible_collections.dom0.xen.tests.unit.plugins.answering import SESSION, Answering


def run(*folders: pathlib.Path, request: t.Mapping[str, t.Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the script here, and say afterwards where its shell is."""
    script = asking_script([str(folder) for folder in folders], request or {"command": "permit"}, 10)
    command = ["/bin/sh", "-c", f"{script}; echo at $PWD"]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, t.Any] | None:
    """Return what was answered."""
    lines = [line for line in done.stdout.splitlines() if line.startswith(ANSWER)]
    return parse_answer(lines[0][len(ANSWER) :]) if lines else None


@pytest.mark.parametrize("position", [0, 1])
def test_the_first_folder_that_is_there_is_asked(tmp_path: pathlib.Path, position: int) -> None:
    """A host whose /run is no tmpfs keeps its sessions elsewhere; the rest of a script goes on where it was."""
    folders = [tmp_path / "a b'c" / f"{SESSION}.sender", tmp_path / "other" / f"{SESSION}.sender"]
    with Answering(folders[position]) as session:
        done = run(*folders, request={"command": "refuse", "reason": "it's $(off)"})
    told = answer(done)
    assert told is not None and told["accepted"], done.stderr
    assert session.heard == [{"command": "refuse", "reason": "it's $(off)"}]
    assert done.stdout.splitlines()[-1] == "at /"


def test_a_session_that_is_over_is_named(tmp_path: pathlib.Path) -> None:
    """Its folder goes with it."""
    done = run(tmp_path / "gone", tmp_path / "nor")
    assert answer(done) is None
    assert done.stderr.splitlines()[-1] == f"{tmp_path}/gone cannot be entered"


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o720, 0o755, 0o777, 0o1777])
def test_a_folder_that_others_can_enter_is_not_used(tmp_path: pathlib.Path, mode: int) -> None:
    """Root must not run what another user of the host has put into a folder of that name."""
    with Answering(tmp_path / f"{SESSION}.sender") as session:
        session.folder.chmod(mode)
        done = run(session.folder)
    assert answer(done) is None and session.heard == []
    assert "is not closed to others" in done.stderr


@pytest.mark.parametrize("line", [None, "", "{", "[1]", "[" * 200_000])
def test_what_is_no_answer(line: str | None) -> None:
    """Half a line is not taken for a word."""
    assert parse_answer(line) is None
