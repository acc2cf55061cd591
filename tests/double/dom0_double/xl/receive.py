# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl migrate-receive`` (tools/xl/xl_migrate.c migrate_receive) and its part of ``create_domain``."""

from __future__ import annotations

import signal
import time
import typing as t

from .create import Incoming, create_incoming
from .log import Exit
from .migrate import BANNER, GO, READY, REPORT
from .session import Session

_ACK = "migration ack stream"


class Receiver:
    """One migration, seen from the destination: descriptors 0 and 1 carry the protocol."""

    def __init__(self, session: Session, monitor: bool, paused: bool, debug: bool) -> None:
        self._session = session
        self._monitor = monitor
        self._paused = paused
        self._debug = debug

    def run(self) -> t.NoReturn:
        """Receive a domain; ends with the status of xl."""
        session = self._session
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        session.say("migration target: Ready to receive domain.")
        self._banner()
        incoming = create_incoming(session, 0, "<incoming migration stream>", self._debug, True, self._monitor)
        if isinstance(incoming, int):
            session.fail(f"migration target: Domain creation failed (code {incoming}).")
        session.say("migration target: Transfer complete, requesting permission to start domain.")
        session.hit("receive.ready")
        if session.write_exactly(1, READY, _ACK, "ready message"):
            raise Exit(1)
        session.hit("receive.wait")
        self._report(incoming, self._start(incoming))

    def _banner(self) -> None:
        session = self._session
        fault = session.hit("receive.banner")
        if fault is None:
            banner = BANNER
        elif fault["action"] == "silent":
            time.sleep(float(fault.get("seconds", 1e9)))
            banner = BANNER
        else:
            banner = str(fault["text"]).encode()
        error = session.write_exactly(1, banner, _ACK, "banner")
        if error:
            session.fail(f"xl: fatal error: xl_migrate.c:331: {error}: libxl_write_exactly()")

    def _start(self, incoming: Incoming) -> int:
        """Wait for permission, rename, unpause; returns what the status byte is made of."""
        session = self._session
        data = session.read_exactly(0, len(GO), "migration stream", "GO message")
        if data != GO:
            if data is not None:
                session.say("migration stream contained unexpected data instead of GO message")
            return 1
        session.hit("receive.go")
        session.say("migration target: Got permission, starting domain.")
        rc = session.rename(incoming.domid, incoming.name + "--incoming", incoming.name)
        if rc:
            return rc
        fault = session.hit("receive.renamed")
        if fault is not None and fault["action"] == "status":
            return -int(fault["status"])
        if not self._paused:
            rc = session.unpause(incoming.domid)
            if rc:
                return rc
        session.hit("receive.unpaused")
        session.say("migration target: Domain started successsfully.")
        return 0

    def _report(self, incoming: Incoming, rc: int) -> t.NoReturn:
        session = self._session
        session.hit("receive.report")
        if session.write_exactly(1, REPORT, _ACK, "success/failure report"):
            raise Exit(1)
        session.hit("receive.status")
        if session.write_exactly(1, bytes((-rc & 0xFF,)), _ACK, "success/failure code"):
            raise Exit(1)
        if not rc:
            session.hit("receive.done")
            raise Exit(0)
        session.say("migration target: Failure, destroying our copy.")
        session.hit("receive.destroying")
        failure = session.destroy(incoming.domid)
        if failure:
            session.fail(f"migration target: Failed to destroy our copy (code {failure}).")
        session.say("migration target: Cleanup OK, granting sender permission to resume.")
        session.hit("receive.back")
        if session.write_exactly(1, GO, _ACK, "permission to sender to have domain back"):
            raise Exit(1)
        raise Exit(0)
