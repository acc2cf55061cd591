# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a host say between which times of the controller its clock was read."""

from __future__ import annotations

import time

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook


@pytest.mark.parametrize("task", [{}, {"async": 60, "poll": 1}], ids=["foreground", "background"])
def test_the_hosts_clock_was_read_between_two_times(playbook: Playbook, task: dict[str, int]) -> None:
    """In the background, where the module's end is not seen, nothing is said about it."""
    before = time.time()
    asked = {"dom0.xen.host_info": {"runtime_path": "/dev/shm/dom0-xen-test"}, "register": "result", **task}
    host = playbook.run(asked).results["host"]
    assert before < host["clock_s"] < time.time()
    if task:
        assert (host["asked_s"], host["answered_s"]) == (None, None)
    else:
        assert before < host["asked_s"] <= host["clock_s"] <= host["answered_s"] < time.time()
