# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A busy machine is no failure: hypothesis sets no deadline here."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("dom0_xen", deadline=None)
settings.load_profile("dom0_xen")
