# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for xl on the destination begins to make the domain in the moment in which it is killed."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import time

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.found import left_xl
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.destination_xl import DestinationXl
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import COLD
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl


def _program(path: pathlib.Path, lines: str) -> str:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return str(path)


def test_what_it_has_begun_is_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session ends with an xl create that goes on, and does not wait for ever for it."""
    xl = _program(tmp_path / "xl", "sleep 60")
    begins = f"read line\n{xl} create -q -p {tmp_path}/domain.cfg &\nsleep 60"
    monkeypatch.setattr(sys, "executable", _program(tmp_path / "python", begins))
    settings = ReceiverSettings(
        session="0123456789abcdef",
        uuid="1c2d3e4f-0000-4000-8000-00000000002a",
        name="centos",
        runtime_folder=str(tmp_path),
        journal_folder=str(tmp_path),
        peer_certificate="",
        xl=xl,
        link_timeout=1.0,
        peer_host="",
        memory_max_kib=1,
        listen_address="",
        port_first=1,
        port_last=1,
        admission_timeout=1.0,
        banner_timeout=1.0,
        method=COLD,
    )
    made = DestinationXl(Xl(subprocess_runner(), xl), settings, str(tmp_path / "stderr"))
    kill = subprocess.Popen.kill

    def too_late(process: subprocess.Popen[bytes]) -> None:
        made.put(b"\n")
        made.write()
        deadline = time.monotonic() + 60
        while not left_xl.making(process.pid):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        kill(process)

    monkeypatch.setattr(subprocess.Popen, "kill", too_late)
    try:
        assert not made.kill()
        assert made.exit_code() is None
    finally:
        left_xl.end(made.pid)
        made.close()
