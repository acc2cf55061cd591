# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several modules share (private to the collection); documented in plugins/doc_fragments."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._places import JOURNAL_PATH, RUNTIME_PATH

PLACES: dict[str, dict[str, t.Any]] = {
    "runtime_path": {"type": "path", "default": RUNTIME_PATH},
    "journal_path": {"type": "path", "default": JOURNAL_PATH},
}
