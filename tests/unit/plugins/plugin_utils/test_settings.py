# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that are far off are told in one sentence, and Ansible's defaults are not nagged about."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._settings import Settings, far_off

DEFAULTS = Settings(forks=5, poll_s=0.001, pipelining=False, host_key_checking=True)


@pytest.mark.parametrize("dom0s", [0, 1, 2, 19])
def test_the_defaults_are_well_for_a_few_hosts(dom0s: int) -> None:
    """Most people have no ansible.cfg, and a warning that is always there is read by nobody."""
    assert far_off(DEFAULTS, dom0s) == ""


def test_many_hosts_are_told_with_the_figures() -> None:
    """All of it in one warning."""
    told = far_off(DEFAULTS, 120)
    assert "forks is 5: 120 dom0s are asked in 24 turns" in told
    assert "pipelining is off" in told
    assert told.count(". ") == 1 and told.endswith(".")


def test_forks_that_are_enough_are_not_told() -> None:
    """Ten turns are borne."""
    assert far_off(dataclasses.replace(DEFAULTS, forks=12, pipelining=True), 120) == ""


def test_unknown_hosts_are_told_whatever_their_number() -> None:
    """The key of a session is written through that connection."""
    assert "host_key_checking is off" in far_off(dataclasses.replace(DEFAULTS, host_key_checking=False), 2)


def test_a_slow_poll_is_told() -> None:
    """Each of some forty tasks of a move would wait that long."""
    assert "internal_poll_interval is 2:" in far_off(dataclasses.replace(DEFAULTS, poll_s=2.0), 2)
