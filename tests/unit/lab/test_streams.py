# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab does to a saved domain, done to a small one: each way breaks what it says, and is undone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cases.test_streams import CODES, SOUND, wanted_code
from cases.world import ON_HOST

from ansible_collections.dom0.xen.plugins.module_utils._image.reading import describe_file
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

CONTEXT = (0x09, bytes(range(1, 25)))


def saved() -> bytes:
    """A guest of more than a MiB, so that a cut near its end is made in place."""
    data = streams.pvh([streams.normal(range(1024))])
    return data.replace(streams.frame(*streams.HVM_CONTEXT), streams.frame(CONTEXT[0], CONTEXT[1][:-1] + b"\0"))


def on_host(*arguments: str) -> str:
    """Run the program as a host does."""
    argv = [sys.executable, "-I", str(ON_HOST / "streams.py"), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_every_way(tmp_path: Path) -> None:
    """The lab's case compares Xen's word with these; here it is seen that the file is as broken as it should be."""
    path = tmp_path / "saved"
    path.write_bytes(saved())
    ways = json.loads(on_host("list", str(path)))
    assert {way for way in ways if not way.startswith("cut ")} == SOUND | set(CODES)
    for way in ways:
        broken = json.loads(on_host("break", way, str(path), "/bin/true"))
        assert broken["sound"]
        found = describe_file(broken["path"], pages=False)
        assert (found.problem.code if found.problem else None) == wanted_code(way), way
        assert way == "whole" or Path(broken["path"]).read_bytes() != saved()
        on_host("mend", str(path))
        assert path.read_bytes() == saved()
        assert [left.name for left in tmp_path.iterdir()] == ["saved"]


def test_failing_checker_is_told(tmp_path: Path) -> None:
    """Its status is what counts."""
    path = tmp_path / "saved"
    path.write_bytes(saved())
    assert json.loads(on_host("break", "whole", str(path), "/bin/false"))["sound"] is False
