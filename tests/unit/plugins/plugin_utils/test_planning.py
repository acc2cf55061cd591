# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host has the domain that is named, and what its move is called."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, HostFacts, SessionDomain
from ansible_collections.dom0.xen.plugins.plugin_utils._planning import (
    DomainAmbiguous,
    DomainOnSeveralHosts,
    Move,
    MoveNameTaken,
    NamesTaken,
    plan_move,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    DOM0,
    OTHER,
    UUID,
    host,
    row,
    session,
)


def hosts(**domains: t.Iterable[DomainRow]) -> dict[str, HostFacts]:
    """Three hosts with these domains."""
    return {name: host(name, domains=(DOM0, *domains.get(name, ()))) for name in ("xen1", "xen2", "xen3")}


@pytest.mark.parametrize("wanted", ["centos", UUID, UUID.upper()])
def test_a_domain_is_found_by_name_and_by_uuid(wanted: str) -> None:
    """Names are for people; the move goes on by UUID."""
    move = plan_move(wanted, "", "xen2", hosts(xen1=[row()]), ())
    assert move == Move("centos@xen1", UUID, UUID, "xen1", "xen2")


def test_one_name_on_two_hosts_is_refused_with_both() -> None:
    """Moving either of them could be the wrong one."""
    with pytest.raises(DomainAmbiguous) as caught:
        plan_move("centos", "", "xen2", hosts(xen1=[row()], xen3=[row(uuid=OTHER)]), ())
    assert "xen1" in str(caught.value)
    assert "xen3" in str(caught.value)


def test_a_source_that_is_named_decides_between_two_domains_of_a_name() -> None:
    """The remedy that the error gives works."""
    move = plan_move("centos", "xen3", "xen2", hosts(xen1=[row()], xen3=[row(uuid=OTHER)]), ())
    assert (move.source, move.uuid) == ("xen3", OTHER)


def test_copies_on_two_hosts_without_a_session_are_refused() -> None:
    """Nobody can say which one is the good copy; none is to be destroyed before it was settled."""
    with pytest.raises(DomainOnSeveralHosts) as caught:
        plan_move("centos", "", "xen2", hosts(xen1=[row()], xen3=[row()]), ())
    assert "dom0.xen.settle" in caught.value.remedy.partition("destroy")[0]


def test_a_left_over_copy_does_not_hide_the_owner() -> None:
    """The check then says what is in the way, on which host."""
    everywhere = hosts(xen1=[row()], xen2=[row("centos--incoming", paused=True)])
    assert plan_move("centos", "", "xen2", everywhere, ()).source == "xen1"


def test_in_the_middle_of_a_move_the_session_names_the_source() -> None:
    """At the gate no copy carries the name; a second run must still find the move and adopt it."""
    everywhere = hosts(xen1=[row("centos--migratedaway", shutdown=True)], xen2=[row("centos--incoming", paused=True)])
    under_way = session(alive=True, phase="gate", end_state=None)
    everywhere["xen1"] = dataclasses.replace(everywhere["xen1"], sessions=(under_way,))
    assert plan_move("centos", "", "xen2", everywhere, ()) == Move("centos@xen1", UUID, UUID, "xen1", "xen2")


def test_a_domain_that_has_arrived_remembers_where_it_came_from() -> None:
    """The second run reports the session of the first."""
    everywhere = hosts(xen2=[row()])
    everywhere["xen1"] = dataclasses.replace(everywhere["xen1"], sessions=(session(),))
    everywhere["xen2"] = dataclasses.replace(everywhere["xen2"], sessions=(session(role="receiver"),))
    assert plan_move("centos", "", "xen2", everywhere, ()).source == "xen1"


def test_a_domain_that_was_always_there_comes_from_nowhere() -> None:
    """That it is there already is success, not a move onto its own host."""
    move = plan_move("centos", "", "xen2", hosts(xen2=[row()]), ())
    assert (move.source, move.host) == ("", "centos@xen2")


def test_a_move_within_a_host_must_be_asked_for_by_its_source() -> None:
    """Only then the check asks for allow_same_host."""
    assert plan_move("centos", "xen2", "xen2", hosts(xen2=[row()]), ()).source == "xen2"


def test_an_unknown_domain_is_left_to_the_checks() -> None:
    """They tell it together with everything else that is wrong."""
    assert plan_move("nobody", "", "xen2", hosts(), ()) == Move("nobody@xen2", "nobody", None, "", "xen2")


def test_domain_0_is_left_to_the_checks() -> None:
    """It is on every host, but it is not ambiguous: it is refused."""
    assert plan_move("Domain-0", "", "xen2", hosts(), ()).uuid is None


def test_a_name_that_the_inventory_has_is_refused() -> None:
    """A move that merged with a machine would inherit its address."""
    with pytest.raises(MoveNameTaken):
        plan_move("centos", "", "xen2", hosts(xen1=[row()]), ("xen1", "centos@xen1"))


def test_a_move_of_the_same_run_does_not_take_its_own_name() -> None:
    """Two playbooks of one run may move a domain the same way, with a move back in between."""
    groups = {"all": ["xen1", "centos@xen1", "web@xen1"], "dom0_moves": ["centos@xen1"]}
    taken = NamesTaken({"groups": groups})
    assert [name for name in groups["all"] if name in taken] == ["xen1", "web@xen1"]
    assert "xen1" not in NamesTaken({})


def test_a_domain_that_the_inventory_lists_gives_its_move_its_name_unless_it_became_a_machine() -> None:
    """A limit on it must let the move through; one with a connection to the guest must not become a move."""
    groups = {"all": ["xen1", "centos@xen1", "web@xen1"], "dom0_xen_domains": ["centos@xen1", "web@xen1"]}
    hostvars = {"centos@xen1": {"ansible_connection": "dom0.xen.move"}, "web@xen1": {"ansible_connection": "ssh"}}
    taken = NamesTaken({"groups": groups, "hostvars": hostvars})
    assert [name for name in groups["all"] if name in taken] == ["xen1", "web@xen1"]


def test_a_name_is_made_fit_for_an_inventory() -> None:
    """xl allows names that patterns of hosts would take apart."""
    move = plan_move("web: [1] a,b", "", "xen2", hosts(xen1=[row("web: [1] a,b")]), ())
    assert move.host == "web___1__a_b@xen1"


def test_a_session_of_another_domain_does_not_matter() -> None:
    """Only the domain's own session names its source."""
    everywhere = hosts(xen1=[row()])
    other = session(alive=True, domain=SessionDomain(OTHER, "other"))
    everywhere["xen3"] = dataclasses.replace(everywhere["xen3"], sessions=(other,))
    assert plan_move("centos", "", "xen2", everywhere, ()).source == "xen1"
