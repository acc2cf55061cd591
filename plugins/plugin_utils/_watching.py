# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to look at a migration again, and when to stop looking (pure; private to the collection).

Times are seconds of a monotonic clock that the caller reads. Nothing here claims success.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import shlex
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.journal.looks import LONGEST_PAUSE_S, NEXT_LOOK, pause

Status = t.Mapping[str, t.Any]

# How long, in seconds, a look waits to be called: the longest pause, and a guest that stands still.
CALL_LIMIT_S = LONGEST_PAUSE_S + 30.0
# A figure above is no time.
_MOST_MS = 1e15
_PHASES = (
    "starting",
    "admitted",
    "configuration",
    "streaming",
    "suspending",
    "final_round",
    "transferred",
    "gate",
    "committed",
    "finishing",
    "ended",
)
_BEGIN, _END, _PROCESS = "dom0-xen-status-begin", "dom0-xen-status-end", "dom0-xen-process "


class Ending(enum.StrEnum):
    """Why a watch ended."""

    ENDED = "ended"
    GATE = "gate"
    UNSETTLED = "unsettled"
    GONE = "gone"
    SILENT = "silent"
    MISSING = "missing"


@dataclasses.dataclass(frozen=True)
class Reading:
    """One look: the status document, if it was there, and whether its process lived just before (None: not asked).

    ``begun``: with it the sender has put on record that the tasks at the gate begin.
    """

    status: Status | None
    alive: bool | None
    begun: bool = False


def reading_script(
    status_path: str,
    result_path: str,
    pid: int | None,
    wait: float,
    limit: float,
    beat_path: str = "",
    at_the_gate: str = "",
) -> str:
    """Return the script that waits on the host until the session calls to look, then prints the status.

    It reads to the end of a file of the session, for at most about ``limit`` seconds; a session that is killed ends it
    too. Without that file it sleeps for ``wait`` seconds while the process lives. With neither it only looks. Where the
    status says that the permission waits for the controller, the script ``at_the_gate`` is run in the same breath.
    """
    # A process that has ended and was not reaped has a folder there, but no program.
    lives = f"[ -e /proc/{pid:d}/exe ]" if pid else "true"
    call = shlex.quote(os.path.join(os.path.dirname(status_path), NEXT_LOOK))
    called = f'timeout {max(1, round(limit)):d} sh -c \'read -r nothing <"$0"\' "$n" 2>/dev/null'
    process = (
        f"if {lives}; then echo {shlex.quote(_PROCESS + 'alive')}; else echo {shlex.quote(_PROCESS + 'gone')}; fi;"
    )
    asleep = f'elif [ -f "$s" ] && {lives}; then sleep {max(1, round(wait)):d};'
    # Asked before the status is read: when it is gone by now, what is read is its last word.
    return " ".join(
        (
            f"touch -c {shlex.quote(beat_path)} 2>/dev/null;" if beat_path else "",
            f"s={shlex.quote(status_path)}; r={shlex.quote(result_path)}; n={call};",
            f'if [ -e "$n" ]; then {called}; {asleep} fi;' if wait >= 1 else "",
            process if pid else "",
            't=$(cat "$s" 2>/dev/null || cat "$r" 2>/dev/null);',
            # Within a text of the document the quotes have backslashes. What is printed is what this went by.
            f"case $t in *'\"waits\":true'*) {at_the_gate};; esac;" if at_the_gate else "",
            f"echo {_BEGIN}; printf '%s\\n' \"$t\"; echo {_END}",
        )
    )


def parse_reading(body: str | None, process: str | None, begun: bool = False) -> Reading:
    """Make a reading of the text between the markers, of what was said about the process, and of what was recorded."""
    try:
        status = json.loads(body) if body and body.strip() else None
    except (ValueError, RecursionError):
        status = None
    alive = None if process is None else process == "alive"
    return Reading(status if isinstance(status, dict) else None, alive, begun)


MARKERS = (_BEGIN, _END, _PROCESS)


@dataclasses.dataclass
class Watch:
    """The state of one watch.

    ``silence_s`` is how long the status may stay the same, or stay missing, before the watch gives up. With ``gate``
    held by the controller, the gate is reached when the permission waits there; with ``begins``, when it is on record
    as well that the caller's tasks begin, which ``begun`` says at the end.
    """

    until: str
    interval: float
    silence_s: float
    started: float
    pid: int | None = None
    gate: str = "engine"
    begins: bool = False
    last: Status | None = None
    begun: bool = dataclasses.field(default=False, init=False)
    _changed: float = dataclasses.field(init=False)
    _unreachable_since: float | None = dataclasses.field(default=None, init=False)

    def __post_init__(self) -> None:
        self._changed = self.started

    def take(self, reading: Reading, now: float) -> Ending | None:
        """Take a reading; return why the watch is over, or None."""
        self._unreachable_since = None
        status = reading.status
        if status is not None:
            if self.last is None or status.get("sequence") != self.last.get("sequence"):
                self._changed = now
            self.last = status
            pid = status.get("pid")
            self.pid = pid if isinstance(pid, int) and pid > 1 else self.pid
            if status.get("phase") == "ended":
                return Ending.ENDED
            if status.get("waits_for_settling"):
                return Ending.UNSETTLED
            if self.until != "ended" and self._reached(status, reading.begun):
                self.begun = reading.begun
                return Ending.GATE
        if reading.alive is False:
            return Ending.GONE
        if now - self._changed >= self.silence_s:
            return Ending.SILENT if self.last is not None else Ending.MISSING
        return None

    def unreachable(self, now: float) -> bool:
        """Note that the host could not be asked; return whether that is news."""
        news = self._unreachable_since is None
        if news:
            self._unreachable_since = now
        # What could not be read cannot be called silent.
        self._changed = now
        return news

    def unreachable_for(self, now: float) -> float:
        """Return for how long the host could not be asked, in seconds."""
        return 0.0 if self._unreachable_since is None else now - self._unreachable_since

    def pause(self, now: float) -> float:
        """Return how long to wait where the session does not call."""
        return pause(self.interval, self.elapsed(now))

    def quiet_for(self, now: float) -> float:
        """Return for how long the status has not changed."""
        return now - self._changed

    def elapsed(self, now: float) -> float:
        """Return how long the move has taken so far, also when another run began to watch it."""
        told = (self.last or {}).get("elapsed_ms")
        return max(now - self.started, told / 1000 if isinstance(told, (int, float)) and abs(told) < _MOST_MS else 0.0)

    def owner(self, ending: Ending) -> str:
        """Return the owner that the status names, or ``unsettled`` when the last word was not heard."""
        if ending in (Ending.ENDED, Ending.GATE) and self.last is not None:
            return str(self.last.get("owner") or "unsettled")
        return "unsettled"

    def _reached(self, status: Status, begun: bool) -> bool:
        phase = status.get("phase")
        if phase not in _PHASES:
            return False
        if self.gate == "controller" and phase == self.until:
            # One that does not let them begin comes to its end, or another run has the word: the next look tells.
            return bool((status.get("gate") or {}).get("waits")) and (begun or not self.begins)
        return _PHASES.index(phase) >= _PHASES.index(self.until)
