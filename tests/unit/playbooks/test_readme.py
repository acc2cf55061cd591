# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role's README shows can be copied and run."""

from __future__ import annotations

import pathlib
import sys

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import User, where

pytestmark = pytest.mark.timeout(600)

README = pathlib.Path(__file__).resolve().parents[3] / "roles" / "migrate" / "README.md"


def test_the_play_of_ones_own_moves_the_domain_once(tmp_path: pathlib.Path) -> None:
    """Newcomers copy it; on the group of the dom0s it would begin the same move once for each host."""
    play = README.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "play.yml"
    path.write_text(play)
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    User(site, tmp_path).run(str(path))
    moved_to = where(site)
    assert site.down() == []
    assert moved_to == "xen2"
