# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reaches the machine from other processes of the host, and from the tests."""

from __future__ import annotations

import json
import pathlib
import socket
import typing as t

from .domain import HypercallError


class NoMachine(Exception):
    """The host has no power: its machine does not answer."""


class Machine:
    """One connection to a host's hypervisor; opened at the first request."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._peer: socket.socket | None = None
        self._file: t.BinaryIO | None = None

    def _open(self) -> tuple[socket.socket, t.BinaryIO]:
        if self._peer is None or self._file is None:
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                peer.connect(str(self._path))
            except OSError as exc:
                peer.close()
                raise NoMachine(str(self._path)) from exc
            self._peer, self._file = peer, peer.makefile("rb")
        return self._peer, self._file

    def call(self, operation: str, **arguments: t.Any) -> t.Any:
        """Ask the machine; HypercallError when it refuses, NoMachine when it is gone."""
        peer, file = self._open()
        try:
            peer.sendall(json.dumps({"op": operation, **arguments}).encode() + b"\n")
            line = file.readline()
        except OSError as exc:
            self.close()
            raise NoMachine(str(self._path)) from exc
        if not line:
            self.close()
            raise NoMachine(str(self._path))
        answer = json.loads(line)
        if "error" in answer:
            raise HypercallError(answer["error"], answer["text"])
        return answer["result"]

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._file is not None:
            self._file.close()
        if self._peer is not None:
            self._peer.close()
        self._peer = self._file = None
