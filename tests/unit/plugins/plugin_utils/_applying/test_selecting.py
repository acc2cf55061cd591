# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts are meant, and which run has them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils import _controller as controller
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.refusing import selected

DOM0S = ("xen1", "xen2", "xen3")
GROUPS = {"rack": ["xen1", "switch", "xen2"], "all": [*DOM0S, "switch"], "guests": ["web"]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("xen1", ("xen1",)),
        ("xen2, xen1,", ("xen2", "xen1")),
        (["xen1", "xen1"], ("xen1",)),
        ("rack", ("xen1", "xen2")),
    ],
)
def test_hosts_and_groups_of_them(given: object, expected: tuple[str, ...]) -> None:
    """What is no dom0 in a group is left out of it."""
    assert selected(given, DOM0S, GROUPS) == expected


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ("", "question_incomplete", "-e dom0s=xen1,xen2"),
        (" , ", "question_incomplete", "it was not said"),
        (None, "question_incomplete", "it was not said"),
        ("xen9", "host_not_in_inventory", "xen9 is no dom0"),
        ("guests", "host_not_in_inventory", "guests is no dom0"),
        ("all", "no_destination", "all dom0s of the inventory"),
        ("rack,xen3", "no_destination", "none is left"),
    ],
)
def test_hosts_that_cannot_be_meant(given: object, code: str, words: str) -> None:
    """With the cause, and never silently none."""
    with pytest.raises(Dom0XenError) as refused:
        selected(given, DOM0S, GROUPS)
    told = refused.value.as_result()
    assert told["code"] == code and words in told["msg"]


def test_a_run_whose_process_is_gone_is_dead() -> None:
    """On this machine; of another one nothing is known. A process that has the number by now is not it."""
    here = controller.holder({})
    assert here["pid"] == os.getppid() and here["by"]
    assert not controller.is_dead(here)
    assert controller.is_dead({**here, "started": here["started"] + 1})
    assert not controller.is_dead({**here, "machine": "another", "started": here["started"] + 1})
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        started = _procfs.start_time(gone.pid)
    assert controller.is_dead({**here, "pid": gone.pid, "started": started or 1})
    assert not controller.is_dead({})
