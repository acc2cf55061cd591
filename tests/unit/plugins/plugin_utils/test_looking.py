# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain that nobody could look for is not called unknown."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import Problem
from ansible_collections.dom0.xen.plugins.plugin_utils._looking import cannot_look, not_looked_at
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import host

NOT_ROOT = Problem("not_root", "the connection is not root's.", "Use become.")
SEEN: dict[str, t.Any] = {"host": host("xen1").to_result()}
BLIND: dict[str, t.Any] = {"host": host("xen2", xen=None, domains=(), problems=(NOT_ROOT,)).to_result()}
UNREACHABLE: dict[str, t.Any] = {"unreachable": True, "msg": "Permission denied (publickey)."}
FAILED: dict[str, t.Any] = {"failed": True, "msg": "Missing sudo password"}


def test_every_host_that_could_not_be_asked_is_told_with_cause_and_remedy() -> None:
    """All of it at once, also what concerns a host that is neither source nor destination."""
    answers = {"xen1": SEEN, "xen2": BLIND, "xen3": UNREACHABLE, "xen4": FAILED}
    text = str(cannot_look("centos", "xen2", answers))
    assert "'centos' could not be looked for on: xen2, xen3, xen4. It is not on: xen1." in text
    assert "1. xen2: not_root: the connection is not root's. Remedy: Use become." in text
    assert (
        "2. xen3: host_unreachable: xen3 cannot be reached from the controller (Permission denied (publickey)). Remedy:"
        in text
    )
    assert "3. xen4: host_without_facts: there are no facts of xen4 (Missing sudo password). Remedy:" in text


def test_a_destination_that_the_inventory_lacks_is_told_with_them() -> None:
    """Else it would be told by the next run only."""
    error = cannot_look("centos", "xen9", {"xen2": BLIND})
    assert "xen9 is not among the dom0s of the inventory" in str(error)
    assert error.details["hosts"] == ["xen2"]


def test_a_host_whose_domains_are_known_was_looked_at() -> None:
    """A problem such as missing pyxs does not hide its domains."""
    seen = {"host": host("xen1", problems=(Problem("pyxs_missing", "a", "b"),)).to_result()}
    assert not_looked_at({"xen1": seen, "xen2": BLIND, "xen3": {}}) == ["xen2", "xen3"]
