# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Could this go there, could this host be emptied? Asked over dom0s of the double."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
import typing as t
import uuid

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site
from dom0_double.settings import Settings

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User

pytestmark = pytest.mark.timeout(600)


class Planner(User):
    """Somebody who plans."""

    def ask(self, **question: str) -> tuple[int, str]:
        """Run the playbook with these variables; return its exit status, and its log without line breaks."""
        return self.call(*[word for key, value in question.items() for word in ("-e", f"{key}={value}")])

    def call(self, *arguments: str) -> tuple[int, str]:
        """Run the playbook with these arguments."""
        process = self.start("dom0.xen.check", *arguments, "-e", f"check_result_path={self.result_path}")
        log = process.communicate(timeout=LIMIT_S)[0]
        assert "changed=1" not in log
        return process.returncode, " ".join(log.split())

    @property
    def hosts(self) -> dict[str, list[str]]:
        """Where each domain could go, as the last run wrote it."""
        return {domain["name"]: domain["hosts"] for domain in self.result["domains"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Three hosts, of which one lacks the bridge; xen1 has two guests, one on a bridge that no host has."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2", "xen3"], python=sys.executable)
    bare = site["xen3"].paths.settings
    dataclasses.replace(Settings.load(bare), bridges=()).save(bare)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    site["xen1"].start_guest(GuestConfig("odd", str(uuid.uuid4()), memory_mib=16, compact=True, bridge="br9"))
    yield site
    assert site.down() == []


@pytest.fixture
def planner(site: Site, tmp_path: pathlib.Path) -> Planner:
    """Somebody with an empty folder."""
    return Planner(site, tmp_path)


def test_a_domain_could_go_there_or_not(planner: Planner) -> None:
    """Without a word about where it is; all findings where it could not; nothing is touched."""
    before = planner.site.intervals(GUEST)
    status, log = planner.ask(domain="centos", destination="xen2")
    assert status == 0, log[-4000:]
    assert "centos could go from xen1 to xen2 (live)." in log
    assert (planner.result["possible"], planner.hosts) == (True, {"centos": ["xen2"]})
    status, log = planner.ask(domain=GUEST, source="xen1", destination="xen3", migrate_memory_reserve_mib="9999999")
    assert status == 2
    assert "centos cannot be moved from xen1 to xen3, for 2 reasons:" in log
    # As for many: by its code a finding is looked up, and waived.
    assert all(f". xen3: {code}: " in log for code in ("not_enough_memory", "bridge_missing"))
    (place,) = planner.result["domains"][0]["places"]
    assert {f["code"] for f in place["findings"] if f["severity"] == "error"} == {"bridge_missing", "not_enough_memory"}
    assert planner.site.intervals(GUEST) == before
    assert not (planner.site["xen1"].paths.lib / "dom0-xen").exists()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"migrate_transport": "tcp"}, "plain_not_allowed"),
        ({"migrate_transport": "tcp", "migrate_allow_plain": "true"}, ""),
        ({"migrate_method": "cold", "migrate_leave_paused": "true"}, "cold_as_in_file"),
    ],
)
def test_what_a_move_would_be_refused_for_is_a_no(planner: Planner, asked: dict[str, str], code: str) -> None:
    """Who asks with the variables of a move is answered about that very move."""
    status, log = planner.ask(domain="centos", destination="xen2", **asked)
    assert status == (2 if code else 0), log[-4000:]
    (place,) = planner.result["domains"][0]["places"]
    assert not code or code in {f["code"] for f in place["findings"] if f["severity"] == "error"}


def test_waivers_count(planner: Planner) -> None:
    """As they do for a move; one that is refused makes the answer no."""
    status, log = planner.ask(domain="centos", destination="xen3", migrate_waive="bridge_missing")
    assert status == 0 and "xen3: bridge_missing is waived: " in log
    status, log = planner.ask(source="xen1", migrate_waive="all")
    assert status == 2 and "xen1 cannot be emptied." in log and "'all' cannot be waived" in log
    assert planner.result["findings"][0]["code"] == "waiver_unknown"


def test_a_host_could_be_emptied_or_not(planner: Planner) -> None:
    """A table of domains; each that has no host to go to with what keeps it from each; one module run more."""
    status, log = planner.call("-e", "source=xen1", "-vvv")
    assert status == 2
    assert "xen1 cannot be emptied: 1 of its 2 domains cannot go to another host." in log
    assert planner.hosts == {"centos": ["xen2"], "odd": []}
    assert "not to xen2: xen2: bridge_missing: " in log and "not to xen3: xen3: bridge_missing: " in log
    assert log.count("Using module file") == 4
    status, log = planner.ask(source="xen1", migrate_waive="bridge_missing")
    assert status == 0 and planner.hosts == {"centos": ["xen2", "xen3"], "odd": ["xen2", "xen3"]}
    status, log = planner.ask(source="xen1", destination="xen3")
    assert status == 2 and planner.hosts == {"centos": [], "odd": []}
    status, log = planner.ask(source="xen2")
    assert status == 0 and "xen2 has no domains; there is nothing to move." in log


def test_hosts_that_are_not_known(planner: Planner) -> None:
    """One that does not answer is no host to go to, and one that has the domains is not empty."""
    closed = planner.folder / "closed.json"
    there = {"closed": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}}
    closed.write_text(json.dumps({"dom0": {"hosts": there}}))
    with_it = ("-i", str(closed))
    status, log = planner.call(*with_it, "-e", "source=xen1", "-e", "migrate_waive=bridge_missing")
    assert (status, planner.hosts["centos"]) == (0, ["xen2", "xen3"]), log[-4000:]
    status, log = planner.call(*with_it, "-e", "source=closed")
    assert status == 2 and "closed: host_unreachable: closed cannot be reached from the controller" in log
    status, log = planner.call(*with_it, "-e", "domain=nobody", "-e", "destination=xen2")
    assert status == 2 and "'nobody' could not be looked for on: closed." in log
    assert planner.result["findings"][0]["code"] == "domain_not_looked_for"
    status, log = planner.ask(domain="centos", destination="xen9")
    assert status == 2 and "xen9 is not among the dom0s of the inventory" in log


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-e", "domain=centos"], "destination is not given."),
        ([], "Neither domain nor source is given."),
        (["-e", "source=xen1", "--limit", "xen1"], "dom0.xen.check -e source=xen1"),
        (["-e", "source=xen1", "-e", "dom0_group=nobody"], "no dom0 in its group nobody"),
    ],
)
def test_called_wrongly(planner: Planner, arguments: list[str], words: str) -> None:
    """The message says what to type; no host is looked at."""
    status, log = planner.call(*arguments)
    assert status == 2 and words in log
    assert "Look at the dom0" not in log
