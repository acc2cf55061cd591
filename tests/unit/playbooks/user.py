# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who runs playbooks against two dom0s of the double."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

from dom0_double.driver.site import Site

ROOT = pathlib.Path(__file__).resolve().parents[3]
GUEST = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe"
LIMIT_S = 240.0


class User:
    """Somebody who runs playbooks against the two hosts."""

    def __init__(self, site: Site, folder: pathlib.Path) -> None:
        """Keep everything Ansible writes in this folder."""
        self.site = site
        self.folder = folder
        self.result_path = folder / "result.json"
        self.command_lines: set[str] = set()

    def start(self, playbook: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a playbook in a process group of its own."""
        return self.command("playbook", "-i", str(self.site.inventory), playbook, *arguments, **environment)

    def command(self, program: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start one of Ansible's programs, as ``ansible.cli`` calls it, in a process group of its own."""
        values = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_CONFIG": str(self.folder / "none.cfg"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local_tmp"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "remote_tmp"),
            "ANSIBLE_FORCE_COLOR": "0",
            "PYTHONUNBUFFERED": "1",
            "LC_ALL": "C.UTF-8",
            **environment,
        }
        return subprocess.Popen(
            [sys.executable, "-m", f"ansible.cli.{program}", *arguments],
            env=values,
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, playbook: str, *arguments: str, **environment: str) -> str:
        """Run a playbook that must succeed; return its log."""
        process = self.start(playbook, *arguments, **environment)
        log = process.communicate(timeout=LIMIT_S)[0]
        assert process.returncode == 0, log[-4000:]
        return log

    def move(self, destination: str, *arguments: str, **environment: str) -> str:
        """Move the guest; return the log."""
        return self.run("dom0.xen.migrate", *self.asking(destination), *arguments, **environment)

    def asking(self, destination: str) -> tuple[str, ...]:
        """Return the arguments that ask for the move."""
        return (
            "-e",
            "domain=centos",
            "-e",
            f"destination={destination}",
            "-e",
            f"migrate_result_path={self.result_path}",
        )

    @property
    def result(self) -> dict[str, t.Any]:
        """What the last run wrote for programs."""
        read: dict[str, t.Any] = json.loads(self.result_path.read_text())
        return read


def where(site: Site) -> str:
    """Return the host whose copy runs; there must be exactly one, and never were two."""
    assert site.overlaps(GUEST) == []
    assert len(site.running(GUEST)) == 1
    return next(name for name, host in site.hosts.items() if host.guest("centos"))


def other(site: Site) -> str:
    """Return the host that does not have the guest."""
    return "xen2" if where(site) == "xen1" else "xen1"


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read the log of a run until a line has this text; return what was read."""
    log = ""
    for line in process.stdout or ():
        log += line
        if text in line:
            return log
    raise AssertionError(f"{text!r} never came: {log[-4000:]}")
