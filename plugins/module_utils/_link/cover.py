# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a connection is protected with, and who may be at its other end (private to the collection)."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._link import tls
from ansible_collections.dom0.xen.plugins.module_utils._link.plain_socket import PlainSocket
from ansible_collections.dom0.xen.plugins.module_utils._link.tls_socket import TlsSocket


@dataclass(frozen=True)
class Cover:
    """TLS with both ends pinned; with ``plain`` only until both have proved who they are."""

    context: ssl.SSLContext
    peer_certificate: str
    server: bool
    plain: bool = False

    @classmethod
    def loaded(cls, certificate: str, key: str, peer_certificate: str, *, server: bool, plain: bool) -> Cover:
        """Return the cover that shows ``certificate``, which like ``key`` is the path of a file (PEM)."""
        context = tls.context(server=server, certificate=certificate, key=key, peer_certificate=peer_certificate)
        return cls(context, peer_certificate, server, plain)

    def over(self, sock: socket.socket) -> TlsSocket:
        """Return the socket under its cover. Raises :class:`OSError` when the peer has gone already."""
        return (PlainSocket if self.plain else TlsSocket)(sock, self.context, server=self.server)
