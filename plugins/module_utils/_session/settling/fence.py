# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose turn it is to settle a session: the run that has left the last mark in its journal (private to the collection).

A run of a module may die between two steps, and another may begin at any time. So an act is refused to a run whose mark
is not the last; it then leaves the session to the other one, for as long as that one gets on with it. A mark also names
the host's boot: what was decided on a look before a restart is not done after it.
"""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import SETTLES, DomainBusy, DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import AnotherBoot

POLL_S = 0.2

_FENCED = "fenced"


class FenceTaken(Dom0XenError):
    """Somebody else has begun to settle the session."""

    code = "settled_by_another"
    remedy = "Wait until the other run has ended, then run dom0.xen.settle again."


@contextlib.contextmanager
def locked(here: Here, wait: float) -> t.Iterator[None]:
    """Hold the domain's lock; raises :class:`DomainBusy` when somebody holds it for ``wait`` seconds."""
    deadline = time.monotonic() + wait
    while True:
        try:
            lock = DomainLock(here.runtime_root, here.uuid, here.role, SETTLES)
            break
        except DomainBusy:
            # Another run that settles holds it for one step, a session for as long as it lives.
            if here.alive() or time.monotonic() >= deadline:
                raise
        time.sleep(POLL_S)
    try:
        yield
    finally:
        lock.release()


def mark(here: Here) -> None:
    """Leave this run's mark; the lock is held."""
    record(here, _FENCED, boot_id=_procfs.boot_id())


def is_marked(here: Here) -> bool:
    """Return whether this run has left a mark in this boot of the host, be it the last one or not."""
    return (here.settler, _procfs.boot_id()) in _marks(here)


def turn(here: Here, wait: float, work: t.Callable[[t.Callable[..., None]], None], owner: str | None = None) -> bool:
    """Act for a side whose process is gone, and return true; ``work`` is given what writes to the side's journal.

    Where the last mark is another run's, wait for its end instead, and return false. Raises :class:`FenceTaken` when
    that does not come within ``wait`` seconds of its last record, or is not that ``owner``, :class:`AnotherBoot` when
    the host was started again since the mark, and what ``work`` and :func:`locked` raise.
    """
    try:
        with _fenced(here, wait) as note:
            work(note)
    except FenceTaken:
        other = _wait_for_other(here, wait)
        if other is None or owner not in (None, other):
            raise
        return False
    return True


@contextlib.contextmanager
def _fenced(here: Here, wait: float) -> t.Iterator[t.Callable[..., None]]:
    with locked(here, wait):
        settler, boot = next(reversed(_marks(here)), (None, None))
        if settler != here.settler:
            raise FenceTaken(f"another run settles session {here.session}")
        # A domid with the UUID may be another copy by now, such as one that was started at boot.
        if boot != _procfs.boot_id():
            raise AnotherBoot("the host was started again since it was looked at")
        yield lambda step, **details: record(here, step, **details)


def _marks(here: Here) -> list[tuple[t.Any, t.Any]]:
    """Return who has left the marks, and in which boots."""
    records = [record for record in journal.read(here.journal) if record.get("step") == _FENCED]
    left = [record.get("details") or {} for record in records]
    return [(details.get("by"), details.get("boot_id")) for details in left]


def _wait_for_other(here: Here, wait: float) -> str | None:
    """Wait for the run whose turn it is to conclude; return the owner it has put on record.

    Returns ``None`` when it has done nothing for ``wait`` seconds.
    """
    seen, deadline = -1, 0.0
    while True:
        owner, length = here.history().concluded, len(journal.read(here.journal))
        if owner is not None:
            return owner
        if length != seen:
            seen, deadline = length, time.monotonic() + wait
        elif time.monotonic() >= deadline:
            return None
        time.sleep(POLL_S)


def record(here: Here, step: str, **details: t.Any) -> None:
    """Append to the side's journal, by this run's name. Raises :class:`OSError`."""
    file = journal.Journal(here.journal)
    try:
        file.write(step, {"by": here.settler, **details})
    finally:
        file.close()
