# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nice value of a session's processes, in a process group of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# A daemon with one child that was there before (xl) and one that comes later (a hotplug script).
GROUP = """\
import json, os, subprocess, sys
from ansible_collections.dom0.xen.plugins.module_utils._session.precedence import Precedence
os.nice(int(sys.argv[1]))
if sys.argv[2:]:
    os.setuid(int(sys.argv[2]))
precedence = Precedence()
xl = subprocess.Popen(["sleep", "60"])
seen = []
for wanted in (False, True, True, False):
    precedence.take(wanted)
    script = subprocess.Popen(["sleep", "60"])
    seen.append([os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, xl.pid, script.pid)])
    script.kill()
xl.kill()
print(json.dumps(seen))
"""


def seen(*arguments: str) -> list[list[int]]:
    """Nice values of daemon, xl and script: before, twice while the guest stands still, after."""
    command = [sys.executable, "-c", GROUP, *arguments]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60, start_new_session=True, env=paths)
    answer: list[list[int]] = json.loads(done.stdout)
    return answer


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may take precedence")
@pytest.mark.parametrize(("usual", "stopped"), [(0, -10), (5, -10), (-15, -15)])
def test_all_go_first_while_the_guest_stands_still(usual: int, stopped: int) -> None:
    """xl's scripts are most of the stop time; afterwards nobody may keep a precedence that the admin did not give."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert seen(str(usual - before)) == [[usual] * 3, [stopped] * 3, [stopped] * 3, [usual] * 3]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_system_that_does_not_allow_it_is_no_failure() -> None:
    """A container without CAP_SYS_NICE must still be able to migrate."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert seen("0", "65534") == [[before] * 3] * 4
