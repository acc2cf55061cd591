# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An xl that is stopped for good is stopped alone."""

from __future__ import annotations

import os
import signal
import subprocess
import types
import typing as t

import pytest
from dom0_faults import deeds

from ansible_collections.dom0.xen.plugins.module_utils import _procfs


@pytest.mark.timeout(30)
def test_what_xl_forks_off_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would wake it, and it would be told as left over."""
    script = """sh -c 'trap "echo alive" USR1; echo $$; while :; do sleep 0.05; done' & wait"""
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as xl:
        try:
            assert xl.stdout
            forked = int(xl.stdout.readline())
            host = types.SimpleNamespace(pids=[os.getpid(), xl.pid, forked])
            world: t.Any = types.SimpleNamespace(
                powered=lambda name: name == "destination", host=lambda name: host, course=None
            )
            monkeypatch.setattr(deeds, "pids", lambda world, process: [xl.pid, forked])
            deeds.do(world, "stop-xl-receive")
            os.waitpid(xl.pid, os.WUNTRACED)
            assert _procfs.state(xl.pid) == "T"
            os.kill(forked, signal.SIGUSR1)
            assert xl.stdout.readline() == "alive\n"
        finally:
            for pid in (forked, xl.pid):
                os.kill(pid, signal.SIGKILL)
