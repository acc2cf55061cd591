# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the destination's half of a session decides by (pure; private to the collection)."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import (
    CopyState,
    EndState,
    Failure,
    Owner,
    Phase,
    Report,
)


@dataclass(frozen=True)
class DestinationState:
    """Everything the destination's half decides by.

    ``makes``: the domain is made here from its file; ``left``: the ``xl`` that does it was given up, and goes on.
    """

    name: str
    makes: bool = False
    phase: Phase = Phase.STARTING
    owner: Owner = Owner.SOURCE
    xl_runs: bool = True
    ready: bool = False
    committed: bool = False
    report: Report | None = None
    failure: Failure | None = None
    destroyed: bool = False
    handed_over: bool = False
    barred: bool = False
    peer_failed: bool = False
    kept: bool = False
    left: bool = False
    end_state: EndState | None = None


def expected(state: DestinationState) -> frozenset[CopyState]:
    """Return the states of the copy at which a look at the hypervisor need not wait any longer."""
    if state.report is not None and state.report.runs:
        return frozenset((CopyState.RUNNING, CopyState.PAUSED))
    # After a commit without a report a copy that runs counts as much as one that is gone.
    runs = state.committed or state.makes
    return frozenset((CopyState.ABSENT, CopyState.RUNNING) if runs else (CopyState.ABSENT,))
