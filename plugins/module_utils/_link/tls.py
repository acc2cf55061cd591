# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS between sender and receiver, pinned to the certificates made for one session (private to the collection)."""

from __future__ import annotations

import hmac
import ssl

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import PeerNotPinned


def context(*, server: bool, certificate: str, key: str, peer_certificate: str) -> ssl.SSLContext:
    """Return a TLS 1.3 context that shows ``certificate`` and trusts nothing but ``peer_certificate``.

    ``certificate`` and ``key`` are paths of PEM files, ``peer_certificate`` is PEM text. No authority, host name or
    validity period decides anything: the peer's certificate is compared whole by :func:`verify_pinned`.
    """
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.minimum_version = ssl.TLSVersion.TLSv1_3
    ctx.verify_mode = ssl.CERT_REQUIRED
    ctx.load_cert_chain(certificate, key)
    ctx.load_verify_locations(cadata=peer_certificate)
    ctx.options |= ssl.OP_NO_TICKET
    if server:
        ctx.num_tickets = 0
    return ctx


def verify_pinned(connection: ssl.SSLObject, peer_certificate: str) -> None:
    """Raise :class:`PeerNotPinned` unless the peer showed exactly ``peer_certificate`` (PEM)."""
    shown = connection.getpeercert(binary_form=True)
    wanted = ssl.PEM_cert_to_DER_cert(peer_certificate)
    if shown is None or not hmac.compare_digest(shown, wanted):
        raise PeerNotPinned("the peer showed a certificate of another session")
