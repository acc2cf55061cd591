# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that are far off are told in one sentence, and Ansible's defaults are not nagged about."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._settings import Settings, far_off


def defaults(dom0s: int) -> Settings:
    """Return what somebody has who has set nothing."""
    return Settings(forks=5, poll_s=0.001, dom0s=dom0s, unpipelined=tuple(f"xen{number}" for number in range(dom0s)))


@pytest.mark.parametrize("dom0s", [0, 1, 2, 19])
def test_the_defaults_are_well_for_a_few_hosts(dom0s: int) -> None:
    """Most people have no ansible.cfg, and a warning that is always there is read by nobody."""
    assert far_off(defaults(dom0s)) == ""


def test_many_hosts_are_told_with_the_figures() -> None:
    """All of it in one warning."""
    told = far_off(defaults(120))
    assert "forks is 5: 120 dom0s are asked in 24 turns" in told
    assert "pipelining is off: with 120 dom0s" in told
    assert told.count(". ") == 1 and told.endswith(".")


def test_forks_that_are_enough_are_not_told() -> None:
    """Ten turns are borne."""
    assert far_off(dataclasses.replace(defaults(120), forks=12, unpipelined=())) == ""


def test_unknown_hosts_are_told_whatever_their_number() -> None:
    """The key of a session is written through that connection."""
    assert "host_key_checking is off: " in far_off(dataclasses.replace(defaults(2), unchecked=("xen0", "xen1")))


def test_what_holds_for_some_hosts_names_these() -> None:
    """Each may have a connection of its own; so few that nobody waits for them are not told of."""
    some = dataclasses.replace(defaults(120), forks=20, unchecked=("xen7",), unpipelined=defaults(119).unpipelined)
    told = far_off(some)
    assert "host_key_checking is off for xen7: " in told
    assert "pipelining is off for xen0, xen1, xen2 and 116 more: with 119 dom0s" in told
    assert far_off(dataclasses.replace(some, unchecked=(), unpipelined=defaults(19).unpipelined)) == ""


def test_a_slow_poll_is_told() -> None:
    """Each of some forty tasks of a move would wait that long."""
    assert "internal_poll_interval is 2:" in far_off(dataclasses.replace(defaults(2), poll_s=2.0))
