# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand for two XenStore daemons: one at the path of argument 1 that never says a word, one at that of argument 2 that
refuses everything. Says that it is ready, and goes on until somebody ends it.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading

# XS_ERROR of xen/include/public/io/xs_wire.h, and its header: type, request, transaction, length.
ERROR, HEADER = 16, struct.Struct("=IIII")


def refuse(wire: socket.socket) -> None:
    """Answer each request of one client with an error."""
    with wire, wire.makefile("rb") as stream:
        while len(head := stream.read(HEADER.size)) == HEADER.size:
            dummy, request, transaction, length = HEADER.unpack(head)
            stream.read(length)
            wire.sendall(HEADER.pack(ERROR, request, transaction, 4) + b"EIO\0")


def listener(path: str) -> socket.socket:
    """A socket there."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(16)
    return server


mute, refusing = map(listener, sys.argv[1:])
print("ready", flush=True)
while True:
    client = refusing.accept()[0]
    threading.Thread(target=refuse, args=(client,), daemon=True).start()
