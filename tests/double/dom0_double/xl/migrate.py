# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl migrate`` (tools/xl/xl_migrate.c main_migrate, migrate_domain)."""

from __future__ import annotations

import os
import pathlib
import signal
import typing as t

from ..machine.domain import with_domid
from ..stream import records
from . import children, log
from .config import BadConfig, parse
from .log import Exit
from .session import Session
from .suspend import Suspend
from .yajl import dump

BANNER = b"xl migration receiver ready, send binary domain data.\n"
READY = b"domain received, ready to unpause\0"
GO = b"domain is yours, you are cleared to unpause\0"
REPORT = b"my copy unpause results are as follows\0"
_STREAM = "migration receiver stream"


class Sender:
    """One migration, seen from the source."""

    def __init__(
        self, session: Session, domid: int, command: str, debug: bool, keep_domid: bool = False, file: str = ""
    ) -> None:
        self._session = session
        self._domid = domid
        self._command = command
        self._debug = debug
        self._keep_domid = keep_domid
        self._file = file
        self._name = session.name(domid)
        self._pid = self._send = self._receive = -1

    def run(self) -> t.NoReturn:
        """Migrate; ends with the status of xl."""
        session = self._session
        session.hit("migrate.begin")
        config = configuration_bytes(session, self._domid, self._keep_domid, self._file)
        self._pid, self._send, self._receive = children.transport(self._command)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self._preamble(config)
        rc = Suspend(session, self._domid, self._send, live=True, debug=self._debug).run()
        if rc:
            session.say(f"migration sender: libxl_domain_suspend failed (rc={rc})")
            self._failed_suspend() if rc == log.RC_GUEST_TIMEDOUT else self._failed_resume()
        if not self._expect(READY, "ready message"):
            self._failed_resume()
        session.hit("migrate.ready")
        session.say("migration sender: Target has acknowledged transfer.")
        away = f"{self._name}--migratedaway"
        if self._name and session.rename(self._domid, self._name, away):
            self._failed_resume()
        session.hit("migrate.renamed")
        session.say("migration sender: Giving target permission to start.")
        if session.write_exactly(self._send, GO, "migration stream", "GO message"):
            self._failed_badly()
        session.hit("migrate.go")
        if not self._expect(REPORT, "success/failure report message"):
            self._failed_badly()
        session.hit("migrate.report")
        status = session.read_exactly(self._receive, 1, "migration ack stream", "success/failure status")
        if status is None:
            self._failed_badly()
        session.hit("migrate.status")
        if status[0]:
            self._refused(status[0], away)
        session.say("migration sender: Target reports successful startup.")
        session.destroy(self._domid)
        session.hit("migrate.destroyed")
        session.say("Migration successful.")
        raise Exit(0)

    def _refused(self, status: int, away: str) -> t.NoReturn:
        session = self._session
        session.say(f"migration sender: Target reports startup failure (status code {status}).")
        if not self._expect(GO, "permission for sender to resume"):
            self._failed_badly()
        session.hit("migrate.back")
        session.say("migration sender: Trying to resume at our end.")
        if self._name:
            session.rename(self._domid, away, self._name)
        if not session.resume(self._domid):
            session.say("migration sender: Resumed OK.")
        session.fail("Migration failed due to problems at target.")

    def _expect(self, message: bytes, what: str) -> bool:
        data = self._session.read_exactly(self._receive, len(message), _STREAM, what)
        if data is None:
            return False
        if data != message:
            self._session.say(f"{_STREAM} contained unexpected data instead of {what}")
            self._session.say(f"(command run was: {self._command} )")
            return False
        return True

    def _preamble(self, config: bytes) -> None:
        session = self._session
        if not self._expect(BANNER, "banner"):
            os.close(self._send)
            children.report_transport(session.log, self._pid)
            raise Exit(1)
        session.hit("migrate.banner")
        write_header(session, self._send, "migration stream", config)
        session.hit("migrate.config")

    def _leave(self) -> None:
        os.close(self._send)
        children.report_transport(self._session.log, self._pid)

    def _failed_suspend(self) -> t.NoReturn:
        self._leave()
        self._session.fail("Migration failed, failed to suspend at sender.")

    def _failed_resume(self) -> t.NoReturn:
        self._leave()
        self._session.say("Migration failed, resuming at sender.")
        self._session.resume(self._domid)
        raise Exit(1)

    def _failed_badly(self) -> t.NoReturn:
        self._session.say(_BADLY)
        self._leave()
        raise Exit(1)


_BADLY = """** Migration failed during final handshake **
Domain state is now undefined !
Please CHECK AT BOTH ENDS for running instances, before renaming and
 resuming at most one instance.  Two simultaneous instances of the domain
 would probably result in SEVERE DATA LOSS and it is now your
 responsibility to avoid that.  Sorry."""


def configuration_bytes(session: Session, domid: int, keep_domid: bool = False, file: str = "") -> bytes:
    """Return a domain's configuration as it travels: JSON and NUL (xl_saverestore.c save_domain_core_begin).

    A ``file`` takes its place, and then nothing of the domain itself is in it, its number and its UUID neither.
    """
    if file:
        return _described(session, file)
    config = session.configuration(domid) if domid else None
    if config is None:
        session.fail("unable to retrieve domain configuration")
    with_domid(config, domid if keep_domid else None)
    return dump(config).encode() + b"\0"


def _described(session: Session, file: str) -> bytes:
    try:
        text = pathlib.Path(file).read_text()
    except OSError:
        session.fail("unable to read overridden config file")
    try:
        return dump(parse(text)).encode() + b"\0"
    except BadConfig as exc:
        session.fail(str(exc))


def write_header(session: Session, descriptor: int, source: str, config: bytes) -> None:
    """Write xl's header and configuration (xl_saverestore.c save_domain_core_writeconfig)."""
    data = records.xl_header(config)
    for part, line in ((data[:48], 106), (data[48:], 109)):
        error = session.write_exactly(descriptor, part, source, "header")
        if error:
            session.fail(f"xl: fatal error: xl_saverestore.c:{line}: {error}: libxl_write_exactly()")
        session.hit("migrate.header")
    session.say(f"Saving to {source} new xl format (info 0x3/0x0/{len(config) + 4})")
