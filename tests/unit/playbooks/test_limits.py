# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook with a limit does what was asked for, or refuses: it never ends well having done nothing."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.tools import playbooks
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User

pytestmark = pytest.mark.timeout(900)

NAMES = sorted(path.stem for path in playbooks.PLAYBOOKS.glob("*.yml"))
# A source, a group with a dom0 and something else in it, and a domain as an inventory of domains calls it.
LIMITS = ("xen1", "rack", "centos@xen1")
# What a person would give each of them; nothing here is done where a limit is refused.
GIVEN: dict[str, tuple[str, ...]] = {
    "apply": ("-e", "plan_path=plan.yml"),
    "audit": (),
    "check": ("-e", "source=xen1"),
    "evacuate": ("-e", "dom0s=xen1"),
    "facts": (),
    "maintain": ("-e", "dom0s=xen1"),
    "migrate": ("-e", "domain=centos", "-e", "destination=xen2"),
    "plan": ("-e", "dom0s=xen1"),
    "prepare": ("--check",),
    "rebalance": (),
    "restore": ("-e", "path=/nowhere/centos.xen", "-e", "destination=xen2"),
    "settle": (),
    "status": (),
}
# Those that look at each dom0 by itself, or at what the limit lets through: with a dom0 in the limit they work.
EACH_BY_ITSELF = {"audit", "facts", "prepare", "status"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts and a guest, which is in the inventory as well."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, bridge=None, compact=True))
    yield site
    assert site.down() == []


def limited(site: Site, folder: pathlib.Path, playbook: str, limit: str) -> tuple[int, str, set[str]]:
    """Run a playbook with a limit; return its exit status, its log, and the hosts on which it has done something."""
    more = folder / "more.json"
    groups: dict[str, t.Any] = {"rack": {"hosts": {"xen1": {}, "switch": {}}}, "guests": {"hosts": {"centos@xen1": {}}}}
    more.write_text(json.dumps(groups))
    process = User(site, folder).start(
        f"dom0.xen.{playbook}",
        *("-i", str(more), "--limit", limit, "-e", f"dom0_xen_facts_path={folder / 'facts'}", *GIVEN[playbook]),
    )
    log = process.communicate(timeout=LIMIT_S)[0]
    done = {host for host, tasks in re.findall(r"^(\S+)\s+: ok=(\d+)", log, re.M) if int(tasks)}
    return process.returncode, " ".join(log.split()), done


def test_every_playbook_is_in_the_table() -> None:
    """A new one has to say what it does with a limit."""
    assert sorted(GIVEN) == NAMES


@pytest.mark.parametrize("playbook", sorted(set(NAMES) - EACH_BY_ITSELF))
def test_a_limit_that_hides_hosts_is_refused(site: Site, tmp_path: pathlib.Path, playbook: str) -> None:
    """With the line to use; nobody is asked, and nothing has moved."""
    for limit in LIMITS:
        status, log, dummy = limited(site, tmp_path, playbook, limit)
        assert status == 2 and "Run it without --limit (in AWX without a limit)" in log, (limit, log[-3000:])
        assert f"dom0.xen.{playbook}" in log and "Look at the dom0]" not in log and "Ask the dom0]" not in log
        assert [len(site.intervals(GUEST)), site["xen1"].guest() is not None] == [1, True]


@pytest.mark.parametrize("playbook", sorted(EACH_BY_ITSELF - {"prepare"}))
def test_a_limit_with_a_dom0_in_it_is_done(site: Site, tmp_path: pathlib.Path, playbook: str) -> None:
    """On that one, and nowhere else; where it lets no dom0 through it is refused, with the cause."""
    for limit in ("xen1", "rack"):
        status, log, done = limited(site, tmp_path, playbook, limit)
        assert status == 0 and "xen1" in done and "xen2" not in done, (limit, log[-3000:])
    status, log, dummy = limited(site, tmp_path, playbook, "centos@xen1")
    assert status == 2 and "that the limit centos@xen1 lets through" in log, log[-3000:]


def test_prepare_does_not_do_nothing_without_a_word(site: Site, tmp_path: pathlib.Path) -> None:
    """It changes packages of the machine it runs on: tried only where the limit lets no dom0 through."""
    status, log, dummy = limited(site, tmp_path, "prepare", "centos@xen1")
    assert status == 2 and "There is nothing to prepare" in log, log[-3000:]
