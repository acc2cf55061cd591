# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where domains could go, from what the hosts told, also when they told little."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import MoveRequest
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, DomainState, HostFacts, Problem
from ansible_collections.dom0.xen.plugins.plugin_utils import _outlook_report as words
from ansible_collections.dom0.xen.plugins.plugin_utils._outlook import Outlook, every_domain, one_domain
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    DOM0,
    OTHER,
    UUID,
    XEN,
    domain,
    host,
    row,
    with_config,
)

INVENTORY = ("xen1", "xen2", "xen3")
LOST: dict[str, t.Any] = {"unreachable": True, "msg": "no route to host"}
ITSELF = domain(domid=0, uuid=DOM0.uuid, name="Domain-0", config=None)


def info(facts: HostFacts) -> dict[str, t.Any]:
    """Return what host_info gives for these facts."""
    return {"host": facts.to_result()}


def told(*domains: DomainFacts, problems: t.Sequence[Problem] = ()) -> dict[str, t.Any]:
    """Return what domain_info gives for these domains."""
    return {"domains": [one.to_result() for one in domains], "problems": [one.to_result() for one in problems]}


WEB = domain(domid=5, uuid=OTHER, name="web")
BOTH = told(ITSELF, domain(), WEB)
HOSTS: dict[str, t.Any] = {
    "xen1": info(host("xen1", domains=(DOM0, row(), row("web", 5, OTHER)))),
    "xen2": info(host("xen2")),
    "xen3": info(host("xen3")),
}


def request(**changes: t.Any) -> MoveRequest:
    """Ask for every domain of xen1 on any host."""
    return dataclasses.replace(MoveRequest("", "xen1", "", inventory=INVENTORY), **changes)


def every(hosts: dict[str, t.Any] | None = None, domains: dict[str, t.Any] | None = None, **changes: t.Any) -> Outlook:
    """Ask about every domain, with some hosts otherwise."""
    return every_domain(request(**changes), {**HOSTS, **(hosts or {})}, BOTH if domains is None else domains)


def one(wanted: str, hosts: dict[str, t.Any] | None = None, **changes: t.Any) -> tuple[Outlook, list[str]]:
    """Ask about one domain, on xen2 unless said otherwise; return the answer and the lines for it."""
    asked = request(**{"domain": wanted, "source": None, "destination": "xen2", **changes})
    found = one_domain(asked, {**HOSTS, **(hosts or {})}, told(domain()), ())
    return found, words.about_one(found, asked)


def open_hosts(outlook: Outlook) -> dict[str, list[str]]:
    """Return the hosts by domain."""
    return {found.name: [place.host for place in found.open] for found in outlook.domains}


def test_every_domain_against_every_other_host() -> None:
    """Not the host's own domain, and not the host itself; a named destination is the only one."""
    outlook = every()
    assert open_hosts(outlook) == {"centos": ["xen2", "xen3"], "web": ["xen2", "xen3"]}
    assert outlook.possible and words.about_all(outlook) == [
        "Each of the 2 domains of xen1 could go to another host, taken by itself.",
        "domain  could go to",
        "centos  xen2, xen3",
        "web     xen2, xen3",
    ]
    assert open_hosts(every(destination="xen3")) == {"centos": ["xen3"], "web": ["xen3"]}
    assert every().to_result()["domains"][0]["hosts"] == ["xen2", "xen3"]


def test_a_domain_without_a_host_has_the_first_reason_of_each() -> None:
    """One that several hosts share is told once."""
    odd = dataclasses.replace(WEB, config={**(WEB.config or {}), "pcidevs": [{"bus": 3}]})
    outlook = every({"xen3": LOST}, told(ITSELF, domain(), odd))
    assert (outlook.possible, open_hosts(outlook)) == (False, {"centos": ["xen2"], "web": []})
    lines = words.about_all(outlook)
    assert lines[0] == "xen1 cannot be emptied: 1 of its 2 domains cannot go to another host."
    assert lines[3] == "web     no host"
    assert lines[4].startswith("  not to xen2: xen1: pci_passthrough: web has PCI devices")
    assert lines[5].startswith("  not to xen3: xen3: host_unreachable: xen3 cannot be reached")
    assert words.code(outlook) == "pci_passthrough"
    both = words.about_all(every(domains=told(ITSELF, odd)))
    assert both[3].startswith("  not to xen2, xen3: xen1: pci_passthrough: ") and len(both) == 4


def test_a_source_that_did_not_tell_its_domains_is_not_empty() -> None:
    """Whatever kept it from that; an empty one says so."""
    broken = Problem("xl_failed", "xl list failed.", "Look.")
    lost_between = every(domains=LOST)
    silent = every(domains={})
    failed = every(domains=told(problems=[broken]))
    gone = every({"xen1": LOST}, {})
    codes = [[f.code for f in outlook.findings] for outlook in (lost_between, silent, failed, gone)]
    assert codes == [["host_unreachable"], ["host_without_facts"], ["xl_failed"], ["host_unreachable"]]
    assert not any(outlook.possible for outlook in (lost_between, silent, failed, gone))
    assert words.about_all(silent)[0] == "xen1 cannot be emptied."
    empty = every(domains=told(ITSELF))
    assert empty.possible and words.about_all(empty) == ["xen1 has no domains; there is nothing to move."]
    unknown = every(source="xen9", domains={})
    assert [f.code for f in unknown.findings] == ["host_not_in_inventory"]


def test_what_the_source_lacks_is_told_once() -> None:
    """And the table says what else there is."""
    lacking = info(host("xen1", problems=(Problem("pyxs_missing", "no pyxs.", "Install it."),)))
    outlook = every({"xen1": lacking})
    assert (outlook.possible, [f.code for f in outlook.findings]) == (False, ["pyxs_missing"])
    assert open_hosts(outlook)["centos"] == ["xen2", "xen3"]
    assert words.about_all(outlook)[:2] == [
        "xen1 cannot be emptied.",
        "xen1: pyxs_missing: no pyxs. Remedy: Install it.",
    ]


def test_no_other_host_and_the_host_itself() -> None:
    """Neither is a place to go to."""
    alone = every(inventory=("xen1",))
    assert (alone.possible, words.code(alone)) == (False, "nowhere_to_go")
    assert "  The inventory's group of the dom0s has no other host." in words.about_all(alone)
    assert words.code(every(destination="xen1")) == "same_host"


def test_how_it_would_go_is_told() -> None:
    """A domain that would be suspended for the whole of the transfer is worth a word."""
    pv = dataclasses.replace(with_config(c_info={"type": "pv"}, b_info={"shadow_memkb": 0}))
    assert "shadow" not in XEN.virt_caps
    assert words.about_all(every(domains=told(ITSELF, pv)))[2] == "centos  xen2 (suspended), xen3 (suspended)"
    assert words.code(every(domains=told(ITSELF, pv), method="live")) == "no_shadow_paging"


def test_waivers() -> None:
    """Each code that was waived is told once; one that is refused is told before everything else."""
    bare = {name: info(host(name, bridges=())) for name in ("xen2", "xen3")}
    outlook = every(bare, waive=("bridge_missing",))
    assert outlook.possible
    assert words.about_findings(outlook) == [
        "bridge_missing is waived: centos to xen2, centos to xen3, web to xen2, web to xen3."
    ]
    refused = every(bare, waive=("*", "bridge_missing"))
    assert ([f.code for f in refused.findings], refused.domains) == (["waiver_unknown"], ())


def test_many_hosts_are_counted() -> None:
    """A line stays one that can be read."""
    names = [f"h{number:02}" for number in range(20)]
    outlook = every({name: info(host(name)) for name in names}, told(ITSELF, domain()), inventory=(*names, "xen1"))
    assert words.about_all(outlook)[2].endswith("h10, h11 and 8 more")


def test_one_domain_is_found_wherever_it_is() -> None:
    """By name or UUID; what speaks against it is told with the host that it is on."""
    for wanted in ("centos", UUID):
        outlook, lines = one(wanted)
        assert outlook.possible and lines == ["centos could go from xen1 to xen2 (live)."]
        assert (outlook.source, outlook.domains[0].domid) == ("xen1", 3)
    outlook, lines = one(UUID, {"xen2": info(host("xen2", bridges=(), free_memory_mib=1))})
    assert not outlook.possible and lines[0] == "centos cannot be moved from xen1 to xen2, for 2 reasons:"
    codes = [f.code for f in outlook.domains[0].places[0].findings if f.severity == "error"]
    assert [line.split(": ")[1] for line in lines[1:]] == codes == ["not_enough_memory", "bridge_missing"]
    assert words.sentence(lines[0]) == "centos cannot be moved from xen1 to xen2, for 2 reasons."
    paused = told(domain(state=DomainState(paused=True)))
    assert words.code(one_domain(request(domain="centos", destination="xen2"), HOSTS, paused, ())) == "domain_paused"


def test_one_domain_that_is_there_already() -> None:
    """There is nothing to do, so the answer is yes, and no warning about the way."""
    there = {"xen1": info(host("xen1", domains=(DOM0,))), "xen2": info(host("xen2", domains=(DOM0, row())))}
    outlook, lines = one("centos", there, destination_address="127.0.0.1")
    assert outlook.possible and lines == ["centos is already on xen2."]
    assert words.about_findings(outlook) == []


def test_each_line_has_its_code() -> None:
    """About one domain as about many, so that it can be looked up, and waived: errors, warnings and what is waived."""
    bare = {"xen2": info(host("xen2", bridges=())), "xen3": info(host("xen3", bridges=()))}
    outlook, (text,) = one(UUID, bare)
    assert "xen2. xen2: bridge_missing: network card 0" in text
    (table,) = [text for text in words.about_all(every(bare)) if "not to xen2" in text and "centos" in text]
    assert table.startswith("  not to xen2: xen2: bridge_missing: network card 0")
    outlook, dummy = one(UUID, bare, waive=("bridge_missing",), transport="tcp", allow_plain=True)
    told = words.about_findings(outlook)
    assert told[0].startswith("xen2: bridge_missing is waived: ")
    assert any(text.startswith("xen1: plain_transport: ") for text in told)


def test_one_domain_that_is_not_found() -> None:
    """Nobody has it, nobody could look, or it is not clear which is meant."""
    none = {"xen1": info(host("xen1", domains=(DOM0,)))}
    outlook, lines = one("centos", none)
    assert (outlook.possible, words.code(outlook)) == (False, "domain_unknown")
    outlook, lines = one("centos", {**none, "xen3": LOST})
    assert (outlook.possible, words.code(outlook)) == (False, "domain_not_looked_for")
    assert "could not be looked for on: xen3" in lines[0]
    outlook, lines = one("centos", {"xen3": info(host("xen3", domains=(DOM0, row(uuid=OTHER))))})
    assert (outlook.possible, words.code(outlook)) == (False, "domain_ambiguous")
    assert "Remedy: Give the UUID" in lines[0]


def test_names_of_a_whole_host() -> None:
    """A mapping for all domains of a host may name what only one of them has; for one domain that is an error."""
    other = with_config(nics=[{"devid": 0, "bridge": "lan"}])
    domains = told(ITSELF, other, dataclasses.replace(WEB, config=domain().config))
    names = {"xenbr0": "br7", "lan": "br8"}
    there = {"xen2": info(host("xen2", bridges=("br7", "br8"))), "xen3": info(host("xen3", bridges=("br7",)))}
    found = every(there, domains, map_bridges=names)
    assert {prospect.name: [place.host for place in prospect.open] for prospect in found.domains} == {
        "centos": ["xen2"],
        "web": ["xen2", "xen3"],
    }
    alone, dummy = one("centos", map_bridges={"xenbr0": "xenbr0", "lan": "br8"})
    assert [finding.code for finding in alone.domains[0].places[0].findings if finding.severity == "error"] == [
        "map_unused"
    ]
