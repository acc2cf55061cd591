# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for xl on the destination begins to make the domain in the moment in which it is killed."""

from __future__ import annotations

import contextlib
import pathlib
import resource
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.module_utils._session.found import left_xl
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.destination_xl import DestinationXl
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl


def _program(path: pathlib.Path, lines: str) -> str:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return str(path)


def starter(folder: pathlib.Path, xl: str) -> DestinationXl:
    """What a receiver has started."""
    settings = ReceiverSettings(
        session="0123456789abcdef",
        uuid="1c2d3e4f-0000-4000-8000-00000000002a",
        name="centos",
        runtime_folder=str(folder),
        journal_folder=str(folder),
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
    return DestinationXl(Xl(subprocess_runner(), xl), settings, str(folder / "stderr"))


def test_what_it_has_begun_is_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session ends with an xl create that goes on, and does not wait for ever for it."""
    xl = _program(tmp_path / "xl", "sleep 60")
    begins = f"read line\n{xl} create -q -p {tmp_path}/domain.cfg &\nsleep 60"
    monkeypatch.setattr(sys, "executable", _program(tmp_path / "python", begins))
    made = starter(tmp_path, xl)
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


@contextlib.contextmanager
def no_descriptors() -> t.Iterator[None]:
    """Nothing can be opened."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_where_no_descriptor_is_to_be_had_the_receiver_goes_on(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it makes a domain cannot be seen then: it may, and its end is not told before that is known."""
    xl = _program(tmp_path / "xl", "sleep 60")
    monkeypatch.setattr(sys, "executable", _program(tmp_path / "python", "exit 3"))
    made = starter(tmp_path, xl)
    try:
        made._process.wait(60)
        with no_descriptors():
            assert made.exit_code() is None
            assert not made.kill()
            # The copy is looked at next.
            made.slow_down()
        assert made.exit_code() == 3
        assert made.kill()
    finally:
        made.close()
