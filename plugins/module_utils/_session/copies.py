# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing one copy of a domain into the state that was decided, by its domid and UUID (private to the collection).

Every act looks at the copy first and refuses when it is not as it was seen, and looks again until it is as wanted.
"""

from __future__ import annotations

import subprocess
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, DomainState
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import XlFailed
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import spawn
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

KEPT = "kept"
LOST = "lost"

# xl resume is new in 4.20 (tools/xl/xl_cmdtable.c), and so is a monitor that outlives a suspend (xl_vmcontrol.c).
_RESUME_SINCE = (4, 20)

_LOOK_INTERVAL = 0.2
_LOOK_LIMIT = 40.0
# libxl waits 60 s for the guest to acknowledge, and 60 s for it to suspend (libxl_dom_suspend.c).
_SAVE_LIMIT = 150.0
# Pauses nest; nobody nests them deeper by hand.
_PAUSES = 5

Sleep = t.Callable[[float], None]


class CopyChanged(Dom0XenError):
    """The copy is not as it was seen when the act was decided."""

    code = "copy_changed"
    remedy = "Run dom0.xen.settle again; it looks at both hosts anew."


class CopyStays(Dom0XenError):
    """The act was done, and the copy did not come into the state that was wanted."""

    code = "copy_stays"
    remedy = "Look at the copy with xl list -v and at xl dmesg; then run dom0.xen.settle again."


class Copies:
    """The copies of one domain on this host.

    All methods raise :class:`CopyChanged`, :class:`CopyStays`, and the errors of :class:`Xl` and :class:`XenStore`.
    """

    def __init__(self, xl: Xl, store: XenStore, uuid: str, name: str, sleep: Sleep = time.sleep) -> None:
        self._xl = xl
        self._store = store
        self._uuid = uuid
        self._name = name
        self._sleep = sleep

    def destroy(self, domid: int) -> None:
        """Destroy a copy that does not run, and wait until it is gone."""
        self._expect(domid, lambda state: state.suspended or (state.alive and state.paused), "suspended or paused")
        self._xl.destroy(domid)
        self._until(domid, lambda row: row is None, "gone")

    def rename_back(self, domid: int) -> None:
        """Give a copy that runs the domain's own name."""
        row = self._expect(domid, lambda state: state.alive, "running")
        self._rename(row)

    def resume(self, domid: int) -> str:
        """Resume a suspended copy under the domain's own name; return what became of xl's monitor.

        Before 4.20 nothing but ``xl save -c`` resumes (libxl_domain_resume after the image is written): it asks the
        guest to suspend, which it is already, so that the request is acknowledged here in its place by emptying
        control/shutdown (libxl_domain.c libxl__domain_pvcontrol), else xl waits a minute for it.
        """
        row = self._expect(domid, lambda state: state.suspended, "suspended")
        self._rename(row)
        info = self._xl.info()
        new = (info.major, info.minor) >= _RESUME_SINCE
        if new:
            self._xl.resume(domid)
        else:
            self._save_and_resume(domid)
        self._until(domid, lambda row: row is not None and row.state.alive, "running")
        return KEPT if new else LOST

    def roll_forward(self, domid: int) -> None:
        """Start a complete copy that was never started, under the domain's own name."""
        row = self._expect(domid, lambda state: state.alive and state.paused, "paused")
        self._rename(row)
        for _dummy in range(_PAUSES):
            self._xl.unpause(domid)
            if not self._row(domid).state.paused:
                break
        self._until(domid, lambda row: row is not None and row.state.alive and not row.state.paused, "running")

    def _save_and_resume(self, domid: int) -> None:
        request = f"/local/domain/{domid}/control/shutdown"
        process = spawn(
            self._xl.save_and_resume_argv(domid),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _SAVE_LIMIT
        while process.poll() is None and time.monotonic() < deadline:
            if self._store.read(request) == "suspend":
                self._store.write(request, "")
            self._sleep(_LOOK_INTERVAL)
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.returncode != 0:
            text = f"xl save -c of domid {domid} ended with status {process.returncode}"
            raise XlFailed(text, cmd=self._xl.save_and_resume_argv(domid), rc=process.returncode)

    def _rename(self, row: DomainRow) -> None:
        if row.name != self._name:
            self._xl.rename(row.domid, self._name)

    def _row(self, domid: int) -> DomainRow:
        row = self._find(domid)
        if row is None:
            raise CopyChanged(f"there is no copy with domid {domid} any more")
        return row

    def _find(self, domid: int) -> DomainRow | None:
        return next((row for row in self._xl.domains() if row.domid == domid and row.uuid == self._uuid), None)

    def _expect(self, domid: int, wanted: t.Callable[[DomainState], bool], words: str) -> DomainRow:
        row = self._row(domid)
        if not wanted(row.state):
            raise CopyChanged(f"the copy with domid {domid} ({row.name}) is not {words} any more")
        return row

    def _until(self, domid: int, reached: t.Callable[[DomainRow | None], bool], words: str) -> None:
        deadline = time.monotonic() + _LOOK_LIMIT
        while not reached(self._find(domid)):
            if time.monotonic() >= deadline:
                raise CopyStays(f"the copy with domid {domid} is not {words} after {_LOOK_LIMIT:g} s")
            self._sleep(_LOOK_INTERVAL)
