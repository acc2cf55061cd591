# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What libxl keeps of a domain by its UUID outlives a second copy on the same host."""

from __future__ import annotations

import pytest
import pyxs
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.plugins.module_utils._xenstore import vm_path
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

UUID = GuestConfig().uuid
TOP = f"/vm/{UUID}"


@pytest.fixture
def host(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host with a guest, and this process on it."""
    host = make_site("xen1")["xen1"]
    host.start_guest(GuestConfig(memory_mib=16, compact=True))
    for name, value in host.environment.items():
        monkeypatch.setenv(name, value)
    return host


def nodes(path: str = TOP) -> dict[str, str | None]:
    """What is there now."""
    with XenStore() as store:
        return {name: store.read(f"{path}/{name}") for name in store.list(path)}


def test_brought_back_after_another_copy_took_it_away(host: Host) -> None:
    """With the values it had, for the guest to read, and under the name that the domain has now."""
    before, kept = nodes(), vm_path.remembered(UUID.upper())
    assert before["uuid"] == UUID and before["start_time"]
    domid = int(host.run("xl", "domid", "centos").stdout)
    host.run("xl", "rename", "centos", "other")
    with XenStore() as store:
        store.delete(TOP)
    assert vm_path.brought_back(UUID, kept)
    assert nodes() == {**before, "name": "other"}
    with pyxs.Client(unix_socket_path=str(host.paths.store_socket)) as client:
        for path in (TOP, *(f"{TOP}/{name}" for name in before)):
            assert client.get_perms(path.encode()) == [b"n0", b"r%d" % domid]
    assert not vm_path.brought_back(UUID, kept)


def test_nothing_is_brought_back_for_a_domain_that_has_gone(host: Host) -> None:
    """After a move to another host there is nobody to bring it back for, and no XenStore is no error."""
    kept = vm_path.remembered(UUID)
    host.run("xl", "destroy", "centos")
    assert not vm_path.brought_back(UUID, kept)
    assert nodes() == {}
    host.power_off()
    assert vm_path.remembered(UUID) == ()
    assert not vm_path.brought_back(UUID, kept)
