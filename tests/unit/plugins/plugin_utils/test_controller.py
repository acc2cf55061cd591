# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the run of a claim lives, as far as this machine can tell."""

from __future__ import annotations

import os
import subprocess

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.plugin_utils import _controller as controller


def test_a_run_lives_as_long_as_its_process() -> None:
    """However silent; of one on another machine nothing is known, and a pid that was given anew is another one."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        mine = {**controller.holder({}), "pid": process.pid, "started": _procfs.start_time(process.pid)}
        assert controller.is_alive(mine) and not controller.is_dead(mine)
        again = {**mine, "started": 1}
        assert controller.is_dead(again) and not controller.is_alive(again)
        elsewhere = {**mine, "machine": "another"}
        assert not controller.is_dead(elsewhere) and not controller.is_alive(elsewhere)
        process.kill()
    assert controller.is_dead(mine) and not controller.is_alive(mine)
    assert controller.holder({})["pid"] == os.getppid()
