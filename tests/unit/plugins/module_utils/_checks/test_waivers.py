# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding is waived by its own code or not at all, and never where a copy of the domain could be lost."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import (
    describe,
    errors,
    findings,
    line,
    waived,
    warnings,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Finding
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import (
    CODES,
    NEVER,
    WAIVABLE,
    WARNINGS,
    codes,
    nearest,
)
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import domain, host, request
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.rule_sources import (
    collected,
    made_otherwise,
)


def find(*waive: str, destination: HostFacts | None = None) -> tuple[Finding, ...]:
    """Check the example's move, by default one that nothing speaks against."""
    return findings(host("xen1"), destination or host("xen2"), domain(), request(waive=waive))


def told(found: t.Iterable[Finding]) -> list[tuple[str, str]]:
    """Return codes and severities."""
    return [(finding.code, finding.severity) for finding in found]


def test_the_list_has_every_code_that_a_rule_can_yield() -> None:
    """With its severity, in one of the three lists only; a new rule is decided about at once."""
    assert dict(CODES) == collected()
    assert made_otherwise() == ["records.py", "records.py"]
    assert not WAIVABLE.keys() & NEVER.keys() and not WARNINGS & (WAIVABLE.keys() | NEVER.keys())


def test_one_is_waived_and_the_others_are_not() -> None:
    """What is waived is told, and refuses nothing; what is not refuses as before."""
    poor = host("xen2", free_memory_mib=10, bridges=())
    assert told(find("bridge_missing", destination=poor)) == [
        ("not_enough_memory", "error"),
        ("bridge_missing", "waived"),
    ]
    both = find("bridge_missing", "not_enough_memory", destination=poor)
    assert (errors(both), warnings(both), waived(both)) == ((), (), both)
    assert line(both[1]).startswith("xen2: bridge_missing is waived: network card 0 of centos")
    assert describe(both, request()) == ""


@pytest.mark.parametrize("code", sorted(WAIVABLE))
def test_a_waiver_of_what_did_not_occur_is_fine(code: str) -> None:
    """A caller gives the same waivers for a hundred domains."""
    assert find(code) == ()


def test_a_warning_stays_a_warning() -> None:
    """It refuses nothing, and waiving it hides nothing."""
    distant = request(destination_address="198.51.100.7", waive=("address_doubtful",))
    found = told(findings(host("xen1"), host("xen2"), domain(), distant))
    assert found == [("address_doubtful", "warning"), ("listens_on_all", "warning")]


@pytest.mark.parametrize("code", sorted(NEVER))
def test_what_must_not_be_waived(code: str) -> None:
    """The message names the code and the reason, the remedy what can be."""
    (found,) = find(code)
    assert (found.code, found.severity, found.host) == ("waiver_forbidden", "error", "localhost")
    assert found.message == f"{code} cannot be waived: {NEVER[code]}."
    assert f"Take {code} out" in found.remedy and "bridge_missing" in found.remedy


def test_a_waiver_that_is_refused_waives_nothing() -> None:
    """The finding itself is told as well."""
    older = host("xen2", xen=None, problems=())
    taken = find("name_taken", "bridge_missing", destination=host("xen2", bridges=()))
    assert told(taken) == [("waiver_forbidden", "error"), ("bridge_missing", "waived")]
    assert told(find("domain_paused", destination=older)) == [("waiver_forbidden", "error")]


@pytest.mark.parametrize("code", ["*", "all", "", "ALL", "error", "bridge-missing", "bridge_mising", "bridge_missing*"])
def test_nothing_is_waived_wholesale(code: str) -> None:
    """A code that no finding has is refused, however it is written."""
    found = find(code, destination=host("xen2", bridges=()))
    assert told(found) == [("waiver_unknown", "error"), ("bridge_missing", "error")]
    text = describe(found, request())
    assert text.startswith("centos cannot be moved from xen1 to xen2, for 2 reasons:\n1. localhost: ")
    assert repr(code) in text and "migrate_waive" in text


def test_the_nearest_codes_are_named() -> None:
    """For who mistyped one."""
    assert nearest("bridge_mising")[0] == nearest("Bridge-Missing")[0] == "bridge_missing"
    assert nearest("*") == ()
    assert "the nearest are: bridge_missing" in find("bridge_mising")[0].message


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ()),
        (None, ()),
        ("", ()),
        (["a", "b", "a"], ("a", "b")),
        ("a, b", ("a", "b")),
        ("a,,b", ("a", "", "b")),
        ([""], ("",)),
        (" ", ("",)),
        (7, ("7",)),
        ({"a": 1}, ("{'a': 1}",)),
    ],
)
def test_how_they_are_given(given: t.Any, expected: tuple[str, ...]) -> None:
    """A list, or the text that -e gives; an answer that was left empty is none."""
    assert codes(given) == expected
