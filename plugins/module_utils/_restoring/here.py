# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the image's domain that is already on this host: what is it, and what is to be done about it? (pure)"""

from __future__ import annotations

import enum

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR, Finding
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import Manifest
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import RESTORED, Mark

HERE = "domain_here"
UNDER_WAY = "restore_under_way"
_MAKES = "xl restore"


class Next(enum.Enum):
    """What is to be done."""

    RESTORE = "restore"  # there is none
    NOTHING = "nothing"  # it was restored from this image
    START = "start"  # it is complete, and was not started any more
    REMOVE = "remove"  # it was left by a restore that was cut off, and has never run
    REFUSE = "refuse"


def copy_of(host: HostFacts, manifest: Manifest) -> DomainRow | None:
    """Return the domain with the image's UUID on this host; one that is being torn down is none."""
    return next((row for row in host.domains if row.uuid == manifest.uuid and not row.state.dying), None)


def judge(host: HostFacts, manifest: Manifest, mark: Mark | None, leave_paused: bool) -> tuple[Next, Finding | None]:
    """Return what is to be done, and where that is refused, why."""
    row = copy_of(host, manifest)
    if row is None:
        return Next.RESTORE, None
    ours = mark is not None and mark.boot_id == host.boot_id and mark.domid in (None, row.domid)
    never_ran = row.state.paused and row.state.alive and not row.cpu_time_s
    if not ours or mark is None or not row.state.alive:
        return Next.REFUSE, _here(host, row, manifest)
    if mark.state != RESTORED and never_ran:
        if any(monitor.command == _MAKES and not monitor.watching for monitor in host.monitors):
            text = f"{_words(row)}, and an xl restore is still at work."
            remedy = "Wait until it has ended, then run this again."
            return Next.REFUSE, Finding(UNDER_WAY, ERROR, host.hostname, text, remedy, {"domid": row.domid})
        return Next.REMOVE, None
    if mark.domid is None:
        return Next.REFUSE, _here(host, row, manifest)
    if not row.state.paused or leave_paused:
        return Next.NOTHING, None
    return (Next.START, None) if never_ran else (Next.REFUSE, _here(host, row, manifest))


def _here(host: HostFacts, row: DomainRow, manifest: Manifest) -> Finding:
    remedy = (
        f"It needs no restore. To go back to the image of {manifest.saved_at}, end it first: xl destroy {row.domid}."
    )
    if row.state.alive and row.state.paused:
        remedy = f"To let it go on: xl unpause {row.domid}. {remedy.replace('It needs no restore. ', '')}"
    return Finding(
        HERE,
        ERROR,
        host.hostname,
        f"{_words(row)}.",
        remedy,
        {"domid": row.domid, "name": row.name, "state": row.state.word},
    )


def _words(row: DomainRow) -> str:
    return f"{row.name} is on this host already (domid {row.domid}, {row.state.word.replace('_', ' ')})"
