# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What matters of a domain is seen, compared, and read as if it came from anybody."""

from __future__ import annotations

import sys
import time
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._session.observing import backends, portrait
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.guest_clock import TscInfo
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

__all__ = ["make_site"]


def test_a_domain_is_seen_as_it_is(make_site: MakeSite) -> None:
    """What XenStore says comes at once, what xl says later, and only once; both can travel."""
    host = make_site("xen1", python=sys.executable, cpus=4)["xen1"]
    domid = host.start_guest(GuestConfig(memory_mib=16, vcpus=2, compact=True))
    host.run("xl", "vcpu-pin", "centos", "all", "0,1,3")
    deadline = time.monotonic() + 20
    with XenStore(str(host.paths.store_socket)) as store:
        while backends.devices(store, domid) != {"vif/0": backends.CONNECTED}:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        subject = portrait.Portrait(Xl(subprocess_runner(), str(host.paths.bin / "xl")), store)
        first, later = subject.begin(domid), None
        while later is None:
            assert time.monotonic() < deadline
            later = subject.take()
            time.sleep(0.02)
    assert subject.take() is None
    assert portrait.read(first) == ({"memory_target_kib": 16384, "memory_max_kib": 16384}, ("vif/0",))
    traits, dummy = portrait.read(later)
    assert traits == {
        "vcpus": 2,
        "vcpus_max": 2,
        "affinity_hard": "0-1,3",
        "affinity_soft": "all",
        "scheduler": "credit2",
        "weight": 256,
        "cap": 0,
        "cpu_khz": 2599998,
    }


def test_nothing_is_asked_of_xl_when_that_is_over(make_site: MakeSite) -> None:
    """The guest stands still then; what XenStore says is told all the same."""
    host = make_site("xen1", python=sys.executable)["xen1"]
    domid = host.start_guest(GuestConfig(memory_mib=16, compact=True))
    host.record_points()
    later = None
    with XenStore(str(host.paths.store_socket)) as store:
        subject = portrait.Portrait(Xl(subprocess_runner(), str(host.paths.bin / "xl")), store)
        subject.stop()
        assert portrait.read(subject.begin(domid))[0]["memory_target_kib"] == 16384
        deadline = time.monotonic() + 20
        while later is None:
            assert time.monotonic() < deadline
            later = subject.take()
            time.sleep(0.02)
    assert portrait.read(later)[0] == {}
    assert host.points() == []


def test_only_what_was_seen_both_times_can_differ() -> None:
    """What could not be asked is no difference."""
    before = {"vcpus": 2, "weight": 512, "affinity_hard": "0-1"}
    assert portrait.differences(before, {"vcpus": 2, "weight": 256}) == [
        {"what": "weight", "before": 512, "after": 256}
    ]
    assert portrait.differences(before, {}) == portrait.differences({}, before) == []


def test_a_rate_counts_against_that_of_the_guest_only() -> None:
    """Two processors of one kind differ by some kHz; the guest's counter is what came with it."""
    before, after = {"cpu_khz": 2600000}, {"cpu_khz": 2599998}
    assert portrait.differences(before, after) == []
    (found,) = portrait.differences(before, after, TscInfo(0, 2600000))
    assert found["what"] == "clock_source" and "2599.998" in found["after"]
    assert portrait.differences(before, before, TscInfo(0, 2600000)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"traits": None},
        {"traits": {"weight": "much"}},
        {"traits": {"weight": -1}},
        {"traits": {"weight": True}},
        {"traits": {"weight": 2**60}},
        {"traits": {"scheduler": 1}},
        {"traits": {"affinity_hard": "0\n1"}},
        {"traits": {"affinity_hard": "0" * 5000}},
        {"traits": {"anything": 1}},
        {"connected": None},
        {"connected": ["vif/../0"]},
        {"connected": ["vkb/0"]},
        {"connected": [1]},
        {"connected": ["vif/0"] * 2000},
    ],
)
def test_what_is_no_portrait_is_refused(change: dict[str, t.Any]) -> None:
    """Whatever is wrong with it."""
    good: dict[str, t.Any] = {"type": "portrait", "traits": {"weight": 256}, "connected": ["vif/0"]}
    assert portrait.read(good) == ({"weight": 256}, ("vif/0",))
    with pytest.raises(FrameError):
        portrait.read({**good, **change})
