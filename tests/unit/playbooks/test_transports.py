# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves over each transport, from the playbook to the wire, on the double."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.reader import Reader
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User, other, read_until, where
from ansible_collections.dom0.xen.tests.unit.sshd import Sshd

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts, the guest on xen1."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield site
    left = site.down()
    assert left == []


def fails(user: User, *arguments: str) -> str:
    """Run a move that must fail; return the log."""
    process = user.start("dom0.xen.migrate", *user.asking(other(user.site)), *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0, log[-4000:]
    return log


def test_tcp_must_be_confirmed(user: User) -> None:
    """Nothing begins, and one message names cause, host and remedy."""
    source = where(user.site)
    log = fails(user, "-e", "migrate_transport=tcp")
    assert (
        f"{source}: plain_not_allowed: over the transport tcp everybody on the way" in log
        and "migrate_allow_plain" in log
    )
    assert where(user.site) == source
    assert user.result["end_state"] == "refused"
    for host in user.site.hosts.values():
        # Neither credentials nor a journal of a session.
        assert not list((host.paths.lib / "dom0-xen").glob("*.sender"))
        assert not list((host.paths.lib / "dom0-xen").glob("*.receiver"))


def test_tcp(user: User) -> None:
    """With both words it moves, and the log and the result tell that it was not encrypted."""
    destination = other(user.site)
    log = user.move(destination, "-e", "migrate_transport=tcp", "-e", "migrate_allow_plain=true")
    assert where(user.site) == destination
    assert "travels to" in log and "without encryption" in log
    told = user.result
    assert told["transport"] == "tcp"
    assert "plain_transport" in [finding["code"] for finding in told["findings"]]


def over_ssh(sshd: Sshd) -> tuple[str, ...]:
    """Return the arguments that lead through it."""
    values = {"transport": "ssh", "ssh_port": sshd.port, "ssh_user": sshd.user, "sshd_config": sshd.config}
    return tuple(word for key, value in values.items() for word in ("-e", f"migrate_{key}={value}"))


def nothing_left(user: User, sshd: Sshd) -> None:
    """No key of the session anywhere, no process of it, and the account's keys are as they were."""
    assert sshd.authorized_keys.read_text() == "# of somebody else\n"
    for folder in (user.folder, user.site.state, (user.site.state / "memory").resolve()):
        for path in (path for path in folder.rglob("*") if path.is_file() and path.parent != sshd.folder):
            assert b"OPENSSH PRIVATE KEY" not in path.read_bytes(), path
    for host in user.site.hosts.values():
        assert host.left_over() == []
        assert not list((host.paths.run / "dom0-xen").glob("*.sender"))
        assert not list((host.paths.run / "dom0-xen").glob("*.receiver"))
        assert not list((host.paths.run / "dom0-xen" / "ssh-doors").glob("*"))
        assert not list((host.paths.lib / "dom0-xen").glob("*/ssh-door.json"))


def test_ssh(user: User, sshd: Sshd) -> None:
    """It moves through sshd, as the session's own key; that key shows in no log, and is gone afterwards."""
    destination = other(user.site)
    log = user.move(destination, "-vvvvv", *over_ssh(sshd), ANSIBLE_KEEP_REMOTE_FILES="1")
    assert where(user.site) == destination
    assert user.result["transport"] == "ssh"
    assert "over TLS inside SSH" in log
    assert "OPENSSH PRIVATE KEY" not in log
    assert "Accepted publickey" in sshd.log.read_text()
    nothing_left(user, sshd)


def test_the_account_of_the_page_about_security(reader: Reader, sshd: Sshd) -> None:
    """Typed as it stands there; the account has another name here, since none may be made."""
    destination = other(reader.site)
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2 -e migrate_transport=ssh"
        " -e migrate_ssh_user=dom0-move",
        "-e",
        f"destination={destination}",
        *over_ssh(sshd),
    )
    assert where(reader.site) == destination
    assert "Accepted publickey" in sshd.log.read_text()


def test_ssh_with_another_host_key(user: User, sshd: Sshd, tmp_path: pathlib.Path) -> None:
    """Another sshd answers than the one whose keys were read: refused, and the guest was never touched."""
    source = where(user.site)
    other_key = Sshd(tmp_path / "other").folder / "host_key.pub"
    (sshd.folder / "host_key.pub").write_text(other_key.read_text())
    other_key.with_suffix("").unlink()
    log = fails(user, *over_ssh(sshd))
    assert where(user.site) == source
    assert user.result["error"]["code"] == "ssh_host_key_mismatch"
    assert "shows a host key that is not the destination's" in log and "Find out who answers there" in log
    nothing_left(user, sshd)


def test_ssh_with_forwarding_switched_off(user: User, tmp_path: pathlib.Path) -> None:
    """One message with cause, host and remedy; the guest was never touched."""
    source = where(user.site)
    with Sshd(tmp_path / "off", "AllowTcpForwarding no") as sshd:
        sshd.authorized_keys.write_text("# of somebody else\n")
        log = fails(user, *over_ssh(sshd))
        assert where(user.site) == source
        assert user.result["error"]["code"] == "ssh_forwarding_off"
        assert "AllowTcpForwarding local" in log
        nothing_left(user, sshd)


def test_ssh_to_an_account_that_keys_do_not_let_in(user: User, tmp_path: pathlib.Path) -> None:
    """It is sshd that refuses, and what to change there is told; the guest was never touched."""
    source = where(user.site)
    with Sshd(tmp_path / "keyless", "PubkeyAuthentication no") as sshd:
        sshd.authorized_keys.write_text("# of somebody else\n")
        log = fails(user, *over_ssh(sshd))
        assert where(user.site) == source
        assert user.result["error"]["code"] == "ssh_key_refused"
        assert "PubkeyAuthentication yes" in log
        nothing_left(user, sshd)


@pytest.mark.parametrize("next_run", ["settle", "migrate"])
def test_ssh_to_a_receiver_that_is_killed(user: User, sshd: Sshd, next_run: str) -> None:
    """Its key stays, since the controller is gone too; whichever run comes next takes it away, and nobody else's."""
    source, destination = where(user.site), other(user.site)
    user.site[source].configure(save_rate=100_000)
    move = user.start("dom0.xen.migrate", *user.asking(destination), *over_ssh(sshd), "-e", "migrate_link_timeout=3")
    read_until(move, "first round")
    os.killpg(move.pid, signal.SIGKILL)
    move.communicate(timeout=LIMIT_S)
    assert user.site[destination].kill("_session.daemon", "receiver")
    user.site[source].configure(save_rate=0)
    assert "dom0-xen:" in sshd.authorized_keys.read_text()
    if next_run == "settle":
        user.run("dom0.xen.settle", "-e", "domain=centos")
    else:
        user.move(destination)
    assert where(user.site) == (source if next_run == "settle" else destination)
    nothing_left(user, sshd)
