# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller is killed again and again while a host is emptied, and started again each time.

All of it goes at once: Ansible's forks are in sessions of their own, and would go on for a while. Every other time what
it runs on the dom0s at that moment goes with it, as with a connection; otherwise that comes to its end.
"""

from __future__ import annotations

import os
import pathlib
import random
import signal
import subprocess
import threading
import time
import typing as t

from ansible_collections.dom0.xen.tests.scale.figures import Figure, Part
from ansible_collections.dom0.xen.tests.scale.fleet import MEMORY_MIB, descendants, fleet, kill

SIZE = 48
KILLS = 20
# A life ends some moment after one of these was said; a run that says it never is killed after so many seconds.
MARKS = (
    "TASK [Look at the dom0]",
    ": Start the sender",
    "TASK [Plan how the domains leave]",
    ": Watch the stream]",
    "TASK [Wait for its turn]",
    ": Look for the domain on the source]",
    ": Close the host to arrivals]",
)
_LATER_S = 3.0
_LIMIT_S = 240.0
# So long a stream takes: the moves of a life outlive it.
_EACH_S = 10.0


def _is_ansible(pid: int) -> bool:
    try:
        return b"ansible.cli.playbook" in pathlib.Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return False


class Life:
    """One run of the controller; a thread reads what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log = ""
        self._said = threading.Event()
        self._mark = ""
        self._reader = threading.Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.log += line
            if self._mark and self._mark in line:
                self._said.set()
        self._said.set()

    def until(self, mark: str, later_s: float, everything: bool) -> bool:
        """Kill it some seconds after a line had this text; False when it had come to its end before.

        With ``everything`` modules that run for it are killed as well.
        """
        self._mark = mark
        self._reader.start()
        self._said.wait(_LIMIT_S)
        deadline = time.monotonic() + later_s
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.process.poll() is not None:
            self._reader.join()
            return False
        # Nobody starts anything while the list is made.
        os.kill(self.process.pid, signal.SIGSTOP)
        below = descendants(self.process.pid)
        os.killpg(self.process.pid, signal.SIGKILL)
        kill(pid for pid in below if everything or _is_ansible(pid))
        self.process.wait()
        self._reader.join(_LIMIT_S)
        return True

    def to_its_end(self) -> int:
        """Wait for its end; return the exit status."""
        self._reader.start()
        self._reader.join()
        return self.process.wait()


def measure(size: int = SIZE, kills: int = KILLS) -> Part:
    """Empty a host of so many domains, with so many lives of the controller before the last one."""
    chance = random.Random(0)
    rows: list[dict[str, t.Any]] = []
    with fleet(("xen1", "xen2", "xen3")) as found:
        found.fill(("xen1",), size)
        found.site["xen1"].configure(save_rate=round(MEMORY_MIB / 2 * 2**20 / _EACH_S))
        for number in range(kills):
            life = Life(found.start(("xen1",)))
            mark, later_s = MARKS[number % len(MARKS)], chance.uniform(0.0, _LATER_S)
            killed = life.until(mark, later_s, everything=number % 2 == 1)
            rows.append({"mark": mark, "later_s": later_s, "killed": killed, "left": found.left_on(("xen1",))})
            print(f"{number + 1} of {kills}: {rows[-1]}", flush=True)
            if not killed:
                # Nobody is to be killed any more, or something is wrong.
                rows[-1].update(status=life.process.returncode, log=life.log[-3000:])
                break
        last = Life(found.start(("xen1",)))
        status = last.to_its_end()
        if status:
            print(last.log[-6000:], flush=True)
        figures = (
            Figure("killed", sum(row["killed"] for row in rows), least=kills),
            Figure("exit_status", status, most=0),
            Figure("left_on_the_host", found.left_on(("xen1",)), most=0),
            Figure("domains_not_exactly_once", found.not_once(), most=0),
            Figure("moved_more_than_once", found.moved_twice(), most=0),
            Figure("copies_begun_per_domain", found.begun() / size, most=2, least=2),
        )
    return Part("killed", figures, {"domains": size, "kills": kills}, tuple(rows))
