# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes domains: fresh ones, and those that come in a stream (tools/xl/xl_vmcontrol.c create_domain)."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import time
import typing as t

from ..machine.domain import ANY_DOMID, HypercallError, Json, wanted_domid, with_domid
from ..stream import records
from ..stream.restore import Truncated, read_exactly
from . import children, history, ipc, log
from .monitor import monitor
from .session import Session
from .yajl import dump

_READ = "libxl_stream_read.c"


@dataclasses.dataclass(frozen=True)
class Incoming:
    """A domain that was received: its number, and the name it is to have."""

    domid: int
    name: str


class _Failed(Exception):
    def __init__(self, rc: int) -> None:
        super().__init__(rc)
        self.rc = rc


def create_incoming(
    session: Session, stream: int, source: str, debug: bool, migrating: bool, watched: bool
) -> Incoming | int:
    """Make a domain from a stream, paused; the error of libxl when it cannot be."""
    try:
        config = _read_header(session, stream, source)
        name = str(config["c_info"]["name"])
        session.say("Parsing config from <saved>")
        if migrating:
            config["c_info"]["name"] = name + "--incoming"
        if debug:
            session.log.line(dump(config).rstrip("\n"))
        session.hit("receive.config")
        with _Lock(session, watched=session.settings.balloons):
            _free_memory(session, config)
            domid = _restore(session, stream, config)
        session.hit("receive.devices")
    except _Failed as exc:
        return exc.rc
    if watched:
        monitor(session, domid, config["c_info"]["name"], config)
    return Incoming(domid, name)


def create_fresh(session: Session, config: Json, paused: bool, watched: bool) -> int:
    """Boot a new domain; its number, or the error of libxl."""
    try:
        with _Lock(session, watched=session.settings.balloons):
            _free_memory(session, config)
            domid = _make(session, config)
            try:
                session.machine.call("boot", domid=domid)
            except HypercallError:
                session.log.libxl(
                    log.ERROR, "libxl_create.c:1638:domcreate_rebuild_done", "cannot (re-)build domain: -3", domid
                )
                session.destroy(domid)
                return log.RC_FAIL
            _attach(session, domid)
        session.hit("create.made")
    except _Failed as exc:
        return exc.rc
    if not paused:
        session.unpause(domid)
    if watched:
        monitor(session, domid, config["c_info"]["name"], config)
    return domid


def _read_header(session: Session, stream: int, source: str) -> Json:
    header = session.read_exactly(stream, records.XL_HEADER.size, source, "header")
    if header is None:
        session.fail("xl: fatal error: xl_vmcontrol.c:713: Protocol error: libxl_read_exactly()")
    session.hit("receive.header")
    magic, order, mandatory, optional, length = records.XL_HEADER.unpack(header)
    if magic != records.XL_MAGIC:
        session.say("File has wrong magic number - corrupt or for a different tool?")
        raise _Failed(log.RC_INVAL)
    if order != records.BYTEORDER:
        session.say("File has wrong byte order")
        raise _Failed(log.RC_INVAL)
    session.say(f"Loading new save file {source} (new xl fmt info {mandatory:#x}/{optional:#x}/{length})")
    if mandatory & ~3:
        session.say(f"Savefile has mandatory flag(s) {mandatory & ~3:#x} which are not supported; need newer xl")
        raise _Failed(log.RC_INVAL)
    data = session.read_exactly(stream, length, source, "optdata") if length else b""
    if data is None:
        session.fail("xl: fatal error: xl_vmcontrol.c:738: Protocol error: libxl_read_exactly()")
    if len(data) < 4 or len(data) - 4 < int.from_bytes(data[:4], "little"):
        session.say("Savefile truncated." if data else "Config file not specified and none in save file")
        raise _Failed(log.RC_INVAL)
    session.say(" Savefile contains xl domain config in JSON format")
    try:
        config = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")].rstrip(b"\0"))
    except ValueError:
        session.log.message(log.ERROR, "libxl", "failed to parse domain configuration")
        raise _Failed(log.RC_FAIL) from None
    return t.cast(Json, config)


class _Lock:
    """The host-wide lock of xl, held only where xl makes room in memory itself; waits without limit."""

    def __init__(self, session: Session, watched: bool) -> None:
        self._session = session
        self._needed = watched
        self._descriptor = -1

    def __enter__(self) -> None:
        if self._needed:
            self._session.hit("receive.lock")
            self._descriptor = os.open(self._session.paths.xl_lock, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o200)
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *dummy: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


def _free_memory(session: Session, config: Json) -> None:
    if not session.settings.balloons:
        return
    need = config["b_info"]["target_memkb"] + 2048
    free = session.machine.call("info")["free_kib"]
    if free < need:
        try:
            session.machine.call("balloon", kib=need - free)
        except HypercallError:
            session.say("failed to free memory for the domain")
            raise _Failed(log.RC_FAIL) from None


def _make(session: Session, config: Json) -> int:
    wanted = wanted_domid(config) if session.settings.gives_domids else 0
    if session.settings.refuses_grants(config["b_info"]):
        where = "libxl_create.c:709:libxl__domain_make"
        session.log.libxl(log.ERROR, where, "domain creation fail: Invalid argument")
        raise _Failed(log.RC_FAIL)
    with_domid(config, wanted or ANY_DOMID)
    try:
        domid: int = session.machine.call("create", config=config, domid=wanted)
    except HypercallError as exc:
        name = config["c_info"]["name"]
        if exc.text:
            session.log.libxl(
                log.ERROR, "libxl_domain.c:81:libxl__domain_rename", f'Domain with name "{name}" already exists.'
            )
            session.log.libxl(
                log.ERROR, "libxl_create.c:1294:initiate_domain_create", f"cannot make domain: {log.RC_INVAL}"
            )
        else:
            session.log.libxl(log.ERROR, "libxl_create.c:709:libxl__domain_make", "domain creation fail: File exists")
        raise _Failed(log.RC_FAIL) from None
    if wanted and history.recent(session.paths, domid):
        session.log.libxl(log.ERROR, "libxl_create.c:741:libxl__domain_make", "domain id recently used", domid)
        session.destroy(domid)
        raise _Failed(log.RC_FAIL)
    time.sleep(session.settings.create_s)
    session.hit("receive.created")
    return domid


def _attach(session: Session, domid: int) -> None:
    session.machine.call("introduce", domid=domid)
    time.sleep(session.settings.attach_s)
    session.machine.call("attach", domid=domid)


def _restore(session: Session, stream: int, config: Json) -> int:
    """Run libxl_domain_create_restore; destroys the domain when it fails."""
    domid = _make(session, config)
    try:
        _read_stream(session, stream, domid, config)
        session.hit("receive.restored")
        _attach(session, domid)
    except (Truncated, _Failed) as exc:
        if isinstance(exc, Truncated):
            text = "file/stream truncated reading record header from <incoming migration stream>"
            session.log.message(log.ERROR, "libxl", text)
        session.destroy(domid)
        raise _Failed(log.RC_FAIL) from None
    return domid


def _read_stream(session: Session, stream: int, domid: int, config: Json) -> None:
    ident, version, options = records.LIBXL_HEADER.unpack(read_exactly(stream, records.LIBXL_HEADER.size))
    if ident != records.LIBXL_IDENT:
        text = f"Invalid ident: expected {records.LIBXL_IDENT:#018x}, got {ident:#018x}"
        session.log.libxl(log.ERROR, f"{_READ}:340:stream_header_done", text)
        raise _Failed(log.RC_FAIL)
    if version != 2 or options & 1:
        session.log.libxl(
            log.ERROR, f"{_READ}:347:stream_header_done", f"Unexpected Version: expected 2, got {version}"
        )
        raise _Failed(log.RC_FAIL)
    while True:
        kind, length = records.RECORD.unpack(read_exactly(stream, records.RECORD.size))
        read_exactly(stream, length + -length % 8)
        if kind == records.LIBXL_END:
            return
        if kind == records.LIBXC_CONTEXT:
            _restore_helper(session, stream, domid)
        elif kind in (records.EMULATOR_XENSTORE_DATA, records.EMULATOR_CONTEXT):
            if config["c_info"]["type"] != "hvm":
                text = "Received a xenstore emulator record when none was expected"
                session.log.libxl(log.ERROR, f"{_READ}:589:process_record", text)
                raise _Failed(log.RC_FAIL)
        else:
            session.log.libxl(log.ERROR, f"{_READ}:646:process_record", f"Unrecognised record 0x{kind:08x}")
            raise _Failed(log.RC_FAIL)


def _restore_helper(session: Session, stream: int, domid: int) -> None:
    back = 1 if stream == 0 else -1
    pid, send, receive = children.helper("--restore-domain", stream, back, [domid, 1, 0, 2, 0, 8, 0])
    completed: tuple[int, int] | None = None
    for message in ipc.messages(receive):
        if message["kind"] == "log":
            session.log.libxc(message["level"], message["text"], message["error"])
        else:
            completed = (message["result"], message["error"])
    os.close(send)
    os.close(receive)
    dummy, status = os.waitpid(pid, 0)
    what = f"domain {domid} save/restore helper"
    if status:
        session.log.message(log.ERROR, "libxl", children.died(what, pid, status))
    elif completed is None:
        session.log.message(log.ERROR, "libxl", f"{what} exited without signaling completion")
    elif completed[0]:
        error = os.strerror(completed[1])
        session.log.libxl(log.ERROR, f"{_READ}:850:libxl__xc_domain_restore_done", "restoring domain", error=error)
    else:
        return
    raise _Failed(log.RC_FAIL)
