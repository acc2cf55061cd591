# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a dom0, sent there over ssh: tells what one migration leaves in XenStore, with this host's clock.

Self-contained (standard library and pyxs). Output: one JSON object a line, {"t": seconds, "event": ..., ...}. Input:
every line is answered with the clock, so that the controller can measure the offset; end of input ends the program.

Events: ready; clock; suspend (control/shutdown of a domain became "suspend"), acknowledged (emptied again), release
(@releaseDomain: a domain stopped running, by suspending or dying), introduce (@introduceDomain: the toolstack has given
a new domain its memory), name (a domain got the name), gone (a domain's name vanished).
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import typing as t

import pyxs  # type: ignore[import-not-found, unused-ignore]

LOCK = threading.Lock()


def tell(moment: float, event: str, **more: t.Any) -> None:
    with LOCK:
        sys.stdout.write(json.dumps({"t": moment, "event": event, **more}) + "\n")
        sys.stdout.flush()


def answer_clock() -> None:
    for line in iter(sys.stdin.readline, ""):
        tell(time.monotonic(), "clock", nonce=line.strip())
    os._exit(0)


def socket_path() -> str:
    for path in ("/run/xenstored/socket", "/var/run/xenstored/socket"):
        if os.path.exists(path):
            return path
    return "/run/xenstored/socket"


def main() -> None:
    client = pyxs.Client(unix_socket_path=socket_path())
    client.connect()
    monitor = client.monitor()
    for path in (b"@releaseDomain", b"@introduceDomain", b"/local/domain"):
        monitor.watch(path, b"w")
    threading.Thread(target=answer_clock, daemon=True).start()
    tell(time.monotonic(), "ready")
    values: dict[bytes, bytes] = {}
    for event in monitor.wait():
        moment = time.monotonic()
        path = bytes(event.wpath)
        if path in (b"@releaseDomain", b"@introduceDomain"):
            tell(moment, "release" if path == b"@releaseDomain" else "introduce")
            continue
        parts = path.split(b"/")
        tail = b"/".join(parts[4:])
        if len(parts) < 5 or tail not in (b"name", b"control/shutdown"):
            continue
        try:
            value = bytes(client.read(path))
        except pyxs.PyXSError:
            value = b""
        before, values[path] = values.get(path, b""), value
        if value == before:
            continue
        domid = int(parts[3])
        if tail == b"name":
            tell(moment, "name" if value else "gone", domid=domid, name=(value or before).decode())
        elif value == b"suspend":
            tell(moment, "suspend", domid=domid)
        elif before == b"suspend" and not value:
            tell(moment, "acknowledged", domid=domid)


if __name__ == "__main__":
    main()
