# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two machines of a model, and what both halves' steps ask of them."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import Machine
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import DEAD, World


class Violation(Exception):
    """A step that no rule allows."""


@dataclass(frozen=True)
class Halves:
    """``strict``: see :class:`Model`."""

    source: Machine
    destination: Machine
    strict: bool = True

    def sender_over(self, w: World) -> bool:
        """Whether the sender has ended, or is dead."""
        return w.sender == DEAD or self.source.states[w.sender].phase is words.Phase.ENDED

    def receiver_over(self, w: World) -> bool:
        """Whether the receiver has ended, or is dead."""
        return w.receiver == DEAD or self.destination.states[w.receiver].phase is words.Phase.ENDED
