# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves over each transport, from the playbook to the wire, on the double."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts, the guest on xen1."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield site
    left = site.down()
    assert left == []


@pytest.fixture
def user(site: Site, tmp_path: pathlib.Path) -> User:
    """Somebody with an empty folder."""
    return User(site, tmp_path)


def other(site: Site) -> str:
    """Return the host that does not have the guest."""
    return "xen2" if where(site) == "xen1" else "xen1"


def fails(user: User, *arguments: str) -> str:
    """Run a move that must fail; return the log."""
    process = user.start("dom0.xen.migrate", *user.asking(other(user.site)), *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0, log[-4000:]
    return log


def test_tcp_must_be_confirmed(user: User) -> None:
    """Nothing begins, and one message names cause, host and remedy."""
    source = where(user.site)
    log = fails(user, "-e", "migrate_transport=tcp")
    assert f"{source}: over the transport tcp everybody on the way" in log and "migrate_allow_plain" in log
    assert where(user.site) == source
    assert user.result["end_state"] == "refused"
    for host in user.site.hosts.values():
        # Neither credentials nor a journal of a session.
        assert not list((host.paths.lib / "dom0-xen").glob("*.sender"))
        assert not list((host.paths.lib / "dom0-xen").glob("*.receiver"))


def test_tcp(user: User) -> None:
    """With both words it moves, and the log and the result tell that it was not encrypted."""
    destination = other(user.site)
    log = user.move(destination, "-e", "migrate_transport=tcp", "-e", "migrate_allow_plain=true")
    assert where(user.site) == destination
    assert "travels to" in log and "without encryption" in log
    told = user.result
    assert told["transport"] == "tcp"
    assert "plain_transport" in [finding["code"] for finding in told["findings"]]
