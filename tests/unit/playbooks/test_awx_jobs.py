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
import uuid

import ansible_runner
import pytest
import yaml
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, ROOT, other, where

pytestmark = pytest.mark.timeout(600)

AWX = ROOT / "examples" / "awx"


def data(name: str) -> dict[str, dict[str, t.Any]]:
    """Return the templates or the workflows of the example, by their names."""
    (entries,) = yaml.safe_load((AWX / f"{name}.yml").read_text(encoding="utf-8")).values()
    return {entry["name"].removeprefix("dom0.xen: "): entry for entry in entries}


TEMPLATES, WORKFLOWS = data("job_templates"), data("workflows")


def defaults(survey: str) -> dict[str, t.Any]:
    """Return the answers of somebody who answers nothing: what was left empty is given as an empty text."""
    file = AWX / "surveys" / f"{survey}.json"
    asked = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"spec": []}
    return {question["variable"]: question["default"] for question in asked["spec"]}


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

    def launch(
        self,
        template: str,
        answers: dict[str, t.Any],
        job_type: str = "",
        beyond: dict[str, t.Any] | None = None,
        **more: t.Any,
    ) -> ansible_runner.Runner:
        """Run a job with the defaults of its survey and these answers, and return it when it has ended.

        ``beyond`` is what a workflow gives without its being asked for. The defaults of a survey go before the
        variables of a template, as in AWX.
        """
        about, given = TEMPLATES[template], defaults(template)
        assert set(answers) <= set(given)
        assert not job_type or about.get("ask_job_type_on_launch")
        if (job_type or about["job_type"]) == "check":
            more["cmdline"] = "--check"
        self._jobs += 1
        private = self._folder / f"job{self._jobs}"
        shutil.copytree(AWX, private / "project")
        shutil.copy(ROOT / "examples" / "ansible.cfg", private / "project")
        return ansible_runner.run(
            private_data_dir=str(private),
            playbook=f"{template}.yml",
            inventory=str(self.site.inventory),
            extravars={**about.get("extra_vars", {}), **given, **answers, **(beyond or {})},
            envvars={
                "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
                "ANSIBLE_HOME": str(private / "home"),
                "ANSIBLE_LOCAL_TEMP": str(private / "local_tmp"),
                "ANSIBLE_REMOTE_TEMP": str(private / "remote_tmp"),
                "LC_ALL": "C.UTF-8",
            },
            quiet=True,
            # One of maintain has the tasks of two moves, and more.
            timeout=int(2 * LIMIT_S),
            **more,
        )

    def work(
        self, name: str, answers: dict[str, t.Any], approved: t.Callable[[], object] = lambda: None
    ) -> dict[str, ansible_runner.Runner]:
        """Run a workflow, all of whose approvals are given, and return the jobs of its nodes.

        What a node gets are the artifacts of all before it and, before these, the variables of the workflow.
        """
        about = WORKFLOWS[name]
        nodes = {node["identifier"]: node for node in about["workflow_nodes"]}
        given = {**defaults(pathlib.PurePath(about["survey_spec"].split("'")[3]).stem), **answers}
        jobs: dict[str, ansible_runner.Runner] = {}
        handed: dict[str, t.Any] = {}
        identifier = about["workflow_nodes"][0]["identifier"]
        while identifier:
            node, edges = nodes[identifier], "success_nodes"
            if node["unified_job_template"]["type"] == "workflow_approval":
                approved()
            else:
                template = node["unified_job_template"]["name"].removeprefix("dom0.xen: ")
                job = self.launch(template, {}, node.get("job_type", ""), {**handed, **given})
                jobs[identifier] = job
                handed.update(artifacts(job))
                edges = "success_nodes" if job.status == "successful" else "failure_nodes"
            identifier = next((edge["identifier"] for edge in node["related"].get(edges, ())), "")
        return jobs


@pytest.fixture
def controller(site: Site, tmp_path: pathlib.Path) -> Controller:
    """AWX, as far as its jobs go."""
    return Controller(site, tmp_path)


def words(job: ansible_runner.Runner) -> str:
    """Return the whole output of a job."""
    return t.cast(str, job.stdout.read())


def artifacts(job: ansible_runner.Runner) -> dict[str, t.Any]:
    """Return what a job hands on, as AWX's database gives it back."""
    (stats,) = (event for event in job.events if event["event"] == "playbook_on_stats")
    text = json.dumps(stats["event_data"].get("artifact_data", {}))
    assert len(text) < 300_000
    return t.cast("dict[str, t.Any]", json.loads(text))


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
    plan = controller.launch("migrate", answers, "check")
    assert (plan.status, plan.rc) == ("successful", 0), words(plan)[-3000:]
    assert f"centos can be moved from {here} to {there}" in words(plan)
    assert where(controller.site) == here and artifacts(plan) == {}
    job = controller.launch("migrate", answers)
    assert (job.status, job.rc) == ("successful", 0), words(job)[-3000:]
    assert where(controller.site) == there
    # The move is a host of the job, with events of its own.
    move = f"centos@{here}"
    events = [event for event in job.events if event.get("event_data", {}).get("host") == move]
    assert {"runner_on_ok", "runner_on_start"} <= {event["event"] for event in events}
    assert job.stats["ok"][move] > 0 and not job.stats["failures"]
    folder = pathlib.Path(job.config.artifact_dir)
    assert (folder / "stdout").stat().st_size > 0 and (folder / "rc").read_text() == "0"
    assert "BEGIN" not in (folder / "stdout").read_text()
    told = artifacts(job)["dom0_xen_migrate"]
    assert (told["complete"], told["end_state"], told["owner"], told["code"]) == (True, "moved", "destination", None)
    assert (told["domain"], told["source"], told["destination"]) == ({"uuid": GUEST, "name": "centos"}, here, there)
    assert told["total_ms"] >= told["stop_ms"] > 0


def test_a_refused_move_hands_on_why(controller: Controller) -> None:
    """A node for failures knows what it is about."""
    here, there = where(controller.site), other(controller.site)
    job = controller.launch("migrate", {"domain": "centos", "destination": there, "migrate_transport": "tcp"})
    assert (job.status, job.rc) == ("failed", 2) and where(controller.site) == here
    told = artifacts(job)["dom0_xen_migrate"]
    assert (told["complete"], told["end_state"], told["owner"]) == (False, None, None)
    assert (told["domain"], told["source"], told["destination"]) == ({"uuid": GUEST, "name": "centos"}, here, there)
    assert told["code"] == "plain_not_allowed"


def test_a_plan_is_made_approved_and_carried_out(controller: Controller) -> None:
    """The plan is an artifact of a job that cannot change anything, and a variable of the one that makes its moves."""
    here, there = where(controller.site), other(controller.site)
    seen = []
    jobs = controller.work(
        "plan, approve, apply",
        {"dom0s": here, "migrate_waive": "bridge_missing,disk_unproven"},
        lambda: seen.append(where(controller.site)),
    )
    assert list(jobs) == ["plan", "apply"], words(list(jobs.values())[-1])[-3000:]
    assert seen == [here] and where(controller.site) == there
    assert artifacts(jobs["plan"])["dom0_xen_plan"].startswith("dom0.xen.plan:")
    told = artifacts(jobs["apply"])["dom0_xen_apply"]
    assert told == {"complete": True, "planned": 1, "done": 1, "moved": 1, "stays": 0, "not_done": [], "more": 0}
    # The plan itself is not handed on a second time, and is nobody's secret.
    assert set(artifacts(jobs["apply"])) == {"dom0_xen_apply"}


def test_a_plan_that_does_not_hold_any_more_is_not_carried_out(controller: Controller) -> None:
    """Between plan and approval may be a night. What the failed node may have left is settled, without a name."""
    here = where(controller.site)
    extra = GuestConfig("late", str(uuid.uuid4()), memory_mib=16, bridge=None, compact=True)
    jobs = controller.work(
        "plan, approve, apply",
        {"dom0s": here, "migrate_waive": "bridge_missing,disk_unproven"},
        lambda: controller.site[here].start_guest(extra),
    )
    assert {name: job.status for name, job in jobs.items()} == {
        "plan": "successful",
        "apply": "failed",
        "settle": "successful",
        # AWX calls the workflow what its last node is.
        "fail": "failed",
    }, words(list(jobs.values())[-1])[-3000:]
    assert "was not carried out" in words(jobs["fail"])
    assert "late" in words(jobs["apply"]) and "Nothing to settle" in words(jobs["settle"])
    assert where(controller.site) == here


def test_hosts_are_checked_approved_and_emptied(controller: Controller) -> None:
    """With answers as AWX may give them: lists, empty texts, numbers and yes as texts. Empty is as not given."""
    here, there = where(controller.site), other(controller.site)
    answers = {
        "dom0s": [here],
        "evacuate_open": "true",
        "migrate_waive": "bridge_missing,disk_unproven",
        "evacuate_timeout": "",
        "evacuate_retries": "1",
        "evacuate_parallel": "",
        "migrate_departures": "1",
        "migrate_arrivals": "1",
        "migrate_rows": "",
        "planner": "",
    }
    seen = []
    jobs = controller.work("check, approve, evacuate", answers, lambda: seen.append(where(controller.site)))
    assert list(jobs) == ["check", "evacuate"], words(list(jobs.values())[-1])[-4000:]
    assert seen == [here] and where(controller.site) == there
    assert f"To empty {here}: " in words(jobs["check"]) and artifacts(jobs["check"]) == {}
    told = artifacts(jobs["evacuate"])["dom0_xen_evacuate"]
    assert (told["complete"], told["unsettled"], told["not_empty"], told["left"]) == (True, 0, [], [])
    assert told["moved"] >= 1
    # Each move is a host of the job, with events of its own.
    assert jobs["evacuate"].stats["ok"][f"centos@{here}"] > 0
    wrong = controller.launch("evacuate", {**answers, "dom0s": there, "migrate_departures": ""})
    assert wrong.status == "failed" and "migrate_departures" in words(wrong) and "Close the host" not in words(wrong)
    again = controller.launch("evacuate", {**answers, "dom0s": here})
    assert again.status == "successful" and artifacts(again)["dom0_xen_evacuate"]["moved"] == 0


def test_a_maintenance_hands_on_what_came_of_each_host(controller: Controller) -> None:
    """Its domain goes away and comes home; a job that was refused has nothing to say about hosts."""
    here = where(controller.site)
    waived = {"migrate_waive": "bridge_missing,disk_unproven"}
    job = controller.launch("maintain", {"dom0s": here, **waived})
    assert job.status == "successful" and where(controller.site) == here, words(job)[-4000:]
    told = artifacts(job)["dom0_xen_maintain"]
    moved = told.pop("moved")
    assert moved >= 1 and told == {
        **{"complete": True, "returned": moved, "started": 0, "more": 0},
        **{"done": [here], "not_done": [], "closed": [], "missed": []},
    }
    refused = controller.launch("maintain", {"dom0s": "nowhere", **waived})
    assert refused.status == "failed" and artifacts(refused) == {}


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
    # The move of the job before: in words, and for the next node of a workflow.
    said = " ".join(words(again).split())
    assert f"centos is already on {destination}" in said and "done: 1, 1 of them before this run." in said
    told = artifacts(again)["dom0_xen_migrate"]
    assert (told["complete"], told["end_state"], told["owner"]) == (True, "moved", "destination")
    assert (told["source"], told["destination"], told["method"]) == (source, destination, "live")
    assert told["total_ms"] >= told["stop_ms"] > 0
    assert controller.site.overlaps(GUEST) == []


def test_the_other_templates_run_with_nothing_but_their_defaults(controller: Controller) -> None:
    """Whoever launches one and answers only what must be answered."""
    here, there = where(controller.site), other(controller.site)
    for template, answers in {
        "audit": {},
        "check": {"source": here},
        "settle": {"domain": "centos"},
        "rebalance": {},
        "status": {},
    }.items():
        job = controller.launch(template, answers)
        assert job.status == "successful", words(job)[-3000:]
    nameless = controller.launch("settle", {})
    assert nameless.status == "successful", words(nameless)[-3000:]
    for_all = controller.launch("settle", {"settle_ran": "no"})
    assert for_all.status == "failed" and "settle_ran would be taken for every interrupted" in words(for_all)
    planned = controller.launch("maintain", {"dom0s": here, "migrate_waive": "bridge_missing,disk_unproven"}, "check")
    assert planned.status == "successful", words(planned)[-3000:]
    asked = controller.launch("check", {"domain": "centos", "destination": there})
    assert asked.status == "successful", words(asked)[-3000:]
    wrong = controller.launch("check", {"domain": "nobody", "destination": there})
    assert (wrong.status, wrong.rc) == ("failed", 2)


def test_what_is_being_moved_is_handed_on_to_a_workflow(controller: Controller) -> None:
    """As artifacts of the job, which AWX gives the next node as extra variables. A limit is told, and not refused.

    Whoever empties the question about the group means the usual one.
    """
    job = controller.launch("status", {"dom0_group": ""}, limit="xen1")
    assert job.status == "successful", words(job)[-3000:]
    told = artifacts(job)["dom0_xen_status"]
    assert (told["complete"], told["moves"], told["silent"]) == (False, [], [])
    assert "Not asked, since the limit leaves them out: xen2." in " ".join(words(job).split())
