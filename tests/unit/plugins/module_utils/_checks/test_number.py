# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain that is to keep its number is moved only where it can have it."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings, plan
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import ConfigFile
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    DOM0,
    EQUIPMENT,
    OTHER,
    UUID,
    XEN,
    domain,
    host,
    request,
    row,
)

AGED = dataclasses.replace(XEN, version="4.13.4", minor=13)
TAKEN = host("xen2", domains=(DOM0, row("web", 3, OTHER)))
RECENT = host("xen2", equipment=dataclasses.replace(EQUIPMENT, recent_domids=(2, 3)))


def codes(there: HostFacts, source: HostFacts | None = None, /, **changes: t.Any) -> list[str]:
    """What speaks against it."""
    asked = request(**{"preserve_domid": True, **changes})
    return [finding.code for finding in findings(source or host("xen1"), there, domain(), asked)]


@pytest.mark.parametrize(
    ("destination", "code"),
    [(TAKEN, "domid_taken"), (RECENT, "domid_recent")],
    ids=["another domain has it", "one had it a moment ago"],
)
def test_the_number_must_be_free(destination: HostFacts, code: str) -> None:
    """The finding names it, and nothing is said of it where it need not be kept."""
    assert codes(destination) == [code]
    assert codes(destination, preserve_domid=False) == []
    (found,) = findings(host("xen1"), destination, domain(), request(preserve_domid=True))
    assert (found.host, found.details["domid"]) == ("xen2", 3)
    assert "migrate_preserve_domid" in found.remedy


def test_another_number_in_use_does_not_matter() -> None:
    """Neither one of a domain, nor one that was destroyed."""
    other = host(
        "xen2", domains=(DOM0, row("web", 4, OTHER)), equipment=dataclasses.replace(EQUIPMENT, recent_domids=(5,))
    )
    assert codes(other) == []


def test_xen_there_has_to_give_it() -> None:
    """The source's release does not matter: the receiver asks for it."""
    both = host("xen1", xen=AGED), host("xen2", xen=AGED)
    # That such a release does not bring a guest back is a finding of its own.
    assert codes(both[1], both[0]) == ["domid_unsupported", "resume_broken"]
    assert codes(host("xen2"), both[0]) == ["resume_broken"]


def test_within_one_host_there_would_be_two() -> None:
    """Both copies are there at once."""
    assert codes(host("xen1"), destination="xen1", allow_same_host=True) == ["domid_same_host"]


def test_from_a_file_it_has_any_number() -> None:
    """A configuration file of xl cannot ask for one."""
    subject = domain(config_files=(ConfigFile("/etc/xen/centos.cfg", "centos", UUID),))
    asked = request(preserve_domid=True, method="cold")
    (found,) = findings(host("xen1"), TAKEN, subject, asked)
    assert (found.code, found.details["options"]) == ("cold_as_in_file", ["migrate_preserve_domid"])
    planned = plan(host("xen1"), host("xen2"), subject, asked)
    assert planned is not None and planned.keep_domid == 0


@pytest.mark.parametrize("method", ["live", "suspend"])
def test_the_plan_has_the_number(method: str) -> None:
    """Zero where any will do, and where the domain has arrived."""
    for wanted, number in ((True, 3), (False, 0)):
        planned = plan(host("xen1"), host("xen2"), domain(), request(preserve_domid=wanted, method=method))
        assert planned is not None and planned.keep_domid == number
    there = host("xen2", domains=(DOM0, row(domid=9)))
    planned = plan(host("xen1", domains=(DOM0,)), there, None, request(preserve_domid=True))
    assert planned is not None and planned.already_there and planned.keep_domid == 0
