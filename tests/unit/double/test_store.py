# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XenStore of the double, asked through pyxs as the collection asks the real one."""

from __future__ import annotations

import typing as t

import pytest
import pyxs
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig, Host


@pytest.fixture
def host(make_site: MakeSite) -> Host:
    """One host without guests."""
    return make_site("xen1")["xen1"]


@pytest.fixture
def client(host: Host) -> t.Iterator[t.Any]:
    """A client of its XenStore."""
    with pyxs.Client(unix_socket_path=str(host.paths.store_socket)) as connected:
        yield connected


def test_nodes(client: t.Any) -> None:
    """Write, read, list, permissions and removal, with the errors xenstored gives."""
    client.write(b"/tool/a/b", b"1")
    client.mkdir(b"/tool/a/c")
    assert (client.read(b"/tool/a/b"), client.list(b"/tool/a")) == (b"1", [b"b", b"c"])
    client.set_perms(b"/tool/a/b", [b"n0", b"r5"])
    assert client.get_perms(b"/tool/a/b") == [b"n0", b"r5"]
    client.delete(b"/tool/a")
    client.delete(b"/tool/a")
    with pytest.raises(pyxs.PyXSError) as caught:
        client.read(b"/tool/a/b")
    assert caught.value.args[0] == 2
    with pytest.raises(pyxs.PyXSError):
        client.delete(b"/tool/a/b")


def test_a_transaction_conflicts_with_what_it_has_read(host: Host, client: t.Any) -> None:
    """A change of a node the transaction has looked at makes its commit fail, and undoes all of it."""
    client.write(b"/tool/seen", b"1")
    with pyxs.Client(unix_socket_path=str(host.paths.store_socket)) as other:
        client.transaction()
        client.read(b"/tool/seen")
        client.write(b"/tool/made", b"1")
        assert not other.exists(b"/tool/made")
        other.write(b"/tool/seen", b"2")
        assert not client.commit()
        assert not other.exists(b"/tool/made")
        client.transaction()
        client.write(b"/tool/made", b"2")
        assert client.commit()
        assert other.read(b"/tool/made") == b"2"


def test_watches(host: Host, client: t.Any) -> None:
    """A watch fires when it is set, for changes below it, for removal above it, and for domains that come and go."""
    client.write(b"/tool/w/below", b"1")
    monitor = client.monitor()
    events = monitor.wait()
    for path in (b"/tool/w", b"@introduceDomain", b"@releaseDomain"):
        monitor.watch(path, path)
        assert next(events) == (path, path)
    with pyxs.Client(unix_socket_path=str(host.paths.store_socket)) as other:
        other.write(b"/tool/w/below", b"2")
        assert next(events).path == b"/tool/w/below"
        other.delete(b"/tool")
        assert next(events).path == b"/tool/w"
    domid = host.start_guest(GuestConfig(compact=True))
    assert next(events).path == b"@introduceDomain"
    host.run("xl", "destroy", str(domid))
    assert next(events).path == b"@releaseDomain"


def test_domains(host: Host, client: t.Any) -> None:
    """Domain paths, and whether XenStore knows a domain."""
    domid = host.start_guest(GuestConfig(compact=True))
    assert client.get_domain_path(domid) == b"/local/domain/%d" % domid
    assert client.is_domain_introduced(domid)
    assert not client.is_domain_introduced(domid + 1)
