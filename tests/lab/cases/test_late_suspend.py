# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that agrees to suspend, and does so only when xl has given up: nobody but the sender would resume it."""

from __future__ import annotations

import contextlib
import subprocess
import typing as t
from collections.abc import Iterator

from .conftest import Record
from .plays import wait_until
from .test_settle import nothing_to_settle
from .world import ON_HOST, World, same_guest

PROGRAM = "/run/lab-pause-at-suspend.py"
# libxl waits a minute for the suspend, and a busy, emulated host takes its time before it and behind it.
GIVES_UP_S = 300


@contextlib.contextmanager
def pausing(world: World) -> Iterator[subprocess.Popen[str]]:
    """Whoever pauses the guest on its way into the suspend; says so when it is done."""
    host = world.source
    host.run(f"cat > {PROGRAM}", stdin=(ON_HOST / "pause_at_suspend.py").read_text())
    process = host.start(f"exec python3 -I {PROGRAM} $(xl domid centos)", stdout=subprocess.PIPE)
    try:
        assert said(process) == "ready"
        yield process
    finally:
        process.kill()
        process.wait()
        host.run(f"pkill -f '[l]ab-pause-at-suspend'; rm {PROGRAM}", check=False)


def said(process: subprocess.Popen[str]) -> str:
    """The next line of it, empty when it has ended."""
    return t.cast("t.IO[str]", process.stdout).readline().strip()


def test_resumed_by_the_watch(fresh: World, record: Record) -> None:
    """The move has failed long before; the guest suspends, is resumed where it is, and is the same one."""
    with pausing(fresh) as pauses, fresh.lab.observe(everywhere=True) as watch:
        run = fresh.start()
        assert said(pauses) == "paused"
        state = fresh.look()["xen1"].domains["centos"]["state"]
        assert "p" in state and "s" not in state, f"it was paused too late: {state}"
        wait_until("the end of xl migrate", lambda: not sends(fresh), GIVES_UP_S)
        # It goes on from where it was: into the suspend.
        fresh.source.run(["xl", "unpause", "centos"])
        outcome = run.wait()
        watch.wait_answer(120)
    # What came of the watch is on record when its process is gone.
    seen = fresh.require("xen1", 180)
    journal = fresh.source.run("cat /var/lib/dom0-xen/*.sender/journal").stdout
    assert outcome.status != 0, "a failed migration was reported as a success"
    assert outcome.result["error"]["code"] == "guest_ignores_suspend", outcome.message
    assert (outcome.result["owner"], outcome.result["end_state"]) == ("source", "stayed")
    assert '"step":"late_suspend"' in journal and '"end":"resume"' in journal, journal[-3000:]
    assert "s" not in seen["xen1"].domains["centos"]["state"]
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    nothing_to_settle(fresh)


def sends(world: World) -> bool:
    """Whether xl still waits for the guest."""
    return any(" migrate -s" in line for line in world.look()["xen1"].processes)
