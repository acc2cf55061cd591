# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all dom0s show of a session's domain beside its two sides."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts, SessionDomain
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import LATER_LEFT, LATER_LIVES, Side
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import Copy, Others
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import of_all
from ansible_collections.dom0.xen.plugins.plugin_utils._decision import NOBODY_ASKED, others, side, told
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import DOM0, OTHER, UUID, host, row

DOMAIN = SessionDomain(UUID, "centos")
SOURCE = Side("xen1", boot_id=host("xen1").boot_id, hostname=host("xen1").hostname)
DESTINATION = Side("xen2", boot_id=host("xen2").boot_id, hostname=host("xen2").hostname)
SILENT = {"unreachable": True, "msg": "no route to host"}


def seen(*facts: HostFacts, gone: t.Sequence[str] = (), **answers: t.Any) -> Others:
    """Return what is made of these hosts."""
    told = {each.hostname: {"host": each.to_result()} for each in facts}
    return others({**told, **answers}, DOMAIN, SOURCE, DESTINATION, gone)


def having(name: str, *rows: t.Any) -> HostFacts:
    """A host with these domains."""
    return host(name, domains=(DOM0, *rows))


def test_the_domain_on_a_third_host() -> None:
    """On the two of the session it is looked at by itself."""
    found = seen(having("xen1", row()), having("xen2", row()), having("xen3", row(domid=5)))
    assert found == Others((Copy("xen3", 5, "centos", "running"),))


def test_one_that_is_on_its_way_or_paused_is_there_too() -> None:
    """What is only left of one is not."""
    paused, incoming = row(paused=True), row("centos--incoming", 6, paused=True)
    over = row(domid=7, shutdown=True, reason="poweroff"), row(domid=8, dying=True)
    assert [copy.domid for copy in seen(having("xen3", paused, incoming, *over)).copies] == [3, 6]


def test_another_domain_of_its_name_is_told_of_every_host() -> None:
    """It was made from a file without the UUID, perhaps."""
    found = seen(having("xen2", row(uuid=OTHER)), having("xen3", row(uuid=OTHER), row("web", 9, OTHER)))
    assert [(copy.host, copy.namesake) for copy in found.copies] == [("xen2", True), ("xen3", True)]
    assert found.same == ()


def test_a_host_that_does_not_tell_may_have_it() -> None:
    """Unless a person says that it is off for good, or it is one of the two; no domain at all is no answer."""
    blind = host("xen5", domains=())
    assert seen(blind, xen1=SILENT, xen3=SILENT, xen4=SILENT, gone=["xen4"]).unseen == ("xen5", "xen3")
    assert others({}, DOMAIN, SOURCE, DESTINATION, ()).unseen == (NOBODY_ASKED,)


def test_hosts_that_were_left_out_were_not_asked() -> None:
    """Those that were say nothing of them; one that does not answer was asked."""
    two = {name: {"host": having(name).to_result()} for name in ("xen1", "xen2")}
    assert of_all({**two, "xen3": {"changed": False, "skipped": True}}) == {}
    assert of_all({**two, "xen3": SILENT}) == {**two, "xen3": SILENT}


def test_a_host_under_another_name_is_the_same_host() -> None:
    """The inventory may call one twice."""
    alias: dict[str, t.Any] = {"xen1-again": {"host": having("xen1", row()).to_result()}}
    assert seen(**alias) == Others()
    third = having("xen3", row(domid=5))
    again: dict[str, t.Any] = {"xen3-again": {"host": third.to_result()}}
    assert seen(third, **again) == Others((Copy("xen3", 5, "centos", "running"),))


def test_hosts_of_one_boot_are_not_the_same_host() -> None:
    """They were restored from one running snapshot: each may have the domain."""
    like_source = dataclasses.replace(having("xen3", row(domid=5)), boot_id=SOURCE.boot_id)
    like_that = dataclasses.replace(having("xen4", row(domid=6)), boot_id=SOURCE.boot_id)
    assert [copy.host for copy in seen(having("xen1", row()), like_source, like_that).copies] == ["xen3", "xen4"]
    assert [copy.host for copy in seen(like_source, like_that).copies] == ["xen3", "xen4"]


def left(session: str, latest: str, later: str = LATER_LEFT) -> str:
    """What is decided about one of two sessions of which each host takes another one for the later, A and B."""
    other = "B" if session == "A" else "A"
    after = dataclasses.replace(SOURCE, session=session, known=True, later=later, after=(other,), superseded=True)
    before = dataclasses.replace(DESTINATION, session=session, known=True, before=(other,))
    looks = ({"side": each.to_result()} for each in (after, before))
    source, destination = (side(f"xen{number}", look, (), None, latest) for number, look in enumerate(looks, 1))
    assert not (source.superseded and session == latest)
    made = decide(source, destination)
    return made.end_state if made.next == "human" else made.next


def test_a_person_says_which_session_was_begun_last() -> None:
    """With either word both come to an end: that one is settled, and the other one waits for it."""
    assert left("A", "") == left("B", "") == left("A", "some other one") == "order_unknown"
    assert (left("A", "A"), left("B", "A")) == ("done", "wait")
    assert (left("A", "B"), left("B", "B")) == ("wait", "done")
    # What lives is waited for whatever anybody says.
    assert left("A", "A", LATER_LIVES) == "watch"


def commands(name: str, **repeat: str) -> list[str]:
    """Return the commands that a person is given about a domain of that name."""
    lost = dataclasses.replace(SOURCE, reachable=False), dataclasses.replace(DESTINATION, reachable=False)
    made = told(decide(*lost), SessionDomain(UUID, name), *lost, "hosts.ini", repeat)
    assert all(f"\n  - {choice}" in made["msg"] for choice in made["choices"])
    return [choice.partition("  # ")[0] for choice in made["choices"]]


def test_commands_are_complete() -> None:
    """What this run was called with, without which the next one would not find the hosts, is in them."""
    begin = "ansible-playbook -i hosts.ini dom0.xen.settle -e domain=centos"
    assert commands("centos", dom0_group="", source="")[0] == begin
    given = commands("centos", dom0_group="xen_hosts", source="xen1")
    assert given[0] == f"{begin} -e dom0_group=xen_hosts -e source=xen1"


@pytest.mark.parametrize("name", ["my guest", "it's", "$(reboot)", "a;b", "-x", ""])
def test_a_name_that_cannot_be_typed_is_not_in_them(name: str) -> None:
    """Neither the shell nor Ansible takes it for something else."""
    assert commands(name)[0] == f"ansible-playbook -i hosts.ini dom0.xen.settle -e domain={UUID}"
