# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example project for AWX asks what the playbooks take, and its execution environment can be made."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml

from ansible_collections.dom0.xen.tests.tools import playbooks
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS, ROOT

AWX = ROOT / "examples" / "awx"
SURVEYS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((AWX / "surveys").glob("*.json"))}
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
# Each line of progress is an event in AWX's database.
OTHER_DEFAULTS = {"migrate_progress_interval": 30}

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
    role = PAGE[name].get("role")
    if role:
        taken |= set(playbooks.options_of(role)) - read.runs[role]
    assert question["variable"] in taken


@questions
def test_types_choices_and_defaults_are_those_of_the_role(name: str, question: dict[str, t.Any]) -> None:
    """A choice that the role refuses, or a default that is not its own, is a trap."""
    about = option(question["variable"])
    if about is None:
        default = str(PAGE[name]["options"][question["variable"]].get("default", ""))
        assert question["default"] == default
        return
    assert question["type"] in ASKED_AS[about["type"]]
    if about["type"] == "bool":
        assert question["choices"] == ["true", "false"]
    elif question["type"] == "multiplechoice":
        assert question["choices"] == about["choices"]
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
    templates = yaml.safe_load((AWX / "job_templates.yml").read_text(encoding="utf-8"))["controller_templates"]
    assert sorted(template["playbook"] for template in templates) == sorted(f"{name}.yml" for name in SURVEYS)
    for template in templates:
        name = template["playbook"].removesuffix(".yml")
        assert f"'surveys/{name}.json'" in template["survey_spec"] and template["survey_enabled"]
        assert template["ask_limit_on_launch"] == PAGE[name]["limit"].startswith("accepted")
        assert template["job_slice_count"] == 1


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


def test_the_example_of_an_execution_environment_is_one(tmp_path: pathlib.Path) -> None:
    """It is made up to the point where an image would be downloaded."""
    builder(
        "create",
        "-f",
        str(AWX / "execution-environment.yml"),
        "-c",
        str(tmp_path),
        "--output-filename",
        "Containerfile",
    )
    made = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    assert "ansible-core>=2.19.0" in made
    wanted = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in wanted["collections"]] == ["dom0.xen"]
