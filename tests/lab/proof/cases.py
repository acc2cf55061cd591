# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's cases, the contract of xl, and a molecule scenario, on two real Xen hosts (``make lab-test``).

What is not known here (``-k name``, ``-x``) goes to pytest, for the cases as for the contract.

With ``--minutes N`` no case starts after N minutes, of the cases as of the contract, and each commit begins with
another one, so that a run with a limit is not always the same share. What was not run is "not run" in the results, and
so is what is marked ``untried``, until it was run once with ``--untried`` and has passed. With ``--qemu`` the hosts
have QEMU, and a folder of this machine: the cases about disks need both, and are "not run" without. With
``--release`` both hosts are of another Debian, and so of another Xen; hosts of two releases are what the matrix is for.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
import typing as t
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from dom0lab import Lab, LabError
from dom0lab.image import RELEASES
from dom0lab.start import WITH_QEMU, Settings

from proof import child, figures, playbook, share

RESULT = playbook.ROOT / "build" / "lab" / "results.json"
WORK = playbook.ROOT / "build" / "lab-cases"
CASES = "tests/lab/cases"
CONTRACT = "tests/contract"
CONTRACT_TIMEOUT_S = 900
NOTHING_COLLECTED = 5
NOT_RUN = "not run"
USUAL = Settings().releases[0]


def pytest(*arguments: str) -> int:
    """Run pytest in a process of its own; returns its exit status."""
    plugins = ["-p", "proof.share", "-p", "proof.ending"]
    return child.run([sys.executable, "-m", "pytest", "-v", "--tb=short", *plugins, *arguments], playbook.ROOT)


def run_cases(arguments: Sequence[str]) -> tuple[int, dict[str, t.Any]]:
    """The lab's cases; returns pytest's exit status and what they recorded."""
    path = WORK / "cases.json"
    path.unlink(missing_ok=True)
    status = pytest(CASES, "--results", str(path), *arguments)
    return status, json.loads(path.read_text()) if path.exists() else {"cases": [], "checks": []}


def run_contract(folder: Path, arguments: Sequence[str]) -> tuple[int, list[dict[str, t.Any]]]:
    """The contract of xl on the same hosts; returns pytest's exit status and one object a case."""
    path = WORK / "contract.xml"
    path.unlink(missing_ok=True)
    options = ["--site", "lab", "--lab-folder", str(folder), f"--timeout={CONTRACT_TIMEOUT_S}", f"--junitxml={path}"]
    status = pytest(CONTRACT, *options, *arguments)
    return status, contract_cases(path.read_text()) if path.exists() else []


def run_molecule() -> dict[str, t.Any]:
    """The molecule scenario, which makes a lab of its own; returns it as a case."""
    command = [sys.executable, "-m", "ansible_collections.dom0.xen.tests.tools.molecule", "lab"]
    status = child.run(command, playbook.ROOT)
    return _without_figures("molecule: lab", "failed" if status else "passed")


def share_of(minutes: float | None) -> list[str]:
    """Options for proof.share: up to when cases may start, and a number that changes with each commit."""
    if minutes is None:
        return []
    return ["--until", str(time.time() + 60 * minutes), "--turn", str(playbook.turn())]


def contract_cases(report: str) -> list[dict[str, t.Any]]:
    """One object a case, from pytest's report in JUnit's format."""
    found = []
    for case in ElementTree.fromstring(report).iter("testcase"):
        marks = {child.tag for child in case}
        outcome = "failed" if marks & {"failure", "error"} else "skipped" if "skipped" in marks else "passed"
        if any(reason in str(child.get("message")) for child in case for reason in share.REASONS):
            outcome = NOT_RUN
        name = str(case.get("name")).removeprefix("test_").replace("_", " ")
        found.append(_without_figures(f"contract: {name}", outcome))
    return found


def _without_figures(name: str, outcome: str) -> dict[str, t.Any]:
    return {"name": name, "outcome": outcome, "total_ms": None, "stop_ms": None, "gap_ms": None}


def settings(release: str, qemu: bool) -> Settings:
    """The lab for the cases: two hosts of one release."""
    return dataclasses.replace(WITH_QEMU if qemu else Settings(), releases=(release, release))


def parser() -> argparse.ArgumentParser:
    """The options that are not for pytest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-contract", action="store_true", help="leave out the contract of xl")
    parser.add_argument("--no-cases", action="store_true", help="run nothing but the contract of xl")
    parser.add_argument("--minutes", type=float, help="start no case after so many")
    parser.add_argument("--qemu", action="store_true", help="on hosts that have QEMU, which takes a lab of its own")
    parser.add_argument("--release", choices=RELEASES, default=USUAL, help="Debian of both hosts (default %(default)s)")
    return parser


def main() -> int:
    """Run both on one lab and write the figures. Returns an exit status."""
    with child.ended_by_signals():
        return run()


def run() -> int:
    """As main does, which sees to it that a signal ends the cases first and then the lab."""
    chosen, rest = parser().parse_known_args()
    chosen_cases = bool(rest)
    rest += share_of(chosen.minutes)
    started = time.monotonic()
    cases: list[dict[str, t.Any]] = []
    checks: list[figures.Check] = []
    try:
        with Lab.up(settings(chosen.release, chosen.qemu)) as lab:
            xen = lab.hosts["xen1"].run("xl info xen_version").stdout.strip()
            if not chosen.no_cases:
                status, recorded = run_cases(rest)
                cases += recorded["cases"]
                checks += [figures.Check(**check) for check in recorded["checks"]]
                checks.append(figures.equal("exit status of the cases", status, 0))
            if not chosen.no_contract:
                lab.reset()
                status, contract = run_contract(lab.folder, rest)
                cases += contract
                checks += [
                    figures.equal(case["name"], case["outcome"], "passed")
                    for case in contract
                    if case["outcome"] != NOT_RUN
                ]
                # Words for -k may choose cases of one suite only.
                fine = (0, NOTHING_COLLECTED) if chosen_cases else (0,)
                checks.append(figures.Check("exit status of the contract", status, "0", status in fine))
    except LabError as exc:
        print(f"the lab: {exc}", file=sys.stderr)
        return 2
    # The scenario brings up the usual hosts, and would say nothing of others.
    if chosen.release == USUAL and not (chosen_cases or chosen.no_cases or chosen.no_contract):
        cases.append(run_molecule())
        checks.append(figures.equal(cases[-1]["name"], cases[-1]["outcome"], "passed"))
    wall = round(time.monotonic() - started, 1)
    ok = figures.write(RESULT, {"release": chosen.release, "xen": xen, "wall_s": wall, "cases": cases}, checks)
    passed = sum(case["outcome"] == "passed" for case in cases)
    untried = sum(case["outcome"] == NOT_RUN for case in cases)
    print(
        f"{passed} of {len(cases)} cases passed on Xen {xen}, {untried} not run, in {wall:.0f} s;"
        f" figures in {playbook.shown(RESULT)}"
    )
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
