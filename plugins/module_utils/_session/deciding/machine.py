# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two machines have in common, as their driver sees them (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Actions,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import (
    EndState,
    Event,
    Failure,
    Owner,
    Phase,
)


class State(t.Protocol):
    """What both machines' states have."""

    @property
    def phase(self) -> Phase:
        """How far the session is."""

    @property
    def owner(self) -> Owner:
        """Whose copy counts."""

    @property
    def failure(self) -> Failure | None:
        """Why it does not succeed."""

    @property
    def end_state(self) -> EndState | None:
        """How it ended."""


StateT = t.TypeVar("StateT", bound=State)
Machine = t.Callable[[StateT, Event], t.Tuple[StateT, Actions]]


def told(state: State, role: str, accepted: bool, untaken: Failure | None = None) -> dict[str, t.Any]:
    """Return the answer to a request of :mod:`process.control`: whether it was accepted, and where the session is.

    ``untaken``: why it could not be taken, such as a record that could not be written; it counts before what the
    session fails of.
    """
    failure = untaken or state.failure
    error = failure.to_result(role) if failure else None
    return {"accepted": accepted, "phase": state.phase.value, "owner": state.owner.value, "error": error}
