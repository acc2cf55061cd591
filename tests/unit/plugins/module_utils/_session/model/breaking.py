# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the searches that take one rule away have in common: worlds to begin with, and what they then find."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Action,
    Actions,
    Journal,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import State
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import World

Answer = tuple[State, Actions]
SAVES = World(saves=True)
COLD = World(cold=True)
BOTH, AGAIN = "both copies run", "the source's copy runs again after the destination's has run"


def is_record(action: Action, step: str) -> bool:
    """Say whether an action puts this step on record."""
    return isinstance(action, Journal) and action.step == step
