# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may begin: the moves of one run among themselves (private to the collection).

Each move of a run is served by processes of its own. They meet at a file on the controller that lives as long as the
run; what other runs do they find out at the dom0s. Nobody waits for a batch: a move begins when those that it needs
have ended, and while fewer than its hosts' limits are under way.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import DONE, UNDER_WAY, Step
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.workers import Controller, Quiet

WAITING, RUNNING, FAILED = "waiting", "running", "failed"
_NAME = "board.json"
_WAITS = ".waits"
_POLL_S = 0.2
_LOOK_S = 5.0
# Between two tasks of a move that goes on there is no process of it; that takes moments.
DROPPED_S = 60.0

Document = dict[str, t.Any]


class Blocked(Dom0XenError):
    """A move that this one needs has failed."""

    code = "move_blocked"
    remedy = "See why that one failed; then run the same command again."


class TooLate(Dom0XenError):
    """The time for this run is over, and no further move begins."""

    code = "deadline_passed"
    remedy = "Run the same command again, with more time: what is done stays done."


@dataclasses.dataclass(frozen=True)
class Limits:
    """How many moves may be under way at one time, by host and in all. 0, and a host that is missing: any number."""

    departures: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    arrivals: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    run: int = 0


class Board:
    """The moves of a run, in a folder of the controller."""

    def __init__(self, folder: str, controller: Controller | None = None) -> None:
        self._path = os.path.join(folder, _NAME)
        self._controller = controller or Controller()

    def set_up(self, steps: t.Sequence[Step], limits: Limits, deadline_s: float | None = None) -> None:
        """Begin. ``deadline_s`` is a time of the monotonic clock after which no move begins. Raises OSError."""
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        moves = {
            str(step.number): {
                "name": step.name,
                "source": step.source,
                "destination": step.destination,
                "after": list(step.after),
                "state": {DONE: DONE, UNDER_WAY: RUNNING}.get(step.state, WAITING),
            }
            for step in steps
        }
        document = {"moves": moves, "limits": dataclasses.asdict(limits), "deadline_s": deadline_s}
        with self._locked():
            self._write(document)

    def wait(self, number: int, beat: t.Callable[[], None] = lambda: None, every_s: float = 45.0) -> float:
        """Wait for the turn of a move; return for how many seconds. ``beat`` is called every so often meanwhile.

        A move whose host Ansible has taken out of the play, as it does when a host does not answer, never says that it
        has ended. It has failed when no task of this run is at work any more but those that wait.
        Raises Blocked, TooLate, and RunGone when the run was killed.
        """
        mark = f"{self._path}.{os.getpid()}.{number}{_WAITS}"
        with open(mark, "w", encoding="utf-8"):
            pass
        try:
            return self._wait(number, beat, every_s)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(mark)

    def _wait(self, number: int, beat: t.Callable[[], None], every_s: float) -> float:
        begun = beaten = looked = time.monotonic()
        seen, quiet = 0.0, Quiet()
        while True:
            self._controller.require()
            changed = self._changed()
            now = time.monotonic()
            # Without news the answer is the same, but for the time.
            if changed != seen or now - begun > 1.0:
                seen = changed
                with self._locked():
                    document = self._read()
                    if self._begins(document, number, now):
                        self._write(document)
                        return now - begun
            if now - looked >= _LOOK_S:
                looked = now
                if quiet.seen(self._controller.workers(), self._waiting()) >= DROPPED_S:
                    self._drop()
            if now - beaten >= every_s:
                beat()
                beaten = now
            time.sleep(_POLL_S)

    def _waiting(self) -> frozenset[int]:
        """Return the processes that wait here."""
        head = f"{_NAME}."
        names = [name for name in os.listdir(os.path.dirname(self._path)) if name.endswith(_WAITS)]
        return frozenset(int(name[len(head) :].split(".")[0]) for name in names if name.startswith(head))

    def _drop(self) -> None:
        """Take what is under way for failed."""
        with self._locked():
            document = self._read()
            for each in document["moves"].values():
                if each["state"] == RUNNING:
                    each["state"] = FAILED
            self._write(document)

    def _begins(self, document: Document, number: int, now: float) -> bool:
        moves = document["moves"]
        mine = moves[str(number)]
        if mine["state"] == RUNNING:  # by a run that was there before
            return True
        for other in mine["after"]:
            needed = moves.get(str(other), {"state": DONE})
            if needed["state"] == FAILED:
                raise Blocked(
                    f"{mine['name']} has to wait for {needed['name']} to leave {needed['source']}, which has failed",
                    needs=other,
                )
        deadline = document["deadline_s"]
        if deadline is not None and now >= deadline:
            raise TooLate(f"{mine['name']} has not begun to move when the time was over")
        if any(moves.get(str(other), {"state": DONE})["state"] != DONE for other in mine["after"]):
            return False
        under_way = [each for each in moves.values() if each["state"] == RUNNING]
        limits = document["limits"]
        counts = (
            (limits["departures"].get(mine["source"], 0), sum(e["source"] == mine["source"] for e in under_way)),
            (
                limits["arrivals"].get(mine["destination"], 0),
                sum(e["destination"] == mine["destination"] for e in under_way),
            ),
            (limits["run"], len(under_way)),
        )
        if any(limit and count >= limit for limit, count in counts):
            return False
        mine["state"] = RUNNING
        return True

    def end(self, number: int, done: bool) -> None:
        """Say that a move has ended, and whether it was done."""
        with self._locked():
            document = self._read()
            document["moves"][str(number)]["state"] = DONE if done else FAILED
            self._write(document)

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        fd = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _read(self) -> Document:
        with open(self._path, encoding="utf-8") as file:
            document: Document = json.load(file)
        return document

    def _write(self, document: Document) -> None:
        new = f"{self._path}.new"
        with open(new, "w", encoding="utf-8") as file:
            json.dump(document, file)
        os.replace(new, self._path)

    def _changed(self) -> float:
        try:
            return os.stat(self._path).st_mtime
        except OSError:
            return 0.0
