# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event loop, in a process of its own since it takes over the signals."""

from __future__ import annotations

import os
import subprocess
import sys

START = """\
import os, selectors, signal, subprocess, time
from ansible_collections.dom0.xen.plugins.module_utils._session.process.loop import Loop
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
loop = Loop()
"""


def run(script: str) -> str:
    """What a script says that has a loop."""
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", START + script]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60, env=paths, text=True).stdout


def test_each_wait_heeds_what_it_was_given() -> None:
    """Descriptors are closed and their numbers used again between two waits, for something else."""
    said = run("""
read, write = os.pipe()
print(loop.wait([(read, READ), (write, WRITE), (-1, READ), (read, 0)], 5) == {write: WRITE})
os.write(write, b"x")
print(loop.wait([(read, READ)], 5) == {read: READ})
print(loop.wait([(write, WRITE)], 5) == {write: WRITE})
numbers = sorted((read, write))
os.close(read), os.close(write)
print(loop.wait([], 0) == {})
read, write = os.pipe()
print(sorted((read, write)) == numbers and loop.wait([(read, READ)], 0) == {})
os.close(write)
print(loop.wait([(read, READ)], 5) == {read: READ})
""")
    assert said.split() == ["True"] * 6


def test_signals_and_children_end_the_wait() -> None:
    """xl's end and a cancellation are seen at once; a closed terminal or Ctrl-C is nothing to a session."""
    said = run("""
for number in (signal.SIGHUP, signal.SIGINT):
    os.kill(os.getpid(), number)
print(loop.terminate)
started = time.monotonic()
child = subprocess.Popen(["true"])
loop.wait([], 30)
child.wait()
print(loop.terminate)
os.kill(os.getpid(), signal.SIGTERM)
loop.wait([], 30)
print(loop.terminate, time.monotonic() - started < 20)
""")
    assert said.split() == ["False", "False", "True", "True"]
