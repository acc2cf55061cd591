# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host does when it boots: here is where ``xendomains`` starts what it finds in /etc/xen/auto."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .world import World


def booted(world: World, name: str) -> None:
    """Called after a host has booted. The double has no xendomains yet, so nothing starts."""
