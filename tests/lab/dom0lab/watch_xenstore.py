# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a dom0, sent there over ssh: tells what one migration leaves in XenStore, with this host's clock.

Self-contained (standard library and pyxs). Output: one JSON object a line, {"t": seconds, "event": ..., ...}. Input:
every line is answered with the clock, so that the controller can measure the offset; end of input ends the program.

Events: ready; clock; shutdown (a domain's control/shutdown was written: the request to suspend, then the guest's
acknowledgement; its value is gone before one can read it), release (@releaseDomain: a domain stopped running, by
suspending or dying), introduce (@introduceDomain: the toolstack has given a new domain its memory), name (a domain got
the name), gone (a domain's name vanished).
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
        monitor.watch(path, path)
    threading.Thread(target=answer_clock, daemon=True).start()
    tell(time.monotonic(), "ready")
    names: dict[bytes, str] = {}
    for event in monitor.wait():
        moment = time.monotonic()
        path = bytes(event.path)
        if path in (b"@releaseDomain", b"@introduceDomain"):
            tell(moment, "release" if path == b"@releaseDomain" else "introduce")
            continue
        parts = path.split(b"/")
        tail = b"/".join(parts[4:])
        if tail == b"control/shutdown":
            tell(moment, "shutdown", domid=int(parts[3]))
        if tail != b"name":
            continue
        try:
            name = bytes(client.read(path)).decode()
        except pyxs.PyXSError:
            name = ""
        domid, before = int(parts[3]), names.get(path, "")
        names[path] = name
        if name != before:
            tell(moment, "name" if name else "gone", domid=domid, name=name or before)


if __name__ == "__main__":
    main()
