# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ``xl`` stands still for good while the guest does, and the link is up: on two hosts of the double.

So does one that waits for a disk whose server is gone. Nobody wakes it up in these tests.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import NAME, UUID, Move, until

__all__ = ["make_site"]

pytestmark = pytest.mark.timeout(900)

# In seconds.
PATIENCE = 2.0


@pytest.fixture
def site(make_site: MakeSite) -> Site:  # noqa: F811  # pytest finds fixtures by their names
    """Two hosts, the guest on xen1."""
    site = make_site("xen1", "xen2", suspend_timeout_s=1.0)
    site["xen1"].start_guest(GuestConfig(memory_mib=8, compact=True))
    for host in site.hosts.values():
        host.record_points()
    return site


def stuck(site: Site, host: str, point: str, method: str = "live", **changes: t.Any) -> Move:
    """Begin a move whose xl stands still on this host from this point on."""
    site[host].faults({"point": point, "action": "stall"})
    return two_hosts.begin(site, method, ready_timeout=PATIENCE, **changes)


def runs_on_the_source(site: Site, boot: str) -> None:
    """The guest goes on there as it was, never ran twice, and nothing is left of its copy."""
    assert site.overlaps(UUID) == []
    assert len(site.running(UUID)) == 1
    guest = site["xen1"].guest(NAME)
    assert guest and guest["boot_id"] == boot
    assert [each["name"] for each in site["xen1"].domains()] == [NAME]
    assert site["xen2"].domains() == []


def boot_of(site: Site) -> str:
    """The guest's boot."""
    guest = site["xen1"].guest(NAME)
    assert guest is not None
    return str(guest["boot_id"])


def test_a_destination_that_never_says_ready(site: Site) -> None:
    """The guest runs again on the source while that xl still stands there; when it is killed its copy is given up."""
    boot = boot_of(site)
    move = stuck(site, "xen2", "receive.ready")
    result = move.result()
    assert (result["end_state"], result["owner"], result["error"]["code"]) == ("stayed", "source", "stalled")
    assert "has not said that it is ready" in result["error"]["msg"] and result["error"]["remedy"]
    assert len(site.running(UUID)) == 1 and site["xen2"].passed("receive.wait") == []
    site["xen2"].kill("migrate-receive", number=signal.SIGKILL)
    assert move.settle().end_state == "stayed"
    runs_on_the_source(site, boot)


def test_a_source_that_never_gives_its_permission(site: Site) -> None:
    """Nobody but that xl resumes the guest, so it is killed after as long again, and settling does it."""
    boot = boot_of(site)
    move = stuck(site, "xen1", "migrate.ready")
    result = move.result()
    assert (result["end_state"], result["owner"], result["error"]["code"]) == (
        "unsettled",
        "unsettled",
        "source_not_running",
    )
    assert "has not given its permission" in result["error"]["msg"]
    steps = move.steps()
    assert steps.index("refused") < steps.index("xl_killed") < steps.index("xl_exited")
    assert site.running(UUID) == []
    assert move.settle().end_state == "stayed"
    runs_on_the_source(site, boot)


def test_a_source_that_hangs_when_the_domain_was_given_back(site: Site) -> None:
    """The destination could not start it; the xl that was told so stands still, is killed, and that is told."""
    boot = boot_of(site)
    site["xen2"].faults({"point": "receive.renamed", "action": "status", "status": 3})
    move = stuck(site, "xen1", "migrate.status")
    result = move.result()
    assert (result["end_state"], result["error"]["code"]) == ("unsettled", "source_not_running")
    assert "could not start the domain" in result["error"]["msg"] and "was ended by force" in result["error"]["msg"]
    steps = move.steps()
    assert steps.index("reported_returned") < steps.index("xl_killed") < steps.index("xl_exited")
    assert site.running(UUID) == []
    assert move.settle().end_state == "stayed"
    runs_on_the_source(site, boot)


@pytest.mark.parametrize(
    ("limits", "code", "words"),
    [
        ({"stall_timeout": 2 * PATIENCE}, "stalled", "while the guest ran on"),
        ({"timeout_per_gib": 2}, "too_slow", "still runs on after 2 s"),
    ],
)
def test_memory_that_does_not_move(site: Site, limits: dict[str, t.Any], code: str, words: str) -> None:
    """The guest runs on meanwhile, and may be waited for longer; it is never paused."""
    site["xen2"].faults({"point": "receive.config", "action": "stall", "seconds": 4 * PATIENCE})
    site["xen1"].run("xl", "destroy", NAME)
    site["xen1"].start_guest(GuestConfig(memory_mib=64, compact=True, untouched=0.0))
    boot = boot_of(site)
    result = two_hosts.begin(site, "live", ready_timeout=1.0, **limits).result()
    assert (result["end_state"], result["error"]["code"]) == ("stayed", code)
    assert words in result["error"]["msg"]
    assert site["xen1"].passed("suspend.request") == []
    until(lambda: not site["xen2"].left_over())
    runs_on_the_source(site, boot)


def test_a_controller_that_holds_the_gate_is_not_waited_for_so_long(site: Site) -> None:
    """That has a limit of its own, which is longer here."""
    # Longer than an xl takes that is only slow.
    move = two_hosts.begin(site, "live", gate_held=True, gate_timeout=4 * PATIENCE, ready_timeout=2 * PATIENCE)
    result = move.result()
    assert (result["error"]["code"], result["end_state"]) == ("gate_timeout", "stayed")
    assert "xl_killed" not in move.steps()
    assert move.settle().end_state == "stayed"


def test_after_the_commit_it_is_only_told(site: Site) -> None:
    """The destination's xl has the permission in its hand: the session says that it is late, and goes on to its end."""
    site["xen2"].faults({"point": "receive.go", "action": "stall", "seconds": 6 * PATIENCE})
    move = two_hosts.begin(site, "live", ready_timeout=PATIENCE)
    status = site["xen1"].paths.run.resolve() / "dom0-xen" / f"{two_hosts.SESSION}.sender" / "status.json"
    until(lambda: status.exists() and json.loads(status.read_bytes())["waits_for_settling"])
    assert site["xen2"].passed("receive.unpaused") == []
    result = move.result()
    assert (result["end_state"], result["owner"], result["error"]) == ("moved", "destination", None)
    assert site.overlaps(UUID) == []


@contextlib.contextmanager
def holding_the_lock(host: Host) -> t.Iterator[None]:
    """Hold xl's lock there, as an arrival does from its beginning to its end."""
    descriptor = os.open(host.paths.xl_lock, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o200)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def test_waiting_for_the_lock_of_xl_is_no_stall(make_site: MakeSite) -> None:  # noqa: F811
    """However long it takes: no limit has passed, the link was never lost, and the guest runs on meanwhile."""
    site = make_site("xen1", "xen2", autoballoon="on")
    source, destination = site["xen1"], site["xen2"]
    # Far more than may be on its way.
    source.start_guest(GuestConfig(memory_mib=64, compact=True, untouched=0.0))
    for host in site.hosts.values():
        host.record_points()
    before = source.guest(NAME)
    with holding_the_lock(destination):
        move = two_hosts.begin(site, "live", link_timeout=1.0, stop_link_timeout=1.0, ready_timeout=3.0)
        until(lambda: destination.passed("receive.lock"))
        time.sleep(5.0)
        assert source.passed("suspend.request") == [] and len(site.running(UUID)) == 1
        assert move.steps()[-1] != "ended" and "abort" not in move.steps()
    result = move.result()
    assert (result["end_state"], result["error"], result["link"]["losses"]) == ("moved", None, 0)
    after = destination.guest(NAME)
    assert before and after and after["boot_id"] == before["boot_id"] and after["verified"]
    assert site.overlaps(UUID) == []
