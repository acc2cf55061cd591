# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody asks ``dom0.xen.check`` about dom0s of the double, and holds what is told against what was provoked."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
import typing as t

from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR, WARNING
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import CODES
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User

Findings = list[dict[str, t.Any]]
# Codes, each with the host that it is about.
Found = t.AbstractSet[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class Answer:
    """How a run of the playbook ended: its exit status, its log, and what it wrote for programs."""

    status: int
    log: str
    result: dict[str, t.Any]

    @property
    def findings(self) -> Findings:
        """All of them: about the question, and about each domain and place."""
        places = [place for domain in self.result["domains"] for place in domain["places"]]
        return [finding for each in (self.result, *places) for finding in each["findings"]]

    def place(self, domain: str, host: str) -> dict[str, t.Any]:
        """Return what was said of a domain, by its name or UUID, and a host that it could go to."""
        (found,) = (
            place
            for each in self.result["domains"]
            if domain in (each["name"], each["uuid"])
            for place in each["places"]
            if place["host"] == host
        )
        assert isinstance(found, dict)
        return found


def bare_python(folder: pathlib.Path) -> str:
    """Make a Python without its site-packages, so without pyxs and paramiko; returns its path."""
    path = folder / "bare-python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    path.chmod(0o755)
    return str(path)


def ask(site: Site, folder: pathlib.Path, *arguments: str) -> Answer:
    """Run the playbook; it changes nothing."""
    user = User(site, folder)
    user.result_path.unlink(missing_ok=True)
    process = user.start("dom0.xen.check", *arguments, "-e", f"check_result_path={user.result_path}")
    log = process.communicate(timeout=LIMIT_S)[0]
    assert "changed=1" not in log
    assert user.result_path.exists(), log[-4000:]
    return Answer(process.returncode, log, user.result)


def require(findings: Findings, expected: Found) -> None:
    """Require just the errors that were provoked, each with a message and a remedy; warnings may have company."""
    told = [(finding["code"], finding["host"], finding["severity"]) for finding in findings]
    errors = {(code, host) for code, host, severity in told if severity == ERROR}
    warnings = {(code, host) for code, host, severity in told if severity == WARNING}
    assert errors == {each for each in expected if CODES[each[0]] == ERROR}, told
    assert {each for each in expected if CODES[each[0]] == WARNING} <= warnings, told
    assert all(finding["message"] and finding["remedy"] for finding in findings)
