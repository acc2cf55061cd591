# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers for node_exporter add up over runs, and no other file is harmed."""

from __future__ import annotations

import concurrent.futures
import fcntl
import json
import pathlib
import re

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._metrics import textfile
from ansible_collections.dom0.xen.plugins.plugin_utils._metrics.events import (
    Evacuation,
    Event,
    Failure,
    Maintenance,
    Migration,
    RunEnded,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._metrics.tally import HISTOGRAM, METRICS, Changes
from ansible_collections.dom0.xen.tests.tools.places import ROOT

parser = pytest.importorskip("prometheus_client.parser")

MOVED = Migration("centos@xen1", "moved", True, method="live", bytes=1000, total_ms=34_117, stop_ms=367)
EVENTS: list[Event] = [
    MOVED,
    Migration("a@xen1", "stayed", False, "link_expired", method="live", bytes=5, stop_ms=9),
    Migration("b@xen1", "already_there", True),
    Migration("c@xen1", "refused", False, "bridge_missing"),
    Failure("a@xen1", None, "migration_verdict", 'odd "code"\n'),
    Evacuation(False, ("xen1", "xen2"), ("xen3",), 4),
    Maintenance(True, ("xen1",), ()),
    RunEnded("evacuate", True, 12.5),
]


def changes(*events: Event) -> Changes:
    """Count events."""
    found = Changes()
    for event in events:
        found.take(event, 1000.0)
    return found


def kept(path: pathlib.Path) -> textfile.Samples:
    """Return what a file holds."""
    return textfile.read(path.read_text(), str(path))


def test_runs_add_up(tmp_path: pathlib.Path) -> None:
    """Counters and histograms of two runs are the sum, and what is put is the last one."""
    path = tmp_path / "dom0_xen.prom"
    textfile.update(str(path), changes(*EVENTS))
    once = kept(path)
    assert once["dom0_xen_migrations_total", (("method", "live"), ("outcome", "moved"))] == 1
    assert once["dom0_xen_migrations_total", (("method", "unknown"), ("outcome", "refused"))] == 1
    assert not any("already_there" in str(sample) for sample in once)
    assert once["dom0_xen_migration_stop_seconds_bucket", (("le", "0.25"), ("method", "live"))] == 0
    assert once["dom0_xen_migration_stop_seconds_bucket", (("le", "0.5"), ("method", "live"))] == 1
    assert once["dom0_xen_migration_stop_seconds_count", (("method", "live"),)] == 1
    assert once["dom0_xen_failures_total", (("code", 'odd "code"\n'),)] == 1
    assert once["dom0_xen_evacuated_hosts_total", (("outcome", "empty"),)] == 2
    textfile.update(str(path), changes(*EVENTS))
    twice = kept(path)
    gauges = {sample for sample in twice if "last_run" in sample[0]}
    assert len(gauges) == 2
    assert twice == {sample: value if sample in gauges else 2 * value for sample, value in once.items()}


def test_the_file_is_one_that_node_exporter_takes(tmp_path: pathlib.Path) -> None:
    """Readable by its user, with a type for each metric, buckets in order, and nothing left beside it but the lock."""
    path = tmp_path / "folder" / "dom0_xen.prom"
    textfile.update(str(path), changes(*EVENTS))
    assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(each.name for each in path.parent.iterdir()) == ["dom0_xen.prom", "dom0_xen.prom.lock"]
    text = path.read_text()
    assert "# TYPE dom0_xen_migrations_total counter" in text
    assert "# TYPE dom0_xen_migration_stop_seconds histogram" in text
    lines = [line for line in text.splitlines() if line.startswith("dom0_xen_migration_stop_seconds_bucket")]
    assert 'le="0.05"' in lines[0] and 'le="+Inf"' in lines[-1]
    counts = [float(line.split()[-1]) for line in lines]
    assert counts == sorted(counts)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("node_load1 0.5\n", id="of something else"),
        pytest.param("dom0_xen_runs_total{ 7\n", id="cut off"),
        pytest.param("\xff\xfe", id="no text"),
    ],
)
def test_what_no_run_has_written_is_left_alone(tmp_path: pathlib.Path, text: str) -> None:
    """A name that was mistyped destroys nobody's file."""
    path = tmp_path / "node.prom"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(textfile.TextFileUnusable):
        textfile.update(str(path), changes(MOVED))
    assert path.read_bytes() == text.encode("latin-1")


def test_buckets_of_another_version_begin_anew(tmp_path: pathlib.Path) -> None:
    """Counts of other bounds cannot be added up; what is no histogram goes on."""
    path = tmp_path / "dom0_xen.prom"
    textfile.update(str(path), changes(MOVED))
    path.write_text(path.read_text().replace('le="0.25"', 'le="0.3"', 1))
    textfile.update(str(path), changes(MOVED))
    found = kept(path)
    assert found["dom0_xen_migration_stop_seconds_count", (("method", "live"),)] == 1
    assert found["dom0_xen_migration_duration_seconds_count", (("method", "live"),)] == 2
    assert found["dom0_xen_migrations_total", (("method", "live"), ("outcome", "moved"))] == 2


def test_runs_at_the_same_time_lose_nothing(tmp_path: pathlib.Path) -> None:
    """Jobs of AWX, or two people."""
    path = tmp_path / "dom0_xen.prom"
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda dummy: textfile.update(str(path), changes(MOVED)), range(12)))
    assert kept(path)["dom0_xen_migrations_total", (("method", "live"), ("outcome", "moved"))] == 12


def test_a_run_does_not_wait_long_for_another(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs must not hold up moves."""
    monkeypatch.setattr(textfile, "_LOCK_S", 0.1)
    with open(tmp_path / "dom0_xen.prom.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OSError):
            textfile.update(str(tmp_path / "dom0_xen.prom"), changes(MOVED))


def test_every_metric_of_the_dashboard_is_written() -> None:
    """A panel over a name that nobody writes stays empty for ever; and what is written is shown."""
    dashboard = json.loads((ROOT / "examples" / "metrics" / "dashboard.json").read_text(encoding="utf-8"))
    targets = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    shown = {name for expr in targets for name in re.findall(r"\bdom0_xen_\w+", expr)}
    parts = {name for name in METRICS if METRICS[name].kind != HISTOGRAM} | {
        f"{name}_{part}" for name in METRICS if METRICS[name].kind == HISTOGRAM for part in ("bucket", "sum", "count")
    }
    assert shown and shown <= parts
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown} == set(METRICS)
    labels = {"method", "outcome", "code", "playbook", "le"}
    grouped = {word for expr in targets for group in re.findall(r"by \(([^)]*)\)", expr) for word in group.split(", ")}
    assert grouped <= labels


def test_the_guide_describes_every_metric() -> None:
    """And no other one."""
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_metrics.rst").read_text(encoding="utf-8")
    described = set(re.findall(r"^   \* - ``(dom0_xen_\w+)``$", guide, re.M))
    assert described == set(METRICS)
