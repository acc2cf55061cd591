# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts, their facts, their clocks and sessions on them speak against a move, or are told."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import (
    findings,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    NO_FACTS,
    NOT_IN_INVENTORY,
    UNREACHABLE,
    HostTrouble,
)
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    HostFacts,
    Problem,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    UUID,
    domain,
    host,
    request,
    session,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.finding import (
    UNREACHED,
    find,
    require,
    require_warnings,
    rows_here,
    with_xen,
)

CASES: list[tuple[str, str, dict[str, t.Any], list[str]]] = [
    # code, host, what is different, words that the message or the remedy must hold
    (
        NOT_IN_INVENTORY,
        "xen9",
        {
            "destination": None,
            "request": request(destination="xen9", destination_trouble=HostTrouble(NOT_IN_INVENTORY)),
        },
        ["xen9", "xen1, xen2"],
    ),
    (
        UNREACHABLE,
        "xen2",
        {"destination": None, "request": request(destination_trouble=UNREACHED)},
        ["Connection refused", "ansible -i INVENTORY xen2"],
    ),
    (
        UNREACHABLE,
        "xen1",
        {"source": None, "domain": None, "request": request(source_trouble=UNREACHED)},
        ["Connection refused", "ansible -i INVENTORY xen1"],
    ),
    (NO_FACTS, "xen2", {"destination": None}, ["host_info"]),
    ("same_host", "xen1", {"destination": host("xen1"), "request": request(destination="xen1")}, ["allow_same_host"]),
    ("same_host", "xen2", {"destination": host("xen1")}, ["same machine", "allow_same_host"]),
    (
        "xen_older",
        "xen2",
        {"destination": host("xen2", xen=with_xen(version="4.14.6", minor=14))},
        ["4.14.6", "4.17.7", "Upgrade"],
    ),
    ("session_running", "xen1", {"source": host("xen1", sessions=(session(alive=True, phase="gate"),))}, ["gate"]),
    ("session_running", "xen2", {"destination": host("xen2", sessions=(session(alive=True),))}, ["role=sender"]),
    *[
        (code, name, {side: host(name, problems=(Problem(code, "what is wrong", "what to do"),))}, ["what to do"])
        for code in ("pyxs_missing", "no_xen", "not_root", "xl_missing", "no_runtime_path", "xenstore_unreachable")
        for side, name in (("source", "xen1"), ("destination", "xen2"))
    ],
]


@pytest.mark.parametrize(("code", "where", "given", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_speaks_against_a_move_is_found(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """One cause gives one error, on the right host, with a remedy."""
    require(code, where, given, words)


WARNED: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "interrupted session": (
        {"source": host("xen1", sessions=(session(end_state=None, phase="gate"),))},
        ["session_interrupted"],
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_a_person_should_know(name: str) -> None:
    """It does not stop the move."""
    require_warnings(*WARNED[name])


@pytest.mark.parametrize("wanted", ["centos", UUID.upper()])
def test_running_session_is_found_by_name_and_uuid(wanted: str) -> None:
    """However the caller names the domain."""
    source = dataclasses.replace(rows_here(), sessions=(session(alive=True, phase="gate", end_state=None),))
    found = find(domain=None, source=source, request=request(domain=wanted))
    assert [finding.code for finding in found] == ["session_running"]


def test_a_receiver_without_a_sender_ends_by_itself() -> None:
    """A run interrupted between the two starts leaves one; whoever runs it again must know that waiting helps."""
    waiting = session(role="receiver", alive=True, phase="starting", end_state=None)
    (found,) = find(destination=host("xen2", sessions=(waiting,)))
    assert "ends by itself" in found.message and "migrate_admission_timeout" in found.message
    assert (
        f"`ansible -i INVENTORY xen2 -m dom0.xen.migration_cancel -a 'session={waiting.session} role=receiver'`"
        in found.remedy
    )
    (found,) = find(destination=host("xen2", sessions=(dataclasses.replace(waiting, phase="streaming"),)))
    assert "ends by itself" not in found.message


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("192.0.2.11", None),
        ("xen2.example.org", None),
        ("", None),
        ("fe80::1", None),
        ("127.0.0.1", "the source itself"),
        ("::1", "the source itself"),
        ("198.51.100.7", "none of its own (192.0.2.11)"),
    ],
)
def test_an_address_that_is_not_the_destinations_is_doubted(address: str, words: str | None) -> None:
    """Else the move fails only after the receiver was started; translated addresses stay possible."""
    asked = request(destination_address=address)
    found = [finding for finding in find(request=asked) if finding.code != "listens_on_all"]
    assert [(finding.code, finding.severity) for finding in found] == (
        [("address_doubtful", "warning")] if words else []
    )
    assert not words or words in found[0].message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"asked_address": "127.0.0.1"}, "Leave out migrate_destination_address, or let it be"),
        ({"destination_host_address": "127.0.0.1"}, "Let the variable dom0_xen_address of xen2 in the inventory be"),
        ({}, "Give xen2 the variable dom0_xen_address in the inventory:"),
    ],
)
def test_the_remedy_is_about_what_gave_the_address(given: dict[str, str], words: str) -> None:
    """Somebody who has set dom0_xen_address is not told to set it; and an address that may do is named."""
    (found,) = find(request=request(destination_address="127.0.0.1", **given))
    assert found.remedy.startswith(f"{words} one that xen1 can reach, such as 192.0.2.11.")


def _clock(name: str, clock: float, asked: float, answered: float) -> HostFacts:
    return host(name, clock_s=clock, asked_s=asked, answered_s=answered)


@pytest.mark.parametrize(
    ("here", "there", "apart"),
    [
        ((1000.0, 999.0, 1001.0), (1060.0, 1059.0, 1061.0), None),  # asked a minute later
        ((1000.0, 999.9, 1000.1), (1003.0, 1000.4, 1000.6), 2.3),
        ((1000.0, 998.0, 1002.0), (1005.0, 1001.0, 1005.0), None),  # the answers took too long to tell
        ((1000.0, 999.0, 1001.0), (900.0, 1002.0, 1004.0), -101.0),
        ((1000.0, 999.9, 1000.1), (1001.5, 1000.0, 1000.2), None),
    ],
)
def test_clocks_are_compared_over_the_controllers(
    here: tuple[float, float, float], there: tuple[float, float, float], apart: float | None
) -> None:
    """Neither the time between two looks nor a slow answer is taken for a difference."""
    found = find(source=_clock("xen1", *here), destination=_clock("xen2", *there))
    assert [(finding.code, finding.severity, finding.details["apart_s"]) for finding in found] == (
        [] if apart is None else [("clocks_differ", "warning", apart)]
    )
    assert all(("behind" if apart and apart < 0 else "ahead of") in finding.message for finding in found)


def test_clocks_of_one_host_or_of_old_facts_are_not_compared() -> None:
    """Without the controller's times nothing is known."""
    assert find(destination=host("xen2", clock_s=9999.0)) == ()
    one = _clock("xen1", 5.0, 1.0, 1.0)
    later = dataclasses.replace(one, clock_s=99.0)
    assert findings(one, later, domain(), request(destination="xen1", allow_same_host=True)) == ()


def test_an_empty_inventory_asks_for_one() -> None:
    """Who forgot -i has no host to choose among."""
    lost = HostTrouble(NOT_IN_INVENTORY)
    (found,) = findings(None, None, None, request(source=None, destination_trouble=lost, inventory=()))[:1]
    assert found.code == NOT_IN_INVENTORY
    assert "-i hosts.ini" in found.remedy
