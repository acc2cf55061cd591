# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing nodes of XenStore (private to the collection)."""

from __future__ import annotations

import errno
import typing as t
import uuid

from ansible_collections.dom0.xen.plugins.module_utils._xenstore.connection import Connection
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.errors import XenStoreError

# XS_WRITE of xen/include/public/io/xs_wire.h.
_XS_WRITE = 11


class XenStore:
    """A connection to XenStore; a context manager.

    Paths are text, values are text (bytes that are no UTF-8 are replaced). Every call waits at most ``timeout_s``
    seconds. Raises PyxsMissing, XenStoreUnreachable, XenStoreTimeout, XenStoreError.
    """

    def __init__(self, socket_path: str | None = None, timeout_s: float = 10.0) -> None:
        self._connection = Connection(socket_path, timeout_s)

    def __enter__(self) -> XenStore:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; never waits longer than a second."""
        self._connection.close()

    def read(self, path: str) -> str | None:
        """Return the value of a node, or None when there is none."""
        value = self._ask(self._connection.client.read, path)
        return None if value is None else value.decode("utf-8", "replace")

    def read_int(self, path: str) -> int | None:
        """Return the value of a node as a number, or None when there is none or it is no number."""
        value = (self.read(path) or "").strip()
        return int(value) if value.isdigit() else None

    def write(self, path: str, value: str) -> None:
        """Set the value of a node, which is made if need be. The value may be empty; printable ASCII only."""
        # Path and value go as one argument: pyxs 0.4.1 refuses to send an empty one (fixed in 0.4.2).
        self._connection.call(self._connection.client.ack, _XS_WRITE, path.encode() + b"\0" + value.encode())

    def permit(self, path: str, domid: int) -> None:
        """Let a domain read a node that is dom0's, as libxl lets it read what is its own."""
        self._connection.call(self._connection.client.set_perms, path.encode(), [b"n0", b"r%d" % domid])

    def delete(self, path: str) -> None:
        """Remove a node and all below it; nothing happens when there is none."""
        self._ask(self._connection.client.delete, path)

    def list(self, path: str) -> tuple[str, ...]:
        """Return the names of the nodes directly below one; empty when there is no such node."""
        names = self._ask(self._connection.client.list, path) or []
        return tuple(name.decode("utf-8", "replace") for name in names)

    def domids(self) -> tuple[int, ...]:
        """Return the domids that have a folder in XenStore, dom0 included."""
        return tuple(sorted(int(name) for name in self.list("/local/domain") if name.isdigit()))

    def name(self, domid: int) -> str | None:
        """Return a domain's name, the one that ``xl list`` shows (libxl_domid_to_name)."""
        return self.read(f"/local/domain/{domid}/name")

    def uuid(self, domid: int) -> str | None:
        """Return a domain's UUID, or None when there is no such domain or it has none.

        It is read from where /local/domain/DOMID/vm points to, never from the list below /vm: that node is rewritten
        and removed when a second copy of the domain comes and goes on this host.
        """
        pointer = self.read(f"/local/domain/{domid}/vm") or ""
        try:
            return str(uuid.UUID(pointer.rpartition("/")[2]))
        except ValueError:
            return None

    def domids_of(self, domain_uuid: str, apart_from: t.Container[int] = ()) -> tuple[int, ...]:
        """Return the domids of all domains on this host that have this UUID; those ``apart_from`` are not looked at."""
        wanted = domain_uuid.lower()
        return tuple(domid for domid in self.domids() if domid not in apart_from and self.uuid(domid) == wanted)

    def _ask(self, function: t.Callable[..., t.Any], path: str) -> t.Any:
        try:
            return self._connection.call(function, path.encode())
        except XenStoreError as exc:
            if exc.details.get("errno") == errno.ENOENT:
                return None
            raise type(exc)(f"{path}: {exc.message}", **exc.details) from exc
