# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way the sender takes to the receiver: the table of transports (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.cover import Cover
from ansible_collections.dom0.xen.plugins.module_utils._link.dialer import Dialer
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import Packer, usable
from ansible_collections.dom0.xen.plugins.module_utils._link.rate import RateLimit
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Direct, Route
from ansible_collections.dom0.xen.plugins.module_utils._link.ssh_route import SshTarget, ThroughSsh
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import SettingsWrong
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._transports import SSH, TCP, TLS

# What the file with the session's keys holds for sshd, after what it holds for TLS.
_SSH_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----"


def _direct(settings: SenderSettings, dummy: str) -> Route:
    return Direct(settings.destination_address, settings.port, settings.source_address)


def _through_ssh(settings: SenderSettings, keys: str) -> Route:
    with open(keys, encoding="ascii") as file:
        dummy, begin, key = file.read().partition(_SSH_KEY)
    if not begin:
        raise SettingsWrong("there is no key for sshd among the credentials", remedy="Make them with ssh set to true.")
    target = SshTarget(
        settings.destination_address,
        settings.ssh_port,
        settings.ssh_user,
        tuple(settings.ssh_host_keys),
        begin + key,
    )
    return ThroughSsh(target, settings.port, settings.source_address)


_ROUTES: t.Mapping[str, t.Callable[[SenderSettings, str], Route]] = {
    TLS: _direct,
    TCP: _direct,
    SSH: _through_ssh,
}


def dialer(settings: SenderSettings, certificate: str, keys: str, link: Link, clock: t.Callable[[], float]) -> Dialer:
    """Return what keeps the link connected. Raises a ``Dom0XenError`` for a way that cannot be taken.

    ``certificate`` and ``keys`` are paths of PEM files.
    """
    plain = settings.transport == TCP
    return Dialer(
        link,
        session=settings.session,
        route=_ROUTES[settings.transport](settings, keys),
        cover=Cover.loaded(certificate, keys, settings.peer_certificate, server=False, plain=plain),
        clock=clock,
    )


def equip(link: Link, settings: SenderSettings) -> None:
    """Have the link pack as these settings say and both ends can, and leave others their part of the network."""
    link.packer = Packer(usable(settings.compression, link.peer_unpacks))
    link.limit = RateLimit(settings.rate_limit) if settings.rate_limit > 0 else None
