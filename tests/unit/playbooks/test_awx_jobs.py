# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX does to the playbooks, done by ansible-runner, which AWX runs its jobs with."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys
import threading
import time
import typing as t

import ansible_runner
import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, ROOT, other, where

pytestmark = pytest.mark.timeout(600)

AWX = ROOT / "examples" / "awx"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts, the guest on xen1."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield site
    left = site.down()
    assert left == []


class Controller:
    """Runs jobs of the example project, each in a private data directory of its own."""

    def __init__(self, site: Site, folder: pathlib.Path) -> None:
        self.site = site
        self._folder = folder
        self._jobs = 0

    def launch(self, template: str, answers: dict[str, t.Any], **more: t.Any) -> ansible_runner.Runner:
        """Run a job with the defaults of its survey and these answers, and return it when it has ended."""
        survey = json.loads((AWX / "surveys" / f"{template}.json").read_text(encoding="utf-8"))
        # AWX leaves out nothing that has a default, and gives what was left empty as an empty text.
        given = {question["variable"]: question["default"] for question in survey["spec"]}
        assert set(answers) <= set(given)
        self._jobs += 1
        private = self._folder / f"job{self._jobs}"
        shutil.copytree(AWX, private / "project")
        shutil.copy(ROOT / "examples" / "ansible.cfg", private / "project")
        return ansible_runner.run(
            private_data_dir=str(private),
            playbook=f"{template}.yml",
            inventory=str(self.site.inventory),
            extravars={**given, **answers},
            envvars={
                "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
                "ANSIBLE_HOME": str(private / "home"),
                "ANSIBLE_LOCAL_TEMP": str(private / "local_tmp"),
                "ANSIBLE_REMOTE_TEMP": str(private / "remote_tmp"),
                "LC_ALL": "C.UTF-8",
            },
            quiet=True,
            timeout=int(LIMIT_S),
            **more,
        )


@pytest.fixture
def controller(site: Site, tmp_path: pathlib.Path) -> Controller:
    """AWX, as far as its jobs go."""
    return Controller(site, tmp_path)


def words(job: ansible_runner.Runner) -> str:
    """Return the whole output of a job."""
    return t.cast(str, job.stdout.read())


def test_a_check_job_is_the_plan_and_a_run_job_moves(controller: Controller) -> None:
    """The same template and the same answers; numbers come as texts, lists and what was left empty as well."""
    here, there = where(controller.site), other(controller.site)
    answers = {
        "domain": "centos",
        "destination": there,
        "migrate_progress_interval": "30",
        "migrate_watch_timeout": "600",
        "migrate_waive": "bridge_missing,disk_unproven",
    }
    plan = controller.launch("migrate", answers, cmdline="--check")
    assert (plan.status, plan.rc) == ("successful", 0), words(plan)[-3000:]
    assert f"centos can be moved from {here} to {there}" in words(plan)
    assert where(controller.site) == here
    job = controller.launch("migrate", answers)
    assert (job.status, job.rc) == ("successful", 0), words(job)[-3000:]
    assert where(controller.site) == there
    # The move is a host of the job, with events of its own.
    move = f"centos@{here}"
    events = [event for event in job.events if event.get("event_data", {}).get("host") == move]
    assert {"runner_on_ok", "runner_on_start"} <= {event["event"] for event in events}
    assert job.stats["ok"][move] > 0 and not job.stats["failures"]
    artifacts = pathlib.Path(job.config.artifact_dir)
    assert (artifacts / "stdout").stat().st_size > 0 and (artifacts / "rc").read_text() == "0"
    assert "BEGIN" not in (artifacts / "stdout").read_text()


def test_a_limit_is_refused_with_a_word_about_awx(controller: Controller) -> None:
    """It would empty the plays that make the move, and the job would be green."""
    job = controller.launch("migrate", {"domain": "centos", "destination": "xen2"}, limit="xen1")
    assert (job.status, job.rc) == ("failed", 2)
    assert "in AWX without a limit" in words(job)


def test_a_cancelled_job_leaves_a_move_that_ends_and_the_next_job_tells_of_it(controller: Controller) -> None:
    """AWX ends what it has started, which is not the move."""
    source, destination = where(controller.site), other(controller.site)
    controller.site[source].configure(save_rate=4_000_000)
    under_way = threading.Event()

    def heard(event: dict[str, t.Any]) -> bool:
        if "first round" in event.get("stdout", ""):
            under_way.set()
        return True

    answers = {"domain": "centos", "destination": destination, "migrate_progress_interval": "1"}
    job = controller.launch("migrate", answers, event_handler=heard, cancel_callback=under_way.is_set)
    assert job.status == "canceled", words(job)[-3000:]
    deadline = time.monotonic() + 120
    while controller.site[source].guest("centos") and time.monotonic() < deadline:
        time.sleep(0.5)
    controller.site[source].configure(save_rate=0)
    again = controller.launch("migrate", answers)
    assert again.status == "successful", words(again)[-3000:]
    assert where(controller.site) == destination
    assert not any(again.stats["changed"].values())
    assert controller.site.overlaps(GUEST) == []


def test_the_other_templates_run_with_nothing_but_their_defaults(controller: Controller) -> None:
    """Whoever launches one and answers only what must be answered."""
    here, there = where(controller.site), other(controller.site)
    for template, answers in {
        "audit": {},
        "check": {"source": here},
        "settle": {"domain": "centos"},
        "status": {},
    }.items():
        job = controller.launch(template, answers)
        assert job.status == "successful", words(job)[-3000:]
    asked = controller.launch("check", {"domain": "centos", "destination": there})
    assert asked.status == "successful", words(asked)[-3000:]
    wrong = controller.launch("check", {"domain": "nobody", "destination": there})
    assert (wrong.status, wrong.rc) == ("failed", 2)


def test_what_is_being_moved_is_handed_on_to_a_workflow(controller: Controller) -> None:
    """As artifacts of the job, which AWX gives the next node as extra variables. A limit is told, and not refused."""
    job = controller.launch("status", {}, limit="xen1")
    assert job.status == "successful", words(job)[-3000:]
    (stats,) = (event for event in job.events if event["event"] == "playbook_on_stats")
    told = stats["event_data"]["artifact_data"]["dom0_xen_status"]
    assert (told["complete"], told["moves"], told["silent"]) == (False, [], [])
    assert "Not asked, since the limit leaves them out: xen2." in " ".join(words(job).split())
