# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching the guest from outside: how long it did not answer, and whether it is the same guest afterwards."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
import typing as t
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .errors import LabError
from .guest_disk import USUAL, GuestSpec
from .outside import Answer, Outside

INTERVAL_S = 0.05


@dataclass(frozen=True)
class Observation:
    """What was seen from outside. Times in milliseconds.

    gap_ms: longest time between two answers in a row, the beginning and the end of the watch counting as answers.
    usual_ms: the median such time, which is about the interval of the questions: the resolution of gap_ms.
    double_answers: questions that more than one copy of the guest answered; more than none is a disaster.
    boots: how many boots answered, one after the other; one that came back after another had answered counts again.
    """

    gap_ms: int
    usual_ms: int
    asked: int
    answered: int
    lost: int
    double_answers: int
    duration_ms: int
    boot_id_unchanged: bool
    counter_never_fell: bool
    memory_verified: bool
    boots: int
    before: dict[str, t.Any] = field(default_factory=dict)
    after: dict[str, t.Any] = field(default_factory=dict)

    def as_result(self) -> dict[str, t.Any]:
        return asdict(self)


def longest_gap(start: float, arrivals: Sequence[float], end: float) -> float:
    """Longest time without an answer between ``start`` and ``end``, seconds; ``arrivals`` in order."""
    times = [start, *arrivals, end]
    return max(later - earlier for earlier, later in zip(times, times[1:], strict=False))


def summarise(start: float, end: float, asked: int, answers: Sequence[Answer], after: dict[str, t.Any]) -> Observation:
    """The observation from the raw answers, in order of arrival, and the answer after a last verify pass."""
    arrivals = [answer.arrived for answer in answers]
    steps = [later - earlier for earlier, later in zip(arrivals, arrivals[1:], strict=False)]
    nonces = [answer.nonce for answer in answers]
    bodies = [answer.body for answer in answers] + ([after] if after else [])
    # Answers can overtake each other on the way; the number in the nonce tells the order of the questions.
    in_order = [answer.body for answer in sorted(answers, key=lambda answer: int(answer.nonce[1:]))]
    counters = [body["counter"] for body in in_order]
    boot_ids = [body["boot_id"] for body in [*in_order, *([after] if after else [])]]
    return Observation(
        gap_ms=round(1000 * longest_gap(start, arrivals, end)),
        usual_ms=round(1000 * statistics.median(steps)) if steps else 0,
        asked=asked,
        answered=len(set(nonces)),
        lost=asked - len(set(nonces)),
        double_answers=len(nonces) - len(set(nonces)),
        duration_ms=round(1000 * (end - start)),
        boot_id_unchanged=bool(bodies) and len({body["boot_id"] for body in bodies}) == 1,
        counter_never_fell=counters == sorted(counters),
        memory_verified=bool(after) and all(body["memory_verified"] for body in bodies),
        boots=len(list(itertools.groupby(boot_ids))),
        before=dict(answers[0].body) if answers else {},
        after=dict(after),
    )


class Observer:
    """Asks one guest every ``interval`` seconds, in a thread of its own, until stopped; ``number`` as for Outside."""

    def __init__(
        self,
        folder: Path,
        guest: GuestSpec = USUAL,
        *,
        number: int | None = None,
        interval: float = INTERVAL_S,
        everywhere: bool = False,
    ) -> None:
        self._folder, self._guest, self._number = folder, guest, number
        self._interval, self._everywhere = interval, everywhere
        self._stop = threading.Event()
        self._answers: list[Answer] = []
        self._asked = 0
        self._start = self._end = 0.0
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self.observation: Observation | None = None

    def __enter__(self) -> Observer:
        self._start = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind: object, *dummy: object) -> None:
        self._finish()
        if kind is None and self.observation is None:
            self.observation = self.report()

    def _finish(self) -> None:
        self._stop.set()
        self._thread.join()

    def answered_since(self, moment: float) -> bool:
        """Whether an answer arrived after ``moment`` (monotonic clock)."""
        return bool(self._answers) and self._answers[-1].arrived > moment

    def wait_answer(self, timeout: float = 60) -> None:
        """Wait for the next answer. Raises LabError when none comes."""
        moment = time.monotonic()
        while not self.answered_since(moment):
            if time.monotonic() > moment + timeout:
                raise LabError(f"the guest did not answer for {timeout:.0f} s")
            time.sleep(self._interval)

    def _outside(self) -> Outside:
        return Outside(self._folder, self._guest, number=self._number)

    def _run(self) -> None:
        try:
            with self._outside() as outside:
                due = time.monotonic()
                while not self._stop.is_set():
                    left = due - time.monotonic()
                    if left > 0:
                        self._answers += outside.receive(left)
                        continue
                    outside.ask("ask", f"n{self._asked}", everywhere=self._everywhere)
                    self._asked += 1
                    # a question that is late is not made up for
                    due = max(due + self._interval, time.monotonic())
                self._end = time.monotonic()
                self._answers += outside.receive(1.0)
        except Exception as exc:
            self._error, self._end = exc, time.monotonic()

    def so_far(self) -> Observation:
        """What was seen until now, without a pass over the guest's memory, which is not called verified then."""
        return summarise(self._start, time.monotonic(), self._asked, list(self._answers), {})

    def report(self) -> Observation:
        """What was seen, with one whole verify pass of the guest's memory at the end."""
        self._finish()
        if self._error:
            raise LabError(f"the observer failed: {self._error}") from self._error
        try:
            with self._outside() as outside:
                after = outside.question("verify", timeout=120, every=5)
        except LabError:
            after = {}
        return summarise(self._start, self._end, self._asked, self._answers, after)
