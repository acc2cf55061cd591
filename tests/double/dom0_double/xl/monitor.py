# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process ``xl create`` and ``migrate-receive`` leave behind: it handles the end of the domain."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time
import typing as t

from ..machine.client import NoMachine
from ..machine.domain import CRASH, POWEROFF, REBOOT, SUSPEND, Json, wanted_domid
from .session import Session


def monitor(session: Session, domid: int, name: str, config: Json) -> None:
    """Leave a daemon that watches a domain (xl_utils.c do_daemonize); returns in the foreground process only."""
    if os.fork():
        os.wait()
        return
    if os.fork():
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    descriptor = os.open(_new_log(session, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open("/dev/null", os.O_RDONLY)
    for source, target in ((null, 0), (descriptor, 1), (descriptor, 2)):
        os.dup2(source, target)
    session.machine.close()
    os.closerange(3, 1024)
    session.reconnect()
    try:
        _watch(session, domid, name, config)
    except (NoMachine, OSError):
        pass
    finally:
        sys.stdout = sys.stderr = t.cast(t.TextIO, None)
        os._exit(0)


def _new_log(session: Session, name: str) -> pathlib.Path:
    """Return the path of a domain's log; earlier ones of that name are kept (libxl_utils.c libxl_create_logfile)."""
    log = session.paths.log / f"xl-{name}.log"
    kept = [log, *(log.with_name(f"{log.name}.{number}") for number in range(1, 11))]
    if log.exists():
        for newer, older in reversed(list(zip(kept, kept[1:], strict=False))):
            if newer.exists():
                newer.replace(older)
    return log


def _watch(session: Session, domid: int, name: str, config: Json) -> None:
    session.say(f"Waiting for domain {name} (domid {domid}) to die [pid {os.getpid()}]")
    store = session.store()
    store.watch("@releaseDomain")
    while True:
        info = session.domain(domid)
        if info is None:
            session.say(f"Domain {domid} has been destroyed.")
            return
        if info["shutdown"] and not _ended(session, info, config):
            return
        store.wait(None)


def _ended(session: Session, info: Json, config: Json) -> bool:
    """Handle a shutdown; True when there is still something to watch."""
    domid, reason = info["domid"], info["reason"]
    session.say(f"Domain {domid} has shut down, reason code {reason} {reason:#x}")
    if reason == SUSPEND:
        session.say("Domain has suspended.")
        # Up to Xen 4.19 the monitor leaves here; from 4.20 it stays (DOMAIN_RESTART_SUSPENDED).
        return (session.settings.xen_major, session.settings.xen_minor) >= (4, 20)
    defaults = {POWEROFF: "destroy", REBOOT: "restart", CRASH: "destroy"}
    key = {POWEROFF: "on_poweroff", REBOOT: "on_reboot", CRASH: "on_crash"}.get(reason, "")
    action = config.get(key, defaults.get(reason, "destroy"))
    session.say(f"Action for shutdown reason code {reason} is {action}")
    if action == "preserve":
        return False
    session.say(f"Domain {domid} needs to be cleaned up: destroying the domain")
    config["c_info"]["name"] = info["name"]
    session.destroy(domid)
    if action == "restart":
        from .create import create_fresh

        session.say("Done. Rebooting now")
        if wanted_domid(config):
            # It sleeps before each reboot (xl_vmcontrol.c create_domain); only then it makes a difference.
            time.sleep(2)
        create_fresh(session, config, paused=False, watched=True)
    return False
