# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal says, in the words that the decision needs."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    History,
    read_history,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.sides import (
    BOOT,
)


@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ((), True),
        (("gate_tasks_started",), True),
        (("gate_tasks_started", "commit_requested"), False),
        (("commit_requested",), False),
        (("gate_tasks_started", "gate_undone"), True),
        (("gate_tasks_started", "commit_requested", "gate_undo_started"), True),
        (("gate_tasks_started", "commit_requested", "gate_undone"), True),
        (("gate_tasks_started", "commit_requested", "gate_undone", "gate_tasks_done"), False),
        (("gate_tasks_done", "gate_undone"), True),
    ],
)
def test_tasks_are_due_until_they_are_known_to_have_come_to_their_end(steps: tuple[str, ...], due: bool) -> None:
    """The permission is asked for after them; what undoes them makes them due again."""
    records: list[dict[str, t.Any]] = [{"step": step} for step in steps]
    held: dict[str, t.Any] = {"step": "permission_held", "details": {"gate": "controller"}}
    assert read_history([held, *records]).tasks_due is due
    by_engine = read_history([{**held, "details": {"gate": "engine"}}, *records])
    assert by_engine.tasks_due is (due and "gate_tasks_started" in steps)


@pytest.mark.parametrize("step", ["ended", "settled"])
def test_a_journal_that_gives_it_to_the_source_says_that_it_goes_on(step: str) -> None:
    """A person may have resumed it by hand since: that leaves no record."""
    held: dict[str, t.Any] = {"step": "permission_held", "details": {"gate": "controller"}}
    said = [{"step": step, "details": {"owner": owner}} for owner in ("source", "unsettled")]
    assert read_history([held, said[0]]).backed_out and not read_history([held, said[1]]).backed_out


def test_history_of_a_journal() -> None:
    """The records of a session, in the words that the decision needs."""
    records: list[dict[str, t.Any]] = [
        {"step": "opened", "details": {"boot_id": BOOT}},
        {"step": "xl_started", "details": {"pid": 1, "domid": 7}},
        {"step": "transferred"},
        {"step": "ready"},
        {"step": "permission_held", "details": {"gate": "controller"}},
        {"step": "gate_tasks_started"},
    ]
    assert read_history(records) == History(
        boot_id=BOOT,
        domid=7,
        seen_down=True,
        transferred=True,
        ready=True,
        held=True,
        tasks_open=True,
        tasks_due=True,
    )
    undone = read_history([*records, {"step": "gate_undone"}])
    # The sender goes on after its own record; whoever settles has yet to resume the domain.
    assert not undone.tasks_open and undone.backed_out
    assert not read_history([*records, {"step": "gate_undone", "details": {"by": "0123"}}]).backed_out
    assert read_history([*records, {"step": "gate_undone"}, {"step": "refused"}]).backed_out
    assert read_history([*records, {"step": "gate_undone"}, {"step": "gate_tasks_started"}]).tasks_open
    given_back: list[dict[str, t.Any]] = [
        {"step": "commit"},
        {"step": "not_started", "details": {"status": 6, "give_back": True}},
    ]
    assert read_history(given_back).status == 6
    assert read_history([{"step": "commit"}, {"step": "running", "details": {"status": 0}}]).running
    assert read_history([{"step": "opened", "details": {"boot_id": BOOT, "leave_paused": True}}]).leave_paused
    said = ["migration target: Domain started successsfully."]
    assert read_history([], said).said_started
