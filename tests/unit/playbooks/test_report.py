# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a single move, as a user asks for it with ``report_path``, over two dom0s of the double."""

from __future__ import annotations

import json
import sys
import time
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User, other, where

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts, the guest on xen1."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield site
    left = site.down()
    assert left == []


def report_of(user: User) -> dict[str, t.Any]:
    """Return the JSON of the report."""
    read: dict[str, t.Any] = json.loads((user.folder / "report.json").read_text())
    return read


def asking(user: User) -> tuple[str, ...]:
    """Return the arguments that ask for a report."""
    return ("-e", f"report_path={user.folder}/report.html", "-e", "report_reference=CHG-4711")


def test_a_move_is_reported(user: User) -> None:
    """When it was, how long the guest stood still, where it is, and the memory of both hosts before and after."""
    source, destination = where(user.site), other(user.site)
    began = time.time()
    log = user.move(destination, *asking(user))
    ended = time.time()
    assert "1 move: 1 moved. Nothing is left to do. The report is in " in log
    report = report_of(user)
    (move,) = report["moves"]
    told = user.result
    assert (move["name"], move["uuid"]) == ("centos", told["domain"]["uuid"])
    assert (move["source"], move["destination"], move["runs_on"]) == (source, destination, destination)
    assert {key: move[key] for key in ("bytes", "stop_ms", "total_ms", "method", "session")} == {
        key: told[key] for key in ("bytes", "stop_ms", "total_ms", "method", "session")
    }
    assert (move["times"], move["adopted"], move["attention"]) == ("known", False, False)
    assert began <= told["began_s"] <= ended
    assert began <= report["run"]["began_s"] <= move["began_s"] <= move["stop_began_s"] <= move["ended_s"] <= ended
    hosts = {host["host"]: host for host in report["hosts"]}
    assert set(hosts) == {source, destination}
    assert hosts[source]["before"]["domains"] - hosts[source]["after"]["domains"] == 1
    assert hosts[destination]["after"]["domains"] - hosts[destination]["before"]["domains"] == 1
    page = (user.folder / "report.html").read_text()
    assert page.count("<svg ") == 2 and "CHG-4711" in page and f"Move of centos to {destination}" in page


def test_a_move_that_was_made_before_is_told_as_that(user: User) -> None:
    """The same command again changes nothing, and the report does not claim a move."""
    user.move(where(user.site), *asking(user))
    assert report_of(user)["totals"]["counts"]["already_there"] == 1
    assert report_of(user)["totals"]["bytes"] == 0


def test_a_refused_move_is_reported_with_its_reasons(user: User) -> None:
    """The run fails as it does without a report, and the report has what the check has found."""
    arguments = ("-e", "migrate_memory_reserve_mib=99999999")
    process = user.start("dom0.xen.migrate", *user.asking(other(user.site)), *arguments, *asking(user))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2, log[-4000:]
    (move,) = report_of(user)["moves"]
    assert (move["outcome"], move["reasons"][0]["code"]) == ("refused", "not_enough_memory")
    assert move["reasons"][0]["message"] in (user.folder / "report.html").read_text().replace("&#39;", "'")


def test_a_failed_move_is_reported(user: User) -> None:
    """With the first error, and where the domain is."""
    source, destination = where(user.site), other(user.site)
    user.site[destination].faults({"point": "receive.banner", "action": "text", "text": "no banner at all\n"})
    process = user.start("dom0.xen.migrate", *user.asking(destination), *asking(user))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2, log[-4000:]
    (move,) = report_of(user)["moves"]
    assert (move["outcome"], move["runs_on"], move["attention"]) == ("stayed", source, True)
    assert move["error"]["code"] == user.result["error"]["code"]


def test_a_report_that_cannot_be_written_is_told_before_anything_moves(user: User) -> None:
    """Nobody finds out after two hours."""
    here = where(user.site)
    (user.folder / "file").write_text("")
    path = ("-e", f"report_path={user.folder}/file/report.html")
    process = user.start("dom0.xen.migrate", *user.asking(other(user.site)), *path)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2 and "cannot be written" in log
    assert "TASK [Look at the dom0]" not in log and where(user.site) == here
