# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings a suspended domain back, what does not, and what loses it (tools/xl/xl_saverestore.c save_domain)."""

from __future__ import annotations

import pytest

from .bench import Bench
from .sites import GUEST
from .test_migrate import AWAY, TO_GATE, resume_by_save


@pytest.fixture
def suspended(bench: Bench) -> Bench:
    """Hosts where the guest is suspended on the source, under its own name: its migration was cut at the gate."""
    bench.migrate(*TO_GATE)
    assert bench.state(bench.source, AWAY) == "---ss-"
    assert bench.source.run("xl", "rename", AWAY, GUEST).status == 0
    return bench


def release(bench: Bench) -> tuple[int, int]:
    """Return the source's release of Xen."""
    major, minor = (bench.source.run("xl", "info", field).stdout for field in ("xen_major", "xen_minor"))
    return int(major), int(minor)


def test_resume(suspended: Bench) -> None:
    """``xl resume`` is there from 4.20 on; before, xl does not know the word, and nothing happens."""
    done = suspended.source.run("xl", "resume", GUEST)
    if release(suspended) >= (4, 20):
        assert done.status == 0
        assert suspended.runs(suspended.source)
    else:
        assert (done.status, done.stderr.splitlines()[-1]) == (1, "command not implemented")
        assert suspended.state(suspended.source) == "---ss-"


def test_resume_of_a_running_domain(bench: Bench) -> None:
    """It is refused inside libxc, and from 4.20 on xl returns 0 all the same."""
    done = bench.source.run("xl", "resume", GUEST)
    if release(bench) >= (4, 20):
        assert (done.status, "xc_domain_resume failed" in done.stderr) == (0, True)
    assert bench.runs(bench.source)


def test_save_that_nobody_acknowledges(suspended: Bench) -> None:
    """A suspended guest cannot agree: xl waits its time out, takes the request back, and saves and resumes it then."""
    domid = suspended.domains(suspended.source)[GUEST].domid
    done = suspended.source.run("xl", "save", "-c", GUEST, "/dev/null")
    assert "guest didn't acknowledge suspend, cancelling request" in done.stderr
    assert done.status == 0
    assert suspended.read(suspended.source, f"/local/domain/{domid}/control/shutdown") == ""
    assert suspended.runs(suspended.source)


def test_a_pause_outlives_the_suspend(suspended: Bench) -> None:
    """Paused while it is suspended, it is resumed into the pause, and needs an unpause besides."""
    assert suspended.source.run("xl", "pause", GUEST).status == 0
    assert suspended.state(suspended.source) == "--pss-"
    resume_by_save(suspended, GUEST)
    assert suspended.state(suspended.source) == "--p---"
    assert suspended.source.run("xl", "unpause", GUEST).status == 0
    assert suspended.runs(suspended.source)


def test_save_without_c_destroys(suspended: Bench) -> None:
    """Left out by mistake, the one letter loses the guest: its image went nowhere."""
    domid = suspended.domains(suspended.source)[GUEST].domid
    path = f"/local/domain/{domid}/control/shutdown"
    asked = f'[ "$(xenstore-read {path})" = suspend ]'
    watcher = f"for i in $(seq 600); do {asked} && exec xenstore-write {path} ''; sleep 0.1; done"
    done = suspended.source.run("sh", "-c", f"({watcher}) & xl save {GUEST} /dev/null; r=$?; wait; exit $r")
    assert (done.status, suspended.domains(suspended.source)) == (0, {})
