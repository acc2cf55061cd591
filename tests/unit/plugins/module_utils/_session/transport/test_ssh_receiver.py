# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver behind sshd: its door is open as long as it runs, and a kill leaves nothing for long."""

from __future__ import annotations

import os
import pathlib
import signal
import time
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import Host

from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import RECORD
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.transport.doors import KEY
from ansible_collections.dom0.xen.tests.unit.sshd import Sshd

__all__ = ["make_site"]

_TIDY = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import tidy
tidy(*sys.argv[2:])
"""


@pytest.fixture(name="host")
def one_host(make_site: MakeSite) -> Host:  # noqa: F811  # pytest finds fixtures by their names
    """A host without guests."""
    return make_site("xen2")["xen2"]


def ssh_options(server: Sshd) -> dict[str, t.Any]:
    """What a receiver is told that is reached through it."""
    return {
        "transport": "ssh",
        "ssh_user": server.user,
        "ssh_public_key": KEY,
        "sshd_config": str(server.config),
        # It is not asked where to listen.
        "listen_address": "0.0.0.0",  # noqa: S104
    }


def test_a_receiver_behind_sshd(host: Host, tmp_path: pathlib.Path) -> None:
    """It listens for this host alone, its door is open as long as it runs, and a kill leaves nothing for long."""
    server = Sshd(tmp_path / "sshd")
    running = receiving.start(host, **ssh_options(server))
    assert running.address == "127.0.0.1" and running.listening() == {f"0100007F:{running.port:04X}"}
    assert f'permitopen="127.0.0.1:{running.port}"' in server.authorized_keys.read_text()
    os.kill(running.pid, signal.SIGTERM)
    running.result()
    assert not server.authorized_keys.exists()


def test_a_receiver_whose_line_is_taken_out(host: Host, tmp_path: pathlib.Path) -> None:
    """After a commit the sender comes again for ever, and the guest stands still until it is let in."""
    server = Sshd(tmp_path / "sshd")
    running = receiving.start(host, **ssh_options(server))
    server.authorized_keys.write_text("# written anew\n")
    deadline = time.monotonic() + 20
    while f'permitopen="127.0.0.1:{running.port}"' not in server.authorized_keys.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGTERM)
    running.result()
    assert server.authorized_keys.read_text() == "# written anew\n"


def test_a_receiver_that_is_killed(host: Host, tmp_path: pathlib.Path) -> None:
    """Its line allows what nobody listens on any more, and goes with whatever is started, settled or cancelled next."""
    server = Sshd(tmp_path / "sshd")
    running = receiving.start(host, **ssh_options(server))
    os.kill(running.pid, signal.SIGKILL)
    while os.path.exists(f"/proc/{running.pid}/exe"):
        time.sleep(0.01)
    assert receiving.SESSION in server.authorized_keys.read_text()
    tidied_there(running)
    assert not server.authorized_keys.exists()


def tidied_there(running: receiving.Running) -> None:
    """Tidy up on the host, since this process is of another boot, as far as the double is concerned."""
    host, roots = running.host, (str(running.runtime.parent), str(running.journal.parent))
    done = host.run(f"{host.paths.bin}/python3", "-c", _TIDY, str(COLLECTIONS), *roots)
    assert done.status == 0, done.stderr


def test_a_host_that_loses_its_power(host: Host, tmp_path: pathlib.Path) -> None:
    """Whoever comes next on it finds the line, though nothing in memory tells of it any more."""
    server = Sshd(tmp_path / "sshd")
    server.authorized_keys.write_text("# of somebody else\n")
    running = receiving.start(host, **ssh_options(server))
    assert receiving.SESSION in server.authorized_keys.read_text()
    host.power_cycle()
    assert receiving.SESSION in server.authorized_keys.read_text() and not running.runtime.parent.exists()
    running.runtime.parent.mkdir(mode=0o700)
    tidied_there(running)
    assert server.authorized_keys.read_text() == "# of somebody else\n"
    assert not (running.journal / RECORD).exists()


def test_a_receiver_whose_door_stays_shut(host: Host, tmp_path: pathlib.Path) -> None:
    """The launch fails with the reason, before anybody touches the guest, and nothing listens."""
    server = Sshd(tmp_path / "sshd")
    server.authorized_keys.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AssertionError, match="symbolic link"):
        receiving.start(host, **ssh_options(server))
    assert not (tmp_path / "elsewhere").exists()
    deadline = time.monotonic() + 20
    while host.left_over():
        assert time.monotonic() < deadline
        time.sleep(0.05)
