# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one call of settling: what ``dom0.xen.settle`` does for an interrupted session."""

from __future__ import annotations

from .judge import Settled
from .world import World


def settle(world: World) -> Settled:
    """Bring the session to one owner, and return what was reported. Until there is settling it only looks."""
    return Settled()
