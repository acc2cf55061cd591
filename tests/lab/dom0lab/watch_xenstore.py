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


class Domains:
    """Watches the name and the shutdown node of every domain, and nothing else: each event costs what is measured."""

    def __init__(self, client: t.Any, monitor: t.Any) -> None:
        self._client = client
        self._monitor = monitor
        self._names: dict[int, str] = {}
        # A watch fires once when it is set; that is no change.
        self._unheard: set[bytes] = set()

    def follow_new(self) -> None:
        for entry in self._client.list(b"/local/domain"):
            domid = int(entry)
            if domid not in self._names:
                self._names[domid] = ""
                for node in (b"name", b"control/shutdown"):
                    path = b"/local/domain/%d/%s" % (domid, node)
                    self._unheard.add(path)
                    self._monitor.watch(path, path)

    def happened(self, path: bytes, moment: float) -> None:
        first = path in self._unheard
        self._unheard.discard(path)
        domid = int(path.split(b"/")[3])
        if path.endswith(b"/name"):
            self._named(domid, path, moment)
        elif not first:
            tell(moment, "shutdown", domid=domid)

    def _named(self, domid: int, path: bytes, moment: float) -> None:
        try:
            name = bytes(self._client.read(path)).decode()
        except pyxs.PyXSError:
            name = ""
        before, self._names[domid] = self._names.get(domid, ""), name
        if name != before:
            tell(moment, "name" if name else "gone", domid=domid, name=name or before)


def main() -> None:
    client = pyxs.Client(unix_socket_path=socket_path())
    client.connect()
    monitor = client.monitor()
    domains = Domains(client, monitor)
    for special in (b"@releaseDomain", b"@introduceDomain"):
        monitor.watch(special, special)
    domains.follow_new()
    threading.Thread(target=answer_clock, daemon=True).start()
    tell(time.monotonic(), "ready")
    for event in monitor.wait():
        moment = time.monotonic()
        path = bytes(event.path)
        if path == b"@releaseDomain":
            tell(moment, "release")
        elif path == b"@introduceDomain":
            tell(moment, "introduce")
            domains.follow_new()
        else:
            domains.happened(path, moment)


if __name__ == "__main__":
    main()
