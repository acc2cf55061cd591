# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a host is, for whoever comes next and has to decide whether that run is dead."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook

JOB = {"awx_job_id": 4711, "awx_user_name": "alice"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(JOB, "alice, job 4711", id="launched by somebody"),
        pytest.param({"tower_job_id": "12", "tower_user_name": "bob"}, "bob, job 12", id="by another name"),
        pytest.param({"awx_job_id": 4711}, "a schedule, job 4711", id="by a schedule"),
    ],
)
def test_a_job_of_awx_tells_who_has_launched_it(
    playbook: Playbook, tmp_path: pathlib.Path, given: dict[str, t.Any], told: str
) -> None:
    """All its jobs run as one user, in containers with names that say nothing; it tells in variables and not else."""
    claim = {
        "state": "claimed",
        "token": "0123456789abcdef",
        "run": "evacuate xen1",
        "journal_path": str(tmp_path / "j"),
    }
    run = playbook.run(
        {"name": "Claim", "dom0.xen.host_claim": claim, "register": "result"}, arguments=["-e", json.dumps(given)]
    )
    assert run.rc == 0, run.log[-3000:]
    assert run.results["claim"]["by"] == told
