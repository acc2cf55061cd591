# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of ansible-playbook against the lab: started, watched, killed, and what is known of it afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dom0lab.with_parent import with_parent
from proof import playbook

CALLBACKS = Path(__file__).parent / "callbacks"
# What a whole run may take on a slow, emulated host, and so any stage of it (seconds).
A_RUN_S = 600
# How much of its output is shown of a run that did not come to where it should (characters).
SHOWN = 3000
# What the run brought about with its last breath is seen within this time (seconds).
LAST_LOOK_S = 10


@dataclass(frozen=True)
class Outcome:
    """A run that has ended: its status, what it showed, its result file, its tasks, the changes of its recap."""

    status: int
    output: str
    result: dict[str, t.Any]
    events: list[dict[str, t.Any]]

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Counts by host of the inventory."""
        found = [event["hosts"] for event in self.events if event["kind"] == "recap"]
        return found[-1] if found else {}

    @property
    def changed(self) -> int:
        """Changes in the recap, all hosts together."""
        return sum(counts["changed"] for counts in self.recap.values())

    @property
    def failures(self) -> int:
        """Failures that nothing made good, all hosts together."""
        return sum(counts["failures"] + counts["unreachable"] for counts in self.recap.values())

    @property
    def message(self) -> str:
        """What the run ended with: the last failure's message."""
        failed = [event for event in self.events if event["kind"] == "failed" and not event["ignored"]]
        return str(failed[-1]["result"].get("msg", "")) if failed else ""

    @property
    def findings(self) -> list[dict[str, t.Any]]:
        """The check's objections."""
        return [finding for finding in self.result.get("findings", []) if finding["severity"] == "error"]

    def codes(self) -> set[str]:
        """Names of the check's objections."""
        return {finding["code"] for finding in self.findings}


class Running:
    """A run that was started. Its files lie in ``folder`` and stay there, for whoever looks into a failure."""

    def __init__(self, folder: Path, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log, self._record, self.answer = folder / "log", folder / "record", folder / "result.json"
        for path in (self._log, self._record, self.answer):
            path.unlink(missing_ok=True)
        full = playbook.environment(
            ANSIBLE_CALLBACK_PLUGINS=str(CALLBACKS),
            ANSIBLE_CALLBACKS_ENABLED="lab_record",
            ANSIBLE_NOCOLOR="1",
            DOM0_LAB_RECORD=str(self._record),
            **environment,
        )
        with self._log.open("w") as log:
            # It is a controller in a session of its own: nobody else would end it when this process is killed.
            self._process = subprocess.Popen(
                with_parent("KILL", [*argv, "-e", f"migrate_result_path={self.answer}"]), cwd=playbook.ROOT, env=full,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def reach(self, what: str, sign: subprocess.Popen[str]) -> None:
        """Wait until the process that watches for this ends; fail the test at once when the run has ended before."""
        deadline = time.monotonic() + A_RUN_S
        try:
            while sign.poll() is None:
                if not self.running():
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        sign.wait(LAST_LOOK_S)
                        break
                    raise AssertionError(f"{what}: the run ended before: {self._shown()}")
                if time.monotonic() > deadline:
                    self.kill()
                    raise AssertionError(f"{what}: not within {A_RUN_S} s: {self._shown()}")
                time.sleep(0.2)
        finally:
            sign.kill()
            sign.wait()
        if sign.returncode:
            raise AssertionError(f"{what}: the watching for it ended with {sign.returncode}")

    def _shown(self) -> str:
        return self._log.read_text(errors="replace")[-SHOWN:]

    def wait(self, timeout: float = A_RUN_S) -> Outcome:
        """Wait for its end; a run that takes too long is killed and fails the test."""
        try:
            status = self._process.wait(timeout)
        except BaseException:
            self.kill()
            raise
        events = self._record.read_text().splitlines() if self._record.exists() else []
        return Outcome(
            status=status,
            output=self._log.read_text(errors="replace"),
            result=json.loads(self.answer.read_text()) if self.answer.exists() else {},
            events=[json.loads(line) for line in events],
        )

    def running(self) -> bool:
        """Whether the controller still runs."""
        return self._process.poll() is None

    def kill(self) -> list[int]:
        """SIGKILL to the controller and all that it started, at once; returns the processes.

        They are stopped first, so that none of them sees another one die. Ansible's workers have sessions of their
        own, so a signal to the process group would not reach them.
        """
        stopped: list[int] = []
        while new := [pid for pid in family(self._process.pid) if pid not in stopped]:
            for pid in new:
                _signal(pid, signal.SIGSTOP)
            stopped += new
        for pid in stopped:
            _signal(pid, signal.SIGKILL)
        self._process.wait(30)
        return stopped


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def wait_until(what: str, condition: t.Callable[[], bool], timeout: float = 120, every: float = 1.0) -> None:
    """Wait until the condition holds; fail the test when it does not come to hold in time (seconds)."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout:.0f} s")
        time.sleep(every)
