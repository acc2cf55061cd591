# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""libxl_domain_suspend: the stream goes out, the guest is suspended on the way (libxl_dom_suspend.c, Xen 4.17)."""

from __future__ import annotations

import contextlib
import os
import time

from ..machine.domain import SUSPEND
from ..stream import records
from . import children, ipc, log
from .helper import DEBUG, LIVE
from .session import Session
from .store_client import StoreClient

_FILE = "libxl_dom_suspend.c"


class Suspend:
    """One run; :meth:`run` returns 0 or an error of libxl."""

    def __init__(self, session: Session, domid: int, descriptor: int, live: bool, debug: bool = False) -> None:
        self._session = session
        self._domid = domid
        self._descriptor = descriptor
        self._flags = (LIVE if live else 0) | (DEBUG if debug else 0)
        self._responded = False
        self._rc = 0

    def run(self) -> int:
        """Write headers, let the helper write memory, write the end."""
        session, domid = self._session, self._domid
        info = session.domain(domid)
        if info is None:
            return log.RC_FAIL
        if self._write(records.libxl_header(), "save v2 stream", "stream header"):
            return log.RC_FAIL
        rc = self._helper()
        if rc:
            return rc
        if info["kind"] == "hvm":
            for record in records.emulator_records():
                if self._write(record, "save v2 stream", "emulator record"):
                    return log.RC_FAIL
        if self._write(records.record(records.LIBXL_END), "save v2 stream", "end record"):
            return log.RC_FAIL
        session.hit("suspend.done")
        return 0

    def _write(self, data: bytes, source: str, what: str) -> str | None:
        return self._session.write_exactly(self._descriptor, data, source, what)

    def _helper(self) -> int:
        session, domid = self._session, self._domid
        pid, send, receive = children.helper("--save-domain", self._descriptor, 0, [domid, self._flags, 12, 0])
        completed: tuple[int, int] | None = None
        for message in ipc.messages(receive):
            if message["kind"] == "log":
                session.log.libxc(message["level"], message["text"], message["error"])
            elif message["kind"] == "complete":
                completed = (message["result"], message["error"])
            else:
                with contextlib.suppress(BrokenPipeError):
                    ipc.reply(send, self._suspend_callback())
        os.close(send)
        os.close(receive)
        dummy, status = os.waitpid(pid, 0)
        what = f"domain {domid} save/restore helper"
        if status:
            session.log.message(log.ERROR, "libxl", children.died(what, pid, status))
            return log.RC_FAIL
        if completed is None:
            session.log.message(log.ERROR, "libxl", f"{what} exited without signaling completion")
            return log.RC_FAIL
        result, error = completed
        if result:
            did = "responded" if self._responded else "did not respond"
            text = f"saving domain: domain {did} to suspend request"
            where = "libxl_stream_write.c:347:libxl__xc_domain_save_done"
            session.log.libxl(log.ERROR, where, text, domid, os.strerror(error))
            return (self._rc or log.RC_FAIL) if self._responded else log.RC_GUEST_TIMEDOUT
        return 0

    # -- the guest -------------------------------------------------------------------------------------------------

    def _suspend_callback(self) -> int:
        self._session.hit("suspend.request")
        self._rc = self._suspend()
        return int(not self._rc)

    def _say(self, level: int, line: int, function: str, text: str) -> None:
        self._session.log.libxl(level, f"{_FILE}:{line}:{function}", text, self._domid)

    def _suspend(self) -> int:
        """Ask through ``control/shutdown``, wait for the acknowledgement, then for the guest to be suspended."""
        path = f"/local/domain/{self._domid}/control/shutdown"
        kind = "PV" if (self._session.domain(self._domid) or {}).get("kind") == "pv" else "PVH/HVM"
        self._say(
            log.DEBUG, 202, "domain_suspend_callback_common", f"issuing {kind} suspend request via XenBus control node"
        )
        store = self._session.store()
        try:
            store.write(path, "suspend")
            store.watch(path)
            deadline = time.monotonic() + self._session.settings.suspend_timeout_s
            while store.read(path) == "suspend":
                if not store.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    # A guest that was suspended before gets here too; the caller looks whether it is.
                    if not self._cancel(store, path):
                        return 0
                    break
            store.unwatch(path)
            self._say(
                log.DEBUG, 280, "domain_suspend_common_pvcontrol_suspending", "guest acknowledged suspend request"
            )
            self._responded = True
            return self._wait(store)
        finally:
            store.close()

    def _cancel(self, store: StoreClient, path: str) -> bool:
        """Withdraw the request in a transaction; True when the guest acknowledged at the last moment."""
        while True:
            transaction = store.begin()
            if store.read(path, transaction) != "suspend":
                store.commit(transaction)
                return True
            store.write(path, "", transaction)
            if store.commit(transaction):
                text = "guest didn't acknowledge suspend, cancelling request"
                self._say(log.ERROR, 270, "domain_suspend_common_pvcontrol_suspending", text)
                return False

    def _wait(self, store: StoreClient) -> int:
        self._say(log.DEBUG, 301, "domain_suspend_common_wait_guest", "wait for the guest to suspend")
        store.watch("@releaseDomain")
        deadline = time.monotonic() + self._session.settings.suspend_timeout_s
        while True:
            info = self._session.domain(self._domid)
            function = "suspend_common_wait_guest_check"
            if info is None:
                self._say(log.ERROR, 338, function, "guest we were suspending has been destroyed")
                return log.RC_FAIL
            if info["shutdown"]:
                if info["reason"] != SUSPEND:
                    text = f"guest we were suspending has shut down with unexpected reason code {info['reason']}"
                    self._say(log.DEBUG, 349, function, text)
                    return log.RC_FAIL
                self._say(log.DEBUG, 354, function, "guest has suspended")
                return 0
            left = deadline - time.monotonic()
            if left <= 0:
                self._say(log.ERROR, 372, "suspend_common_wait_guest_timeout", "guest did not suspend, timed out")
                return log.RC_GUEST_TIMEDOUT
            store.wait(left)
