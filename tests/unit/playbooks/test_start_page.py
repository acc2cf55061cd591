# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who types what the first page says, in its order, has moved a domain at its end."""

from __future__ import annotations

import pathlib
import re
import shlex
import sys

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import ROOT, User, where

pytestmark = pytest.mark.timeout(600)

PAGE = ROOT / "docs" / "docsite" / "rst" / "start.rst"


def test_the_commands_of_the_first_page_move_a_domain(tmp_path: pathlib.Path) -> None:
    """Newcomers copy them; the domain goes with the move, neither with the question nor with the settling after it."""
    commands = [
        shlex.split(line) for line in re.findall(r"^ +ansible-playbook -i hosts\.ini (.*)$", PAGE.read_text(), re.M)
    ]
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    user = User(site, tmp_path)
    places = []
    logs = []
    for command in commands:
        logs.append(user.run(*command))
        places.append(where(site))
    assert site.down() == []
    assert [command[0].rpartition(".")[2] for command in commands] == ["prepare", "migrate", "migrate", "settle"]
    assert places == ["xen1", "xen1", "xen2", "xen2"]
    assert "centos can be moved from xen1 to xen2" in logs[1]
