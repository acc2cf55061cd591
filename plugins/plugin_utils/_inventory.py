# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of this run in the commands that people are told to type (private to the collection)."""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._commands import INVENTORY


def of_this_run(task_vars: t.Mapping[str, t.Any] | None) -> str:
    """Return what stands behind ``-i`` in a command, quoted for a shell; a placeholder where it is not known."""
    sources = (task_vars or {}).get("ansible_inventory_sources")
    return " -i ".join(map(shlex.quote, sources)) if sources else INVENTORY


def named(text: str, inventory: str) -> str:
    """Return ``text`` with the ``inventory`` in each command that has the placeholder."""
    return text.replace(f" -i {INVENTORY} ", f" -i {inventory} ")
