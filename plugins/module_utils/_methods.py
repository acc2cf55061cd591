# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a domain comes to the other host, by name (pure; private to the collection)."""

from __future__ import annotations

LIVE = "live"
SUSPEND = "suspend"
COLD = "cold"
# The best of them that can be had.
AUTO = "auto"
METHODS = (AUTO, LIVE, SUSPEND, COLD)

# One that was chosen, for a sentence.
HOW = {
    LIVE: "live",
    SUSPEND: "suspended for the whole of the transfer",
    COLD: "shut down here and started from its configuration file there",
}
