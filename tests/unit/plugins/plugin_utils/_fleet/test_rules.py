# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for domains: what is said of them is taken as it was meant, or refused with its cause."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from hypothesis import given as given_that
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import RulesContradict, RulesInvalid
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import VARIABLES, rules_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.resolving import resolve
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import (
    DomainRules,
    Group,
    GroupRule,
    HostRule,
    Rules,
)
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples

CENTOS = examples.identity("centos")


def domains(**entries: t.Any) -> dict[str, t.Any]:
    """The variables of a dom0 with rules for domains."""
    return {"dom0_xen_domains": entries}


def test_all_that_can_be_said() -> None:
    """Each dom0 gives its view; names and UUIDs are found, and what means no domain is told."""
    everywhere = {
        "dom0_xen_domains": {"centos": {"tags": ["prod", "db"], "allowed": ["xen2"]}, "ghost": {"tags": ["move_last"]}},
        "dom0_xen_groups": {"dbs": {"keep": "apart", "tag": "db", "domains": [examples.identity("web").upper()]}},
    }
    rules = rules_of({"xen1": {**everywhere, "dom0_xen_host": {"reserve_mib": 512, "weight": 2}}, "xen2": everywhere})
    fleet = examples.fleet(rules, xen1=["centos", "web"], xen2=[])
    assert fleet.resolved.domain(CENTOS) == DomainRules(CENTOS, ("db", "prod"), ("xen2",))
    assert fleet.resolved.by_uuid().keys() == {CENTOS}
    assert fleet.resolved.groups == (Group("dbs", "apart", tuple(sorted([CENTOS, examples.identity("web")]))),)
    assert fleet.resolved.unmatched == ("ghost",)
    assert fleet.resolved.host("xen1") == HostRule("xen1", 512, 2.0)
    assert fleet.resolved.host("xen2") == HostRule("xen2")
    assert rules_of({"xen1": {}}) == Rules(hosts=(HostRule("xen1"),))


def test_a_copy_on_its_way_keeps_its_tags() -> None:
    """xl renames a domain while it moves; a rule by name must hold then, too."""
    rules = rules_of({"xen1": domains(centos={"tags": ["never_move"]})})
    uuid = examples.identity("centos--incoming")
    assert examples.fleet(rules, xen1=["centos--incoming"]).resolved.domain(uuid).never_move


@pytest.mark.parametrize("tags", list(itertools.combinations(["stop_for_maintenance", "never_move", "move_last"], 2)))
def test_tags_that_contradict_each_other(tags: tuple[str, str]) -> None:
    """What is never moved is not moved last; it, and what is moved last, may well be shut down for maintenance."""
    if set(tags) == {"never_move", "move_last"}:
        with pytest.raises(RulesContradict, match=r"xen1: dom0_xen_domains\['centos'\]: .*never_move.*move_last"):
            rules_of({"xen1": domains(centos={"tags": list(tags)})})
    else:
        assert set(rules_of({"xen1": domains(centos={"tags": list(tags)})}).domains[0].tags) == set(tags)


CONTRADICTIONS: dict[str, tuple[dict[str, t.Any], str]] = {
    "two hosts": (
        {"xen1": domains(centos={"tags": ["a"]}), "xen2": domains(centos={"tags": ["b"]})},
        "dom0_xen_domains says of 'centos' for xen1: tags: a; for xen2: tags: b.",
    ),
    "name and UUID": (
        {"xen1": domains(**{"centos": {"tags": ["a"]}, CENTOS: {}})},
        f"'{CENTOS}' and 'centos' are the same domain, and dom0_xen_domains says of the first: tags: none; of the "
        "second: tags: a.",
    ),
    "two spellings of a UUID": (
        {"xen1": domains(**dict([(CENTOS, {"tags": ["a"]}), (CENTOS.upper(), {})]))},
        f"xen1: dom0_xen_domains names '{CENTOS}' twice, with other words.",
    ),
    "moved never, and there": (
        {"xen1": domains(centos={"tags": ["never_move"], "allowed": ["xen1"]})},
        "xen1: dom0_xen_domains['centos']: a domain that is never moved (never_move) goes to none of the hosts that ",
    ),
    "together by way of a third, and apart": (
        {
            "xen1": {
                "dom0_xen_groups": {
                    "a": {"keep": "together", "domains": ["centos", "web"]},
                    "b": {"keep": "together", "domains": ["web", "db"]},
                    "c": {"keep": "apart", "domains": ["db", "centos"]},
                }
            }
        },
        "dom0_xen_groups: a and b keep ",
    ),
}


@pytest.mark.parametrize("case", sorted(CONTRADICTIONS))
def test_rules_that_contradict_each_other(case: str) -> None:
    """The message names the variable, who says what, and there is a way out."""
    variables, said = CONTRADICTIONS[case]
    with pytest.raises(RulesContradict) as caught:
        assert examples.fleet(rules_of(variables), xen1=["centos", "web"], xen2=["db"]).resolved is None
    assert caught.value.message.startswith(said)
    assert caught.value.remedy


WRONG: dict[str, tuple[dict[str, t.Any], str]] = {
    "no mapping": ({"dom0_xen_domains": ["centos"]}, "dom0_xen_domains is no mapping"),
    "tags alone": (domains(centos=["db"]), "['centos'] is no mapping"),
    "a text": (domains(centos={"tags": "db"}), "['centos'].tags is no list of texts"),
    "unknown key": (domains(centos={"tag": ["db"]}), "['centos'] has tag, which is not known"),
    "two words": (domains(centos={"tags": ["a b"]}), "'a b' is no tag"),
    "almost a meaning": (domains(centos={"tags": ["Never-Move"]}), "'Never-Move' means nothing; 'never_move' does"),
    "a domid": ({"dom0_xen_domains": {7: {"tags": ["db"]}}}, "7 would be a domid"),
    "nowhere": (domains(centos={"allowed": []}), "no host would be allowed"),
    "unknown host": (domains(centos={"allowed": ["xen9"]}), "names xen9, which is no dom0"),
    "keep": ({"dom0_xen_groups": {"a": {"keep": "close", "tag": "x"}}}, "says together or apart"),
    "empty group": ({"dom0_xen_groups": {"a": {"keep": "apart"}}}, "neither domains nor a tag"),
    "reserve": ({"dom0_xen_host": {"reserve_mib": "2G"}}, "reserve_mib is '2G'; it is a number"),
    "half a MiB": ({"dom0_xen_host": {"reserve_mib": 0.5}}, "whole number of MiB"),
    "weight": ({"dom0_xen_host": {"weight": -1}}, "a number that is not negative"),
    "not a number": ({"dom0_xen_host": {"weight": float("nan")}}, "a number that is not negative"),
    "closed": ({"dom0_xen_host": {"closed": "no"}}, "closed is 'no'; it is true or false"),
    "host key": ({"dom0_xen_host": {"close": True}}, "has close, which is not known"),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_what_cannot_be_meant_is_refused(case: str) -> None:
    """A typing error must not become a rule that is silently not kept."""
    variables, said = WRONG[case]
    with pytest.raises(RulesInvalid) as caught:
        rules_of({"xen1": variables})
    assert said in caught.value.message and caught.value.message.startswith("xen1: ")


KEYS = st.sampled_from(["tags", "keep", "domains", "a"]) | st.integers(0, 9)
LEAVES = st.sampled_from([None, True, "", "db", "never_move", "apart", 7, -1, 0.5, float("nan")])
LISTS = LEAVES | st.lists(LEAVES, max_size=2)
ENTRIES = LISTS | st.dictionaries(KEYS, LISTS, max_size=3)


@given_that(st.fixed_dictionaries({}, optional=dict.fromkeys(VARIABLES, ENTRIES | st.dictionaries(KEYS, ENTRIES))))
def test_whatever_stands_there_is_taken_or_refused(variables: dict[str, t.Any]) -> None:
    """No other exception reaches the user."""
    try:
        rules_of({"xen1": variables})
    except Dom0XenError as exc:
        assert exc.message and exc.remedy


NAMES = "abcdef"


GROUPS = st.tuples(st.sampled_from(["together", "apart"]), st.sets(st.sampled_from(NAMES), min_size=2))


@given_that(st.lists(GROUPS, max_size=5))
def test_groups_are_refused_just_when_no_placement_keeps_them(groups: list[tuple[str, set[str]]]) -> None:
    """Against brute force over all placements of six domains on six hosts."""
    rules = Rules(groups=tuple(GroupRule(f"g{n}", keep, tuple(sorted(who))) for n, (keep, who) in enumerate(groups)))

    def kept(places: dict[str, int]) -> bool:
        return all(
            len({places[name] for name in who}) == (1 if keep == "together" else len(who)) for keep, who in groups
        )

    possible = any(kept(dict(zip(NAMES, places, strict=True))) for places in _partitions(len(NAMES)))
    try:
        resolve(rules, [(name, name) for name in NAMES])
        assert possible
    except RulesContradict:
        assert not possible


def _partitions(count: int) -> t.Iterator[tuple[int, ...]]:
    """All ways to put so many things on hosts, up to the hosts' names."""

    def more(begin: tuple[int, ...]) -> t.Iterator[tuple[int, ...]]:
        if len(begin) == count:
            yield begin
            return
        for place in range(max(begin, default=-1) + 2):
            yield from more((*begin, place))

    return more(())
