# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the sender comes in: the listener, and over ssh the door before it (private to the collection)."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.cover import Cover
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._link.listener import Listener
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import NotListening
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.transport import sshd
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import Door
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._transports import SSH, TCP

# sshd listens for the whole world; behind it the receiver is there for this host alone.
LOOPBACK = "127.0.0.1"
# How long sshd may take to tell its configuration, in seconds.
SSHD_S = 20.0
# How often to see to the door, in seconds: while nobody needs it, and while the sender has to come in again.
_QUIET_S = 60.0
_LOST_S = 5.0


class Entrance:
    """Everything about the transport on the receiver's side. Raises a ``Dom0XenError`` for one that cannot be had."""

    def __init__(self, settings: ReceiverSettings, certificate: str, key: str) -> None:
        self._settings = settings
        plain = settings.transport == TCP
        self._cover = Cover.loaded(certificate, key, settings.peer_certificate, server=True, plain=plain)
        self._listener: Listener | None = None
        self._sshd: sshd.Sshd | None = None
        self._door: Door | None = None
        self._tended: float | None = None
        if settings.transport == SSH:
            self._sshd = sshd.look(subprocess_runner(SSHD_S), settings.ssh_user, settings.sshd_config)
            root = os.path.dirname(settings.runtime_folder)
            self._door = Door(self._sshd, root, settings.journal_folder, settings.session, settings.ssh_public_key)

    def open(self, link: Link, clock: t.Callable[[], float]) -> Listener:
        """Listen. Raises :class:`NotListening` or another ``Dom0XenError``, and nothing is open then."""
        try:
            return self._opened(link, clock)
        except OSError as exc:
            raise NotListening.of(exc) from exc

    def _opened(self, link: Link, clock: t.Callable[[], float]) -> Listener:
        settings = self._settings
        listener = Listener(
            link,
            session=settings.session,
            address=settings.listen_address if self._door is None else LOOPBACK,
            ports=range(settings.port_first, settings.port_last + 1),
            cover=self._cover,
            clock=clock,
        )
        try:
            if self._door is not None:
                self._door.open(listener.port)
        except BaseException:
            listener.close()
            raise
        self._listener = listener
        return listener

    def told(self) -> dict[str, t.Any]:
        """Return what the sender has to know, through the controller."""
        listener = self._listener
        where = {"port": listener.port, "address": listener.address} if listener is not None else {}
        return {**where, "ssh_host_keys": list(self._sshd.host_keys) if self._sshd is not None else []}

    @property
    def refused(self) -> int:
        """How many connections were closed because they had not proved to be the sender's."""
        return self._listener.refused if self._listener is not None else 0

    def tend(self, now: float, *, lost: bool) -> None:
        """See to it that a connection can be made again at any time; ``lost``: that there is none now."""
        if self._door is None or self._listener is None:
            return
        if self._tended is not None and now - self._tended < (_LOST_S if lost else _QUIET_S):
            return
        self._tended = now
        # Where it cannot be done, the connection that there is goes on without it.
        with contextlib.suppress(OSError, Dom0XenError):
            self._door.tend(lost=lost)

    def close(self) -> str | None:
        """Let nobody in any more; return why something of it stays, or ``None``."""
        if self._listener is not None:
            self._listener.close()
        try:
            if self._door is not None:
                self._door.close()
        except (OSError, Dom0XenError) as exc:
            return str(exc)
        return None
