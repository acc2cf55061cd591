# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where root writes what is suspended is not for the name of a domain to say."""

from __future__ import annotations

import pathlib

import jinja2
import pytest
import yaml
from ansible.plugins.test.core import match

TASKS = pathlib.Path(__file__).resolve().parents[3] / "roles" / "evacuate" / "tasks" / "main.yml"
UUID = "1c1a7b9e-3f5d-4c65-9e1a-0123456789ab"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("centos", "centos"),
        ("web-1.example_x+y", "web-1.example_x+y"),
        *((name, UUID) for name in ("..", ".", ".hidden", "../../etc/cron.d/x", "a/b", "/etc/passwd", "a\n", "-r", "")),
    ],
)
def test_the_file_of_what_is_suspended(name: str, file: str) -> None:
    """The domain's name where that is a plain one, else its UUID."""
    tasks = yaml.safe_load(TASKS.read_text())
    (path,) = (task["dom0.xen.domain_save"]["path"] for task in tasks if "dom0.xen.domain_save" in task)
    environment = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined)
    environment.tests["match"] = match
    made = environment.from_string(path).render(evacuate_save_path="/save", item={"name": name, "uuid": UUID})
    assert made == f"/save/{file}"
