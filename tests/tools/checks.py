# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run several independent checks side by side and tell which of them failed."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import time


@dataclasses.dataclass(frozen=True)
class Check:
    """One command that succeeds or fails."""

    name: str
    command: tuple[str, ...]
    cwd: pathlib.Path
    env: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a check; ``output`` is its standard output and error in the order they came."""

    check: Check
    passed: bool
    seconds: float
    output: str


def run_one(check: Check) -> Outcome:
    """Run one check to its end."""
    started = time.monotonic()
    result = subprocess.run(
        check.command,
        cwd=check.cwd,
        env=check.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Outcome(check, result.returncode == 0, time.monotonic() - started, result.stdout)


def _last_line(output: str) -> str:
    lines = output.split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _report(outcome: Outcome, logs: pathlib.Path | None) -> None:
    output = re.sub(r"\S*ansible_collections/dom0/xen/", "", outcome.output).rstrip()
    line = f"{'ok' if outcome.passed else 'FAILED':7}{outcome.check.name} ({outcome.seconds:.1f} s)"
    if logs is not None:
        (logs / f"{outcome.check.name}.log").write_text(outcome.output, encoding="utf-8")
        if outcome.passed:
            line += f": {_last_line(output)}"
    print(line, flush=True)
    if not outcome.passed:
        print(output, flush=True)


def run_all(checks: list[Check], logs: pathlib.Path | None = None) -> int:
    """Run all checks, JOBS (from the environment, default 2) at a time, and return an exit code.

    The output of those that failed is printed; with ``logs``, all output is kept there.
    """
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run_one, check) for check in checks]):
            outcome = future.result()
            _report(outcome, logs)
            if not outcome.passed:
                failed.append(outcome.check.name)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0
