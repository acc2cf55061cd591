# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check refuses: before the guest is touched, all findings at once, each with its host and its remedy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from dom0lab import Host
from dom0lab.guest_disk import GUEST_UUID, guest_config

from .circumstances import OTHER_UUID, bridge_renamed, card_less, paused
from .plays import Outcome
from .world import World, another_xl, same_guest

PYXS = "/usr/lib/python3/dist-packages/pyxs"
HIDDEN = ("/dev/xen", "/proc/xen", "/sys/hypervisor")


@pytest.fixture
def untouched(home: World) -> Iterator[World]:
    """Afterwards the guest runs on as if nothing had been, and neither host has anything of it, not even a journal."""
    journals = home.journals()
    with home.lab.observe(everywhere=True) as watch:
        yield home
    same_guest(watch.observation)
    after = home.require("xen1", 1)
    assert {name: left.journals for name, left in after.items()} == journals


def require(outcome: Outcome, **hosts: str | set[str]) -> None:
    """The run failed once, in one message, for just these reasons: names of findings, and the hosts they are about."""
    assert outcome.status != 0, outcome.output
    assert outcome.failures == 1, outcome.recap
    assert outcome.changed == 0, outcome.recap
    needed = {(code, host) for code, of in hosts.items() for host in ({of} if isinstance(of, str) else of)}
    assert {(finding["code"], finding["host"]) for finding in outcome.findings} == needed, outcome.message
    for finding in outcome.findings:
        line = f"{finding['host']}: {finding['code']}: {finding['message']} Remedy: {finding['remedy']}"
        assert finding["message"] and finding["remedy"] and line in outcome.message
    assert outcome.result["end_state"] == "refused"


def test_unknown_domain_and_unknown_destination(untouched: World) -> None:
    """Two mistakes in one command are told in one go."""
    outcome = untouched.migrate(domain="nosuch", destination="xen9")
    require(outcome, domain_unknown="xen9", host_not_in_inventory="xen9")


def test_unknown_domain(untouched: World) -> None:
    """No host has a domain of that name."""
    require(untouched.migrate(domain="Centos"), domain_unknown="xen2")


def test_domain_0(untouched: World) -> None:
    """The host's own domain cannot be moved."""
    require(untouched.migrate(domain="Domain-0", source="xen1"), domain_is_dom0="xen1")


def test_destination_unreachable(untouched: World) -> None:
    """Nobody listens where the destination's sshd should be."""
    outcome = untouched.migrate(inventory=untouched.inventory(xen2={"ansible_port": 9}))
    require(outcome, host_unreachable="xen2")


def test_destination_is_source(untouched: World) -> None:
    """Without allow_same_host the domain does not go where it is. It is there, so nothing is to be done."""
    outcome = untouched.migrate(destination="xen1", source="xen1")
    require(outcome, same_host="xen1")


def test_four_things_wrong_at_the_destination(untouched: World) -> None:
    """Name taken, UUID taken, memory full, bridge missing: four findings, one message."""
    host = untouched.destination
    free = int(host.run("xl info free_memory").stdout)
    small = 112
    namesake = card_less(guest_config(name="centos", uuid=OTHER_UUID, memory_mib=free - small - 80))
    twin = card_less(guest_config(name="twin", uuid=GUEST_UUID, memory_mib=small))
    with paused(host, "twin", twin), paused(host, "centos", namesake), bridge_renamed(host, "xenbr0", "xenbr9"):
        outcome = untouched.migrate(source="xen1")
    require(outcome, name_taken="xen2", uuid_taken="xen2", not_enough_memory="xen2", bridge_missing="xen2")


def test_pv_domain_without_shadow_paging(untouched: World) -> None:
    """Debian's Xen cannot follow the memory of a running PV domain; xl would find that out with the receiver up."""
    text = card_less(guest_config(name="oldpv", uuid=OTHER_UUID, memory_mib=112)).replace('type = "pvh"', 'type = "pv"')
    with paused(untouched.source, "oldpv", text):
        outcome = untouched.migrate(domain="oldpv", migrate_method="live")
    require(outcome, no_shadow_paging="xen1", domain_paused="xen1")


def test_pyxs_missing(untouched: World) -> None:
    """A host without pyxs is named, with the package that brings it."""
    host = untouched.destination
    host.run(f"mv {PYXS} /root/pyxs-away")
    try:
        outcome = untouched.migrate()
    finally:
        host.run(f"mv /root/pyxs-away {PYXS}")
    require(outcome, pyxs_missing="xen2")
    assert "python3-pyxs" in outcome.message


def test_no_xen(untouched: World) -> None:
    """A machine that runs no Xen is no destination."""
    host = untouched.destination
    host.run(" && ".join(f"mount -t tmpfs -o mode=755 none {path}" for path in HIDDEN))
    try:
        outcome = untouched.migrate()
    finally:
        host.run(" ; ".join(f"umount {path}" for path in HIDDEN))
    require(outcome, no_xen="xen2")


@contextlib.contextmanager
def saying_an_older_xen(host: Host) -> Iterator[None]:
    """A host whose xl says that it runs the release before this one."""
    minor = int(host.run("xl info xen_minor").stdout)
    old = f"s/^\\(xen_minor *: \\){minor}$/\\1{minor - 1}/; s/^\\(xen_version *: 4\\.\\){minor}/\\1{minor - 1}/"
    text = f"""#!/bin/sh\nif [ "$1" = info ]; then /usr/sbin/xl "$@" | sed '{old}'; else exec /usr/sbin/xl "$@"; fi\n"""
    with another_xl(host, text):
        assert f"xen_minor              : {minor - 1}" in host.run("xl info").stdout
        yield


def test_xen_older_at_the_destination(untouched: World) -> None:
    """A stream goes up from release to release, never down."""
    with saying_an_older_xen(untouched.destination):
        outcome = untouched.migrate(source="xen1")
    require(outcome, xen_older="xen2")


def test_not_root(untouched: World) -> None:
    """A user who is not root and does not become root is told so, for both hosts."""
    inventory = untouched.inventory("operator", drop=["ansible_become", "ansible_become_password"])
    outcome = untouched.migrate(inventory=inventory, source="xen1")
    require(outcome, not_root={"xen1", "xen2"})
