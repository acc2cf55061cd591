# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the source's half of a session decides by (pure; private to the collection)."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._records import MIGRATED_AWAY
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import (
    EndState,
    Failure,
    Owner,
    Phase,
    Report,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import CONTROLLER, ENGINE


@dataclass(frozen=True)
class SourceState:
    """Everything the source's half decides by.

    ``gate_held``: the permission waits for the controller's word (``gate: controller``). ``tasks_started``,
    ``undo_started`` and ``tasks_undone``: what is on record of the caller's tasks at the gate. ``peer_untold``: the
    destination does not know yet that it will never have the permission. ``pauses``: the guest stands still by a pause
    and not by its suspend (method ``suspend``); ``shuts_down``: it is shut down, and started at the destination
    (method ``cold``); ``copy_told``: that was allowed to begin; ``let_go``: it was tried to end that pause, or to start
    it again. ``xl_killed``: the migration was given up, and ``xl`` did not end by itself.
    """

    name: str
    phase: Phase = Phase.STARTING
    owner: Owner = Owner.SOURCE
    xl_runs: bool = False
    xl_killed: bool = False
    gate_held: bool = False
    pauses: bool = False
    shuts_down: bool = False
    copy_told: bool = False
    ready_given: bool = False
    permission_held: bool = False
    tasks_started: bool = False
    undo_started: bool = False
    tasks_undone: bool = False
    commit_left: bool = False
    answered: bool = False
    report: Report | None = None
    failure: Failure | None = None
    tidied: bool = False
    let_go: bool = False
    peer_untold: bool = False
    end_state: EndState | None = None

    @property
    def gate(self) -> str:
        """Who holds the permission, as it is put on record."""
        return CONTROLLER if self.gate_held else ENGINE

    @property
    def down_asked(self) -> bool:
        """Whether it is on record that the guest is asked to shut down."""
        return self.shuts_down and self.copy_told

    @property
    def pause_asked(self) -> bool:
        """Whether it is on record that the guest is to be paused."""
        return self.pauses and self.copy_told

    @property
    def never_runs_there(self) -> bool:
        """Whether the destination does not run it, and never will: it was not asked to, or has given it back."""
        return not self.commit_left or (self.report is not None and self.report.returned)

    @property
    def must_undo(self) -> bool:
        """Whether the source must not run the domain before the caller's tasks at the gate are undone.

        Once the commit request has left, that is so again when the destination has given the domain back.
        """
        return self.tasks_started and not self.tasks_undone and self.never_runs_there

    @property
    def at_the_gate(self) -> bool:
        """Whether the permission waits for the controller, and may still be used."""
        return self.gate_held and self.permission_held and not self.commit_left and not self.answered and self.xl_runs

    @property
    def stands_still(self) -> bool:
        """Whether the guest is kept from running for the move, or may be."""
        return self.pause_asked or self.phase.order >= Phase.SUSPENDING.order

    @property
    def gives_up_in_vain(self) -> bool:
        """Whether ``xl`` has only to end, and may be ended by force: the destination can never run the domain."""
        given_up = self.failure is not None and self.owner is Owner.SOURCE and self.never_runs_there
        return given_up and self.xl_runs and not self.xl_killed

    @property
    def permission_given(self) -> bool:
        """Whether the destination is known to have had the permission."""
        return self.report is not None and self.report.status is not None and self.commit_left


def migrated_away(name: str) -> str:
    """Return the name of a source copy whose domain has been sent (tools/xl/xl_migrate.c migrate_domain)."""
    return name + MIGRATED_AWAY
