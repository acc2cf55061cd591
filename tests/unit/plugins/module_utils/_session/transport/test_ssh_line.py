# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the holder of a session's key can do at an sshd, tried with ssh(1): what the guide on security says, no more."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import subprocess
import time
import typing as t

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from ansible_collections.dom0.xen.plugins.module_utils._session.transport import sshd
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.authorized_keys import Account
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import Door
from ansible_collections.dom0.xen.tests.unit.sshd import Sshd

SESSION = "0123456789abcdef"


class Holder:
    """Somebody with the key of a session whose receiver listens on ``port``."""

    def __init__(self, server: Sshd, folder: pathlib.Path, port: int) -> None:
        key = ed25519.Ed25519PrivateKey.generate()
        kinds = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        (folder / "key").write_bytes(key.private_bytes(*kinds))
        (folder / "key").chmod(0o600)
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        account = Account(os.geteuid(), os.getegid())
        found = sshd.Sshd((), str(server.authorized_keys), account)
        (folder / "journal").mkdir()
        Door(found, str(folder / "run"), str(folder / "journal"), SESSION, public.decode()).open(port)
        options = ("BatchMode=yes", "StrictHostKeyChecking=no", f"UserKnownHostsFile={folder}/known", "LogLevel=ERROR")
        self._command = [
            *("ssh", "-F", "none", "-i", str(folder / "key"), "-p", str(server.port)),
            *(word for option in (*options, "ExitOnForwardFailure=yes") for word in ("-o", option)),
        ]
        self._goal = f"{server.user}@127.0.0.1"

    @contextlib.contextmanager
    def asking(self, *words: str, command: str = "") -> t.Iterator[subprocess.Popen[bytes]]:
        """Ask sshd for something; what was given is given back at the end."""
        asks = [*self._command, *words, self._goal, *([command] if command else [])]
        pipe = subprocess.PIPE
        with subprocess.Popen(asks, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
            try:
                yield process
            finally:
                process.kill()

    def gets(self, *words: str, until: t.Callable[[], bool]) -> bool:
        """Ask for something that stays until it is given back; return whether it is given."""
        with self.asking("-N", *words) as process:
            deadline = time.monotonic() + 20
            while process.poll() is None:
                if until():
                    return True
                assert time.monotonic() < deadline
                time.sleep(0.01)
            return False


def accepts(path: pathlib.Path | tuple[str, int]) -> bool:
    """Say whether somebody listens there."""
    family = socket.AF_INET if isinstance(path, tuple) else socket.AF_UNIX
    with socket.socket(family) as probe:
        probe.settimeout(20)
        return probe.connect_ex(path if isinstance(path, tuple) else str(path)) == 0


def nobody_came(listener: socket.socket) -> None:
    """Nothing waits to be accepted."""
    listener.settimeout(0.0)
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.fixture(name="receiver")
def make_receiver() -> t.Iterator[socket.socket]:
    """What listens on the port that the key leads to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        yield server


@pytest.fixture(name="holder")
def make_holder(tmp_path: pathlib.Path, receiver: socket.socket) -> t.Iterator[Holder]:
    """Somebody with a key at an sshd that leaves everything at its defaults."""
    with Sshd(tmp_path / "sshd") as server:
        yield Holder(server, tmp_path, receiver.getsockname()[1])


def test_it_opens_the_receivers_port(holder: Holder, receiver: socket.socket) -> None:
    """And no other one, nor a shell."""
    with holder.asking("-W", f"127.0.0.1:{receiver.getsockname()[1]}") as process:
        with receiver.accept()[0] as peer:
            peer.sendall(b"welcome")
        assert process.communicate(timeout=20)[0] == b"welcome"
    with socket.create_server(("127.0.0.1", 0)) as other:
        with holder.asking("-W", f"127.0.0.1:{other.getsockname()[1]}") as process:
            process.communicate(timeout=20)
            assert process.returncode != 0
        nobody_came(other)
    with holder.asking(command="echo a shell") as process:
        assert process.communicate(timeout=20)[0] == b"" and process.returncode == 1


def test_it_does_not_listen_on_a_port(holder: Holder) -> None:
    """A service of the destination's that is down for a moment cannot be stood in for."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    assert not holder.gets("-R", f"127.0.0.1:{address[1]}:127.0.0.1:1", until=lambda: accepts(address))


def test_it_reaches_no_service_behind_a_path(holder: Holder, tmp_path: pathlib.Path) -> None:
    """Such as xenstored's, which does whatever root says."""
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(tmp_path / "service"))
        service.listen()
        mine = tmp_path / "mine"
        with holder.asking("-N", "-L", f"{mine}:{tmp_path / 'service'}") as process:
            deadline = time.monotonic() + 20
            while not mine.exists() or not accepts(mine):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.01)
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(20)
                client.connect(str(mine))
                assert client.recv(1) == b""
        nobody_came(service)


@pytest.mark.parametrize(("line", "listens"), [("yes", True), ("local", False), ("no", False)])
def test_it_may_listen_on_a_path(tmp_path: pathlib.Path, receiver: socket.socket, line: str, listens: bool) -> None:
    """No option of a key forbids that to OpenSSH; sshd's configuration does, and the receiver is reached all the same.

    Should the first case fail one day, OpenSSH has closed the gap, and the guide on security can say so.
    """
    with Sshd(tmp_path / "sshd", f"AllowStreamLocalForwarding {line}") as server:
        holder = Holder(server, tmp_path, receiver.getsockname()[1])
        path = tmp_path / "path"
        assert holder.gets("-R", f"{path}:127.0.0.1:1", until=lambda: path.exists() and accepts(path)) is listens
        with holder.asking("-W", f"127.0.0.1:{receiver.getsockname()[1]}"):
            receiver.accept()[0].close()
