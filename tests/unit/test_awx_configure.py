# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example that makes templates and workflows in AWX gives the modules of awx.awx everything that the data has.

The modules are stand-ins that take the options that awx.awx documents (ansible/awx, awx_collection/plugins/modules) and
write down what they were given: awx.awx is not installed, and there is no AWX.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import pytest
import yaml

from ansible_collections.dom0.xen.tests.tools.places import ROOT

AWX = ROOT / "examples" / "awx"

TEMPLATE = {
    **dict.fromkeys(("name", "playbook", "project", "inventory", "execution_environment"), {"type": "str"}),
    "job_type": {"type": "str", "choices": ["run", "check"]},
    "credentials": {"type": "list", "elements": "str"},
    **dict.fromkeys(("extra_vars", "survey_spec"), {"type": "dict"}),
    **dict.fromkeys(("survey_enabled", "ask_job_type_on_launch", "ask_limit_on_launch"), {"type": "bool"}),
    "allow_simultaneous": {"type": "bool"},
    **dict.fromkeys(("job_slice_count", "timeout", "forks"), {"type": "int"}),
}
EDGES = {f"{when}_nodes": {"type": "list", "elements": "dict"} for when in ("success", "failure", "always")}
NODE = {
    "identifier": {"type": "str", "required": True},
    "job_type": {"type": "str", "choices": ["run", "check"]},
    "unified_job_template": {
        "type": "dict",
        "options": {
            **dict.fromkeys(("name", "description", "type"), {"type": "str"}),
            "organization": {"type": "dict", "options": {"name": {"type": "str"}}},
            "timeout": {"type": "int"},
        },
    },
    "related": {"type": "dict", "options": EDGES},
}
WORKFLOW = {
    **dict.fromkeys(("name", "organization"), {"type": "str"}),
    "survey_spec": {"type": "dict"},
    **dict.fromkeys(("survey_enabled", "allow_simultaneous", "destroy_current_nodes"), {"type": "bool"}),
    "workflow_nodes": {"type": "list", "elements": "dict", "options": NODE},
}

STAND_IN = """\
import json
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec=json.loads({spec!r}))
with open({log!r}, "a") as file:
    file.write(json.dumps(module.params) + chr(10))
module.exit_json(changed=True)
"""


@pytest.fixture
def given(tmp_path: pathlib.Path) -> dict[str, list[dict[str, t.Any]]]:
    """Run the playbook of the example, and return what each module was given."""
    shutil.copytree(AWX, tmp_path / "project")
    modules = tmp_path / "collections" / "ansible_collections" / "awx" / "awx" / "plugins" / "modules"
    modules.mkdir(parents=True)
    specs = {"job_template": TEMPLATE, "workflow_job_template": WORKFLOW}
    for name, spec in specs.items():
        text = STAND_IN.format(spec=json.dumps(spec), log=str(tmp_path / f"{name}.log"))
        (modules / f"{name}.py").write_text(text, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "configure.yml"],
        cwd=tmp_path / "project",
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"),
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local_tmp"),
            "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote_tmp"),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_CONFIG": str(tmp_path / "none.cfg"),
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return {
        name: [json.loads(line) for line in (tmp_path / f"{name}.log").read_text(encoding="utf-8").splitlines()]
        for name in specs
    }


def entries(name: str) -> list[dict[str, t.Any]]:
    """Return what the data has."""
    (found,) = yaml.safe_load((AWX / f"{name}.yml").read_text(encoding="utf-8")).values()
    return t.cast("list[dict[str, t.Any]]", found)


@pytest.mark.timeout(600)
def test_everything_that_the_data_has_is_given(given: dict[str, list[dict[str, t.Any]]]) -> None:
    """A field that the playbook leaves out would be lost without a word; a survey is its file."""
    for module, name in (("job_template", "job_templates"), ("workflow_job_template", "workflows")):
        wanted = entries(name)
        assert [entry["name"] for entry in given[module]] == [entry["name"] for entry in wanted]
        for got, entry in zip(given[module], wanted, strict=True):
            # Where nothing is asked there is none.
            asked = entry.pop("survey_spec", None)
            survey = json.loads((AWX / asked.split("'")[3]).read_text(encoding="utf-8")) if asked else None
            assert got["survey_spec"] == survey and entry["survey_enabled"] == (asked is not None)
            assert plain({key: got[key] for key in entry}) == entry


def plain(value: t.Any) -> t.Any:
    """Return a value without what was not given."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if inner is not None}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
