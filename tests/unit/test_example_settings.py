# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example of a configuration is one that Ansible takes, and that nothing is to be said about."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._settings import Settings, far_off
from ansible_collections.dom0.xen.tests.tools.places import ROOT

EXAMPLE = ROOT / "examples" / "ansible.cfg"
EVERY = tuple(f"xen{number}" for number in range(200))


def settings() -> dict[str, t.Any]:
    """Return what Ansible has with the example, by the names of ``ansible-config``."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    command = [sys.executable, "-m", "ansible.cli.config", "dump", "--format", "json"]
    dump = subprocess.run(
        command, env={**env, "ANSIBLE_CONFIG": str(EXAMPLE)}, check=True, capture_output=True, text=True
    )
    return {entry["name"]: entry for entry in json.loads(dump.stdout) if "name" in entry}


def test_ansible_takes_every_line_of_it() -> None:
    """A name that Ansible does not know is passed over without a word."""
    has = settings()
    lines = [line.partition(" = ")[0] for line in EXAMPLE.read_text().splitlines() if re.match(r"[a-z]", line)]
    taken = sum(str(EXAMPLE) == entry["origin"] for entry in has.values())
    assert taken == len(lines), lines


def test_it_is_well_for_many_hosts() -> None:
    """Whoever has copied it is not warned."""
    has = {name: entry["value"] for name, entry in settings().items()}
    made = Settings(
        forks=has["DEFAULT_FORKS"],
        poll_s=has["DEFAULT_INTERNAL_POLL_INTERVAL"],
        dom0s=200,
        unpipelined=() if has["ANSIBLE_PIPELINING"] else EVERY,
        unchecked=() if has["HOST_KEY_CHECKING"] else EVERY,
    )
    assert far_off(made) == ""
