# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a round of emptying hosts does first, and what it leaves out."""

from __future__ import annotations

import dataclasses

from ansible_collections.dom0.xen.plugins.plugin_utils._applying import rounds
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import Interrupted

A, B = "1c1a7b9e-3f5d-4c65-9e1a-0123456789ab", "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
BOTH = (rounds.Guest(A, "a", "xen1", 3, "running"), rounds.Guest(B, "b", "xen1", 4, "running"))
QUIET = rounds.Look(BOTH, (), (), ())
CUT_OFF = rounds.Look(BOTH, (), (Interrupted("s1", A, "a", "xen1", "xen2"),), (), (), (A,))


def test_what_was_interrupted_comes_first_once() -> None:
    """One that was tried in vain keeps its own domain, and nobody else's."""
    found = rounds.course(CUT_OFF, (), (), check=False)
    assert (found.first, found.plan, found.pending, found.over) == (True, False, True, False)
    found = rounds.course(CUT_OFF, (), ("s1",), check=False)
    assert (found.first, found.plan, found.leave_out) == (False, True, (A,))
    alone = dataclasses.replace(CUT_OFF, guests=BOTH[:1])
    assert rounds.course(alone, (), ("s1",), check=False).over
    assert rounds.course(CUT_OFF, (B,), ("s1",), check=False).over


def test_a_look_without_changing_anything_shows_the_plan() -> None:
    """Whatever is under way: only the domains of that are left out."""
    found = rounds.course(CUT_OFF, (), (), check=True)
    assert (found.first, found.plan, found.leave_out) == (True, True, (A,))
    move = {"number": 1, "guest": B, "name": "b", "source": "xen1", "destination": "xen2", "after": []}
    watched = dataclasses.replace(QUIET, moves=(move,), busy=(B,))
    assert rounds.course(watched, (), (), check=True).leave_out == (B,)
    assert not rounds.course(watched, (), (), check=False).plan


def test_a_host_that_does_not_answer_is_asked_again() -> None:
    """There may be something on it that can be moved in the next round."""
    silent = dataclasses.replace(QUIET, guests=(), silent=("xen1",))
    found = rounds.course(silent, (), (), check=False)
    assert (found.plan, found.pending, found.over) == (False, True, False)
    assert rounds.course(dataclasses.replace(QUIET, silent=("xen2",)), (), (), check=False).plan


def test_nothing_is_left() -> None:
    """Also when what is left was given up."""
    assert rounds.course(dataclasses.replace(QUIET, guests=()), (), (), check=False).over
    assert rounds.course(QUIET, (A, B), (), check=False).over
