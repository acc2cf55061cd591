# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Formats of an xl migration: what both xl processes say, and what the stream between them is made of.

Nothing here does I/O, takes a decision or looks at a clock.
"""
