# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs faults in several workers at a time, and ends a run that hangs."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing as t

from dom0_double import processes

from .judge import HUNG
from .names import DESTINATION, SOURCE, Fault
from .run import Outcome

LIMIT_S = 120.0
# Three runs of ansible-playbook, with others beside them; each has a limit of its own.
PLAYBOOK_LIMIT_S = 550.0
# Where the double keeps its hosts too; what is made there has a name of its own.
MEMORY = pathlib.Path("/dev/shm")  # noqa: S108


class _Worker:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._start()

    def _start(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dom0_faults.worker", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(self._process.stdout, self._lines), daemon=True).start()

    @staticmethod
    def _read(stream: t.IO[str], lines: queue.Queue[str]) -> None:
        for line in stream:
            lines.put(line)
        lines.put("")

    def run(self, fault: Fault) -> Outcome:
        begun = time.monotonic()
        try:
            if self._process.stdin is None:
                raise BrokenPipeError
            self._process.stdin.write(f"{fault}\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=PLAYBOOK_LIMIT_S if fault.playbook else LIMIT_S)
        except (queue.Empty, BrokenPipeError):
            line = ""
        if line:
            found = json.loads(line)
            return Outcome(found["name"], tuple(found["found"]), tuple(found["why"]), found["seconds"])
        self.end()
        self._start()
        return Outcome(str(fault), (HUNG,), (f"{HUNG}: no end",), round(time.monotonic() - begun, 2))

    def end(self) -> None:
        """End the worker and every host it has made."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for state in self.folder.glob("*/site"):
            for host in (SOURCE, DESTINATION):
                processes.end(processes.of_host((state / host).resolve()))
            if (state / "memory").is_symlink():
                shutil.rmtree(os.path.realpath(state / "memory"), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class Pool:
    """Workers with a folder of their own in memory; a context manager."""

    def __init__(self, jobs: int) -> None:
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="df-", dir=MEMORY))
        self._workers = [_Worker(self._folder / str(number)) for number in range(jobs)]
        self._over = False

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *dummy: object) -> None:
        self._over = True
        for worker in self._workers:
            worker.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, faults: t.Sequence[Fault], deadline: float | None = None) -> t.Iterator[Outcome]:
        """Yield outcomes as they come; none is begun after ``deadline`` of the monotonic clock."""
        waiting: queue.SimpleQueue[Fault] = queue.SimpleQueue()
        for fault in faults:
            waiting.put(fault)
        done: queue.Queue[Outcome | None] = queue.Queue()
        for worker in self._workers:
            threading.Thread(target=self._work, args=(worker, waiting, done, deadline), daemon=True).start()
        working = len(self._workers)
        while working:
            outcome = done.get()
            if outcome is None:
                working -= 1
            else:
                yield outcome

    def _work(
        self,
        worker: _Worker,
        waiting: queue.SimpleQueue[Fault],
        done: queue.Queue[Outcome | None],
        deadline: float | None,
    ) -> None:
        try:
            while not self._over and (deadline is None or time.monotonic() < deadline):
                done.put(worker.run(waiting.get_nowait()))
        except queue.Empty:
            return
        finally:
            done.put(None)
