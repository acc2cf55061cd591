# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nothing was interrupted, it is told what there is; a name that nobody knows is no all-clear."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import (
    DomainRow,
    DomainState,
    SessionDomain,
    SessionSeen,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._nothing_interrupted import nothing
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import UUID, host

SESSION = "a" * 16
CENTOS = SessionDomain(UUID, "centos")


def row(name: str = "centos", uuid: str = UUID, domid: int = 3, paused: bool = False) -> DomainRow:
    """A domain of a host, which runs unless told otherwise."""
    return DomainRow(domid, uuid, name, DomainState(running=not paused, paused=paused), 128, 1, 1.0)


def side(role: str, peer: str, *, alive: bool) -> SessionSeen:
    """One side of a session: under way, or over."""
    phase, owner = ("streaming", "source") if alive else ("ended", "source")
    return SessionSeen(SESSION, role, phase, owner, None, CENTOS, 10, alive, peer)


@pytest.mark.parametrize("wanted", ["centos", UUID, UUID.upper(), ""])
def test_a_domain_that_is_known(wanted: str) -> None:
    """By its name or UUID, as settling takes them; it is told where it is, of one that was asked for."""
    known, msg = nothing({"xen1": host("xen1", domains=(row(),)), "xen2": host("xen2", domains=())}, (), wanted)
    assert known and msg.startswith("Nothing to settle: no migration")
    assert ("centos is running on xen1." in msg) == bool(wanted)


def test_a_domain_that_nobody_has() -> None:
    """A typing error, or a host that does not answer: what there is, and who was not asked."""
    hosts = {"xen1": host("xen1", domains=(row("Domain-0", "0", 0), row()))}
    known, msg = nothing(hosts, ("xen2",), "cents")
    assert not known
    assert msg == (
        "No dom0 that answered has a domain 'cents', or a session of it. The domains there are: xen1: centos."
        " Could not look on: xen2."
    )
    assert not nothing(hosts, (), "CENTOS").known, "that is another name"


@pytest.mark.parametrize("wanted", ["centos", ""])
def test_a_host_that_was_not_seen_is_named_where_nothing_is_to_be_settled(wanted: str) -> None:
    """The session that somebody looks for may be on that one alone: what is told is of the others."""
    known, msg = nothing({"xen1": host("xen1", domains=(row(),))}, ("xen3", "xen2"), wanted)
    assert known
    assert msg.startswith("Nothing to settle on the dom0s that answered: no migration")
    assert "was interrupted. Could not look on: xen2, xen3." in msg


@pytest.mark.parametrize("wanted", ["centos", ""])
def test_hosts_of_which_none_has_told_anything_are_no_all_clear(wanted: str) -> None:
    """The network of the machine that runs Ansible is down, say, in the night in which all of this happens."""
    told = "No dom0 has told anything: whether a migration was interrupted is not known. Could not look on: xen1, xen2."
    assert nothing({}, ("xen2", "xen1"), wanted) == (False, told)


def test_one_that_is_known_from_a_session_only() -> None:
    """It has moved to a host outside the inventory, say, or was destroyed since."""
    assert nothing(
        {"xen1": host("xen1", domains=(), sessions=(side("sender", "xen2", alive=False),))}, (), "centos"
    ).known


def test_what_is_under_way_is_told_once_with_how_to_watch_it() -> None:
    """Whoever settles at night wants to know that it goes on, and how far it is."""
    receiver = side("receiver", "xen1", alive=True)
    hosts = {
        "xen1": host("xen1", domains=(row(),), sessions=(side("sender", "xen2", alive=True),)),
        "xen2": host("xen2", domains=(row("centos--incoming", domid=8, paused=True),), sessions=(receiver,)),
    }
    for wanted in ("centos", ""):
        known, msg = nothing(hosts, (), wanted, "hosts.ini")
        assert known
        assert msg.count(f"Session {SESSION} moves centos from xen1 to xen2 now, and goes on.") == 1
        watch = f"`ansible-playbook -i hosts.ini dom0.xen.migrate -e domain={UUID} -e destination=xen2`"
        assert msg.endswith(f"To watch it: {watch}")
