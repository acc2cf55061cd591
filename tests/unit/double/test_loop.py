# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double's machine outlives whatever its clients do, or says that it did not."""

from __future__ import annotations

import pathlib
import socket

import pytest
from dom0_double.driver.site import Site
from dom0_double.machine.loop import Connection, Loop


class _Enough(BaseException):
    """Ends a loop that serves for ever."""


def test_a_connection_is_closed_in_the_round_it_was_ready_in() -> None:
    """Two clients are ready at once and the first makes the machine drop the other: the machine goes on."""
    loop = Loop()
    pairs = [socket.socketpair() for dummy in range(2)]
    heard: list[int] = []

    def received(connection: Connection, data: bytes) -> None:
        number = connections.index(connection)
        heard.append(number)
        connections[1 - number].close()

    connections = [Connection(loop, near, received) for near, dummy in pairs]
    for dummy, far in pairs:
        far.sendall(b"x")

    def enough() -> None:
        raise _Enough

    loop.later(0.05, enough)
    with pytest.raises(_Enough):
        loop.run()
    assert len(heard) == 1
    for dummy, far in pairs:
        far.close()


def test_a_crash_is_not_taken_for_a_power_loss(tmp_path: pathlib.Path) -> None:
    """A machine that ends by an error of its own fails the test that used it, and all hosts end."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"])
    memory = (site.state / "memory").resolve()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(site["xen1"].paths.hypercall_socket))
        client.sendall(b"this is no request\n")
        assert client.recv(1) == b""
    with pytest.raises(RuntimeError, match="machine of xen1 crashed"):
        site.down()
    assert site["xen2"].pids == []
    assert not memory.exists()
