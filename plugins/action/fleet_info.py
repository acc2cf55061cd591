# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module of this name, and note when; documented in plugins/modules/fleet_info.py."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.action.host_info import ActionModule as HostInfo


class ActionModule(HostInfo):
    """As for ``host_info``: the host is noted with the controller's clock before and after."""
