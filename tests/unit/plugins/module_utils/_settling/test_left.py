# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An xl that does not end is named, and nobody is told to kill one whose end could take the last good copy with it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import SessionDomain
from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    PAUSED,
    RUNNING,
    SUSPENDED,
    Left,
    Side,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.left import UNTIDY
from ansible_collections.dom0.xen.plugins.plugin_utils import _decision
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.sides import (
    ASKED,
    COMMITTED,
    FIRST,
    HELD,
    LATER,
    READY,
    REFUSED,
    SAID_DESTROYING,
    STREAMED,
    at_destination,
    at_source,
)

SENDS = Left(4711, "xl migrate -s  7 exec", "T")
TAKES = Left(4812, "xl migrate-receive", "S")
MAKES = Left(4913, "xl create -q -p domain.cfg", "T", makes=True)
TRANSFERRED = replace(FIRST, transferred=True)

Works = dict[str, t.Any]


def works(process: Left) -> Works:
    """What a side shows that has left this behind."""
    return {"xl_alive": True, "left": (process,)}


MAY = "may be killed there: kill -9"
CASES: dict[str, tuple[Side, Side, bool]] = {
    "the source's, which never takes its copy with it": (
        at_source(SUSPENDED, HELD, **works(SENDS)),
        at_destination(ABSENT, FIRST),
        True,
    ),
    "the source's, when the commit was asked for": (
        at_source(SUSPENDED, ASKED, **works(SENDS)),
        at_destination(PAUSED, COMMITTED),
        True,
    ),
    "the source's, which starts the domain again": (
        at_source(SUSPENDED, replace(STREAMED, restartable=True), phantom=True, **works(MAKES)),
        at_destination(ABSENT, FIRST),
        False,
    ),
    "the destination's, while the source has its copy": (
        at_source(RUNNING, STREAMED),
        at_destination(PAUSED, FIRST, **works(TAKES)),
        True,
    ),
    "the destination's, which has said ready": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, READY, **works(TAKES)),
        True,
    ),
    "the destination's, which has the permission": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, COMMITTED, **works(TAKES)),
        True,
    ),
    "the destination's, which destroys its copy and has the permission": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, SAID_DESTROYING, **works(TAKES)),
        False,
    ),
    "the destination's, which has the permission, and its receiver": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, COMMITTED, alive=True, **works(TAKES)),
        True,
    ),
    "the destination's, which makes what may be the last copy": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, TRANSFERRED, **works(TAKES)),
        False,
    ),
    "and its receiver": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, TRANSFERRED, alive=True, **works(TAKES)),
        False,
    ),
    "the destination's, where nobody knows of the source's": (
        replace(Side("xen1", reachable=False), gone=True),
        at_destination(PAUSED, TRANSFERRED, **works(TAKES)),
        False,
    ),
    "the destination's, which makes the domain": (
        at_source(SUSPENDED, replace(STREAMED, restartable=True), phantom=True),
        at_destination(PAUSED, FIRST, **works(MAKES)),
        False,
    ),
}


@pytest.mark.parametrize(("source", "destination", "may"), CASES.values(), ids=CASES)
def test_it_is_named_and_whether_it_may_be_killed(source: Side, destination: Side, may: bool) -> None:
    """With host, pid and command, in what a person reads."""
    made = decide(source, destination)
    assert made.next == to.WAIT
    told = _decision.told(made, SessionDomain("uuid", "centos"), source, destination)["msg"]
    side = source if source.left else destination
    (process,) = side.left
    assert f"on {side.host} process {process.pid} ({process.command})" in told
    assert (f"{side.host}: process {process.pid} {MAY} {process.pid}" in told) is may
    assert (f"process {process.pid} must not be killed" in told) is not may
    assert ("kill -9" in told) is may and "dom0.xen.settle" in told
    assert (f"kill -CONT {process.pid}" in told) is (not may and process.state == "T")


def test_only_what_is_waited_for_is_named() -> None:
    """The other side's xl has its own process, which may yet need it."""
    source = at_source(SUSPENDED, HELD, **works(SENDS))
    made = decide(source, at_destination(PAUSED, READY, alive=True, barred=True, **works(TAKES)))
    assert made.next == to.WAIT and "process 4711" in made.reason
    assert "4812" not in made.reason + "".join(made.choices) and "4812" in made.known[1]
    both = decide(source, at_destination(PAUSED, READY, **works(TAKES)))
    assert both.next == to.WAIT and len(both.choices) == 2


def test_one_that_the_kernel_holds() -> None:
    """It was killed by its sender, which waits for its end: nothing is done meanwhile, and it is not killed again."""
    past = replace(REFUSED, killed=True)
    held = at_source(SUSPENDED, past, alive=True, waits=True, **works(replace(SENDS, state="D")))
    for destination in (at_destination(PAUSED, alive=True), at_destination(ABSENT)):
        made = decide(held, destination)
        assert made.next == to.WAIT and "which the kernel holds" in made.reason
        assert "was killed already" in made.choices[0] and "kill -9" not in "".join(made.choices)
    assert decide(replace(held, xl_alive=False, left=()), at_destination(ABSENT)).next != to.WAIT


def test_one_that_was_left_because_it_makes_the_domain() -> None:
    """Its sender died before it could say that it was left: nobody has killed it, and nobody should."""
    past = replace(STREAMED, restartable=True, killed=True)
    source = at_source(SUSPENDED, past, phantom=True, **works(MAKES))
    for alive in (False, True):
        made = decide(replace(source, alive=alive, waits=alive), at_destination(ABSENT, FIRST))
        assert "killed" not in made.reason
        assert not any("was killed already" in choice for choice in made.choices)
    (choice,) = decide(source, at_destination(ABSENT, FIRST)).choices
    assert "must not be killed: an xl create that is cut off leaves half a domain" in choice


def test_one_that_does_not_tidy_up_after_the_move() -> None:
    """Its sender waits for it without a limit: a person is told of it, and may kill it."""
    source = at_source(SUSPENDED, replace(ASKED, told_running=True), alive=True, **works(SENDS))
    there = at_destination(RUNNING, replace(COMMITTED, running=True, status=0))
    assert UNTIDY not in decide(source, there).reason
    made = decide(replace(source, waits=True), there)
    assert made.next == to.WAIT and made.reason.startswith(UNTIDY)
    assert "on xen1 process 4711" in made.reason and MAY in made.choices[0]


def test_it_is_known_beside_other_things() -> None:
    """Where a person is asked for something else."""
    source = at_source(SUSPENDED, ASKED, **works(SENDS))
    made = decide(source, Side("xen2", reachable=False))
    assert made.next == to.HUMAN and "xl migrate -s  7 exec as process 4711" in made.known[0]
