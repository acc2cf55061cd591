# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan says what would be done, and whether there is anything left to do."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings, plan
from ansible_collections.dom0.xen.plugins.module_utils._records import AutostartEntry, HostFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    DOM0,
    OTHER,
    UUID,
    domain,
    host,
    request,
    row,
    with_config,
)

EMPTY = host("xen1", domains=(DOM0,))


def _there(*rows: t.Any) -> HostFacts:
    return host("xen2", domains=(DOM0, *rows))


def test_plan_of_a_move() -> None:
    """What, from where to where, how, and with how much memory."""
    planned = plan(host("xen1"), host("xen2"), domain(), request())
    assert planned is not None
    assert not planned.already_there and not planned.same_host
    assert (planned.method, planned.transport) == ("live", "tls")
    assert (planned.domain.uuid, planned.domain.domid, planned.domain.type) == (UUID, 3, "pvh")
    assert (planned.memory_needed_kib, planned.memory_free_kib, planned.balloon_kib) == (135168, 921600, 0)
    assert planned.addresses[0].address == "192.0.2.11"
    assert planned.to_result()["domain"]["memory_max_kib"] == 131072


@pytest.mark.parametrize("wanted", ["centos", UUID, UUID.upper()])
@pytest.mark.parametrize("source", [EMPTY, None])
def test_second_run_has_nothing_to_do(wanted: str, source: HostFacts | None) -> None:
    """The domain runs at the destination and not at the source: no error, and nothing to change."""
    asked = request(domain=wanted, source="xen1" if source else None)
    there = _there(row(domid=9))
    assert findings(source, there, None, asked) == ()
    planned = plan(source, there, None, asked)
    assert planned is not None and planned.already_there
    assert (planned.domain.uuid, planned.domain.domid, planned.memory_needed_kib) == (UUID, 9, None)


NOT_THERE: dict[str, tuple[HostFacts | None, HostFacts]] = {
    "paused": (EMPTY, _there(row(paused=True))),
    "crashed": (EMPTY, _there(row(shutdown=True, crashed=True, reason="crash"))),
    "suspended": (EMPTY, _there(row(shutdown=True, reason="suspend"))),
    "dying": (EMPTY, _there(row(dying=True))),
    "incoming": (EMPTY, _there(row("centos--incoming"))),
    "another": (EMPTY, _there(row("web", 9, OTHER))),
    "nobody looked at the source": (None, _there(row())),
    "xl list failed at the source": (dataclasses.replace(EMPTY, domains=()), _there(row())),
    "xl failed at the source": (dataclasses.replace(EMPTY, xen=None), _there(row())),
}


@pytest.mark.parametrize("name", NOT_THERE)
def test_success_is_not_assumed(name: str) -> None:
    """Only a domain that runs under its name, on one host, of two that were looked at, has arrived."""
    source, destination = NOT_THERE[name]
    assert plan(source, destination, None, request()) is None


def test_a_paused_domain_has_arrived_where_that_was_wanted() -> None:
    """Under its own name, and with no copy left on the source that a session may have to be settled for."""
    asked = request(leave_paused=True)
    there = _there(row(domid=9, paused=True))
    planned = plan(EMPTY, there, None, asked)
    assert planned is not None and planned.already_there
    half = host("xen1", domains=(DOM0, row("centos--migratedaway", shutdown=True, reason="suspend")))
    assert plan(half, there, None, asked) is None
    for name in ("crashed", "suspended", "dying", "incoming"):
        assert plan(*NOT_THERE[name], None, asked) is None


def test_the_plan_tells_the_destinations_names() -> None:
    """Those of the domain, and that the bridge of that name is what is looked for."""
    asked = request(map_bridges={"xenbr0": "br7"}, leave_paused=True)
    there = host("xen2", bridges=("br7",))
    planned = plan(host("xen1"), there, domain(), asked)
    assert planned is not None and planned.leave_paused
    assert planned.to_result()["mapped"] == [{"what": "bridge", "from": "xenbr0", "to": "br7"}]
    assert findings(host("xen1"), there, domain(), asked) == ()


def test_domain_on_both_hosts_has_not_arrived() -> None:
    """That is the worst case, and an error."""
    planned = plan(host("xen1"), _there(row(domid=9)), domain(), request())
    assert planned is not None and not planned.already_there
    found = findings(host("xen1"), _there(row(domid=9)), domain(), request())
    assert [finding.code for finding in found] == ["uuid_taken"]


def test_move_within_a_host() -> None:
    """The domain's own copy is not in its way, but a left-over one is."""
    asked = request(destination="xen1", allow_same_host=True)
    planned = plan(host("xen1"), host("xen1"), domain(), asked)
    assert planned is not None and planned.same_host and not planned.already_there
    busy = host("xen1", domains=(DOM0, row(), row("centos--incoming", 4, paused=True)))
    assert [finding.code for finding in findings(busy, busy, domain(), asked)] == ["incoming_name_taken"]


MEMORY: list[tuple[str, t.Any, int]] = [
    # libxl__domain_need_memory_calculate by hand: target + shadow + iommu + extra, rounded up to 2 MiB
    ("pvh", with_config(), 131072 + 2048 + 2048),
    ("rounded up", with_config(b_info={"shadow_memkb": 2049}), 131072 + 2049 + 2048 + 2047),
    ("iommu", with_config(b_info={"iommu_memkb": 2048}), 131072 + 2048 + 2048 + 2048),
    ("pv", with_config(c_info={"type": "pv"}, b_info={"shadow_memkb": 0}), 131072 + 2048),
    ("guest that is still giving memory back", with_config(b_info={"target_memkb": 65536}), 131072 + 2048 + 2048),
    (
        "stub domain",
        with_config(
            c_info={"type": "hvm"},
            b_info={"device_model_stubdomain": "True", "stubdomain_memkb": 32768, "video_memkb": 16384},
        ),
        131072 + 2048 + 2048 + 32768 + 16384,
    ),
]


@pytest.mark.parametrize(("name", "subject", "needed_kib"), MEMORY, ids=[case[0] for case in MEMORY])
def test_memory_needed(name: str, subject: t.Any, needed_kib: int) -> None:
    """As libxl will ask for it at the destination."""
    planned = plan(host("xen1"), host("xen2"), subject, request())
    assert planned is not None and planned.memory_needed_kib == needed_kib


def test_memory_for_shadow_is_estimated() -> None:
    """1 MiB for each vcpu and 8 KiB for each MiB, where the configuration does not tell; rounded up."""
    subject = with_config(b_info={"max_vcpus": 2})
    config = dict(subject.config or {})
    del config["b_info"]["shadow_memkb"]
    planned = plan(host("xen1"), host("xen2"), dataclasses.replace(subject, config=config), request())
    assert planned is not None and planned.memory_needed_kib == 131072 + 2048 + 1024 + 2048 + 1024


def test_dom0_gives_memory_only_down_to_its_minimum() -> None:
    """What xl would take from dom0 is part of the plan; what dom0 must keep is not offered."""
    small = host("xen2", free_memory_mib=100, autoballoon=True, dom0_memory_mib=560)
    planned = plan(host("xen1"), small, domain(), request())
    assert planned is not None and planned.balloon_kib == 32 * 1024
    assert [finding.code for finding in findings(host("xen1"), small, domain(), request())] == ["dom0_ballooned"]
    assert findings(host("xen1"), small, domain(), request(dom0_memory_min_mib=540))[0].code == "not_enough_memory"
    floor = dataclasses.replace(small, dom0_memory_mib=150)
    assert findings(host("xen1"), floor, domain(), request(dom0_memory_min_mib=0))[0].code == "not_enough_memory"


def test_plan_tells_what_would_start_a_second_copy() -> None:
    """By name or by UUID; not what is another domain's or out of force, and nothing when the host stays the same."""
    autostart = (
        AutostartEntry("/save/old-name", "image", "old-name", UUID),
        AutostartEntry("/auto/a.cfg", "config", "centos", None),
        AutostartEntry("/auto/b.cfg", "config", "web", OTHER),
        AutostartEntry("/auto/.c.cfg.dom0-xen-0123456789abcdef", "config", "centos", UUID, "0123456789abcdef"),
    )
    planned = plan(host("xen1", autostart=autostart), host("xen2"), domain(), request())
    assert planned is not None and planned.autostart == ("/save/old-name", "/auto/a.cfg")
    here = host("xen1", autostart=autostart)
    within = plan(here, here, domain(), request(destination="xen1", allow_same_host=True))
    assert within is not None and within.autostart == ()
