# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a migration does in XenStore on both hosts, in one time: the stop time, for any toolstack alike."""

from __future__ import annotations

import json
import queue
import secrets
import shlex
import subprocess
import threading
import time
import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .errors import LabError
from .host import Host

SCRIPT = Path(__file__).with_name("watch_xenstore.py")
PINGS = 12


@dataclass(frozen=True)
class Offset:
    """Host clock minus controller clock, and how far off that may be; seconds."""

    seconds: float
    uncertainty: float


@dataclass(frozen=True)
class Event:
    """One line of a host's watch, in the controller's monotonic time (seconds)."""

    at: float
    host: str
    event: str
    domid: int | None = None
    name: str = ""


@dataclass(frozen=True)
class Timeline:
    """The steps of one migration. Milliseconds from the request to suspend; None where a step was not seen.

    stop_ms: from the source suspended (its first @releaseDomain after the acknowledgement) until the destination
    has its real name, which xl writes just before it unpauses the domain (tools/xl/xl_migrate.c, migrate_receive).
    """

    stop_ms: int | None
    uncertainty_ms: int
    steps: dict[str, int | None]
    events: list[dict[str, t.Any]] = field(default_factory=list)

    def as_result(self) -> dict[str, t.Any]:
        return asdict(self)


def offset_from(pings: Sequence[tuple[float, float, float]]) -> Offset:
    """From (sent, host's clock, received) triples: the quickest one is the best (NTP's clock filter)."""
    sent, clock, received = min(pings, key=lambda ping: ping[2] - ping[0])
    return Offset(clock - (sent + received) / 2, (received - sent) / 2)


def first(events: Iterable[Event], event: str, after: float | None, name: str = "") -> float | None:
    """Time of the first such event at or after a moment (None in, None out)."""
    if after is None:
        return None
    return next((e.at for e in events if e.event == event and e.at >= after and name in ("", e.name)), None)


def suspension(source: Sequence[Event], end: float) -> tuple[float | None, float | None, float | None]:
    """When the guest was asked to suspend, acknowledged, and was suspended: the last time before ``end``.

    Two writes to control/shutdown belong to it. A PV guest may be asked through an event channel instead
    (libxl_dom_suspend.c, domain_suspend_callback_common): then only the domain's stop is seen.
    """
    writes = [e for e in source if e.event == "shutdown" and e.at < end]
    if not writes:
        releases = [e.at for e in source if e.event == "release" and e.at < end]
        return None, None, releases[-1] if releases else None
    last = writes[-1]
    suspended = first(source, "release", last.at)
    if len(writes) > 1 and writes[-2].domid == last.domid and first(source, "release", writes[-2].at) == suspended:
        return writes[-2].at, last.at, suspended
    return last.at, None, suspended


def assemble(events: Iterable[Event], domain: str, source: str, destination: str, uncertainty: float) -> Timeline:
    """The timeline of ``domain``'s last move from source to destination; ``events`` of both hosts in any order."""
    ordered = sorted(events, key=lambda e: e.at)
    there = [e for e in ordered if e.host == source]
    here = [e for e in ordered if e.host == destination]
    renames = [e.at for e in there if e.event == "name" and e.name == f"{domain}--migratedaway"]
    names = [e.at for e in here if e.event == "name" and e.name == domain]
    end = renames[-1] if renames else names[-1] if names else float("inf")
    asked, acknowledged, suspended = suspension(there, end)
    # two hosts' clocks agree only so far: what follows on the other host may seem to come a little before
    earliest = None if suspended is None else suspended - uncertainty
    renamed = first(here, "name", earliest, domain)
    moments = {
        "asked": asked,
        "acknowledged": acknowledged,
        "suspended": suspended,
        "introduced": first(here, "introduce", earliest),
        "source_renamed": renames[-1] if renames else None,
        "destination_renamed": renamed,
        "source_destroyed": first(there, "release", renamed),
    }
    start = asked if asked is not None else suspended

    def since_start(moment: float | None) -> int | None:
        return None if moment is None or start is None else round(1000 * (moment - start))

    steps = {name: since_start(moment) for name, moment in moments.items()}
    stop = None if renamed is None or suspended is None else round(1000 * (renamed - suspended))
    return Timeline(stop, round(1000 * uncertainty), steps, [asdict(e) for e in ordered])


class _Watch:
    """The watching program on one host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._lines: queue.SimpleQueue[tuple[float, dict[str, t.Any]]] = queue.SimpleQueue()
        self.raw: list[dict[str, t.Any]] = []
        script = SCRIPT.read_text()
        self._process = host.start(
            f"python3 -I -c {shlex.quote(script)}", stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in t.cast(t.IO[str], self._process.stdout):
            now = time.monotonic()
            message: dict[str, t.Any] = json.loads(line)
            if message["event"] in ("ready", "clock"):
                self._lines.put((now, message))
            else:
                self.raw.append(message)
        self._lines.put((time.monotonic(), {"event": "ended"}))

    def _next(self, timeout: float) -> tuple[float, dict[str, t.Any]]:
        try:
            now, message = self._lines.get(timeout=timeout)
        except queue.Empty as exc:
            raise LabError(f"{self.host.name}: the XenStore watch does not answer") from exc
        if message["event"] == "ended":
            raise LabError(f"{self.host.name}: the XenStore watch ended", "Is pyxs installed there?")
        return now, message

    def wait_ready(self) -> None:
        self._next(120)

    def ping(self) -> list[tuple[float, float, float]]:
        """Some clock readings: (sent, host's clock, received)."""
        pings: list[tuple[float, float, float]] = []
        stdin = t.cast(t.IO[str], self._process.stdin)
        while len(pings) < PINGS:
            nonce, sent = secrets.token_hex(4), time.monotonic()
            stdin.write(nonce + "\n")
            stdin.flush()
            received, message = self._next(60)
            if message.get("nonce") == nonce:
                pings.append((sent, float(message["t"]), received))
        return pings

    def close(self) -> None:
        t.cast(t.IO[str], self._process.stdin).close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(timeout=5)
        t.cast(t.IO[str], self._process.stdout).close()


class TimelineWatch:
    """``with TimelineWatch(xen1, xen2) as watch: migrate ...`` then ``watch.timeline("centos")``.

    The same for every way to migrate: it only reads XenStore on both hosts.
    """

    def __init__(self, source: Host, destination: Host) -> None:
        self._source, self._destination = source, destination
        self._watches: list[_Watch] = []
        self._pings: dict[str, list[tuple[float, float, float]]] = {}

    def __enter__(self) -> TimelineWatch:
        try:
            self._watches = [_Watch(self._source), _Watch(self._destination)]
            for watch in self._watches:
                watch.wait_ready()
                self._pings[watch.host.name] = watch.ping()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: object, *dummy: object) -> None:
        try:
            if kind is None:
                for watch in self._watches:
                    self._pings[watch.host.name] += watch.ping()
        finally:
            self._close()

    def _close(self) -> None:
        for watch in self._watches:
            watch.close()

    def timeline(self, domain: str) -> Timeline:
        """The steps seen; call it after the block."""
        events: list[Event] = []
        uncertainty = 0.0
        for watch in self._watches:
            offset = offset_from(self._pings[watch.host.name])
            uncertainty += offset.uncertainty
            for raw in watch.raw:
                at = float(raw["t"]) - offset.seconds
                events.append(Event(at, watch.host.name, raw["event"], raw.get("domid"), raw.get("name", "")))
        return assemble(events, domain, self._source.name, self._destination.name, uncertainty)
