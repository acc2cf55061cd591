# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a receiver listens: a free port of the range, on an address that its host has."""

from __future__ import annotations

import time
import typing as t
from contextlib import ExitStack

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkError, Unreachable
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._link.listener import Listener
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Direct
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends


@pytest.fixture(name="listener")
def make_listener() -> t.Iterator[t.Callable[[Ends, str, range], tuple[Listener, Link]]]:
    """Make another listener with its link."""
    with ExitStack() as stack:

        def make(ends: Ends, address: str, ports: range) -> tuple[Listener, Link]:
            peer = loopback.credentials("sender").certificate
            link = Link(ends.clock)
            listener = Listener(
                link,
                session=loopback.SESSION,
                address=address,
                ports=ports,
                cover=loopback.cover(loopback.credentials("receiver"), server=True, peer=peer),
                clock=ends.clock,
            )
            stack.callback(link.detach)
            stack.callback(listener.close)
            return listener, link

        yield make


MakeListener = t.Callable[[Ends, str, range], "tuple[Listener, Link]"]


def test_no_port_is_free(listener: MakeListener) -> None:
    """When every port of the range is in use the range is named, and what to change."""
    with Ends() as ends, pytest.raises(Unreachable) as caught:
        port = ends.listener.port
        listener(ends, "127.0.0.1", range(port, port + 1))
    assert str(port) in caught.value.message and "migrate_port_range" in caught.value.remedy


def test_address_that_the_host_does_not_have(listener: MakeListener) -> None:
    """Likewise for an address."""
    with Ends() as ends, pytest.raises(Unreachable, match=r"192\.0\.2\.1"):
        listener(ends, "192.0.2.1", range(0, 1))


def test_first_free_port_is_taken(listener: MakeListener) -> None:
    """A port in use is passed over."""
    with Ends() as ends:
        first = ends.listener.port
        other, dummy = listener(ends, "127.0.0.1", range(first, first + 20))
        assert first < other.port < first + 20


def test_ipv6(listener: MakeListener) -> None:
    """An address may be of either family."""
    with Ends() as ends:
        try:
            other, link = listener(ends, "::1", range(0, 1))
        except LinkError:
            pytest.skip("this machine has no ::1")
        ends.dialer._route = Direct("::1", other.port)
        deadline = time.monotonic() + 10
        while not ends.near.up and time.monotonic() < deadline:
            ends.dialer.progress()
            other.accept()
            other.progress()
            link.progress()
        assert ends.near.up
