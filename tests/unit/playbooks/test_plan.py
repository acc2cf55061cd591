# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for a fleet of the double: told and written, and for each wrong question a message that names the cause."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import typing as t
import uuid

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.plugin_utils._plans import document, files
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import PlanEdited
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User

pytestmark = pytest.mark.timeout(900)


class Planner(User):
    """Somebody who makes plans."""

    def ask(self, *arguments: str, playbook: str = "plan") -> tuple[int, str]:
        """Run the playbook; return its exit status, and its log without line breaks."""
        process = self.start(f"dom0.xen.{playbook}", *arguments)
        log = process.communicate(timeout=LIMIT_S)[0]
        return process.returncode, " ".join(log.split())

    def ruled(self, **variables: t.Any) -> tuple[str, str]:
        """Return the arguments that give all dom0s these variables."""
        path = self.folder / f"rules-{uuid.uuid4()}.json"
        path.write_text(json.dumps({"dom0": {"vars": variables}}))
        return "-i", str(path)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts, three guests."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2"], python=sys.executable)
    for host, name, identity in (("xen1", "centos", GUEST), ("xen1", "web", ""), ("xen2", "mail", "")):
        site[host].start_guest(GuestConfig(name=name, uuid=identity or str(uuid.uuid4()), memory_mib=16, compact=True))
    yield site
    site.down()


@pytest.fixture
def planner(site: Site, tmp_path: pathlib.Path) -> Planner:
    """Somebody with an empty folder."""
    return Planner(site, tmp_path)


def test_a_plan_is_told_written_and_handed_on(planner: Planner) -> None:
    """The table is printed, the file is the plan, the artifact is the same, and nothing has moved."""
    path = planner.folder / "plans" / "tonight.yml"
    status, log = planner.ask("-e", "dom0s=xen1", "-e", f"plan_path={path}", "-e", "plan_artifact=true")
    assert status == 0, log[-4000:]
    assert "To empty xen1: 2 moves" in log and "xen2 is the only host that it could go to" in log
    made = files.read(str(path))
    assert sorted(move.name for move in made.moves) == ["centos", "web"]
    assert {(move.source, move.destination) for move in made.moves} == {("xen1", "xen2")}
    assert GUEST in {move.uuid for move in made.moves} and made.expires_s == made.made_s + 86400
    assert path.read_text().startswith("# To empty xen1: 2 moves")
    assert "changed=0" in log and "changed=1" not in log
    text = path.read_text().replace("destination: xen2", "destination: xen1", 1)
    with pytest.raises(PlanEdited):
        document.parse(text, str(path))


def test_a_limit_is_refused_with_the_line_to_use(planner: Planner) -> None:
    """Neither a source, nor a group, nor everything but the destination."""
    for limit in ("xen1", "dom0", "xen2"):
        status, log = planner.ask("-e", "dom0s=xen1", "--limit", limit)
        assert status == 2 and "A limit would leave out hosts without a word" in log, log[-2000:]
        assert re.search("ansible-playbook( -i [^ ]+)+ dom0.xen.plan -e dom0s=xen1", log) and "Ask the dom0" not in log


def test_wrong_questions(planner: Planner) -> None:
    """Each names its cause, and the exit status is not 0."""
    for arguments, message in (
        ((), "It was not said which hosts are to be emptied"),
        (("-e", "dom0s=xen3"), "xen3 is no dom0 of the inventory."),
        (("-e", "dom0s=dom0"), "xen1, xen2 are to be emptied, and no host is left that could receive."),
        (("-e", "dom0s=xen1,xen2"), "xen1, xen2 are to be emptied, and no host is left that could receive."),
        (("-e", "dom0s=xen1", "-e", "dom0_group=nobody"), "the inventory has no dom0 in its group nobody"),
        (("-e", "dom0s=xen1", "-e", "plan_path=/proc/nowhere/plan.yml"), "cannot be written"),
    ):
        status, log = planner.ask(*arguments)
        assert status == 2 and message in log, log[-3000:]


def test_what_cannot_leave_is_told_with_what_would_help(planner: Planner) -> None:
    """No room, a tag, tags that contradict each other."""
    path = planner.folder / "plan.yml"
    status, log = planner.ask("-e", "dom0s=xen1", "-e", "migrate_memory_reserve_mib=1000000", "-e", f"plan_path={path}")
    assert status == 2 and "There is no way to empty xen1: needs " in log and "more on xen2" in log, log[-3000:]
    assert not path.exists()
    rules = planner.ruled(dom0_xen_domains={"centos": {"tags": ["never_move"]}})
    status, log = planner.ask("-e", "dom0s=xen1", *rules)
    assert status == 2 and "centos stays on xen1: it is never to be moved (tag never_move)." in log, log[-3000:]
    assert "web" in log and "1 that cannot leave" in log
    rules = planner.ruled(dom0_xen_domains={"centos": {"tags": ["never_move", "move_last"]}})
    status, log = planner.ask("-e", "dom0s=xen1", *rules)
    assert status == 2 and "xen1: dom0_xen_domains['centos']" in log, log[-3000:]


def test_check_mode_plans_and_writes_no_file(planner: Planner) -> None:
    """The plan is told all the same."""
    path = planner.folder / "plan.yml"
    status, log = planner.ask("-e", "dom0s=xen1", "-e", f"plan_path={path}", "--check")
    assert status == 0 and "To empty xen1: 2 moves" in log, log[-3000:]
    assert not path.exists()


def test_rebalance_is_a_plan(planner: Planner) -> None:
    """An even load needs no move; what is below the threshold stays."""
    status, log = planner.ask("-e", "rebalance_threshold_percent=50", playbook="rebalance")
    assert status == 0 and "To spread the load: 0 moves" in log, log[-3000:]
    status, log = planner.ask("-e", "rebalance_threshold_percent=0", playbook="rebalance")
    assert status == 0 and "To spread the load: " in log, log[-3000:]


@pytest.mark.parametrize("playbook", ["plan", "rebalance"])
def test_what_the_plan_says_may_not_be_given(planner: Planner, playbook: str) -> None:
    """Somebody who names a source believes that the plan is about that one alone."""
    status, log = planner.ask("-e", "dom0s=xen1", "-e", "migrate_source=xen1", playbook=playbook)
    assert status == 2 and "migrate_source may not be given" in log and "Ask the dom0]" not in log, log[-3000:]
