# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy that is on this host already: what it is follows from the record, the boot, and whether it has run."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import Monitor
from ansible_collections.dom0.xen.plugins.module_utils._restoring.here import Next, judge
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import RESTORED, RESTORING, Mark
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import DOM0, UUID, host, row
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._saving.test_pair import OLD

MANIFEST = dataclasses.replace(OLD, uuid=UUID)
FRESH = dataclasses.replace(row(domid=9, paused=True), cpu_time_s=0.0)
RAN = row(domid=9, paused=True)
RUNS = row(domid=9)
BOOT = host("xen1").boot_id


def mark(state: str, **changes: t.Any) -> Mark:
    """A restore of the image on this host in this boot."""
    made = Mark(1, MANIFEST.sha256, MANIFEST.saved_at, state, "xen1", BOOT, "2026-11-24T04:05:06Z", 9)
    return dataclasses.replace(made, **changes)


@pytest.mark.parametrize(
    ("copy", "record", "paused", "wanted"),
    [
        (None, None, False, Next.RESTORE),
        (None, mark(RESTORED), False, Next.RESTORE),  # what is on record is judged elsewhere
        (row(domid=9, dying=True), mark(RESTORED), False, Next.RESTORE),
        (RUNS, mark(RESTORED), False, Next.NOTHING),
        (RUNS, mark(RESTORED), True, Next.NOTHING),
        (FRESH, mark(RESTORED), True, Next.NOTHING),
        (FRESH, mark(RESTORED), False, Next.START),
        (RAN, mark(RESTORED), True, Next.NOTHING),
        (RAN, mark(RESTORED), False, Next.REFUSE),
        (FRESH, mark(RESTORING), False, Next.REMOVE),
        (FRESH, mark(RESTORING, domid=None), True, Next.REMOVE),
        (RAN, mark(RESTORING, domid=None), False, Next.REFUSE),
        (RUNS, mark(RESTORING, domid=None), False, Next.REFUSE),
        (RUNS, mark(RESTORING), False, Next.NOTHING),
        (RUNS, None, False, Next.REFUSE),
        (FRESH, None, False, Next.REFUSE),
        (FRESH, mark(RESTORING, domid=8), False, Next.REFUSE),
        (FRESH, mark(RESTORING, boot_id="another"), False, Next.REFUSE),
        (RUNS, mark(RESTORED, boot_id="another"), False, Next.REFUSE),
        (RUNS, mark(RESTORED, domid=8), False, Next.REFUSE),
        (row(domid=9, shutdown=True, reason="suspend"), mark(RESTORED), False, Next.REFUSE),
    ],
)
def test_judged(copy: t.Any, record: Mark | None, paused: bool, wanted: Next) -> None:
    """Destroyed is only what a restore of this very image has left here in this boot, and what has never run."""
    facts = host("xen1", domains=(DOM0, *([copy] if copy else [])))
    step, finding = judge(facts, MANIFEST, record, paused)
    assert step is wanted and (finding is not None) == (wanted is Next.REFUSE)
    if finding is not None:
        assert finding.code == "domain_here" and finding.host == "xen1" and finding.remedy


def test_xl_that_is_still_at_work() -> None:
    """It may come to its end by itself."""
    facts = host("xen1", domains=(DOM0, FRESH), monitors=(Monitor(4711, "xl restore", watching=False),))
    step, finding = judge(facts, MANIFEST, mark(RESTORING), False)
    assert step is Next.REFUSE and finding is not None and finding.code == "restore_under_way"
