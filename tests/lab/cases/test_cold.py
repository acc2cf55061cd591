# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method ``cold`` on real Xen: the guest is shut down here and started there from its configuration file."""

from __future__ import annotations

from dom0lab.guest_disk import guest_config

from .conftest import Record
from .test_settle import nothing_to_settle
from .world import World, another_xl, same_guest

CONFIG, AUTO = "/etc/xen/centos.cfg", "/etc/xen/auto"
# A guest that boots in an emulated host shows signs of life after half a minute.
LIVENESS_S = 240
# A guest that hangs: the xl that asks it to shut down pauses it before that, until the request has been taken back.
HANGS = """#!/bin/sh
if [ "$1" = shutdown ]; then
    /usr/sbin/xl pause "$3"
    setsid sh -c '
        asked() { [ "$(xenstore-read "$0")" = poweroff ]; }
        until asked; do sleep 0.1; done
        while asked; do sleep 0.1; done
        touch /run/lab-taken-back
        /usr/sbin/xl unpause "$1"
    ' "/local/domain/$3/control/shutdown" "$3" </dev/null >/dev/null 2>&1 &
fi
exec /usr/sbin/xl "$@"
"""
# The sender watches for two minutes whether it shuts down after all.
WATCHED_S = 240


def lay_out(world: World) -> None:
    """Give the source a file of its own that the guest is started from, also at boot; the destination has neither."""
    world.source.run(
        f"cp --remove-destination /srv/lab/centos.cfg {CONFIG}"
        f" && mkdir -p {AUTO} && ln -s ../centos.cfg {AUTO}/centos.cfg"
    )
    world.destination.run(f"rm -rf {CONFIG} {AUTO}")


def test_a_guest_is_shut_down_and_started_there(home: World, record: Record) -> None:
    """One boot ends before the other begins, with the same UUID and address; what starts it goes along."""
    home.stale = True  # the hosts have other files afterwards than the snapshot
    lay_out(home)
    with home.lab.observe(everywhere=True) as watch:
        outcome = home.migrate(migrate_method="cold", migrate_liveness_timeout=LIVENESS_S)
        watch.wait_answer(240)
    assert outcome.status == 0, outcome.output[-3000:]
    seen, result = watch.observation, outcome.result
    assert seen is not None
    record.note(total_ms=result["total_ms"], stop_ms=result["stop_ms"], gap_ms=seen.gap_ms)
    assert seen.boots == 2, f"{seen.boots} boots answered, one after the other"
    assert seen.before["boot_id"] != seen.after["boot_id"]
    assert seen.memory_verified and seen.double_answers == 0
    home.require("xen2")
    uuid = home.lab.guest.uuid
    assert [uuid in host.run("xl list -v").stdout for host in home.lab.hosts.values()] == [False, True]
    assert (result["owner"], result["end_state"], result["method"]) == ("destination", "moved", "cold")
    assert result["stop_measured"] == "shutdown_asked_to_destination_running"
    assert 0 < result["stop_ms"] <= result["total_ms"]
    assert result["liveness"]["alive"] is True, result["liveness"]
    session = result["session"]
    names = home.source.run("cd /etc/xen && find . -name '*centos.cfg*' | sort").stdout.split()
    assert names == [f"./auto/.centos.cfg.dom0-xen-{session}", f"./centos.cfg.moved-{session}"]
    assert home.destination.run(f"cat {CONFIG}").stdout == guest_config()
    assert home.destination.run(f"readlink {AUTO}/centos.cfg").stdout.strip() == "../centos.cfg"


def test_a_guest_that_ignores_the_shutdown(home: World, record: Record) -> None:
    """It is not waited for longer than was said; what it was asked is taken back, so it runs on when it can again."""
    home.stale = True
    lay_out(home)
    home.source.run("rm -f /run/lab-taken-back")
    with another_xl(home.source, HANGS), home.lab.observe(everywhere=True) as watch:
        outcome = home.migrate(migrate_method="cold", migrate_shutdown_timeout=20)
        watch.wait_answer(120)
    assert outcome.status != 0, "a failed migration was reported as a success"
    assert outcome.result["error"]["code"] == "guest_ignores_shutdown", outcome.message
    assert "xen1" in outcome.message and "migrate_shutdown_timeout" in outcome.message, outcome.message
    assert (outcome.result["owner"], outcome.result["end_state"]) == ("source", "stayed")
    assert home.source.run("test -e /run/lab-taken-back", check=False).returncode == 0
    home.require("xen1", WATCHED_S)
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    nothing_to_settle(home)
