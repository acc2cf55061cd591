# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where this code itself lies (private to the collection)."""

from __future__ import annotations

import os


def code_path() -> str:
    """Return what to put first on ``sys.path`` to find this code: Ansible's payload, which is a file, or a folder."""
    archive = getattr(globals().get("__loader__"), "archive", None)
    if archive is not None:
        return str(archive)
    path = os.path.abspath(__file__)
    for _dummy in range(8):
        path = os.path.dirname(path)
    return path
