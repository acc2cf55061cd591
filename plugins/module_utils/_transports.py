# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which the bytes of a move travel, by name (pure; private to the collection)."""

from __future__ import annotations

TLS = "tls"
SSH = "ssh"
TCP = "tcp"
TRANSPORTS = (TLS, SSH, TCP)

# For a sentence: "live, over TLS to 192.0.2.12".
OVER = {TLS: "TLS", SSH: "TLS inside SSH", TCP: "plain TCP, readable on the network,"}
