# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credentials of a session do what the link needs of them."""

from __future__ import annotations

import pathlib
import socket
import ssl
import threading

import pytest
from cryptography import x509

from ansible_collections.dom0.xen.plugins.module_utils._link import tls
from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import Credentials, make_credentials


@pytest.fixture(scope="module")
def pair() -> tuple[Credentials, Credentials]:
    """Credentials of a sender and a receiver."""
    return make_credentials("a.sender"), make_credentials("a.receiver")


def context(folder: pathlib.Path, mine: Credentials, peer: Credentials, server: bool) -> ssl.SSLContext:
    """Return the link's own context for one side."""
    folder.mkdir()
    (folder / "key.pem").write_bytes(mine.key)
    (folder / "certificate.pem").write_text(mine.certificate)
    return tls.context(
        server=server,
        certificate=str(folder / "certificate.pem"),
        key=str(folder / "key.pem"),
        peer_certificate=peer.certificate,
    )


@pytest.mark.parametrize("strict", [False, True])
def test_both_sides_accept_each_other_and_nobody_else(
    tmp_path: pathlib.Path, pair: tuple[Credentials, Credentials], strict: bool
) -> None:
    """Also where the library checks certificates by the letter of RFC 5280."""
    sender, receiver = pair
    server = context(tmp_path / "receiver", receiver, sender, server=True)
    client = context(tmp_path / "sender", sender, receiver, server=False)
    if strict:
        server.verify_flags |= ssl.VERIFY_X509_STRICT
        client.verify_flags |= ssl.VERIFY_X509_STRICT
    here, there = socket.socketpair()
    shown: list[bytes | None] = []

    def serve() -> None:
        with server.wrap_socket(there, server_side=True) as secured:
            shown.append(secured.getpeercert(binary_form=True))
            secured.sendall(b"x")

    thread = threading.Thread(target=serve)
    thread.start()
    with client.wrap_socket(here) as secured:
        assert secured.recv(1) == b"x"
        assert secured.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(receiver.certificate)
    thread.join()
    assert shown == [ssl.PEM_cert_to_DER_cert(sender.certificate)]


def test_they_hold_whatever_the_clock_says(pair: tuple[Credentials, Credentials]) -> None:
    """The clock of a dom0 is in the past after a snapshot was restored."""
    certificate = x509.load_pem_x509_certificate(pair[0].certificate.encode())
    assert (certificate.not_valid_before_utc.year, certificate.not_valid_after_utc.year) == (2000, 9999)


def test_a_printed_record_does_not_show_the_key(pair: tuple[Credentials, Credentials]) -> None:
    """Somebody will put it into a message one day."""
    assert "PRIVATE" not in repr(pair[0])
    assert "PRIVATE" in pair[0].key.decode()
