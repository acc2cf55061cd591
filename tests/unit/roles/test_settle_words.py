# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever settles vouches for the hosts that are named, and for no other."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest

VARIABLES = pathlib.Path(__file__).resolve().parents[3] / "roles" / "settle" / "vars" / "main.yml"


@pytest.mark.parametrize(
    ("given", "hosts"),
    [("", []), ("xen1", ["xen1"]), ("xen1, xen2", ["xen1", "xen2"]), (["xen1"], ["xen1"]), ([], [])],
    ids=str,
)
def test_an_answer_that_was_left_empty_vouches_for_nobody(given: t.Any, hosts: list[str]) -> None:
    """A host that nobody knows has an empty name in the role; an empty answer must not be its name."""
    command = [sys.executable, "-m", "ansible.cli.adhoc", "localhost", "-m", "ansible.builtin.debug"]
    command += ["-a", "msg=[{{ __settle_gone | to_json }}]"]
    command += ["-e", f"@{VARIABLES}", "-e", json.dumps({"settle_gone": given})]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    told = re.search(r'"msg": (\[.*?\]\]|\[\n.*?\n    \]|".*")', run.stdout, re.DOTALL)
    assert told, run.stdout
    message = json.loads(told[1])
    assert (json.loads(message[1:-1]) if isinstance(message, str) else message[0]) == hosts
