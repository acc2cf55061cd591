# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``dom0.xen.audit`` on real hosts: what is left over there, all of it in one run, which changes nothing."""

from __future__ import annotations

import contextlib
import typing as t

from dom0lab.guest_disk import GUEST_UUID

from .circumstances import OTHER_UUID, THIRD_UUID, paused
from .findings import ours, small
from .plays import Outcome
from .world import BUILD, World, same_guest

AUDIT = "dom0.xen.audit"
INCOMING, AWAY, STANDS = "centos--incoming", "odd--migratedaway", "third"
# The shell becomes Debian's wrapper, and that becomes xl; the word that follows -q is the file's name.
_MONITOR = "pkill -KILL -f '[x]l create -q /run/centos.cfg'"
LEFT = {
    ("incoming_left", "centos", "error"),
    ("migratedaway_left", "odd", "error"),
    ("never_run", STANDS, "warning"),
    ("monitor_missing", "centos", "warning"),
}


def audit(world: World, name: str, **variables: t.Any) -> tuple[Outcome, set[tuple[str, str, str]]]:
    """Run it; returns the run, and codes, domains and severities of what it found."""
    world.name = f"audit-{name}"
    path = BUILD / world.name / "result.json"
    outcome = world.migrate(play=AUDIT, audit_result_path=path, **variables)
    assert outcome.changed == 0, outcome.recap
    told = outcome.result["findings"]
    return outcome, {(one["code"], (one["domain"] or {"name": ""})["name"], one["severity"]) for one in told}


def there(world: World) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
    """What lies on the hosts, and the domains with their numbers."""
    domains = {
        name: {domain: seen["domid"] for domain, seen in left.domains.items()} for name, left in world.look().items()
    }
    return ours(world), domains


def test_hosts_in_order(home: World) -> None:
    """Nothing is found that would wake anybody, and the exit status is 0."""
    before = there(home)
    outcome, found = audit(home, "in-order")
    assert outcome.status == 0, outcome.output[-3000:]
    assert not [one for one in found if one[2] == "error"]
    assert there(home) == before


def test_what_is_left_over(fresh: World) -> None:
    """Two copies of migrations, one that stands still, and a guest that nobody watches over: told, and left alone."""
    # The guest's monitor is gone for good.
    fresh.stale = True
    source, destination = fresh.source, fresh.destination
    with contextlib.ExitStack() as stack:
        stack.enter_context(paused(destination, INCOMING, small(INCOMING, uuid=GUEST_UUID)))
        stack.enter_context(paused(source, AWAY, small(AWAY, uuid=OTHER_UUID)))
        stack.enter_context(paused(destination, STANDS, small(STANDS, uuid=THIRD_UUID)))
        source.run(_MONITOR)
        before = there(fresh)
        with fresh.lab.observe(everywhere=True) as watch:
            outcome, found = audit(fresh, "left-over")
            quiet = audit(fresh, "never", audit_fail_on="never")
        assert there(fresh) == before
    same_guest(watch.observation)
    assert outcome.status != 0, outcome.output[-3000:]
    assert outcome.failures == 1, outcome.recap
    assert found == LEFT
    for code, domain, severity in LEFT:
        assert f"{severity.upper()} {code}: " in outcome.output, f"{code} of {domain} is not shown"
    assert (quiet[0].status, quiet[1]) == (0, LEFT)
    assert fresh.lab.guest.where() == ["xen1"]
