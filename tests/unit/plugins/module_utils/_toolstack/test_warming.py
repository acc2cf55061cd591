# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run beforehand changes nothing on the host, and what the host lacks is no failure."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._toolstack.warming import end, warm_up

RECORDED = ("xenstore-read", "xenstore-write", "ip", "brctl")
NEEDED = ("timeout", "nice", "bash")


@pytest.fixture
def tools(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A host that has only a few of the tools; each notes how it was called."""
    for name in NEEDED:
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    for name in RECORDED:
        tool = tmp_path / name
        tool.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/calls\nexit 1\n')
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_each_tool_is_run_once_and_only_asked(tools: pathlib.Path) -> None:
    """A tool that fails does not end it, one that is not there is left out, nothing is written to XenStore."""
    process = warm_up()
    assert process is not None
    assert process.wait(20) is not None
    assert (tools / "calls").read_text().splitlines() == [
        "xenstore-read /local/domain/0/name",
        "xenstore-write -h",
        "ip link show dev lo",
        "brctl show",
    ]


def test_a_host_where_it_cannot_be_started(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration does not depend on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert warm_up() is None


def test_it_does_not_outlive_its_session() -> None:
    """On a busy host it may take longer than the session."""
    process = warm_up()
    assert process is not None
    end(process)
    assert process.returncode is not None
    end(process)
    end(None)
