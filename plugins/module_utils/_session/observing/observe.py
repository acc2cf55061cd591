# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at the hypervisor for one copy of a domain (private to the collection)."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, DomainState
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Copy, CopyState
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import RUNNING
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

LOOK_INTERVAL = 0.5
LOOKS = 20


def copy_state(state: DomainState) -> CopyState:
    """Return what matters of a domain's state for its ownership; unknown while it is being torn down."""
    return CopyState.UNKNOWN if state.dying else CopyState(state.word)


def observe(
    xl: Xl,
    mine: t.Callable[[DomainRow], bool],
    settled: t.Callable[[CopyState], bool],
    sleep: t.Callable[[float], None] = time.sleep,
) -> Copy:
    """Look until the copy that is ``mine`` is ``settled``, or ten seconds are over; return what was seen last.

    A dying domain is looked at again: it goes when its last page is let go. Of several the one that runs counts.
    """
    seen = Copy(CopyState.UNKNOWN)
    for _dummy in range(LOOKS):
        try:
            rows = [row for row in xl.domains() if mine(row)]
        except (OSError, Dom0XenError):
            sleep(LOOK_INTERVAL)
            continue
        if not rows:
            seen = Copy(CopyState.ABSENT)
        else:
            row = next((row for row in rows if row.state.word == RUNNING), rows[0])
            seen = Copy(copy_state(row.state), row.name, row.domid)
        if settled(seen.state):
            break
        sleep(LOOK_INTERVAL)
    return seen
