# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method ``suspend`` cut off between suspend and permission: the source's copy stands still in one of three ways,
and one run brings exactly that one back.
"""

from __future__ import annotations

import typing as t

import pytest
from dom0lab import Host

from .conftest import Record
from .test_settle import nothing_to_settle
from .world import World, another_xl, same_guest

KILLED = "/run/lab-killed"
AWAY = "centos--migratedaway"
LIMITS: dict[str, t.Any] = {
    "migrate_link_timeout": 10,
    "migrate_stop_link_timeout": 10,
    "migrate_silence_timeout": 20,
}
CUT_OFF_S = 400
# The sender, what plays the sending side for it, and xl with its helper: at once, since each of them cleans up behind
# another one that died.
_KILL = "pkill -KILL -f '[_]session.daemon.* sender |[_]session.stand_ins.saver|[x]l save -p|[l]ibxl-save-helper'"
# Whoever settles renames, too, but not to this name.
_XL = """#!/bin/sh
if [ "$1" = rename ] && [ "$3" = {away} ] && [ ! -e {killed} ]; then
    {before}
    {kill}
    touch {killed}
    exit 1
fi
exec /usr/sbin/xl "$@"
"""


def renaming(before: str) -> str:
    """An xl that is the last thing that the sender does, once: it renames the copy after ``before``, or never does."""
    return _XL.format(away=AWAY, killed=KILLED, before=before, kill=_KILL)


# What is done in one line of shell while xl saves: the guest has suspended, and nobody has resumed it into its pause.
_IN_BETWEEN = f"until xl list centos | grep -q -e ' ---s'; do sleep 0.2; done; {_KILL}; xl pause centos; touch {KILLED}"
# By what is left: the xl that there is meanwhile, what is done in a shell, the copy's name, and states that it has.
CUTS = {
    "paused and renamed": (renaming('/usr/sbin/xl "$@"'), "", AWAY, "p"),
    "paused under its name": (renaming(":"), "", "centos", "p"),
    "paused and still suspended": ('#!/bin/sh\nexec /usr/sbin/xl "$@"\n', _IN_BETWEEN, "centos", "ps"),
}


def wait_for(host: Host, line: str) -> None:
    """Run a line of shell that waits for something."""
    host.run(["timeout", str(CUT_OFF_S), "bash", "-c", line], timeout=CUT_OFF_S + 30)


@pytest.mark.parametrize("name", CUTS)
def test_cut_off_between_suspend_and_permission(home: World, record: Record, name: str) -> None:
    """The destination's copy, which never ran, is gone before the source's goes on; it is the same guest."""
    xl, line, called, states = CUTS[name]
    home.source.run(["rm", "-f", KILLED])
    with another_xl(home.source, xl), home.lab.observe(everywhere=True) as watch:
        run = home.start(migrate_method="suspend", **LIMITS)
        wait_for(home.source, line or f"until test -e {KILLED}; do sleep 0.2; done")
        copies = home.look()["xen1"].domains
        outcome = run.wait()
        watch.wait_answer(120)
    assert list(copies) == [called], "it was not cut off where it should have been"
    assert set(states) <= set(copies[called]["state"]), copies
    assert outcome.status != 0, "a failed migration was reported as a success"
    assert outcome.result["owner"] == "source", outcome.output[-3000:]
    home.require("xen1")
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    nothing_to_settle(home)
