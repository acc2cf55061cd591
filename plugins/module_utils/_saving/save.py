# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving one domain: the order of things, and what becomes of the guest (private to the collection).

The guest is let go only when the image is whole, on the disk and in place. Whatever fails before that ends with nothing
on the disk and the guest running; a guardian sees to it when this process is killed.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._saving import manifest as manifests
from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import GuestWentOn
from ansible_collections.dom0.xen.plugins.module_utils._saving.guardian import Guardian
from ansible_collections.dom0.xen.plugins.module_utils._saving.letting_go import let_go
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import CHECKPOINT, SHUT_DOWN, Manifest
from ansible_collections.dom0.xen.plugins.module_utils._saving.pair import Pair, unwritable
from ansible_collections.dom0.xen.plugins.module_utils._saving.room import Room
from ansible_collections.dom0.xen.plugins.module_utils._saving.sinks import sink
from ansible_collections.dom0.xen.plugins.module_utils._saving.stop import Stop
from ansible_collections.dom0.xen.plugins.module_utils._saving.xl_save import Written, XlSave
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies, worker_on
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.done import Done
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.late_suspend import LateSuspend
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.resuming import monitor_after_suspend
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.save_paused import standing_still
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import (
    SavedOtherwise,
    SaveFailed,
    may_succeed,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

# How long a guardian waits for an xl whose module was killed, in seconds.
_XL_LIMIT_S = 180.0
_LOOK_S = 0.2
# How long one watches a guest that has not suspended in time, in seconds.
_WATCH_S = 120.0
_AGAIN = "Run this again."
_MEMORY = "Make room in memory on the host, then run this again."
_STANDS = (
    "Look at it with xl list -v {0}: paused, xl unpause {0} lets it go on; suspended, xl resume {0} does, before Xen"
    " 4.20 xl save -c {0} /dev/null."
)
# What is left to do by hand when the image is in place.
_NEXT = {
    SHUT_DOWN: "If it is still paused, destroy it: it is in the image, and must not run on beside it.",
    CHECKPOINT: "If it is paused, let it go on with xl unpause.",
}


@dataclass(frozen=True)
class Order:
    """What is to be saved, and how. ``zstd`` is where that program is, ``xen_commandline`` that of the host's Xen.

    ``resumes_anew``: this ``xl`` resumes it so that its kernel stops (:data:`_releases.RESUMES_ANEW`).
    """

    domid: int
    uuid: str
    name: str
    type: str
    after: str
    compression: str
    zstd: str | None = None
    xen_commandline: str | None = None
    resumes_anew: bool = False


@dataclass(frozen=True)
class Saved:
    """What has come of it; ``stop_ms`` is how long the guest stood still, None when it does not go on."""

    manifest: Manifest
    seconds: float
    stop_ms: int | None
    monitor: str | None


def save(xl: Xl, order: Order, pair: Pair, room: Room, stop: Stop, lock: DomainLock) -> Saved:
    """Save the domain. Raises what is said in ``errors`` and the errors of :class:`Xl` and :class:`Copies`.

    ``lock`` is the domain's; it is left to a process that goes on seeing to the guest after a failure.
    An error's detail ``guest`` is the state that the domain was seen in after it.
    """
    begun = time.monotonic()
    fd = pair.begin()
    try:
        return _Save(xl, order, pair, room, stop, lock, fd).run(begun)
    finally:
        pair.close()


class _Save:
    def __init__(self, xl: Xl, order: Order, pair: Pair, room: Room, stop: Stop, lock: DomainLock, fd: int) -> None:
        self._xl, self._order, self._pair, self._room, self._stop = xl, order, pair, room, stop
        self._lock, self._fd = lock, fd
        self._child = XlSave(xl, order.domid)
        # Whether the guest was left as nobody wants it: the guardian tries what was tried here.
        self._left = False
        # Whether the guest may yet suspend: xl's request may still be on its way when xl has ended.
        self._late = False

    def run(self, begun: float) -> Saved:
        """Go through it."""
        try:
            guardian = self._guarded()
        except Dom0XenError as exc:
            # Nothing was asked of the guest yet.
            self._child.close()
            self._pair.discard()
            exc.message += "; nothing was done to it, and nothing was left on the disk"
            raise
        try:
            try:
                written = self._write()
                manifest = self._manifest(written)
                self._pair.publish(manifest)
            except (Dom0XenError, OSError) as exc:
                raise self._undone(exc) from exc
            self._let_go()
        finally:
            if self._left or self._late:
                # It would undo what another save does to the guest meanwhile.
                self._lock.leave()
            if self._left:
                guardian.take_over()
            else:
                guardian.dismiss(watch=self._late)
            self._child.close()
        stop_ms = None
        if self._order.after == CHECKPOINT and written.still_since is not None:
            stop_ms = int((time.monotonic() - written.still_since) * 1000)
        monitor = None
        if self._order.after != SHUT_DOWN:
            info = self._xl.info()
            monitor = monitor_after_suspend((info.major, info.minor))
        return Saved(manifest, round(time.monotonic() - begun, 1), stop_ms, monitor)

    def _guarded(self) -> Guardian:
        """Return who sees to the guest when this process is killed; raises SavedOtherwise or SaveFailed."""
        order, row = self._order, self._row()
        if row is None or row.state.word != "running" or worker_on(row.domid, row.name) is not None:
            raise SavedOtherwise(f"{order.name} is not as it was a moment ago", remedy=_AGAIN)
        try:
            return Guardian(self._guard, self._watch, [self._child.theirs])
        except OSError as exc:
            text = f"the process that sees to {order.name} when this one is killed could not be started"
            raise SaveFailed(f"{text}: {exc.strerror or exc}", remedy=_MEMORY) from exc

    def _write(self) -> Written:
        """Write the image aside; when this returns it is on the disk, and xl has ended well."""
        target = sink(self._order.compression, self._fd, self._order.zstd)
        try:
            self._child.begin()
            written = self._child.follow(target, self._fd, self._room, self._stop)
            target.finish()
        except (Dom0XenError, OSError):
            target.abandon()
            raise
        finally:
            self._child.end()
        # Where xl has failed, that is why the stream has no end.
        error = self._child.error()
        if error is not None:
            raise error
        os.fsync(self._fd)
        return written

    def _manifest(self, written: Written) -> Manifest:
        order, seen = self._order, written.description
        if seen.problem is not None or not seen.complete or seen.identity is None:
            why = seen.problem.message if seen.problem else "it has no end"
            raise SaveFailed(f"what xl save has written is no sound image: {why}", remedy=_AGAIN)
        if (seen.identity.uuid, seen.identity.name) != (order.uuid, order.name):
            raise SavedOtherwise(f"xl has saved {seen.identity.name} in place of {order.name}", remedy=_AGAIN)
        row = standing_still(self._xl, order.domid, order.uuid, order.name)
        return Manifest(
            format=manifests.FORMAT,
            uuid=order.uuid,
            name=order.name,
            type=order.type,
            xen_version=str(seen.xen_version),
            stream_bytes=written.stream_bytes,
            file_bytes=os.fstat(self._fd).st_size,
            compression=order.compression,
            sha256=written.sha256,
            saved_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            after=order.after,
            boot_id=_procfs.boot_id(),
            domid=order.domid,
            cpu_time_s=row.cpu_time_s,
            xen_commandline=order.xen_commandline,
        )

    def _undone(self, exc: Dom0XenError | OSError) -> Dom0XenError:
        """Remove what was written and let the guest go on; return the error to be told."""
        error = exc if isinstance(exc, Dom0XenError) else unwritable(self._pair.path, exc)
        clean = self._pair.discard()
        order = self._order
        try:
            if self._child.started:
                with XenStore() as store:
                    done = Copies(self._xl, store, order.uuid, order.name).go_on(order.domid)
                self._late = bool(self._child.status) and _never_stood_still(done)
            row = self._row()
        except Dom0XenError as other:
            row, self._left = None, may_succeed(other)
            with contextlib.suppress(Dom0XenError):
                row = self._row()
            error.message += f"; and {order.name} does not go on: {other.message}"
            error.remedy = f"{_STANDS.format(order.domid)} {error.remedy}"
        error.details["guest"] = "gone" if row is None else row.state.word
        if row is not None and row.state.word == "running":
            left = "nothing was left on the disk" if clean else f"what was written is left: {self._pair.aside}"
            goes = "goes on here" if not order.resumes_anew else "runs here by xl list, and its kernel may have stopped"
            error.message += f"; {order.name} {goes}, and {left}"
        return error

    def _let_go(self) -> None:
        order = self._order
        try:
            with XenStore() as store:
                let_go(self._xl, store, self._pair)
        except GuestWentOn:
            raise
        except Dom0XenError as exc:
            self._left = may_succeed(exc)
            exc.message += f"; the image {self._pair.path} is complete"
            exc.remedy = f"Look at it with xl list -v {order.domid}. {_NEXT.get(order.after, '')}"
            exc.details["guest"] = "unknown"
            raise

    def _row(self) -> DomainRow | None:
        order = self._order
        return next((row for row in self._xl.domains() if (row.domid, row.uuid) == (order.domid, order.uuid)), None)

    def _watch(self) -> None:
        """Resume a guest that suspends after all, when xl has given up waiting for it."""
        self._child.close()
        self._pair.close()
        order = self._order
        with XenStore() as store:
            LateSuspend(self._xl, store, order.domid, order.uuid, order.name, seconds=_WATCH_S).run()

    def _guard(self) -> None:
        """Do what is left to do in the place of a module that was killed."""
        self._child.end()
        order = self._order
        with contextlib.suppress(OSError):
            self._pair.recover(own=True)
        deadline = time.monotonic() + _XL_LIMIT_S
        while True:
            try:
                with XenStore() as store:
                    if self._pair.published():
                        let_go(self._xl, store, self._pair)
                        return
                    done = Copies(self._xl, store, order.uuid, order.name).go_on(order.domid)
                    if _never_stood_still(done):
                        LateSuspend(self._xl, store, order.domid, order.uuid, order.name, seconds=_WATCH_S).run()
                return
            except Dom0XenError as exc:
                if not may_succeed(exc) or time.monotonic() > deadline:
                    return
            time.sleep(_LOOK_S)


def _never_stood_still(done: Done) -> bool:
    """Say whether the guest had not suspended by the time that it was let go on."""
    return not {"resume", "unpause"}.intersection(done.steps)
