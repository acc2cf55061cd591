# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to the receiver's port through the destination's sshd, with paramiko (private to the collection).

The receiver listens on the destination's loopback address, and sshd takes the connection there. What travels in it is
the link's own TLS, so that both ends prove themselves to each other whatever sshd does.

paramiko blocks, so it has threads of its own, and the event loop one end of a pair of sockets. Everything the threads
leave behind is closed by the thread that made it; the loop only ever closes its own end and shuts down the connection.
"""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import selectors
import socket
import threading
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._link.ends import Ends, between
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkError, Unreachable
from ansible_collections.dom0.xen.plugins.module_utils._link.route import come_from
from ansible_collections.dom0.xen.plugins.module_utils._link.ssh_errors import (
    ForwardingOff,
    HostKeyMismatch,
    KeyRefused,
    ParamikoMissing,
)

if t.TYPE_CHECKING:
    import paramiko
else:
    paramiko = None

LOOPBACK = "127.0.0.1"
PIECE_BYTES = 64 * 1024
# One step of the connection: to connect, to agree on keys, to be let in, to be forwarded.
STEP_SECONDS = 10.0
# How long sshd may take to pass on the last bytes after this end has closed.
LINGER_SECONDS = 5.0
# RFC 4254, 5.1: why a channel was not opened.
_PROHIBITED = 1
_READY = b"\0"


@dataclass(frozen=True)
class SshTarget:
    """The destination's sshd, and how to be let in. ``host_keys`` are the only ones it may show, as ``TYPE BASE64``.

    ``key`` is the session's private key in OpenSSH's own format; ``repr`` leaves it out.
    """

    address: str
    port: int
    user: str
    host_keys: tuple[str, ...]
    key: str

    def __repr__(self) -> str:
        return f"SshTarget({self.user}@{self.address} port {self.port})"


class ThroughSsh:
    """Connects to ``port`` on the loopback address behind an sshd. Raises :class:`ParamikoMissing`.

    ``source`` is the address of this host to come from; where it is empty, the kernel chooses it.
    """

    # Four steps instead of one.
    detour = 3 * STEP_SECONDS

    def __init__(self, target: SshTarget, port: int, source: str = "") -> None:
        _load()
        self._target, self._port, self._source = target, port, source
        self._tunnel: _Tunnel | None = None
        self._pending = False
        self.goal = f"{target.address} port {target.port}, and through its sshd to port {port}"

    def begin(self) -> None:
        """Begin an attempt; a connection that was taken before is over."""
        self.close()
        self._tunnel, self._pending = _Tunnel(self._target, self._port, self._source), True
        self._tunnel.start()

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is something to take."""
        return self._tunnel.near.fileno() if self._tunnel is not None and self._pending else -1

    def interest(self) -> int:
        """Return the selector events to wait for."""
        return selectors.EVENT_READ

    def take(self) -> socket.socket | None:
        """Return the loop's end of the tunnel, once sshd has opened the other one."""
        tunnel = self._tunnel
        if tunnel is None:
            return None
        try:
            word = tunnel.near.recv(1)
        except BlockingIOError:
            return None
        if not word:
            raise tunnel.error or Unreachable(f"the connection to {self.goal} ended")
        self._pending = False
        return tunnel.near

    def end(self) -> None:
        """End it for good, and wait a little until what was said last has left."""
        if self._tunnel is not None and not self._pending:
            self._tunnel.near.close()
            self._tunnel.join(LINGER_SECONDS)
        self.close()

    def close(self) -> None:
        """Give up the attempt under way, and the tunnel."""
        if self._tunnel is not None:
            self._tunnel.give_up()
            self._tunnel, self._pending = None, False

    @property
    def ends(self) -> Ends | None:
        """The addresses of this host and of sshd as the kernel sees them, ``None`` while there is no tunnel."""
        return self._tunnel.ends if self._tunnel is not None else None


def _load() -> None:
    """Import paramiko where it is used: it takes 20 MiB, and on a slow dom0 seconds, which no other way shall pay."""
    try:
        import paramiko as library  # noqa: PLC0415
    except ImportError as exc:
        raise ParamikoMissing("the Python that runs the sender has no paramiko") from exc
    globals()["paramiko"] = library
    # What goes wrong is told as an error of the link; without a handler it would be written to stderr as well.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())


class _Tunnel(threading.Thread):
    """Connects, then carries what comes up; a second thread carries what comes down."""

    def __init__(self, target: SshTarget, port: int, source: str) -> None:
        super().__init__(name="dom0-xen-ssh", daemon=True)
        self._target, self._port, self._source = target, port, source
        self.near, self._far = socket.socketpair()
        self.near.setblocking(False)
        self._socket: socket.socket | None = None
        self._given_up = False
        self.error: LinkError | None = None
        self.ends: Ends | None = None

    def start(self) -> None:
        """Start it. Raises ``RuntimeError`` when no thread is to be had; this end is closed then."""
        try:
            super().start()
        except RuntimeError:
            self._far.close()
            raise

    def give_up(self) -> None:
        """End it soon, whatever it waits for, without waiting for that."""
        self._given_up = True
        self.near.close()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        """Go through it, from the connection to its end."""
        transport = None
        try:
            transport = self._connect()
            channel = self._open(transport)
            self._far.sendall(_READY)
            self._carry(channel)
        except LinkError as exc:
            self.error = exc
        except (OSError, EOFError, RuntimeError, paramiko.SSHException) as exc:
            what = str(exc) or type(exc).__name__
            self.error = Unreachable(f"no connection to sshd at {self._where()}: {what}")
        finally:
            # The loop learns of the end when everything else is closed, and the error is there to be read.
            if transport is not None:
                transport.close()
            if self._socket is not None:
                self._socket.close()
            self._far.close()

    def _where(self) -> str:
        return f"{self._target.address} port {self._target.port}"

    def _connect(self) -> paramiko.Transport:
        found = socket.getaddrinfo(
            self._target.address, self._target.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
        sock = self._socket = socket.socket(*found[0][:3])
        sock.settimeout(STEP_SECONDS)
        come_from(sock, self._source)
        sock.connect(found[0][4])
        if self._given_up:
            raise Unreachable("given up")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ends = between(sock.getsockname(), sock.getpeername())
        transport = paramiko.Transport(sock)
        try:
            self._let_in(transport)
        except BaseException:
            transport.close()
            raise
        return transport

    def _let_in(self, transport: paramiko.Transport) -> None:
        pinned = {tuple(line.split()[:2]) for line in self._target.host_keys}
        options = transport.get_security_options()
        wanted = tuple(kind for kind in options.key_types if _key_type(kind) in {known for known, dummy in pinned})
        if not wanted:
            raise HostKeyMismatch(f"the controller has read no host key of sshd at {self._where()} that paramiko knows")
        options.key_types = wanted
        transport.banner_timeout = transport.auth_timeout = STEP_SECONDS
        try:
            transport.start_client(timeout=STEP_SECONDS)
        except paramiko.SSHException as exc:
            if "no acceptable host key" in str(exc):
                shown = ", ".join(sorted({known for known, dummy in pinned}))
                raise HostKeyMismatch(f"sshd at {self._where()} has no host key of the kinds known ({shown})") from exc
            raise
        key = transport.get_remote_server_key()
        if (key.get_name(), base64.b64encode(key.asbytes()).decode("ascii")) not in pinned:
            raise HostKeyMismatch(f"sshd at {self._where()} shows a host key that is not the destination's")
        mine = paramiko.Ed25519Key.from_private_key(io.StringIO(self._target.key))
        try:
            more = transport.auth_publickey(self._target.user, mine)
        except paramiko.AuthenticationException as exc:
            # Without a connection nobody has refused anything; and so it may be tried again.
            if not transport.is_active() or "timeout" in str(exc).lower():
                raise Unreachable(f"sshd at {self._where()} ended the connection while it was asked: {exc}") from exc
            raise KeyRefused(f"sshd at {self._where()} does not let {self._target.user} in with its key") from exc
        if more:
            raise KeyRefused(f"sshd at {self._where()} wants more than a key of {self._target.user}: {', '.join(more)}")

    def _open(self, transport: paramiko.Transport) -> paramiko.Channel:
        try:
            return transport.open_channel("direct-tcpip", (LOOPBACK, self._port), (LOOPBACK, 0), timeout=STEP_SECONDS)
        except paramiko.ChannelException as exc:
            if exc.code == _PROHIBITED:
                raise ForwardingOff(
                    f"sshd at {self._where()} does not forward to {LOOPBACK} port {self._port}: {exc.text}"
                ) from exc
            raise Unreachable(f"nothing answers on {LOOPBACK} port {self._port} behind {self._where()}") from exc

    def _carry(self, channel: paramiko.Channel) -> None:
        down = threading.Thread(target=self._carry_down, args=(channel,), name="dom0-xen-ssh-down", daemon=True)
        down.start()
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            while True:
                piece = self._far.recv(PIECE_BYTES)
                if not piece:
                    break
                channel.sendall(piece)
            channel.shutdown_write()
        down.join(LINGER_SECONDS / 2)

    def _carry_down(self, channel: paramiko.Channel) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            while True:
                piece = channel.recv(PIECE_BYTES)
                if not piece:
                    break
                self._far.sendall(piece)
        # The other thread waits for the loop, which thereby sees the end, and closes.
        with contextlib.suppress(OSError):
            self._far.shutdown(socket.SHUT_RDWR)


def _key_type(algorithm: str) -> str:
    """Return the kind of key that a host shows with an algorithm (RFC 8332)."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm
