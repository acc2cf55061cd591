# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process between xl and its save helper is killed, or held, at any moment: the guest runs on, once."""

from __future__ import annotations

import os
import signal
import time

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import NAME, UUID, Move

__all__ = ["make_site"]

pytestmark = pytest.mark.timeout(900)


def begin(make_site: MakeSite) -> tuple[Site, Move]:
    """A guest that writes all its memory again in each round, and may stand still for a minute."""
    site = two_hosts.writing(make_site, **two_hosts.BUSY)
    return site, two_hosts.begin(site, "live", compression="none", rate_limit=4e6, max_stop_ms=60_000)


@pytest.mark.parametrize("when", ["save.round1", "save.round3", "save.suspended"])
def test_killed(make_site: MakeSite, when: str) -> None:
    """The helper hears nobody, and xl sees it end. A guest that was asked to suspend by then is resumed."""
    site, move = begin(make_site)
    # So that there is something left to be written when the warden is killed.
    site["xen1"].faults({"point": when, "action": "stall", "seconds": 10.0})
    two_hosts.until(lambda: site["xen1"].passed(when))
    assert len(site["xen1"].kill("/warden")) == 1
    result = move.result()
    assert (result["end_state"], result["owner"]) == ("stayed", "source"), result["error"]
    assert result["error"]["remedy"]
    assert bool(site["xen1"].passed("suspend.request")) is (when == "save.suspended")
    assert site.overlaps(UUID) == [] and len(site.running(UUID)) == 1
    assert [each["name"] for each in site["xen1"].domains()] == [NAME]
    two_hosts.until(lambda: site["xen2"].domains() == [])


def test_held(make_site: MakeSite) -> None:
    """While it stands still so does the move, with the guest running; then it goes on."""
    site, move = begin(make_site)
    two_hosts.until(lambda: site["xen1"].passed("save.round3"))
    (pid,) = site["xen1"].kill("/warden", number=signal.SIGSTOP)
    two_hosts.until(lambda: site["xen1"].passed("save.suspend"))
    assert site["xen1"].passed("suspend.request") == [] and len(site.running(UUID)) == 1
    os.kill(pid, signal.SIGCONT)
    assert move.result()["end_state"] == "moved"
    assert site.overlaps(UUID) == [] and site["xen2"].guest(NAME)


@pytest.mark.parametrize("for_good", [False, True], ids=["for-a-while", "for-good"])
def test_memory_under_way_is_waited_for(make_site: MakeSite, for_good: bool) -> None:
    """The guest runs until the receiver has taken all of it: for no longer than for memory that does not move."""
    site = make_site("xen1", "xen2")
    # Each round is small enough to be under way whole, and large enough for xl to make another one.
    behaviour = {"dirty_pages_per_s": 1e6, "working_set": 52}
    site["xen1"].start_guest(GuestConfig(memory_mib=2, compact=True, behaviour=behaviour))
    for host in site.hosts.values():
        host.record_points()
    receiver = receiving.start(site["xen2"])
    limits = {"max_stop_ms": 60_000, "stall_timeout": 3.0 if for_good else 60.0}
    move = two_hosts.begin_to(site, receiver, compression="none", rate_limit=0.25e6, **limits)
    two_hosts.until(lambda: site["xen1"].passed("save.round3"))
    os.kill(receiver.pid, signal.SIGSTOP)
    try:
        two_hosts.until(lambda: site["xen1"].passed("save.suspend"))
        time.sleep(1.0)
        assert site["xen1"].passed("suspend.request") == [] and len(site.running(UUID)) == 1
        if for_good:
            result = move.result()
            assert (result["end_state"], result["error"]["code"]) == ("stayed", "stalled")
    finally:
        os.kill(receiver.pid, signal.SIGCONT)
    if not for_good:
        assert move.result()["end_state"] == "moved"
    assert bool(site["xen1"].passed("suspend.request")) is not for_good
    assert site.overlaps(UUID) == [] and len(site.running(UUID)) == 1
    two_hosts.until(lambda: bool(site["xen2"].domains()) is not for_good)
