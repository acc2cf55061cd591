# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl save`` and ``xl restore`` (tools/xl/xl_saverestore.c)."""

from __future__ import annotations

import os
import signal
import typing as t

from .create import create_incoming
from .log import Exit
from .migrate import configuration_bytes, write_header
from .session import Session
from .suspend import Suspend


def save(
    session: Session,
    domid: int,
    filename: str,
    checkpoint: bool,
    paused: bool,
    keep_domid: bool = False,
    config_file: str = "",
) -> t.NoReturn:
    """Write a domain to a file, then destroy, resume or pause it. A reader that goes away kills xl."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    config = configuration_bytes(session, domid, keep_domid, config_file)
    try:
        descriptor = os.open(filename, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    except OSError:
        session.fail(f"Failed to open temp file {filename} for writing")
    write_header(session, descriptor, filename, config)
    rc = Suspend(session, domid, descriptor, live=False).run()
    os.close(descriptor)
    session.hit("save.saved")
    if rc:
        session.say("Failed to save domain, resuming domain")
        session.resume(domid)
    elif checkpoint or paused:
        if paused:
            session.pause(domid)
            session.hit("save.paused")
        session.resume(domid)
    else:
        session.destroy(domid)
    raise Exit(1 if rc else 0)


def restore(session: Session, filename: str, paused: bool, watched: bool, debug: bool) -> t.NoReturn:
    """Make a domain from a file."""
    try:
        descriptor = os.open(filename, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as exc:
        session.fail(f"Can't open restore file: {exc.strerror}")
    incoming = create_incoming(session, descriptor, filename, debug, False, watched)
    if isinstance(incoming, int):
        raise Exit(1)
    if not paused:
        session.unpause(incoming.domid)
    raise Exit(0)
