# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events as numbers that Prometheus adds up (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._metrics.events import (
    ALREADY_THERE,
    REHEARSED,
    Evacuation,
    Event,
    Failure,
    Maintenance,
    Migration,
    RunEnded,
)

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"
# A name with its labels, in the order of their names.
Sample = tuple[str, tuple[tuple[str, str], ...]]


@dataclasses.dataclass(frozen=True)
class Metric:
    """What a metric is; ``bounds`` are the upper ends of a histogram's buckets, without the last one, in its unit."""

    kind: str
    help: str
    bounds: tuple[float, ...] = ()


MIGRATIONS = "dom0_xen_migrations_total"
BYTES = "dom0_xen_migration_bytes_total"
STOP = "dom0_xen_migration_stop_seconds"
DURATION = "dom0_xen_migration_duration_seconds"
EVACUATED = "dom0_xen_evacuated_hosts_total"
MAINTAINED = "dom0_xen_maintained_hosts_total"
FAILURES = "dom0_xen_failures_total"
RUNS = "dom0_xen_runs_total"
LAST_RUN = "dom0_xen_last_run_timestamp_seconds"
LAST_DURATION = "dom0_xen_last_run_duration_seconds"

# A live move stands still for some tenths of a second to some seconds, a cold one for minutes.
_STOP_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_DURATION_BOUNDS = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0)

METRICS: dict[str, Metric] = {
    MIGRATIONS: Metric(COUNTER, "Moves of domains that ended, by how they ended and by method."),
    BYTES: Metric(COUNTER, "Bytes of the streams of moves that succeeded."),
    STOP: Metric(HISTOGRAM, "Seconds for which guests stood still in moves that succeeded.", _STOP_BOUNDS),
    DURATION: Metric(HISTOGRAM, "Seconds from start to end of moves that succeeded.", _DURATION_BOUNDS),
    EVACUATED: Metric(COUNTER, "Hosts that were to be emptied, by whether they were seen empty."),
    MAINTAINED: Metric(COUNTER, "Hosts that were to be maintained, by whether they are done."),
    FAILURES: Metric(COUNTER, "Failures by code."),
    RUNS: Metric(COUNTER, "Runs of playbooks that used the collection, by how they ended."),
    LAST_RUN: Metric(GAUGE, "When the last run of a playbook ended, in seconds since 1970, by how it ended."),
    LAST_DURATION: Metric(GAUGE, "Seconds that the last run of a playbook took, by how it ended."),
}


@dataclasses.dataclass
class Changes:
    """What is added to samples, and what is put in their place."""

    added: dict[Sample, float] = dataclasses.field(default_factory=dict)
    put: dict[Sample, float] = dataclasses.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.put)

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        sample = name, tuple(sorted(labels.items()))
        self.added[sample] = self.added.get(sample, 0.0) + amount

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a value to a histogram."""
        for bound, text in zip((*METRICS[name].bounds, float("inf")), bounds_of(name), strict=True):
            self.add(f"{name}_bucket", float(value <= bound), **labels, le=text)
        self.add(f"{name}_sum", value, **labels)
        self.add(f"{name}_count", 1.0, **labels)

    def take(self, event: Event, now_s: float) -> None:
        """Count an event."""
        if isinstance(event, Migration):
            self._migration(event)
        elif isinstance(event, Evacuation):
            self._hosts(EVACUATED, event.emptied, "empty", event.left)
        elif isinstance(event, Maintenance):
            self._hosts(MAINTAINED, event.done, "done", event.left)
        elif isinstance(event, Failure):
            self.add(FAILURES, code=event.code)
        elif isinstance(event, RunEnded):
            labels = {"playbook": event.playbook, "outcome": "ok" if event.succeeded else "failed"}
            self.add(RUNS, 1.0, **labels)
            for name, value in ((LAST_RUN, now_s), (LAST_DURATION, event.duration_s)):
                self.put[name, tuple(sorted(labels.items()))] = round(value, 3)

    def _migration(self, event: Migration) -> None:
        if event.outcome == ALREADY_THERE:
            return
        method = event.method or "unknown"
        self.add(MIGRATIONS, outcome=event.outcome, method=method)
        if not event.succeeded or event.outcome == REHEARSED:
            return
        self.add(BYTES, float(event.bytes or 0), method=method)
        for name, milliseconds in ((STOP, event.stop_ms), (DURATION, event.total_ms)):
            if milliseconds is not None:
                self.observe(name, milliseconds / 1000, method=method)

    def _hosts(self, name: str, good: t.Sequence[str], word: str, bad: t.Sequence[str]) -> None:
        for outcome, hosts in ((word, good), (f"not_{word}", bad)):
            if hosts:
                self.add(name, float(len(hosts)), outcome=outcome)


def bounds_of(name: str) -> list[str]:
    """Return the labels of a histogram's buckets."""
    return [*(str(bound) for bound in METRICS[name].bounds), "+Inf"]


def metric_of(sample: str) -> str | None:
    """Return the name of the metric that a sample belongs to, None where it is none of ours."""
    if sample in METRICS and METRICS[sample].kind != HISTOGRAM:
        return sample
    name, dummy, part = sample.rpartition("_")
    known = name in METRICS and METRICS[name].kind == HISTOGRAM and part in ("bucket", "sum", "count")
    return name if known else None
