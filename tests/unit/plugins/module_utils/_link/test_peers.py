# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the one peer of the session gets in, whoever else knocks, stalls or lies, and it gets in all the same."""

from __future__ import annotations

import datetime
import socket
import ssl
import time
import typing as t
from contextlib import ExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.dom0.xen.plugins.module_utils._link import dialer as dialer_module
from ansible_collections.dom0.xen.plugins.module_utils._link import listener as listener_module
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import (
    PeerNotPinned,
    PeerRefused,
    Unreachable,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import FrameReader, Kind, encode_document
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Direct
from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import Credentials
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends


def signed_by_the_session(issuer: Credentials) -> Credentials:
    """A certificate of another key, signed with the session's key."""
    signer = serialization.load_pem_private_key(issuer.key, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "guest")]))
        .issuer_name(x509.load_pem_x509_certificate(issuer.certificate.encode()).subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime.datetime(2000, 1, 1))
        .not_valid_after(datetime.datetime(2100, 1, 1))
        .sign(signer, hashes.SHA256())
    )
    return Credentials(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
    )


def client(
    ends: Ends,
    who: str | None,
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    receive_buffer: int | None = None,
) -> ssl.SSLSocket:
    """A plain TLS client with the credentials of ``who``, that has shaken hands as far as it can."""
    if who is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        peer = loopback.credentials("receiver").certificate
        context = loopback.context(loopback.credentials(who), server=False, peer=peer)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = minimum
    bare = socket.socket()
    bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer is not None:
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock = context.wrap_socket(bare, do_handshake_on_connect=False)
    sock.connect(("127.0.0.1", ends.listener.port))
    sock.setblocking(False)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            sock.do_handshake()
            return sock
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            listen(ends)
    raise TimeoutError


def listen(ends: Ends) -> None:
    """A turn of the listener alone."""
    ends.listener.accept()
    ends.listener.progress()
    time.sleep(0.001)


def refused(ends: Ends, count: int = 1) -> None:
    """Let the listener work until it has refused ``count`` connections; none may have become the link's."""
    deadline = time.monotonic() + 10
    while ends.listener.refused < count:
        assert time.monotonic() < deadline
        listen(ends)
    assert not ends.far.up and not ends.listener.guests


def connects(ends: Ends) -> None:
    """The right peer still gets in, and its data arrives."""
    ends.near.send_data(b"memory")
    ends.until(lambda: ends.far_data() == b"memory")


@pytest.mark.parametrize("who", ["receiver", "somebody"])
def test_sender_with_a_wrong_certificate(who: str) -> None:
    """Another certificate is refused, be it the receiver's own or another session's, and the sender learns why."""
    with Ends(sender=who) as ends:
        with pytest.raises(PeerNotPinned):
            ends.until(lambda: False)
        refused(ends)


def test_sender_with_a_certificate_signed_by_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate itself is pinned: the session's key cannot vouch for another one."""
    _know_the_signed(monkeypatch, "sender")
    with Ends(sender="signed") as ends:
        ends.until(lambda: bool(ends.unreachable))
        refused(ends)


@pytest.mark.parametrize("who", ["sender", "somebody", "signed"])
def test_receiver_with_a_wrong_certificate(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender gives nothing to a process that cannot show the receiver's certificate."""
    _know_the_signed(monkeypatch, "receiver")
    with Ends(receiver=who) as ends:
        ends.near.send_data(b"memory")
        with pytest.raises(PeerNotPinned):
            ends.until(lambda: False)
        refused(ends)


def _know_the_signed(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    signed, known = signed_by_the_session(loopback.credentials(issuer)), loopback.credentials
    monkeypatch.setattr(loopback, "credentials", lambda who: signed if who == "signed" else known(who))


def test_no_certificate() -> None:
    """A client that shows none is refused, and hears nothing of the session."""
    with Ends() as ends:
        sock = client(ends, None)
        sock.send(Introduction(loopback.SESSION, "0" * 16, None, 0).encode(Kind.HELLO))
        refused(ends)
        with pytest.raises(OSError):
            while not sock.recv(1):
                raise ConnectionResetError
        sock.close()
        connects(ends)


def test_older_tls() -> None:
    """Nothing below TLS 1.3 is spoken."""
    with Ends() as ends:
        with pytest.raises(OSError):
            client(ends, "sender", ssl.TLSVersion.TLSv1_2)
        refused(ends)


def test_another_session() -> None:
    """The right certificate does not open another session."""
    with Ends(session="f" * 16) as ends, pytest.raises(PeerRefused, match="another session"):
        ends.until(lambda: False)


def test_second_process_with_the_credentials() -> None:
    """Once a process has introduced itself, another one is refused, and the first is not disturbed."""
    with Ends() as ends:
        ends.connect()
        sock = client(ends, "sender")
        sock.send(Introduction(loopback.SESSION, "1" * 16, None, 0).encode(Kind.HELLO))
        ends.until(lambda: ends.listener.refused == 1)
        sock.setblocking(True)
        assert b"another process" in sock.recv(4096)
        sock.close()
        connects(ends)
        assert ends.far.losses == 0


def test_receiver_that_was_started_again() -> None:
    """A new receiver knows nothing of the stream; the sender is told so instead of going on in the middle."""
    with Ends(network=True) as ends, Ends() as other:
        assert ends.network is not None
        ends.connect()
        ends.network.retarget(other.listener.port)
        ends.network.cut()
        with pytest.raises(PeerRefused, match="is gone"):
            while True:
                ends.step()
                listen(other)
        assert not other.far.up


def test_peer_that_expects_what_was_never_sent() -> None:
    """A resumption that cannot be served is refused, not half done."""
    with Ends() as ends:
        sock = client(ends, "sender")
        sock.send(Introduction(loopback.SESSION, "1" * 16, None, 5).encode(Kind.HELLO))
        refused(ends)
        sock.setblocking(True)
        assert b"expect frame 5" in sock.recv(4096)
        sock.close()
        connects(ends)


@pytest.mark.parametrize(
    ("hello", "answer"),
    [
        ({"version": 2}, b'{"version":1,"reason":"the peer speaks link version 2, this end 1"}'),
        ({"version": 1, "session": loopback.SESSION, "nonce": 1, "expected": 0}, b"incomplete"),
        ({"version": 1, "session": loopback.SESSION, "nonce": "a", "expected": True}, b"incomplete"),
        ({"version": 1, "session": loopback.SESSION, "nonce": "a", "expected": -1}, b"incomplete"),
        ({"version": 1, "session": loopback.SESSION, "nonce": "a", "expected": 0, "peer_nonce": []}, b"incomplete"),
    ],
)
def test_wrong_introduction_is_told_why(hello: dict[str, t.Any], answer: bytes) -> None:
    """Another release of the collection gets an answer that it can show."""
    with Ends() as ends:
        sock = client(ends, "sender")
        sock.send(encode_document(Kind.HELLO, hello))
        refused(ends)
        sock.setblocking(True)
        assert answer in sock.recv(4096)
        sock.close()
        connects(ends)


@pytest.mark.parametrize(
    "answer",
    [
        encode_document(Kind.WELCOME, {"version": 2, "session": loopback.SESSION}),
        encode_document(Kind.REFUSE, {"version": 2, "reason": "the peer speaks link version 1, this end 2"}),
    ],
    ids=["welcome", "refuse"],
)
def test_a_receiver_of_another_version(answer: bytes) -> None:
    """The sender says which end speaks which, and that starting the move again is of no use."""
    reader = FrameReader()
    reader.target()[:16] = answer[:16]
    assert reader.filled(16) is None
    reader.target()[:] = answer[16:]
    frame = reader.filled(len(answer) - 16)
    assert frame is not None
    with pytest.raises(PeerRefused) as caught:
        Introduction.decode(frame, Kind.WELCOME)
    assert caught.value.message == "the peer speaks link version 2, this end 1"
    assert "same release" in caught.value.remedy


def test_data_before_the_introduction() -> None:
    """The first frame is an introduction, or the last."""
    with Ends() as ends:
        sock = client(ends, "sender")
        sock.send(encode_document(Kind.MESSAGE, {"type": "commit"}))
        refused(ends)
        sock.close()


def test_recorded_connection_played_again() -> None:
    """What was seen on the wire opens nothing."""
    with Ends(network=True) as ends:
        assert ends.network is not None
        connects(ends)
        record = bytes(ends.network.ways[0][0].seen)
    with Ends() as ends:
        sock = socket.create_connection(("127.0.0.1", ends.listener.port))
        sock.send(record)
        refused(ends)
        sock.close()
        connects(ends)
        assert len(ends.arrived_far) == 1


def test_recorded_frame_played_again() -> None:
    """Bytes put in a second time break the connection and are not taken for data; the link goes on over another."""
    with Ends(network=True) as ends:
        assert ends.network is not None
        ends.connect()
        up = ends.network.ways[0][0]
        before = len(up.seen)
        ends.near.send_data(b"first")
        ends.until(lambda: ends.far_data() == b"first")
        up.held += up.seen[before:]
        ends.until(lambda: ends.far.losses == 1)
        ends.near.send_data(b"second")
        ends.until(lambda: ends.far_data() == b"firstsecond")
        assert ends.near.losses == 1


def test_slow_handshake() -> None:
    """A peer that says nothing, or half of something, is dropped after its time."""
    with Ends() as ends, ExitStack() as stack:
        for sent in (b"", b"\x16\x03\x01\x02\x00\x01"):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", ends.listener.port)))
            sock.send(sent)
        stalled = stack.enter_context(client(ends, "sender"))
        stalled.send(b"\x01")
        for _dummy in range(5):
            listen(ends)
        assert len(ends.listener.guests) == 3
        wait = ends.listener.wait()
        assert wait is not None and 0 < wait <= listener_module.GUEST_SECONDS
        ends.far_clock.skew += listener_module.GUEST_SECONDS + 1
        refused(ends, 3)
        assert ends.listener.wait() is None


def test_many_that_stall_do_not_keep_the_peer_out() -> None:
    """Far more connections than are held at once, all of them stalling, and the right one gets in without waiting."""
    with Ends() as ends, ExitStack() as stack:
        for _dummy in range(3 * listener_module.GUEST_LIMIT):
            stack.enter_context(socket.create_connection(("127.0.0.1", ends.listener.port)))
        started = time.monotonic()
        connects(ends)
        assert time.monotonic() - started < listener_module.GUEST_SECONDS / 2
        assert len(ends.listener.guests) <= listener_module.GUEST_LIMIT


def test_peer_that_has_shown_its_certificate_is_last_to_make_room() -> None:
    """Once the right peer has shaken hands, no crowd can push it out before it has introduced itself."""
    with Ends() as ends, ExitStack() as stack:
        sock = stack.enter_context(client(ends, "sender"))
        listen(ends)
        for _dummy in range(2 * listener_module.GUEST_LIMIT):
            stack.enter_context(socket.create_connection(("127.0.0.1", ends.listener.port)))
            listen(ends)
        sock.send(Introduction(loopback.SESSION, "1" * 16, None, 0).encode(Kind.HELLO))
        deadline = time.monotonic() + 5
        while not ends.far.up and time.monotonic() < deadline:
            listen(ends)
        assert ends.far.up


def test_ten_thousand_connections_without_a_certificate() -> None:
    """They come, say something or nothing, and go; nothing is left of them, and the right peer gets in."""
    with Ends() as ends:
        for number in range(10_000):
            sock = socket.create_connection(("127.0.0.1", ends.listener.port))
            if number % 3 == 0:
                sock.send(b"GET / HTTP/1.1\r\n\r\n")
            if number % 2 == 0:
                loopback.reset(sock)
            else:
                sock.close()
            if number % 16 == 0:
                ends.listener.accept()
                ends.listener.progress()
        deadline = time.monotonic() + 10
        while ends.listener.guests and time.monotonic() < deadline:
            listen(ends)
        assert not ends.listener.guests
        connects(ends)


def test_port_refused() -> None:
    """Nobody listens: the address, the port and what to do are named, and it is tried again."""
    with Ends() as ends:
        ends.listener.close()
        with pytest.raises(Unreachable) as caught:
            for _dummy in range(1000):
                ends.dialer.progress()
                time.sleep(0.001)
        assert f"127.0.0.1 port {ends.listener.port}" in caught.value.message
        assert "migrate_port_range" in caught.value.remedy
        wait = ends.dialer.wait()
        assert wait is not None and 0 < wait <= dialer_module.RETRY_INTERVAL
        assert ends.dialer.progress() is False and ends.dialer.fileno() == -1


@pytest.mark.parametrize("says", [b"", b"SSH-2.0-OpenSSH_9.2p1\r\n"], ids=["nothing", "ssh"])
def test_another_service_on_the_port(says: bytes) -> None:
    """Something else answers, or nothing does: an attempt that failed, never an endless one."""
    with socket.create_server(("127.0.0.1", 0)) as server, Ends() as ends:
        ends.dialer._route = Direct(*server.getsockname()[:2])
        ends.dialer.progress()
        with server.accept()[0] as peer:
            peer.send(says)
            with pytest.raises(Unreachable):
                for _dummy in range(50):
                    ends.dialer.progress()
                    time.sleep(0.002)
                ends.clock.skew += dialer_module.ATTEMPT_LIMIT + 1
                ends.dialer.progress()
            assert ends.dialer.fileno() == -1


@pytest.mark.parametrize("address", ["dom0.example.org", "127.0.0.1 ", "", "\udcff"])
def test_no_names_are_looked_up(address: str) -> None:
    """An address that is none is named at once; asking a name server would stop the session's process."""
    with Ends() as ends:
        ends.dialer._route = Direct(address, 1)
        with pytest.raises(Unreachable):
            ends.dialer.progress()
