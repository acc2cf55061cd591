# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody knows better than a finding of the check, and says so."""

from __future__ import annotations

import pathlib

import pytest
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def user(make_site: MakeSite, tmp_path: pathlib.Path) -> User:
    """Two hosts, and a guest whose network card is on a bridge that facts do not show."""
    site = make_site("xen1", "xen2")
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True, bridge="hidden0"))
    return User(site, tmp_path)


def severities(user: User) -> dict[str, str]:
    """Return the severities by code that the result's file has, without warnings that the double always earns."""
    told = {finding["code"]: finding["severity"] for finding in user.result["findings"]}
    return {code: severity for code, severity in told.items() if severity != "warning"}


@pytest.mark.parametrize(
    ("waive", "code", "words"),
    [
        ("bridge_mising", "waiver_unknown", "the nearest are: bridge_missing"),
        ("*", "waiver_unknown", "Findings are waived one by one."),
        ("foreign_hand", "waiver_forbidden", "foreign_hand cannot be waived: "),
    ],
)
def test_a_waiver_that_is_refused_leaves_the_guest_alone(user: User, waive: str, code: str, words: str) -> None:
    """One message: whose move, the cause, and what to do."""
    before = user.site.intervals(GUEST)
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), "-e", f"migrate_waive={waive}")
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2, log[-4000:]
    assert "centos cannot be moved from xen1 to xen2, for 2 reasons:" in log
    assert words in log and "Remedy: " in log
    assert severities(user) == {code: "error", "bridge_missing": "error"}
    assert user.site.intervals(GUEST) == before
    assert not (user.site["xen1"].paths.lib / "dom0-xen").exists()


def test_what_is_waived_is_told_and_kept(user: User) -> None:
    """As a warning with its code, and in the result of the move."""
    log = user.move("xen2", "-e", "migrate_waive=not_enough_memory,bridge_missing")
    assert where(user.site) == "xen2"
    # Long warnings are wrapped.
    assert "xen2: bridge_missing is waived: network card 0 of centos" in " ".join(log.split())
    assert (user.result["end_state"], severities(user)) == ("moved", {"bridge_missing": "waived"})
