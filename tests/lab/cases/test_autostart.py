# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source starts the guest when it boots (``xendomains``): it does not where the guest lives elsewhere by then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Record
from .test_settle import SETTLE, at_the_gate, nothing_to_settle
from .world import World, same_guest

AUTO = "/etc/xen/auto"
LINK = f"{AUTO}/centos.cfg"
SEEN = "/run/lab-auto-at-the-gate"
COMMIT_S = 300
BOOT_S = 600
_COMMITTED = 'until grep -qs \'"step":"commit"\' /var/lib/dom0-xen/*.receiver/journal; do sleep 0.2; done'


@pytest.fixture
def starting(fresh: World) -> Iterator[World]:
    """Both hosts start at boot what is in the folder, and the source has the guest in it; nothing has moved yet."""
    # Services that are enabled, and hosts that have booted, are nothing for the next case.
    fresh.stale = True
    for host in fresh.lab.hosts.values():
        host.run(f"mkdir -p {AUTO} && systemctl -q enable xendomains && sync")
    fresh.source.run(f"ln -s /etc/xen/centos.cfg {LINK} && sync")
    yield fresh
    fresh.stale = True


def started_at_boot(world: World) -> str:
    """What xendomains finds in the folder of the source."""
    return world.source.run(["ls", AUTO]).stdout.strip()


def test_the_source_loses_its_power_after_the_commit(starting: World, record: Record) -> None:
    """It boots again, with xendomains, beside the guest that runs at the destination, and starts no second one."""
    with starting.lab.observe(everywhere=True) as watch:
        run = starting.start(migrate_link_timeout=10, migrate_silence_timeout=20)
        # A loop on an emulated host costs it processor time: no sooner than it must.
        starting.mid_stream(starting.source)
        starting.destination.run(["timeout", str(COMMIT_S), "bash", "-c", _COMMITTED], timeout=COMMIT_S + 30)
        starting.source.power_off()
        moved = run.wait()
        starting.source.power_on()
        # xendomains starts one after the other, and the system is up when it has.
        starting.source.run("systemctl is-system-running --wait", check=False, timeout=BOOT_S)
        state = starting.source.run("systemctl is-active xendomains", check=False).stdout.strip()
        starting.name += "-settle"
        settled = starting.migrate(play=SETTLE)
        watch.wait_answer()
    assert state == "active", f"xendomains is {state}: this says nothing"
    assert settled.status == 0, settled.output[-3000:]
    starting.require("xen2")
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    assert started_at_boot(starting) == ""
    assert moved.status != 0 or moved.result["owner"] == "destination"
    nothing_to_settle(starting)


def test_what_was_set_aside_is_put_back_when_the_guest_stays(starting: World, record: Record) -> None:
    """At the gate the source would not start it any more; after the refusal it does again, from the same link."""
    undo = str(Path(__file__).parent / "gate" / "undo.yml")
    with starting.lab.observe(everywhere=True) as watch:
        run = starting.migrate(**at_the_gate("autostart"), migrate_gate_undo_tasks=undo)
        watch.wait_answer()
    assert run.status != 0 and "the storage cannot be fenced" in run.message, run.output[-3000:]
    assert starting.source.run(["cat", SEEN]).stdout.strip() == "", "at the gate the source would still start it"
    assert starting.source.run(["readlink", LINK]).stdout.strip() == "/etc/xen/centos.cfg"
    assert starting.source.run(["ls", "-A", AUTO]).stdout.split() == ["centos.cfg"]
    starting.require("xen1")
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
