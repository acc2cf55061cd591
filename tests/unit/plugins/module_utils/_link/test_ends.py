# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A link comes from the address that it was told, and knows between which addresses it ran and what it carried."""

from __future__ import annotations

import random
import socket

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link import ends, link
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import SourceAddressMissing, Unreachable
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Direct
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends

NOISE = random.Random(7).randbytes(2_000_000)
HERE, THERE = "127.0.0.21", "127.0.0.1"


@pytest.mark.parametrize("plain", [False, True], ids=["tls", "tcp"])
def test_it_comes_from_there(plain: bool) -> None:
    """Both ends see the same two addresses."""
    with Ends(route=lambda made: Direct(THERE, made.listener.port, HERE), plain=plain) as both:
        both.connect()
        assert both.near.ways == {ends.Ends(HERE, THERE): 1}
        assert both.far.ways == {ends.Ends(THERE, HERE): 1}


@pytest.mark.parametrize("source", ["198.51.100.9", "::1", "dom0.example.org", "\udcff"])
def test_an_address_that_this_host_does_not_have(source: str) -> None:
    """It is named, the attempt is over, and may be made again: an interface can come back. No name is looked up."""
    with Ends() as both:
        both.dialer._route = Direct(THERE, both.listener.port, source)
        with pytest.raises(SourceAddressMissing) as caught:
            both.dialer.progress()
        assert isinstance(caught.value, Unreachable)
        assert "migrate_network" in caught.value.remedy
        assert both.dialer.fileno() == -1
        both.dialer._route = Direct(THERE, both.listener.port, HERE)
        both.connect()


def test_what_was_carried_outlives_the_connections() -> None:
    """Each is counted, and so are the bytes of those that broke."""
    with Ends(network=True) as both:
        assert both.network is not None
        both.network.budgets = [(600_000, None, True)]
        both.near.send_data(NOISE)
        both.until(lambda: both.far_data() == NOISE and both.near.delivered)
        assert both.network.connections == 2
        assert both.near.ways == {ends.Ends(THERE, THERE): 2}
        assert both.near.used_bytes == len(NOISE)
        received = both.far.received_bytes
        assert received > len(NOISE)
        both.far.detach()
        assert both.far.received_bytes == received


def test_not_more_is_remembered_than_there_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody whose addresses change all the time fills nobody's memory."""
    monkeypatch.setattr(link, "WAYS_LIMIT", 1)
    with Ends() as both:
        both.near.ways[ends.Ends("192.0.2.1", "192.0.2.2")] = 1
        both.connect()
        assert both.near.up and len(both.near.ways) == 1


def test_a_socket_that_is_no_tcp_socket() -> None:
    """It has no ends, and nor has one whose peer has gone."""
    near, far = socket.socketpair()
    with near, far:
        assert ends.of_socket(near) is None
    with socket.socket() as alone:
        assert ends.of_socket(alone) is None


def test_addresses_are_written_in_one_way() -> None:
    """As facts have them: without the zone, and IPv4 as IPv4."""
    assert ends.between(("::ffff:192.0.2.1", 1, 0, 0), ("fe80::1%eth0", 2, 0, 3)) == ends.Ends("192.0.2.1", "fe80::1")
    assert ends.between(("FD00:0:0::1", 1), ("192.0.2.1", 2)) == ends.Ends("fd00::1", "192.0.2.1")
