# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XenStore as xenstored serves it to a dom0: requests, transactions and watches."""

from __future__ import annotations

import typing as t

from .loop import Connection
from .messages import PAYLOAD_MAXIMUM, Kind, Message, Oversized, take
from .tree import StoreError, Transaction, Tree, is_below

Hook = t.Callable[[bytes], None]
_READING = (Kind.READ, Kind.DIRECTORY, Kind.DIRECTORY_PART, Kind.GET_PERMS)
_ON_NODES = (*_READING, Kind.WRITE, Kind.MKDIR, Kind.RM, Kind.SET_PERMS)


class Client:
    """One connection: its watches in order and its transactions by number."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.watches: list[tuple[bytes, bytes]] = []
        self.transactions: dict[int, Transaction] = {}
        self.buffer = bytearray()


def canonical(path: bytes) -> bytes:
    """Return the absolute path a dom0 means; special names stay as they are."""
    absolute = path if path.startswith((b"/", b"@")) else b"/local/domain/0/" + path
    if absolute != b"/" and (absolute.endswith(b"/") or b"//" in absolute):
        raise StoreError("EINVAL")
    if len(absolute) > 3072:
        raise StoreError("EINVAL")
    return absolute


class Store:
    """The tree, who watches it, and what the machine itself wants to know of changes."""

    def __init__(self) -> None:
        self.tree = Tree()
        self._clients: list[Client] = []
        self._next_transaction = 0
        self.hooks: list[Hook] = []
        self.introduced: t.Callable[[int], bool] = lambda domid: domid == 0
        self.resume: t.Callable[[int], None] = lambda domid: None

    # -- the machine's own side ------------------------------------------------------------------------------------

    def write(self, path: str, value: str) -> None:
        """Write a node, as the machine's toolstack or a guest."""
        self._apply("write", path.encode(), value.encode())

    def remove(self, path: str) -> None:
        """Remove a node if it exists."""
        if path.encode() in self.tree.nodes:
            self._apply("remove", path.encode())

    def permissions(self, path: str, *permissions: str) -> None:
        """Set a node's permissions, such as ``n0 r5``."""
        self._apply("set_permissions", path.encode(), tuple(p.encode() for p in permissions))

    def read(self, path: str) -> str | None:
        """Return a node's value, None where there is none."""
        node = self.tree.nodes.get(path.encode())
        return node.value.decode(errors="replace") if node else None

    def children(self, path: str) -> list[str]:
        """Return the names below a node."""
        node = self.tree.nodes.get(path.encode())
        return [child.decode() for child in node.children] if node else []

    def special(self, name: str) -> None:
        """Fire ``@introduceDomain`` or ``@releaseDomain``."""
        self._fire(name.encode(), recursive=False)

    # -- watches ---------------------------------------------------------------------------------------------------

    def _fire(self, path: bytes, recursive: bool) -> None:
        # Copies: telling a client that was killed closes its connection, which takes it out of the list.
        for client in list(self._clients):
            for watched, token in list(client.watches):
                absolute = canonical(watched)
                if is_below(path, absolute):
                    self._event(client, watched, absolute, path, token)
                elif recursive and is_below(absolute, path):
                    self._event(client, watched, absolute, absolute, token)

    def _event(self, client: Client, watched: bytes, absolute: bytes, path: bytes, token: bytes) -> None:
        shown = watched + path[len(absolute) :] if watched != absolute else path
        client.connection.send(Message(Kind.WATCH_EVENT, 0, 0, shown + b"\0" + token + b"\0").encode())

    def _apply(self, operation: str, path: bytes, *arguments: t.Any) -> None:
        changed = getattr(self.tree, operation)(path, *arguments)
        if changed is False:
            return
        self._fire(path, recursive=operation == "remove")
        for hook in self.hooks:
            hook(path)

    # -- requests --------------------------------------------------------------------------------------------------

    def accept(self, connection: Connection) -> t.Callable[[Connection, bytes], None]:
        """Take a new connection; returns what receives its bytes."""
        client = Client(connection)
        self._clients.append(client)
        connection.closed.append(lambda: self._clients.remove(client))

        def received(dummy: Connection, data: bytes) -> None:
            client.buffer += data
            try:
                while (message := take(client.buffer)) is not None:
                    self._answer(client, message)
            except Oversized:
                connection.close()

        return received

    def _answer(self, client: Client, message: Message) -> None:
        after: list[t.Callable[[], None]] = []
        try:
            payload = self._request(client, message, after)
            if len(payload) > PAYLOAD_MAXIMUM:
                raise StoreError("E2BIG")
            answer = Message(message.kind, message.request, message.transaction, payload)
        except StoreError as exc:
            answer = Message(Kind.ERROR, message.request, message.transaction, exc.name.encode() + b"\0")
        client.connection.send(answer.encode())
        for action in after:
            action()

    def _request(self, client: Client, message: Message, after: list[t.Callable[[], None]]) -> bytes:
        kind = message.kind
        fields = message.payload.split(b"\0")
        if kind in (Kind.WATCH, Kind.UNWATCH):
            return self._watch(client, kind, fields, after)
        if kind == Kind.RESET_WATCHES:
            client.watches.clear()
            return b"OK\0"
        if kind == Kind.TRANSACTION_START:
            self._next_transaction += 1
            client.transactions[self._next_transaction] = Transaction(self.tree)
            return b"%d\0" % self._next_transaction
        if kind == Kind.TRANSACTION_END:
            return self._end(client, message.transaction, fields[0])
        if kind in (Kind.GET_DOMAIN_PATH, Kind.IS_DOMAIN_INTRODUCED, Kind.RESUME, Kind.INTRODUCE, Kind.RELEASE):
            return self._domain(kind, fields)
        if kind not in _ON_NODES:
            raise StoreError("ENOSYS")
        return self._node(client, message, canonical(fields[0]), fields)

    def _node(self, client: Client, message: Message, path: bytes, fields: list[bytes]) -> bytes:
        transaction = self._transaction(client, message.transaction)
        tree = transaction.tree if transaction else self.tree
        if transaction:
            transaction.look(path)
        match message.kind:
            case Kind.READ:
                return tree.read(path)
            case Kind.DIRECTORY:
                return b"".join(child + b"\0" for child in tree.get(path).children)
            case Kind.DIRECTORY_PART:
                listing = b"".join(child + b"\0" for child in tree.get(path).children)[int(fields[1]) :]
                generation = b"%d\0" % tree.get(path).generation
                room = PAYLOAD_MAXIMUM - len(generation) - 1
                if len(listing) < room:
                    return generation + listing + b"\0"
                return generation + listing[: listing.rindex(b"\0", 0, room) + 1]
            case Kind.GET_PERMS:
                return b"".join(p + b"\0" for p in tree.get(path).permissions)
            case Kind.WRITE:
                operation: tuple[t.Any, ...] = ("write", path, message.payload.split(b"\0", 1)[1])
            case Kind.MKDIR:
                operation = ("mkdir", path)
            case Kind.RM:
                operation = ("remove", path)
            case _:
                operation = ("set_permissions", path, tuple(f for f in fields[1:] if f))
        if transaction:
            transaction.change(*operation)
        else:
            self._apply(*operation)
        return b"OK\0"

    @staticmethod
    def _transaction(client: Client, number: int) -> Transaction | None:
        if number == 0:
            return None
        try:
            return client.transactions[number]
        except KeyError:
            raise StoreError("ENOENT") from None

    def _end(self, client: Client, number: int, commit: bytes) -> bytes:
        transaction = client.transactions.pop(number, None)
        if transaction is None:
            raise StoreError("ENOENT")
        if commit == b"T":
            if transaction.conflicts():
                raise StoreError("EAGAIN")
            for operation, path, arguments in transaction.changes:
                self._apply(operation, path, *arguments)
        return b"OK\0"

    def _watch(self, client: Client, kind: int, fields: list[bytes], after: list[t.Callable[[], None]]) -> bytes:
        if len(fields) < 3:
            raise StoreError("EINVAL")
        watch = (fields[0], fields[1])
        path = canonical(fields[0])
        if kind == Kind.UNWATCH:
            if watch not in client.watches:
                raise StoreError("ENOENT")
            client.watches.remove(watch)
            return b"OK\0"
        if watch in client.watches:
            raise StoreError("EEXIST")
        client.watches.append(watch)
        # Every watch fires once when it is set, whether or not the node exists.
        after.append(lambda: self._event(client, watch[0], path, path, watch[1]))
        return b"OK\0"

    def _domain(self, kind: int, fields: list[bytes]) -> bytes:
        try:
            domid = int(fields[0])
        except ValueError:
            raise StoreError("EINVAL") from None
        if kind == Kind.GET_DOMAIN_PATH:
            return b"/local/domain/%d\0" % domid
        if kind == Kind.IS_DOMAIN_INTRODUCED:
            return b"T\0" if self.introduced(domid) else b"F\0"
        if kind == Kind.RESUME:
            if not self.introduced(domid):
                raise StoreError("ENOENT")
            self.resume(domid)
        return b"OK\0"
