# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How xl and its save helper talk (tools/libs/light/libxl_save_helper.c, libxl_save_msgs_gen.pl).

The helper writes messages: two bytes of length, then two of kind and the arguments, in the host's order. An int goes
back for each call.
"""

from __future__ import annotations

import os
import struct
import typing as t

_SHORT, _INT, _LONG = struct.Struct("=H"), struct.Struct("=i"), struct.Struct("=I")
_LOG, _SUSPEND, _COMPLETE = 1, 3, 10
_CALLS = {"suspend": _SUSPEND}
_NAMES = {number: name for name, number in _CALLS.items()}
_CONTEXT = b"xc\0"
NO_REPLY_STATUS = 254


class Parent:
    """xl, as the helper sees it."""

    def __init__(self) -> None:
        self.waiting = False

    def log(self, level: int, text: str, error: int) -> None:
        """Say something at a level of :mod:`log`; ``error`` is an errno, 0 for none."""
        formatted = text.encode() + b"\0"
        arguments = _LONG.pack(level) + _LONG.pack(error) + _LONG.pack(len(_CONTEXT)) + _CONTEXT
        self._tell(_LOG, arguments + _LONG.pack(len(formatted)) + formatted)

    def complete(self, result: int, error: int) -> None:
        """Say how it ended. Nobody waits for the answer that libxl gives to that."""
        self._tell(_COMPLETE, _INT.pack(result) + _INT.pack(error))

    def ask(self, name: str) -> int:
        """Let xl do something, and wait for its result. A signal that arrives meanwhile ends the process."""
        self.waiting = True
        self._tell(_CALLS[name], b"")
        data = os.read(0, _INT.size)
        self.waiting = False
        if len(data) < _INT.size:
            os._exit(NO_REPLY_STATUS)
        return int(_INT.unpack(data)[0])

    def interrupted(self) -> None:
        """Handle a signal: the read of a reply is not proof against it."""
        if self.waiting:
            os._exit(NO_REPLY_STATUS)

    @staticmethod
    def _tell(kind: int, arguments: bytes) -> None:
        body = _SHORT.pack(kind) + arguments
        os.write(1, _SHORT.pack(len(body)) + body)


def reply(descriptor: int, value: int) -> None:
    """Answer the helper."""
    os.write(descriptor, _INT.pack(value))


def messages(descriptor: int) -> t.Iterator[dict[str, t.Any]]:
    """Yield what the helper says until it closes its output."""
    with open(descriptor, "rb", closefd=False) as file:
        while head := file.read(_SHORT.size):
            body = file.read(_SHORT.unpack(head)[0])
            kind, arguments = _SHORT.unpack_from(body)[0], body[_SHORT.size :]
            if kind == _LOG:
                level, error = _LONG.unpack_from(arguments)[0], _LONG.unpack_from(arguments, 4)[0]
                skipped = 8 + _LONG.size + _LONG.unpack_from(arguments, 8)[0] + _LONG.size
                text = arguments[skipped:-1].decode()
                yield {"kind": "log", "level": level, "text": text, "error": os.strerror(error) if error else None}
            elif kind == _COMPLETE:
                result, error = struct.unpack("=ii", arguments)
                yield {"kind": "complete", "result": result, "error": error}
            else:
                yield {"kind": "call", "name": _NAMES[kind]}
