# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver listens on as few addresses as it can, and people are told where these are all."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks import listening
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case
from ansible_collections.dom0.xen.plugins.module_utils._records import Address
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import domain, host, request, row
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.finding import find, rows_here, rows_there

OWN = (Address("xenbr0", "192.0.2.12"), Address("xenbr0", "2001:db8::2"))
CODE = "listens_on_all"


@pytest.mark.parametrize(
    ("address", "looked_up", "listen"),
    [
        ("192.0.2.12", ["192.0.2.12"], "192.0.2.12"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("203.0.113.7", ["203.0.113.7"], "0.0.0.0"),
        ("2001:db8::7", [], "::"),
        ("2001:db8::2", [], "2001:db8::2"),
        ("xen2", [], "0.0.0.0"),
        ("xen2", ["192.0.2.12"], "192.0.2.12"),
        # The source tries both, and only one of them is the host's.
        ("xen2", ["203.0.113.7", "2001:db8::2"], "2001:db8::2"),
        ("xen2", ["192.0.2.12", "2001:db8::2"], "0.0.0.0"),
        ("xen2", ["2001:db8::7"], "::"),
        ("xen2", ["fe80::1%eth0", "nonsense"], "::"),
        ("localhost", ["::1", "127.0.0.1"], "0.0.0.0"),
    ],
)
def test_the_receiver_listens_as_narrowly_as_it_can(address: str, looked_up: list[str], listen: str) -> None:
    """On the address that the source uses if the host has it; behind a translation, or not known which, on all.

    In the latter case, and in no other, it is told.
    """
    asked = request(destination_address=address, looked_up=tuple(looked_up))
    there = host("xen2", addresses=OWN)
    assert listening.address(Case(host("xen1"), there, domain(), asked), address) == listen
    told = [finding for finding in find(destination=there, request=asked) if finding.code == CODE]
    assert [(finding.host, finding.severity) for finding in told] == (
        [("xen2", "warning")] if listen in ("0.0.0.0", "::") else []
    )


@pytest.mark.parametrize(
    ("address", "looked_up", "words"),
    [
        ("203.0.113.7", None, "xen1 connects to 203.0.113.7, and xen2 has 192.0.2.12, 2001:db8::2"),
        ("gate", ["203.0.113.7"], "xen1 connects to 203.0.113.7, and xen2 has 192.0.2.12, 2001:db8::2"),
        ("xen2", [], "xen1 knows no address of the name xen2"),
        (
            "xen2",
            ["192.0.2.12", "2001:db8::2"],
            "the name xen2 means several of them on xen1 (192.0.2.12, 2001:db8::2)",
        ),
    ],
)
def test_why_it_listens_on_all(address: str, looked_up: list[str] | None, words: str) -> None:
    """The remedy is the same: somebody has to say which of its own addresses it is."""
    found = tuple(looked_up) if looked_up is not None else None
    asked = request(destination_address=address, looked_up=found)
    (finding,) = [each for each in find(destination=host("xen2", addresses=OWN), request=asked) if each.code == CODE]
    assert words in finding.message and "migrate_listen_address" in finding.remedy
    assert finding.details == {"address": address, "addresses": [entry.address for entry in OWN]}


@pytest.mark.parametrize(
    "given",
    [
        {"transport": "ssh"},
        {"listen_address": "192.0.2.12"},
        {"listen_address": "0.0.0.0"},
        {"networks": ("192.0.2.0/24",), "asked_address": "192.0.2.11"},
        {"destination_address": ""},
        {"destination_address": "xen2"},
    ],
    ids=str,
)
def test_where_nothing_is_told(given: dict[str, t.Any]) -> None:
    """Over ssh it is the loopback address; somebody has said which it is; nobody has asked, or looked the name up."""
    asked = request(**{"destination_address": "203.0.113.7", **given})
    assert CODE not in {finding.code for finding in find(request=asked)}


def test_a_domain_that_is_there_already() -> None:
    """Nobody listens."""
    asked = request(destination_address="203.0.113.7")
    found = find(source=rows_here(), destination=rows_there(row()), domain=None, request=asked)
    assert [finding.code for finding in found] == ["address_doubtful"]
