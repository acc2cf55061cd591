# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a domain from an image (private to the collection).

The domain may run only when every byte was right, ``xl`` has said that it is complete, and it is on the disk that the
image was restored. Whatever fails before that ends with no copy here and the image as if nothing had been; a guardian
sees to it when this process is killed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._restoring.errors import (
    MarkerTaken,
    MarkerUnwritable,
    RestoreFailed,
)
from ansible_collections.dom0.xen.plugins.module_utils._restoring.history import History
from ansible_collections.dom0.xen.plugins.module_utils._restoring.source import Reading, Source
from ansible_collections.dom0.xen.plugins.module_utils._restoring.xl_restore import Ended, XlRestore, hold_back
from ansible_collections.dom0.xen.plugins.module_utils._saving import marker as marks
from ansible_collections.dom0.xen.plugins.module_utils._saving.guardian import Guardian
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import Mark, Marker
from ansible_collections.dom0.xen.plugins.module_utils._saving.stop import Stop
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import may_succeed
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

# How long xl may take to make the domain that it has the configuration of: it may wait for its lock first.
_APPEAR_S = 900.0
_LOOK_S = 0.2
# How long a guardian waits for an xl whose module was killed, in seconds.
_XL_LIMIT_S = 300.0


@dataclass(frozen=True)
class Order:
    """What is to be restored, and how; ``known`` is the record of an earlier restore that is passed over."""

    source: Source
    host: str
    leave_paused: bool
    known: Mark | None
    journal_path: str


@dataclass(frozen=True)
class Restored:
    """What has come of it."""

    domid: int
    state: str
    seconds: float


def restore(xl: Xl, order: Order, stop: Stop) -> Restored:
    """Restore the domain.

    Raises what is said in ``errors``, what :class:`Source` raises, Interrupted, and the errors of :class:`Copies`. An
    error's detail ``copy`` is the state of the copy that was seen after it, "gone" when there is none.
    """
    begun = time.monotonic()
    work = _Restore(xl, order, stop)
    work.claim()
    domid = work.run()
    row = work.row(domid)
    state = row.state.word if row is not None else "gone"
    return Restored(domid, state, round(time.monotonic() - begun, 1))


def unmarkable(path: str, exc: OSError) -> MarkerUnwritable:
    """Return what an error of the operating system means for the record of a restore, which is at ``path``."""
    return MarkerUnwritable(f"{path} cannot be written: {exc.strerror or exc}", path=path)


class _Restore:
    def __init__(self, xl: Xl, order: Order, stop: Stop) -> None:
        self._xl, self._order, self._stop = xl, order, stop
        self._manifest = order.source.manifest
        self._marker, self._history = Marker(order.source.path, order.known), History(order.journal_path)
        self._mark = Mark(
            format=marks.FORMAT,
            sha256=self._manifest.sha256,
            saved_at=self._manifest.saved_at,
            state=marks.RESTORING,
            host=order.host,
            boot_id=_procfs.boot_id(),
            begun_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )
        with XenStore() as store:
            self._before = frozenset(store.domids())

    def claim(self) -> None:
        """Put on record that it begins."""
        path = self._order.source.path
        try:
            if not self._marker.claim(self._manifest, self._mark):
                taken = MarkerTaken(f"another restore of {path} has begun a moment ago", path=path)
                if os.path.lexists(self._marker.taken_path):
                    taken.remedy += f" If none is at work, a power loss has left {self._marker.taken_path}: remove it."
                raise taken
        except OSError as exc:
            raise unmarkable(marks.path_of(path), exc) from exc

    def run(self) -> int:
        """Go through it; return the domid."""
        try:
            child = XlRestore(self._xl)
        except Dom0XenError:
            with contextlib.suppress(OSError):
                self._marker.take_back()
            raise
        try:
            # It is there before the last byte is written, and before that nothing can be left.
            guardian = Guardian(lambda: self._guard(child), lambda: None, [child.sink])
        except OSError as exc:
            raise self._undone(child, exc) from exc
        try:
            try:
                domid = self._make(child)
                self._remember()
                self._put_on_record(state=marks.RESTORED)
            except (Dom0XenError, OSError, Ended) as exc:
                raise self._undone(child, exc) from exc
            if not self._order.leave_paused:
                self._let_run(domid)
        finally:
            guardian.dismiss()
            child.close()
        return domid

    def row(self, domid: int) -> DomainRow | None:
        """Return the copy as the hypervisor shows it."""
        return next((row for row in self._rows() if row.domid == domid), None)

    def _make(self, child: XlRestore) -> int:
        """Feed xl, and see that the domain is there, complete and paused.

        The image is read to its end even when xl gives up: that it was altered is then the cause to be told.
        """
        source = self._order.source
        reading, domid, reads = Reading(source), -1, True
        for piece, passed in hold_back(source.pieces()):
            self._stop.check()
            if piece:
                reading.take(piece)
            else:
                reading.finish()
                reading.require_identity()
                if reads:
                    domid = self._appeared(child)
                    self._put_on_record(domid=domid)
            reads = reads and self._takes(child, passed)
        if not reads:
            raise Ended
        child.finish(self._stop)
        error = child.error()
        if error is not None:
            raise error
        row, name = self.row(domid), self._manifest.name
        if row is None or not row.state.alive or row.name != name:
            seen = "gone" if row is None else f"called {row.name} and {row.state.word}"
            raise RestoreFailed(f"xl restore has ended well, and {name} is {seen}")
        return domid

    def _takes(self, child: XlRestore, data: bytes) -> bool:
        """Give xl what it may have by now; return whether it still reads."""
        try:
            child.write(data, self._stop)
        except Ended:
            return False
        return True

    def _appeared(self, child: XlRestore) -> int:
        """Wait until the copy has a folder in XenStore, which it has before xl reads memory."""
        deadline = time.monotonic() + _APPEAR_S
        with XenStore() as store:
            while True:
                found = store.domids_of(self._manifest.uuid, apart_from=self._before)
                if found:
                    return found[0]
                self._stop.check()
                if not child.running:
                    raise Ended
                if time.monotonic() > deadline:
                    raise RestoreFailed(f"xl restore has made no domain within {_APPEAR_S:g} s")
                time.sleep(_LOOK_S)

    def _put_on_record(self, **changes: t.Any) -> None:
        self._mark = dataclasses.replace(self._mark, **changes)
        try:
            self._marker.update(self._mark)
        except OSError as exc:
            raise unmarkable(marks.path_of(self._order.source.path), exc) from exc

    def _remember(self) -> None:
        """Put on record on this host what the record beside the image cannot tell of a copy of that."""
        try:
            self._history.put(self._mark, self._manifest.name, self._order.source.path)
        except OSError as exc:
            error = unmarkable(self._history.path_of(self._mark), exc)
            error.remedy = "Make room for it and let it be written: a copy of the image is not to be restored again."
            raise error from exc

    def _let_run(self, domid: int) -> None:
        name = self._manifest.name
        try:
            with XenStore() as store:
                row = self.row(domid)
                if row is None or row.state.paused:
                    self._copies(store).roll_forward(domid)
        except Dom0XenError as exc:
            exc.message += f"; {name} is restored and complete here, and it was not seen running"
            exc.remedy = f"Look at it with xl list -v {domid}; if it is paused: xl unpause {domid}."
            raise

    def _undone(self, child: XlRestore, exc: Exception) -> Dom0XenError:
        """Have no copy left and nothing on record; return the error to be told."""
        child.give_up()
        error: Dom0XenError = RestoreFailed("xl restore has ended early")
        if isinstance(exc, Ended):
            error = child.error() or error
        elif isinstance(exc, Dom0XenError):
            error = exc
        elif isinstance(exc, OSError):
            remedy = "Make room in memory on the host, and look at the kernel's log; then run this again."
            error = RestoreFailed(f"the image cannot be passed on to xl: {exc.strerror or exc}", remedy=remedy)
        name = self._manifest.name
        try:
            self._remove()
            error.details["copy"] = "gone"
            error.message += f"; nothing of {name} is left here, and the image is as it was"
        except Dom0XenError as other:
            with contextlib.suppress(Dom0XenError):
                error.details["copy"] = next((row.state.word for row in self._rows()), "gone")
            error.message += f"; and what was made of it is still here: {other.message}"
            error.remedy = (
                f"Look at it with xl list -v; one that is paused and has never run: xl destroy. {error.remedy}"
            )
        except OSError as other:
            error.message += f"; nothing is left here, and the record beside the image stays: {other.strerror or other}"
        return error

    def _remove(self) -> None:
        """Destroy the copies that this restore has made and that have never run, then take its records back."""
        with XenStore() as store:
            for row in self._rows():
                if row.domid not in self._before:
                    self._copies(store).destroy(row.domid, never_ran=True)
        self._history.take_back(self._mark)
        self._marker.take_back()

    def _rows(self) -> tuple[DomainRow, ...]:
        return tuple(row for row in self._xl.domains() if row.uuid == self._manifest.uuid)

    def _copies(self, store: XenStore) -> Copies:
        return Copies(self._xl, store, self._manifest.uuid, self._manifest.name)

    def _guard(self, child: XlRestore) -> None:
        """Do what is left to do in the place of a module that was killed: back before the last step, else forward."""
        deadline = time.monotonic() + _XL_LIMIT_S
        while _procfs.is_alive(child.pid) and _procfs.start_time(child.pid) == child.begun:
            if time.monotonic() > deadline:
                with contextlib.suppress(OSError):
                    os.kill(child.pid, signal.SIGKILL)
            time.sleep(_LOOK_S)
        deadline = time.monotonic() + _XL_LIMIT_S
        while True:
            try:
                self._finish_or_remove()
                return
            except (Dom0XenError, OSError) as exc:
                if not may_succeed(exc) or time.monotonic() > deadline:
                    return
            time.sleep(_LOOK_S)

    def _finish_or_remove(self) -> None:
        # What this process remembers is as old as its fork.
        mark = marks.read(self._order.source.path, self._manifest)
        if mark is None or mark.state != marks.RESTORED or mark.domid is None:
            self._remove()
        elif not self._order.leave_paused:
            self._let_run(mark.domid)
