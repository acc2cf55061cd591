# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An sshd of one's own on the loopback interface, for the length of a test."""

from __future__ import annotations

import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import typing as t

import pytest


class Sshd:
    """Debian's sshd with a folder, a port, host keys and an authorized_keys of its own; it lets nothing else in."""

    def __init__(self, folder: pathlib.Path, *lines: str, prefix: t.Sequence[str] = ()) -> None:
        """``lines`` are more lines of its configuration, which count before those that are always there.

        ``prefix`` goes before its command, as nsenter with a network of its own.
        """
        program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            pytest.skip("needs sshd (openssh-server)")
        self.folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)
        self.user = getpass.getuser()
        self.authorized_keys = folder / "authorized_keys"
        self.config = folder / "config"
        self.log = folder / "log"
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = int(one.getsockname()[1])
        self.make_host_key()
        self.config.write_text(
            "".join(f"{line}\n" for line in lines)
            + f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\n"
            f"StrictModes no\nAuthorizedKeysFile {self.authorized_keys}\nPasswordAuthentication no\n"
            "PermitRootLogin prohibit-password\nLogLevel VERBOSE\n"
        )
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._command = [*prefix, program, "-D", "-e", "-f", str(self.config)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> t.Self:
        self.start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self.stop()

    @property
    def host_key(self) -> str:
        """Its public host key, ``TYPE BASE64``."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    def make_host_key(self) -> None:
        """Make a host key, in place of the one that is there."""
        for name in ("host_key", "host_key.pub"):
            (self.folder / name).unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "host_key")]
        subprocess.run(command, check=True)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                if self._process.poll() is not None:
                    raise AssertionError(self.log.read_text()) from None

    def stop(self) -> None:
        """End it; connections that it has made go on, as they do with every sshd."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
