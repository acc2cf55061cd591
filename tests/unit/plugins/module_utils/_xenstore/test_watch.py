# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes in XenStore wake an event loop, with the time at which they arrived."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._xenstore import errors
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.watch import DomainWatch, WatchEvent

SHUTDOWN = "/local/domain/3/control/shutdown"


def _collect(watch: DomainWatch, count: int, seconds: float = 5.0) -> list[WatchEvent]:
    found: list[WatchEvent] = []
    end = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        select.select([watch], [], [], 0.5)
        found.extend(watch.read())
    return found


def _paths(events: t.Iterable[WatchEvent]) -> list[str]:
    return [event.path for event in events]


def test_first_events_and_changes(xenstored: t.Any) -> None:
    """One event for each watch when it is set, then one for each change, stamped between cause and effect."""
    with DomainWatch([SHUTDOWN], xenstored.socket) as watch, XenStore(xenstored.socket) as store:
        assert sorted(_paths(_collect(watch, 3))) == [
            "/local/domain/3/control/shutdown",
            "@introduceDomain",
            "@releaseDomain",
        ]
        assert select.select([watch], [], [], 0)[0] == []
        before = time.monotonic_ns()
        store.write(SHUTDOWN, "suspend")
        store.write(SHUTDOWN, "")
        events = _collect(watch, 2)
        after = time.monotonic_ns()
        assert _paths(events) == [SHUTDOWN, SHUTDOWN]
        assert before < events[0].at_ns <= events[1].at_ns < after


def test_each_change_is_told_once(xenstored: t.Any) -> None:
    """pyxs hands an event out once for each watch that shares its token; ours do not share."""
    with DomainWatch([SHUTDOWN, "/local/domain/12"], xenstored.socket) as watch, XenStore(xenstored.socket) as store:
        _collect(watch, 4)
        store.write(SHUTDOWN, "x")
        time.sleep(0.3)
        assert _paths(watch.read()) == [SHUTDOWN]


def test_watch_can_be_added_and_removed(xenstored: t.Any) -> None:
    """The domid of the copy that arrives is known only later."""
    with DomainWatch([], xenstored.socket) as watch, XenStore(xenstored.socket) as store:
        watch.add("/local/domain/12/name")
        _collect(watch, 3)
        store.write("/local/domain/12/name", "new")
        assert _paths(_collect(watch, 1)) == ["/local/domain/12/name"]
        watch.remove("/local/domain/12/name")
        store.write("/local/domain/12/name", "newer")
        time.sleep(0.3)
        assert watch.read() == ()


def test_loss_wakes_the_loop(xenstored: t.Any) -> None:
    """A session that measures by watches must learn that it is blind."""
    with DomainWatch([], xenstored.socket) as watch:
        _collect(watch, 2)
        assert not watch.lost
        xenstored.kill()
        assert select.select([watch], [], [], 10)[0] == [watch]
        assert watch.lost


def test_closing_is_quick_and_final(xenstored: t.Any) -> None:
    """Also while the daemon is stuck; closing twice is no failure, and no descriptor is left."""
    before = len(os.listdir("/proc/self/fd"))
    watch = DomainWatch([], xenstored.socket)
    xenstored.freeze()
    begun = time.monotonic()
    watch.close()
    watch.close()
    assert time.monotonic() - begun < 10
    assert watch.read() is not None
    end = time.monotonic() + 5
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < end:
        time.sleep(0.05)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_refused_path_leaves_nothing_open(xenstored: t.Any) -> None:
    """A watch that cannot be made is closed before the error is told."""
    with pytest.raises(errors.XenStoreError):
        DomainWatch(["/no blanks"], xenstored.socket)


def test_open_watch_does_not_hold_up_the_end_of_the_process(xenstored: t.Any) -> None:
    """A daemon that ends in the middle of things must really end."""
    script = (
        "from ansible_collections.dom0.xen.plugins.module_utils._xenstore.watch import DomainWatch\n"
        f"watch = DomainWatch([], {xenstored.socket!r})\n"
        "print('ends')\n"
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30, check=True, env=environment)
    assert (done.stdout, done.stderr) == (b"ends\n", b"")
