# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab does to a saved domain, done to small ones: each way breaks what it says, and is undone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cases.test_streams import CODES, LAXER, SOUND, wanted_code
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


FILES = {
    "pvh": saved(),
    "live": streams.pvh([streams.normal(range(1024)), streams.normal(range(8)), streams.normal(range(2))]),
    "pv": streams.pv([streams.normal(range(512))]),
    "hvm": streams.hvm([streams.normal(range(512))]),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_way(tmp_path: Path, kind: str) -> None:
    """The lab's case compares Xen's word with these; here it is seen that the file is as broken as it should be."""
    path, before = tmp_path / "saved", FILES[kind]
    path.write_bytes(before)
    ways = json.loads(on_host("list", str(path), kind))
    assert "whole" in ways
    for way in ways:
        broken = json.loads(on_host("break", way, str(path), "/bin/true"))
        assert broken["sound"]
        found = describe_file(broken["path"], pages=False)
        assert (found.problem.code if found.problem else None) == wanted_code(way), way
        assert way == "whole" or Path(broken["path"]).read_bytes() != before
        on_host("mend", str(path))
        assert path.read_bytes() == before
        assert [left.name for left in tmp_path.iterdir()] == ["saved"]


def test_no_way_is_left_out(tmp_path: Path) -> None:
    """Whatever has a code is tried on a file of some kind, and whatever is tried has one, or is sound."""
    path, tried = tmp_path / "saved", set()
    for kind, data in FILES.items():
        path.write_bytes(data)
        tried |= set(json.loads(on_host("list", str(path), kind)))
    assert {way for way in tried if not way.startswith("cut ")} == SOUND | LAXER | set(CODES)


def test_failing_checker_is_told(tmp_path: Path) -> None:
    """Its status is what counts."""
    path = tmp_path / "saved"
    path.write_bytes(saved())
    assert json.loads(on_host("break", "whole", str(path), "/bin/false"))["sound"] is False
