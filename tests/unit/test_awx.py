# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example project for AWX asks what the playbooks take, and its execution environment can be made."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
import yaml

from ansible_collections.dom0.xen.tests.tools import oldest, playbooks
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS, ROOT

AWX = ROOT / "examples" / "awx"
ALL = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((AWX / "surveys").glob("*.json"))}
# Those of workflows ask what those of their templates ask.
SURVEYS = {name: survey for name, survey in ALL.items() if not name.startswith("workflow_")}
QUESTIONS = [(name, question) for name, survey in SURVEYS.items() for question in survey["spec"]]
PAGE: dict[str, t.Any] = yaml.safe_load(playbooks.DATA.read_text(encoding="utf-8"))

# What may be asked for with which type of a survey.
ASKED_AS = {
    "str": {"text", "textarea", "multiplechoice", "password"},
    "path": {"text"},
    "list": {"text"},
    "int": {"integer"},
    "float": {"float"},
    "bool": {"multiplechoice"},
}
# Each line of progress is an event in AWX's database. Where hosts are emptied the playbooks have defaults of their own.
OTHER_DEFAULTS = {"migrate_progress_interval": 30, "migrate_departures": 2, "migrate_arrivals": 2}
# What a playbook takes less of than the role.
FEWER_CHOICES = {("maintain", "evacuate_unmovable"): ["refuse", "suspend", "shutdown"]}
# What changes something on dom0s: nothing that another job of the template could do beside it helps.
ALONE = {"apply", "evacuate", "maintain", "settle"}
PLANS = {"plan", "rebalance"}
# The project's own: without a survey, since nothing is asked, and without the collection.
FAILS = "fail"


def data(name: str) -> list[dict[str, t.Any]]:
    """Return the templates or the workflows of the example."""
    found: list[dict[str, t.Any]] = yaml.safe_load((AWX / f"{name}.yml").read_text(encoding="utf-8"))[
        {"job_templates": "controller_templates", "workflows": "controller_workflows"}[name]
    ]
    return found


EVERY_TEMPLATE = {template["name"]: template for template in data("job_templates")}
# Those that run a playbook of the collection.
TEMPLATES = {name: template for name, template in EVERY_TEMPLATE.items() if name != f"dom0.xen: {FAILS}"}
WORKFLOWS = {workflow["name"]: workflow for workflow in data("workflows")}

questions = pytest.mark.parametrize(
    ("name", "question"), QUESTIONS, ids=[f"{name}-{question['variable']}" for name, question in QUESTIONS]
)


def option(variable: str) -> dict[str, t.Any] | None:
    """Return what the role of that name says of a variable."""
    role = variable.partition("_")[0]
    known = (playbooks.ROLES / role).is_dir()
    found: dict[str, t.Any] | None = playbooks.options_of(role).get(variable) if known else None
    return found


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_a_survey_belongs_to_a_playbook_of_the_project(name: str) -> None:
    """A job template takes both."""
    (play,) = yaml.safe_load((AWX / f"{name}.yml").read_text(encoding="utf-8"))
    assert play["ansible.builtin.import_playbook"] == f"dom0.xen.{name}"
    asked = [question["variable"] for question in SURVEYS[name]["spec"]]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_what_a_playbook_requires_is_asked_for(name: str) -> None:
    """The job would only say so when it runs."""
    required = {variable for variable, about in PAGE[name]["options"].items() if about.get("required") is True}
    assert required <= {question["variable"] for question in SURVEYS[name]["spec"] if question["required"]}


@questions
def test_a_question_is_one_that_the_playbook_takes(name: str, question: dict[str, t.Any]) -> None:
    """An answer to another one changes nothing, and nobody is told."""
    read = playbooks.reads(name)
    taken = set(PAGE[name]["options"]) | set().union(*read.of_roles.values())
    for role, given in read.runs.items():
        taken |= set(playbooks.options_of(role)) - given
    # What it gives to a role by itself it may have from its caller.
    text = (playbooks.PLAYBOOKS / f"{name}.yml").read_text(encoding="utf-8")
    assert question["variable"] in taken or f"{question['variable']} | default(" in text


def of_playbook(name: str, question: dict[str, t.Any]) -> None:
    """Compare a question about what a playbook takes by itself with the page of the playbooks."""
    about = PAGE[name]["options"][question["variable"]]
    text = about["text"]
    if text.startswith("as for ``dom0.xen."):
        text = PAGE[text.split(".")[2].rstrip("`")]["options"][question["variable"]]["text"]
    default = about.get("default", "")
    if isinstance(default, int):
        assert question["type"] in ("integer", "float") and question["default"] == default
        return
    assert question["default"] == ("" if default == "none" else default)
    if default in ("true", "false"):
        assert question["choices"] == ["true", "false"]
    elif question["type"] == "multiplechoice":
        assert all(f"``{choice}``" in text for choice in question["choices"])
    else:
        assert question["type"] == "text"


def test_choices_that_a_playbook_does_not_take_are_not_offered() -> None:
    """The role would take them, and the playbook refuses them."""
    for (name, variable), choices in FEWER_CHOICES.items():
        text = (playbooks.PLAYBOOKS / f"{name}.yml").read_text(encoding="utf-8")
        assert f"({variable} | default('{choices[0]}')) in {choices}" in text


@questions
def test_types_choices_and_defaults_are_those_of_the_role(name: str, question: dict[str, t.Any]) -> None:
    """A choice that the role refuses, or a default that is not its own, is a trap."""
    about = option(question["variable"])
    if about is None:
        of_playbook(name, question)
        return
    assert question["type"] in ASKED_AS[about["type"]]
    if about["type"] == "bool":
        assert question["choices"] == ["true", "false"]
    elif question["type"] == "multiplechoice":
        assert question["choices"] == FEWER_CHOICES.get((name, question["variable"]), about["choices"])
    default = OTHER_DEFAULTS.get(question["variable"], about.get("default", ""))
    wanted = {"bool": str(default).lower(), "list": ",".join(default) if isinstance(default, list) else ""}
    assert question["default"] == wanted.get(about["type"], default)


@questions
def test_a_question_has_the_shape_that_awx_takes(name: str, question: dict[str, t.Any]) -> None:
    """AWX refuses a survey with a question that lacks one of these."""
    assert set(question) == {
        *("variable", "question_name", "question_description", "type", "required"),
        *("default", "choices", "min", "max", "new_question"),
    }
    if question["type"] == "multiplechoice":
        assert question["default"] in question["choices"]
    if question["type"] in ("integer", "float"):
        assert question["min"] <= question["default"] <= question["max"]


def test_the_templates_fit_playbooks_and_surveys() -> None:
    """A limit is asked for where the playbook takes one, and a slice would not see the destination."""
    assert sorted(template["playbook"] for template in TEMPLATES.values()) == sorted(f"{name}.yml" for name in SURVEYS)
    for called, template in TEMPLATES.items():
        name = template["playbook"].removesuffix(".yml")
        assert called == f"dom0.xen: {name}"
        assert f"'surveys/{name}.json'" in template["survey_spec"] and template["survey_enabled"]
        assert template["ask_limit_on_launch"] == PAGE[name]["limit"].startswith("accepted")
        assert template["job_slice_count"] == 1
        assert template["allow_simultaneous"] != (name in ALONE | {"audit"})
        asked = {question["variable"] for question in SURVEYS[name]["spec"]}
        # The default of a question goes before a variable of the template.
        assert not asked & set(template.get("extra_vars", {}))


def test_what_plans_can_change_nothing_and_hands_its_plan_on() -> None:
    """So everybody may start it."""
    for template in TEMPLATES.values():
        name = template["playbook"].removesuffix(".yml")
        assert (template["job_type"] == "check") == (name in PLANS)
        assert not (name in PLANS and template.get("ask_job_type_on_launch"))
        assert template.get("extra_vars", {}) == ({"plan_artifact": True} if name in PLANS else {})


def test_a_job_ends_by_itself_before_awx_ends_it() -> None:
    """A job that AWX ends is like one that is cancelled: it says nothing. 0 is none. It holds for every answer."""
    defaults = {name: about.get("default") for name, about in playbooks.options_of("migrate").items()}
    for template in TEMPLATES.values():
        name = template["playbook"].removesuffix(".yml")
        asked = {question["variable"]: question for question in SURVEYS[name]["spec"]}
        if name == "maintain":
            assert template["timeout"] == 0
        elif name in ("migrate", "apply", "evacuate"):

            def longest(variable: str, asked: dict[str, t.Any] = asked) -> float:
                """Return the largest answer, or the default of what is not asked."""
                return float(asked[variable]["max"] if variable in asked else defaults[variable])

            beginning = 0 if name == "migrate" else longest(f"{name}_timeout")
            attempts = 1 + longest("migrate_over_budget_retries")
            # A slot on each of two hosts, and the stream; the last attempt is then watched to its end.
            attempt = 2 * longest("migrate_slot_timeout") + longest("migrate_watch_timeout")
            moving = attempts * (attempt + longest("migrate_over_budget_pause")) + longest("migrate_watch_timeout")
            assert "retry" in asked["migrate_on_over_budget"]["choices"]
            assert template["timeout"] > beginning + moving


@pytest.mark.parametrize("workflow", sorted(WORKFLOWS))
def test_a_workflow_has_an_approval_before_anything_is_changed(workflow: str) -> None:
    """And settling after what has failed; each edge leads to a node, and each job type may be asked for."""
    about = WORKFLOWS[workflow]
    nodes = {node["identifier"]: node for node in about["workflow_nodes"]}
    assert len(nodes) == len(about["workflow_nodes"]) and about["allow_simultaneous"] is False
    order, edges = list(nodes), set()
    for identifier, node in nodes.items():
        job = node["unified_job_template"]
        if job["type"] == "job_template":
            template = EVERY_TEMPLATE[job["name"]]
            assert job["organization"] == {"name": about["organization"]}
            assert "job_type" not in node or template["ask_job_type_on_launch"]
            kind = node.get("job_type", template["job_type"])
            before = order[: order.index(identifier)]
            approved = any(nodes[name]["unified_job_template"]["type"] == "workflow_approval" for name in before)
            assert approved == (kind == "run")
        edges |= {(identifier, on, edge["identifier"]) for on, ends in node["related"].items() for edge in ends}
    first, approve, act, settle, fail = order
    assert edges == {
        (first, "success_nodes", approve),
        (approve, "success_nodes", act),
        (act, "failure_nodes", settle),
        (settle, "success_nodes", fail),
    }
    assert nodes[approve]["unified_job_template"]["type"] == "workflow_approval"
    assert nodes[settle]["unified_job_template"]["name"] == "dom0.xen: settle"


def succeeds(nodes: dict[str, dict[str, t.Any]], failing: set[str]) -> bool:
    """Return what AWX calls a workflow (awx/main/scheduler/dag_workflow.py): a node that fails counts only at its end.

    That is where no path for failures leads on from it.
    """
    at: str | None = next(iter(nodes))
    while at is not None:
        failed, related = at in failing, nodes[at]["related"]
        ways = ("failure_nodes" if failed else "success_nodes", "always_nodes")
        on = [edge["identifier"] for way in ways for edge in related.get(way, ())]
        if failed and not on:
            return False
        at = next(iter(on), None)
    return True


@pytest.mark.parametrize("workflow", sorted(WORKFLOWS))
def test_a_workflow_succeeds_only_when_its_jobs_do(workflow: str) -> None:
    """Whoever is told of failures of the workflow hears of hosts that are not empty, however well they were settled."""
    nodes = {node["identifier"]: node for node in WORKFLOWS[workflow]["workflow_nodes"]}
    always = {name for name, node in nodes.items() if node["unified_job_template"]["name"] == f"dom0.xen: {FAILS}"}
    jobs = list(nodes.keys() - always)
    for failing in (set(some) for count in range(len(jobs) + 1) for some in itertools.combinations(jobs, count)):
        # Nobody settles where nothing has failed.
        assert succeeds(nodes, failing | always) == (failing <= {"settle"})


@pytest.mark.parametrize(
    ("handed", "told"),
    [
        ({"dom0_xen_evacuate": {"complete": False, "not_empty": ["xen1", "xen2"]}}, "Not empty: xen1, xen2."),
        ({"dom0_xen_apply": {"complete": False, "not_done": [{"name": "centos"}], "more": 3}}, "centos and 3 more."),
        # Nothing of these is left out, and the job has failed all the same.
        ({"dom0_xen_evacuate": {"complete": False, "not_empty": [], "unsettled": 2}}, "Not settled when it ended: 2."),
        ({"dom0_xen_apply": {"complete": False, "not_done": [], "stays": 1}}, "Left where they are by the plan: 1."),
        ({}, "has handed nothing on"),
    ],
)
def test_the_last_node_fails_whatever_was_handed_on(
    handed: dict[str, t.Any], told: str, tmp_path: pathlib.Path
) -> None:
    """A job that was cancelled has handed on nothing."""
    template = EVERY_TEMPLATE[f"dom0.xen: {FAILS}"]
    assert template["playbook"] == f"{FAILS}.yml" and not template["survey_enabled"]
    run = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-i", "xen1,", "-e", json.dumps(handed), template["playbook"]],
        cwd=AWX,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local_tmp"),
            "ANSIBLE_CONFIG": str(tmp_path / "none.cfg"),
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2, run.stdout + run.stderr
    assert told in " ".join(run.stdout.split())


@pytest.mark.parametrize("workflow", sorted(WORKFLOWS))
def test_a_workflow_asks_what_its_nodes_ask(workflow: str) -> None:
    """In the same words. What a node requires must be among it: nobody can answer later."""
    about = WORKFLOWS[workflow]
    name = next(name for name in ALL if f"'surveys/{name}.json'" in about["survey_spec"])
    assert name.startswith("workflow_")
    jobs = [
        node["unified_job_template"]["name"]
        for node in about["workflow_nodes"]
        if "organization" in node["unified_job_template"]
    ]
    surveys = [SURVEYS[job.removeprefix("dom0.xen: ")] for job in jobs if job in TEMPLATES]
    of_nodes = [question for survey in surveys for question in survey["spec"]]
    asked = ALL[name]["spec"]
    assert all(question in of_nodes for question in asked)
    required = {question["variable"] for question in of_nodes if question["required"]}
    assert required <= {question["variable"] for question in asked}
    variables = [question["variable"] for question in asked]
    assert len(set(variables)) == len(variables)


def builder(*arguments: str) -> str:
    """Run ansible-builder, which must succeed; return what it says."""
    command = [sys.executable, "-m", "ansible_builder", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_the_collection_says_what_it_wants_of_an_execution_environment() -> None:
    """ansible-builder reads meta/execution-environment.yml of whatever collection it is given."""
    told = yaml.safe_load(builder("introspect", str(COLLECTIONS)))
    assert told["python"] == []
    assert [package.partition("  #")[0] for package in told["system"]] == ["openssh-clients [platform:rpm]"]


def context(definition: pathlib.Path, folder: pathlib.Path) -> str:
    """Have the context of an image made in the folder, and return its Containerfile."""
    builder("create", "-f", str(definition), "-c", str(folder), "--output-filename", "Containerfile")
    return (folder / "Containerfile").read_text(encoding="utf-8")


def wanted(folder: pathlib.Path) -> list[dict[str, str]]:
    """Return the collections that a context asks for."""
    asked = yaml.safe_load((folder / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    found: list[dict[str, str]] = asked["collections"]
    return found


def test_the_example_of_an_execution_environment_is_one(tmp_path: pathlib.Path) -> None:
    """It is made up to the point where an image would be downloaded, with what the jobs are tested with."""
    made = context(AWX / "execution-environment.yml", tmp_path)
    assert oldest.CORE in made and f'PYCMD="/usr/bin/python{oldest.PYTHON}"' in made
    assert [entry["name"] for entry in wanted(tmp_path)] == ["dom0.xen"]


def test_what_is_to_be_added_to_it_can_be(tmp_path: pathlib.Path) -> None:
    """Lines that stand there as comments are taken in: host keys, and the collection from its repository."""
    requirements = (AWX / "collections" / "requirements.yml").read_text(encoding="utf-8")
    definition = (AWX / "execution-environment.yml").read_text(encoding="utf-8")
    (tmp_path / "collections").mkdir()
    said = re.findall(r"^#(   .*)", requirements, re.MULTILINE)
    (tmp_path / "collections" / "requirements.yml").write_text("\n".join(["collections:", *said, ""]))
    (tmp_path / "ee.yml").write_text(re.sub(r"^# (?=additional_|  )", "", definition, flags=re.MULTILINE))
    (tmp_path / "ssh_known_hosts").write_text("xen1 ssh-ed25519 AAAA\n")
    made = context(tmp_path / "ee.yml", tmp_path / "context")
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    assert wanted(tmp_path / "context") == [{"name": repository, "type": "git"}]
    # git is there before it is asked for.
    assert made.index("install -y git") < made.index("ansible-galaxy collection install")
    (copied,) = re.findall(r"^COPY (\S+) /etc/ssh/ssh_known_hosts$", made, re.MULTILINE)
    assert (tmp_path / "context" / copied).read_text() == "xen1 ssh-ed25519 AAAA\n"
