# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speaking with a session's process from the same host, whatever has become of the link (private to the collection).

One request and one answer, each a JSON object in one packet, over a socket in the session's runtime folder, which only
the user of the session may enter. All words on who may run the domain come in here or over the link, so that one
process puts them in order.
"""

from __future__ import annotations

import contextlib
import json
import socket
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.process.sockets import connect_in, listen_in

SOCKET = "control.sock"
PACKET_BYTES = 65536
# How long, in seconds, a session may take to answer: it may be in the middle of a command of xl.
ANSWER_S = 30.0
# What is kept of the reason for a refusal, in characters; a request is one packet.
REASON_LENGTH = 1024

CANCEL = "cancel"
GATE_START = "gate_start"
PERMIT = "permit"
REFUSE = "refuse"
UNDO_START = "undo_start"
UNDONE = "undone"
OUTCOME = "outcome"
HAND_OVER = "hand_over"
BAR = "bar"

_CLIENTS = 8

Document = t.Dict[str, t.Any]


class SessionSilent(Dom0XenError):
    """The session's process could not be asked, or gave no answer."""

    code = "session_silent"
    remedy = "Look with dom0.xen.migration_info whether the session has ended; if its process runs, ask again."


class Control:
    """The session's end: a listener and the few that are speaking with it. Never waits."""

    def __init__(self, folder: str) -> None:
        self._listener = listen_in(folder, SOCKET, socket.SOCK_SEQPACKET, _CLIENTS)
        self._listener.setblocking(False)
        self._clients: dict[int, socket.socket] = {}

    def filenos(self) -> list[int]:
        """Return the descriptors to watch for reading."""
        waiting = [self._listener.fileno()] if len(self._clients) < _CLIENTS else []
        return [*waiting, *self._clients]

    def serve(self, happened: t.Container[int], answer: t.Callable[[Document], Document]) -> None:
        """Take new clients in and answer the requests that have come."""
        if self._listener.fileno() in happened:
            with contextlib.suppress(OSError):
                client, dummy = self._listener.accept()
                client.setblocking(False)
                self._clients[client.fileno()] = client
        for fd in [fd for fd in self._clients if fd in happened]:
            client = self._clients.pop(fd)
            with contextlib.suppress(OSError):
                request = _document(client.recv(PACKET_BYTES))
                if request is not None:
                    client.send(_packet(answer(request)))
            client.close()

    def close(self) -> None:
        """Stop listening."""
        for client in (self._listener, *self._clients.values()):
            client.close()
        self._clients.clear()


def ask(folder: str, request: t.Mapping[str, t.Any], timeout: float) -> Document:
    """Send a request to the session whose runtime folder is ``folder``; return its answer.

    ``timeout`` in seconds. Raises :class:`SessionSilent`.
    """
    try:
        with connect_in(folder, SOCKET, socket.SOCK_SEQPACKET, timeout) as client:
            client.send(_packet(request))
            answer = _document(client.recv(PACKET_BYTES))
    except OSError as exc:
        raise SessionSilent(f"the session's process does not answer: {exc.strerror or exc}") from exc
    if answer is None:
        raise SessionSilent("the session's process ended while it was asked")
    return answer


def _packet(document: t.Mapping[str, t.Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("utf-8")


def _document(packet: bytes) -> Document | None:
    try:
        document = json.loads(packet.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
