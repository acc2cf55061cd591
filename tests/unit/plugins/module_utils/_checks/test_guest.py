# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guest is, can and is about to do speaks against a move, or is told."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import (
    warnings,
)
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    DeviceSeen,
    DomainState,
    SessionSeen,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    domain,
    host,
    session,
    with_config,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.finding import (
    OTHERS,
    PV,
    find,
    require,
    require_warnings,
    with_xen,
)

CASES: list[tuple[str, str, dict[str, t.Any], list[str]]] = [
    # code, host, what is different, words that the message or the remedy must hold
    ("domain_paused", "xen1", {"domain": domain(state=DomainState(paused=True))}, ["xl unpause 3"]),
    (
        "domain_crashed",
        "xen1",
        {"domain": domain(state=DomainState(shutdown=True, crashed=True, reason="crash"))},
        ["xl destroy 3"],
    ),
    (
        "domain_shut_down",
        "xen1",
        {"domain": domain(state=DomainState(shutdown=True, reason="poweroff"))},
        ["poweroff"],
    ),
    (
        "domain_suspended",
        "xen1",
        {"domain": domain(state=DomainState(shutdown=True, reason="suspend"))},
        ["resume"],
    ),
    ("domain_dying", "xen1", {"domain": domain(state=DomainState(dying=True))}, ["torn down"]),
    ("vnuma", "xen1", {"domain": with_config(b_info={"vnuma_nodes": [{"memkb": 1}]})}, ["NUMA"]),
    ("migration_disabled", "xen1", {"domain": with_config(b_info={"disable_migrate": "True"})}, ["nomigrate"]),
    ("nested_virtualisation", "xen1", {"domain": with_config(b_info={"nested_hvm": "True"})}, ["nestedhvm"]),
    (
        "device_model_gone",
        "xen2",
        {
            "domain": with_config(c_info={"type": "hvm"}, b_info={"device_model_version": "qemu_xen_traditional"}),
            "destination": host("xen2", xen=with_xen(version="4.21.0", minor=21)),
        },
        ["4.21.0"],
    ),
    (
        "device_model_gone",
        "xen2",
        {
            "domain": with_config(c_info={"type": "hvm"}, b_info={"device_model_stubdomain": "True"}),
            "destination": host("xen2", xen=with_xen(version="4.21.0", minor=21)),
        },
        ["qemu-xen-traditional"],
    ),
    ("configuration_missing", "xen1", {"domain": domain(config=None)}, ["no configuration"]),
    (
        "capability_missing",
        "xen2",
        {"destination": host("xen2", xen=with_xen(virt_caps=("pv", "gnttab-v1")))},
        ["hvm, hap", "firmware"],
    ),
    (
        "capability_missing",
        "xen2",
        {
            "domain": with_config(**PV),
            "source": host("xen1", xen=with_xen(virt_caps=("pv", "shadow"))),
            "destination": host("xen2", xen=with_xen(virt_caps=("hvm", "hap"), caps=("hvm-3.0-x86_64",))),
        },
        ["pv is missing"],
    ),
    ("capability_missing", "xen2", {"domain": with_config(c_info={"hap": "False"})}, ["shadow is missing"]),
    (
        "capability_missing",
        "xen2",
        {
            "domain": with_config(b_info={"max_grant_version": 2}),
            "destination": host("xen2", xen=with_xen(virt_caps=("pv", "hvm", "hap", "gnttab-v1"))),
        },
        ["gnttab-v2"],
    ),
    ("capability_missing", "xen2", {"domain": with_config(b_info={"vpmu": "True"})}, ["vpmu is missing", "vpmu=1"]),
    (
        "capability_missing",
        "xen2",
        {
            "domain": with_config(b_info={"altp2m": "external"}),
            "destination": host("xen2", xen=with_xen(version="4.21.0", minor=21, commandline="altp2m=0 loglvl=all")),
        },
        ["Xen 4.21.0", "altp2m=1"],
    ),
    ("cpupool_missing", "xen2", {"domain": with_config(c_info={"pool_name": "rt"})}, ["'rt'", "Pool-0"]),
    (
        "affinity_impossible",
        "xen2",
        {"domain": with_config(b_info={"vcpu_hard_affinity": [[0, 1], [4, 5]]})},
        ["vcpu-pin 3"],
    ),
]


@pytest.mark.parametrize(("code", "where", "given", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_speaks_against_a_move_is_found(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """One cause gives one error, on the right host, with a remedy."""
    require(code, where, given, words)


WARNED: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "unknown pool": (
        {"domain": with_config(c_info={"pool_name": "rt"}), "destination": host("xen2", cpupools=())},
        ["cpupool_unchecked"],
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_a_person_should_know(name: str) -> None:
    """It does not stop the move."""
    require_warnings(*WARNED[name])


def test_shutdown_that_is_under_way() -> None:
    """A guest that is about to power off must not be asked to suspend."""
    seen = domain().xenstore
    assert seen is not None
    asked = domain(xenstore=dataclasses.replace(seen, control_shutdown="poweroff"))
    assert [finding.code for finding in find(domain=asked)] == ["shutdown_pending"]


@pytest.mark.parametrize(
    ("feature", "kind", "expected"),
    [
        ("1", "pvh", []),
        ("0", "pvh", [("suspend_refused", "error")]),
        ("", "pvh", [("suspend_unconfirmed", "warning")]),
        (None, "pvh", [("suspend_unconfirmed", "warning")]),
        (None, "hvm", []),
    ],
)
def test_guest_that_cannot_suspend(feature: str | None, kind: str, expected: list[tuple[str, str]]) -> None:
    """HVM guests without drivers are suspended from outside; others must say that they can."""
    seen = domain().xenstore
    assert seen is not None
    subject = dataclasses.replace(
        with_config(c_info={"type": kind}), xenstore=dataclasses.replace(seen, feature_suspend=feature)
    )
    assert [(finding.code, finding.severity) for finding in find(domain=subject)] == expected


@pytest.mark.parametrize(
    ("feature", "state", "sessions", "expected"),
    [
        ("1", 1, (), []),
        ("", 4, (), []),
        ("", 1, (), ["drivers_unseen"]),
        (None, None, (), ["drivers_unseen"]),
        ("", 1, (session(role="receiver"),), []),
    ],
)
def test_an_hvm_guest_without_drivers(
    feature: str | None, state: int | None, sessions: tuple[SessionSeen, ...], expected: list[str]
) -> None:
    """Is moved all the same; that one which has come by a move has not written anew that it can be suspended."""
    seen = domain().xenstore
    assert seen is not None
    store = dataclasses.replace(seen, feature_suspend=feature, devices=(DeviceSeen("vif", 0, 0, state),))
    subject = dataclasses.replace(with_config(c_info={"type": "hvm"}), xenstore=store)
    found = find(domain=subject, source=host("xen1", sessions=sessions))
    assert [finding.code for finding in found] == expected


@pytest.mark.parametrize(
    ("build", "options", "minor", "expected"),
    [
        ({"altp2m": "external"}, "altp2m=1", 17, ["altp2m_stays"]),
        ({"altp2m": "external"}, "loglvl=all altp2m", 21, ["altp2m_stays"]),
        ({"altp2m": "external"}, "altp2m=off", 17, ["altp2m_stays"]),
        ({"altp2m": "external"}, "no-altp2m", 21, ["capability_missing"]),
        ({"type.hvm": {"altp2m": "True"}}, "altp2m=yes", 21, ["altp2m_stays"]),
        ({"altp2m": "disabled", "type.hvm": {"altp2m": "False"}}, "", 21, []),
    ],
)
def test_views_of_memory_stay_behind(build: dict[str, t.Any], options: str, minor: int, expected: list[str]) -> None:
    """A Xen without them makes such a domain all the same, up to 4.20."""
    there = host("xen2", xen=with_xen(minor=minor, commandline=options))
    found = find(domain=with_config(b_info=build), destination=there)
    assert [finding.code for finding in found] == expected
    assert ["has none" in finding.message for finding in found] == [options == "altp2m=off"] * len(expected)


@pytest.mark.parametrize(
    ("changes", "warned"),
    [({}, False), ({"role": "sender"}, True), ({"end_state": "stayed"}, True), ({"domain": OTHERS}, True)],
)
def test_a_guest_that_a_migration_brought_is_not_suspected(changes: dict[str, t.Any], warned: bool) -> None:
    """After a move control/feature-suspend is empty until the guest boots; it has been suspended all the same."""
    seen = domain().xenstore
    assert seen is not None
    subject = domain(xenstore=dataclasses.replace(seen, feature_suspend=""))
    source = host("xen1", sessions=(session(**{"role": "receiver", **changes}),))
    found = warnings(find(domain=subject, source=source))
    assert [finding.code for finding in found] == (["suspend_unconfirmed"] if warned else [])
