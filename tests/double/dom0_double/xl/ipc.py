# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How xl and its save helper talk: JSON lines on the helper's standard output, integers back on its standard input."""

from __future__ import annotations

import json
import os
import struct
import typing as t

_REPLY = struct.Struct("<i")
#: What the helper's process ends with when its parent's answer does not come (libxl_save_helper.c helper_getreply).
NO_REPLY_STATUS = 254


class Parent:
    """xl, as the helper sees it."""

    def __init__(self) -> None:
        self.waiting = False

    @staticmethod
    def tell(kind: str, **values: t.Any) -> None:
        """Send a message that has no answer."""
        os.write(1, json.dumps({"kind": kind, **values}).encode() + b"\n")

    def ask(self, name: str) -> int:
        """Let xl do something, and wait for its result. A signal that arrives meanwhile ends the process."""
        self.waiting = True
        self.tell("call", name=name)
        data = os.read(0, _REPLY.size)
        self.waiting = False
        if len(data) < _REPLY.size:
            os._exit(NO_REPLY_STATUS)
        return int(_REPLY.unpack(data)[0])

    def interrupted(self) -> None:
        """Handle a signal: the read of a reply is not proof against it."""
        if self.waiting:
            os._exit(NO_REPLY_STATUS)


def reply(descriptor: int, value: int) -> None:
    """Answer the helper."""
    os.write(descriptor, _REPLY.pack(value))


def messages(descriptor: int) -> t.Iterator[dict[str, t.Any]]:
    """Yield what the helper says until it closes its output."""
    with open(descriptor, "rb", closefd=False) as file:
        for line in file:
            yield json.loads(line)
