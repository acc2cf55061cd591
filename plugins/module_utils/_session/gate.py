# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against asking for the commit, seen on the source at the gate (private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.source import migrated_away
from ansible_collections.dom0.xen.plugins.module_utils._session.words import Failure
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore


def evidence_against(store: XenStore, domid: int, name: str, xl_exit_code: int | None) -> Failure | None:
    """Return why the permission that ``xl`` wrote must not be used, or ``None``.

    ``xl`` writes it after it has renamed its copy, and waits for the report (tools/xl/xl_migrate.c migrate_domain).
    """
    try:
        seen = store.name(domid)
    except Dom0XenError as exc:
        return Failure(exc.code, exc.message, exc.host, exc.remedy, exc.details)
    if seen != migrated_away(name):
        return Failure("gate_name", f"the source's copy is called {seen} at the gate")
    if xl_exit_code is not None:
        return Failure("gate_xl", "xl ended on the source before its permission was used")
    return None
