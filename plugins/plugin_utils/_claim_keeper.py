# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process beside a run that says on a claimed host, now and then, that the run lives (private to the collection).

A task ends, and its process with it, long before its run does. What comes in between may take any time and is not
ours: the caller's tasks, at the gate and elsewhere, and moves of other hosts. So the task that has claimed a host
leaves a process behind, which has the task's connection to that host, and which ends with the run, or when the host is
given up. Whatever kills the run is heard of within a second, as the processes of tasks are: the claim is silent then.
"""

from __future__ import annotations

import fcntl
import gc
import glob
import hashlib
import os
import shlex
import signal
import sys
import threading
import time
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.plugin_utils import _controller as controller
from ansible_collections.dom0.xen.plugins.plugin_utils._remote import run_script

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible.plugins.action import ActionBase

_LOOK_S = 1.0
_LOST = "dom0-xen-claim-lost"
_NAME = "dom0-xen-claim-"


def pids() -> frozenset[int]:
    """Return the processes that are beside this run; they are its children where it is a container's first process."""
    found = set()
    for mark in glob.glob(os.path.join(glob.escape(constants.DEFAULT_LOCAL_TMP), f"{_NAME}*")):
        try:
            with open(mark, encoding="ascii") as file:
                found.add(int(file.read()))
        except (OSError, ValueError):  # given up meanwhile, or just begun
            continue
    return frozenset(found)


def mark_path(token: str, host: str, journal_path: str) -> str:
    """Return the file on the controller that is there for as long as a claim is to be kept; it goes with the run."""
    which = hashlib.sha256(f"{token}\n{host}\n{journal_path}".encode()).hexdigest()[:16]
    return os.path.join(constants.DEFAULT_LOCAL_TMP, f"{_NAME}{which}")


def start(action: ActionBase, mark: str, beat_path: str, run: t.Mapping[str, t.Any]) -> bool:
    """Have a claim kept from now on; return whether a process was begun for it, which has its pid in ``mark``.

    ``run`` is what :func:`~._controller.holder` returns. Where processes cannot be told apart, none is begun: it could
    outlive the run. Raises OSError.
    """
    if not run["pid"]:
        return False
    os.makedirs(os.path.dirname(mark), mode=0o700, exist_ok=True)
    fd = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # the process that an earlier task of this run has begun is there
            return False
        between = os.fork()
        if between == 0:
            _begin(action, fd, mark, beat_path, run)
        os.waitpid(between, 0)
    finally:
        os.close(fd)
    return True


def stop(mark: str) -> None:
    """Have a claim kept no more."""
    try:
        os.unlink(mark)
    except FileNotFoundError:
        return


def _begin(action: ActionBase, fd: int, mark: str, beat_path: str, run: t.Mapping[str, t.Any]) -> t.NoReturn:
    """Become a process of its own. Nothing that is above on the stack may go on in here, whatever happens."""
    try:
        if os.fork() == 0:
            os.setsid()
            _let_go(fd)
            os.ftruncate(fd, 0)
            os.write(fd, str(os.getpid()).encode())
            threading.Thread(target=_end_with, args=(run, mark), daemon=True).start()
            _keep(action, beat_path)
            stop(mark)
    finally:
        os._exit(0)


def _let_go(fd: int) -> None:
    """Have nothing of the task's process but the lock: who waits for the end of the run waits for its pipes."""
    # What is not needed any more must not close, when it is found, a number that was given anew.
    gc.freeze()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    for other in [int(name) for name in os.listdir("/proc/self/fd")]:
        if other > 2 and other != fd:
            try:
                os.close(other)
            except OSError:  # the one of the listing
                continue
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    # It would hand on what a connection says to the run, through a pipe that is closed.
    Display()._final_q = None


def _end_with(run: t.Mapping[str, t.Any], mark: str) -> None:
    """End this process and what it has started: a connection to a host without power may last longer than the run."""
    while controller.is_alive(run) and os.path.exists(mark):
        time.sleep(_LOOK_S)
    os.killpg(0, signal.SIGKILL)


def _keep(action: ActionBase, beat_path: str) -> None:
    """Say it until another run has the host. One that does not answer, such as while it boots, may answer later."""
    path = shlex.quote(beat_path)
    while True:
        time.sleep(claims.BEAT_S)
        try:
            answer = run_script(action, f"touch -c {path} 2>/dev/null; [ -e {path} ] || echo {_LOST}")
        except (AnsibleError, OSError):
            continue
        if answer.line_after(_LOST) is not None:
            return
