# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The link through an sshd: what arrives, how it comes back, and who is refused, by whom, with which words."""

from __future__ import annotations

import functools
import os
import pathlib
import random
import socket
import sys
import threading
import time
import typing as t

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from ansible_collections.dom0.xen.plugins.module_utils._link.ends import between
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkError, PeerNotPinned, Unreachable
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Route
from ansible_collections.dom0.xen.plugins.module_utils._link.ssh_errors import (
    ForwardingOff,
    HostKeyMismatch,
    KeyRefused,
    ParamikoMissing,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.ssh_route import SshTarget, ThroughSsh
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends
from ansible_collections.dom0.xen.tests.unit.sshd import Sshd

pytest.importorskip("paramiko")

NOISE = random.Random(4).randbytes(3_000_000)
_KEY = ed25519.Ed25519PrivateKey.generate()
PRIVATE = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
).decode()
PUBLIC = _KEY.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


@pytest.fixture(name="sshd")
def make_sshd(tmp_path: pathlib.Path) -> t.Iterator[Sshd]:
    """An sshd as Debian configures it, as far as it matters."""
    with Sshd(tmp_path / "sshd") as sshd:
        yield sshd


def ends(
    sshd: Sshd, *, host_key: str = "", authorize: bool = True, network: bool = True, source: str = "", **options: t.Any
) -> Ends:
    """Both ends of a link through it, as a rule with a network before it that can be broken."""

    def route(made: Ends) -> Route:
        if authorize:
            allowed = f'restrict,port-forwarding,permitopen="127.0.0.1:{made.listener.port}",command="/bin/false"'
            sshd.authorized_keys.write_text(f"{allowed} {PUBLIC}\n")
        if made.network is not None:
            made.network.retarget(sshd.port)
        port = made.network.port if made.network is not None else sshd.port
        target = SshTarget("127.0.0.1", port, sshd.user, (host_key or sshd.host_key,), PRIVATE)
        return ThroughSsh(target, made.listener.port, source)

    return Ends(network=network, route=route, window=8 << 20, **options)


def threads() -> list[threading.Thread]:
    """What runs of a tunnel."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("dom0-xen-ssh")]


@pytest.fixture(autouse=True)
def nothing_is_left() -> t.Iterator[None]:
    """However it ended, no thread stays."""
    yield
    deadline = time.monotonic() + 20
    while threads():
        assert time.monotonic() < deadline, threads()
        time.sleep(0.01)


def test_both_ways(sshd: Sshd) -> None:
    """Everything arrives once and in order, and nothing of it can be read on the network."""
    with ends(sshd) as both:
        both.connect()
        both.near.send_data(NOISE)
        both.far.send_message({"type": "ready"})
        both.until(lambda: len(both.far_data()) == len(NOISE) and bool(both.near_messages()))
        assert both.far_data() == NOISE
        assert both.near_messages() == [{"type": "ready"}]
        assert both.network is not None
        seen = bytes(both.network.ways[0][0].seen)
        assert seen.startswith(b"SSH-2.0-") and NOISE[1000:1100] not in seen


def test_the_listener_is_reached_through_sshd_alone(sshd: Sshd) -> None:
    """The connection that it sees comes from this host itself, and the dialer's ends at sshd's port."""
    with ends(sshd) as both:
        both.connect()
        route = both.dialer._route
        assert isinstance(route, ThroughSsh) and route.ends is not None and both.network is not None
        assert route.ends == between(("127.0.0.1",), ("127.0.0.1",))
        assert both.network.connections == 1


def test_it_comes_from_the_address_that_it_was_told(sshd: Sshd) -> None:
    """The link knows the ends of the connection to sshd, not those of what stands before it within this process."""
    with ends(sshd, network=False, source="127.0.0.21") as both:
        both.connect()
        assert both.near.ways == {between(("127.0.0.21",), ("127.0.0.1",)): 1}
        assert "Connection from 127.0.0.21" in sshd.log.read_text()


def test_an_address_that_this_host_does_not_have(sshd: Sshd) -> None:
    """It is told as what it is, and the attempt may be made again."""
    with ends(sshd, network=False, source="198.51.100.9") as both:
        both.until(lambda: bool(both.unreachable))
        assert both.unreachable[0].code == "source_address_missing"


def test_resumption_after_the_ssh_connection_is_killed(sshd: Sshd) -> None:
    """In the middle of the stream, twice; and before anything was let in. Nothing is lost or doubled."""
    with ends(sshd) as both:
        assert both.network is not None
        both.network.budgets = [(600, None, True), (700_000, None, True), (400_000, None, False)]
        both.near.send_data(NOISE)
        both.until(lambda: both.far_data() == NOISE, 40)
        assert both.network.connections == 4


def test_sshd_that_is_away_for_a_while(sshd: Sshd) -> None:
    """No sshd is an attempt that failed, and is made again."""
    with ends(sshd, network=False) as both:
        sshd.stop()
        both.until(lambda: bool(both.unreachable))
        sshd.start()
        both.connect()


def test_a_host_that_is_short_of_something(sshd: Sshd) -> None:
    """Of descriptors, of threads: an attempt that failed, which leaves nothing open, and is made again."""
    with ends(sshd) as both:
        opened = len(os.listdir("/proc/self/fd"))
        with loopback.no_descriptor_left(), pytest.raises(Unreachable, match="cannot be begun"):
            both.dialer.progress()
        both.clock.skew += 1
        # So much memory for a stack is never to be had.
        usual = threading.stack_size(1 << 47)
        try:
            with pytest.raises(Unreachable, match="cannot be begun: can't start new thread"):
                both.dialer.progress()
        finally:
            threading.stack_size(usual)
        assert len(os.listdir("/proc/self/fd")) == opened
        both.connect()


def test_the_last_words_arrive(sshd: Sshd) -> None:
    """What was said just before the end leaves, though the process would not wait for its threads."""
    with ends(sshd) as both:
        both.connect()
        both.near.send_message({"type": "last words"})
        both.near.detach()
        ended = threading.Thread(target=both.dialer.end)
        ended.start()
        deadline = time.monotonic() + 20
        while not both.arrived_far or ended.is_alive():
            assert time.monotonic() < deadline and both.network is not None
            both.network.step()
            both._far_turn()
        ended.join()
        assert [frame.document() for frame in both.arrived_far] == [{"type": "last words"}]


def fails(both: Ends, kind: type[LinkError]) -> LinkError:
    """The dialer gives up at once with this error, which says where and what to do; nothing came in."""
    with pytest.raises(kind) as caught:
        both.until(lambda: False)
    assert not both.unreachable and not both.far.up
    assert "sshd" in caught.value.message and caught.value.remedy
    return caught.value


def test_another_host_key(sshd: Sshd, tmp_path: pathlib.Path) -> None:
    """Whoever shows another key than the controller has read is told nothing, not even which key this end has."""
    other = Sshd(tmp_path / "other")
    with ends(sshd, host_key=other.host_key) as both:
        fails(both, HostKeyMismatch)
    assert "Accepted" not in sshd.log.read_text() and "publickey" not in sshd.log.read_text()


def test_a_host_key_of_another_kind(sshd: Sshd) -> None:
    """A host that has none of the kinds that are known is another host, not a broken network."""
    with ends(sshd, host_key="ecdsa-sha2-nistp256 AAAA") as both:
        fails(both, HostKeyMismatch)
    with ends(sshd, host_key="sk-of-tomorrow AAAA") as both:
        fails(both, HostKeyMismatch)


def test_forwarding_switched_off(tmp_path: pathlib.Path) -> None:
    """It is told by its name, with the lines to change."""
    for number, line in enumerate(("AllowTcpForwarding no", "DisableForwarding yes", "PermitOpen none")):
        with Sshd(tmp_path / str(number), line) as sshd, ends(sshd) as both:
            assert "AllowTcpForwarding" in fails(both, ForwardingOff).remedy


def test_a_key_that_is_refused(sshd: Sshd) -> None:
    """One that is not there, and one that has expired."""
    with ends(sshd, authorize=False) as both:
        fails(both, KeyRefused)
    with ends(sshd) as both:
        sshd.authorized_keys.write_text(f'expiry-time="20200101" {PUBLIC}\n')
        fails(both, KeyRefused)


def test_a_key_is_not_enough(tmp_path: pathlib.Path) -> None:
    """An sshd that asks for a password as well lets nobody in."""
    with Sshd(tmp_path / "sshd", "AuthenticationMethods publickey,publickey") as sshd, ends(sshd) as both:
        fails(both, KeyRefused)


def test_nobody_listens_behind_it(sshd: Sshd) -> None:
    """A receiver that is not there is no fault of sshd's, and is tried again."""
    with ends(sshd) as both:
        both.listener._socket.close()
        with pytest.raises(Unreachable) as caught:
            while not both.unreachable:
                assert both.network is not None
                both.network.step()
                both.dialer.progress()
                time.sleep(0.002)
            raise both.unreachable[0]
        assert str(both.listener.port) in caught.value.message


@pytest.mark.parametrize("who", ["receiver", "somebody"])
def test_an_intruder_within_ssh(sshd: Sshd, who: str) -> None:
    """A place behind sshd is worth nothing without this session's certificate."""
    with ends(sshd, sender=who) as both:
        with pytest.raises(PeerNotPinned):
            both.until(lambda: False)
        both.until(lambda: both.listener.refused > 0)
        assert not both.far.up


def test_a_false_receiver_within_ssh(sshd: Sshd) -> None:
    """Whoever has taken the receiver's port on the destination gets nothing."""
    with ends(sshd, receiver="somebody") as both:
        both.near.send_data(NOISE)
        with pytest.raises(PeerNotPinned):
            both.until(lambda: False)


def _through(target: SshTarget, made: Ends) -> Route:
    return ThroughSsh(target, made.listener.port)


def test_something_else_on_sshds_port() -> None:
    """A service that says nothing, or something else, holds up neither the loop nor the end."""
    for says in (b"", b"220 smtp.example.org\r\n" * 200):
        with socket.create_server(("127.0.0.1", 0)) as server:
            target = SshTarget("127.0.0.1", server.getsockname()[1], "root", (f"ssh-ed25519 {'A' * 68}",), PRIVATE)
            with Ends(route=functools.partial(_through, target)) as both:
                both.dialer.progress()
                with server.accept()[0] as peer:
                    peer.send(says)
                    both.clock.skew += 100
                    with pytest.raises(Unreachable):
                        both.dialer.progress()
                    assert both.dialer.fileno() == -1


def test_no_paramiko(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the way works without it, taking it names what to install."""
    monkeypatch.setitem(sys.modules, "paramiko", None)
    with pytest.raises(ParamikoMissing) as caught:
        ThroughSsh(SshTarget("127.0.0.1", 22, "root", (), PRIVATE), 1)
    assert "python3-paramiko" in caught.value.remedy


def test_the_key_shows_nowhere() -> None:
    """Neither in a log nor in a traceback."""
    assert PRIVATE not in repr(SshTarget("127.0.0.1", 22, "root", (), PRIVATE))
