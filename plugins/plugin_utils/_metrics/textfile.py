# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of all runs in a file for node_exporter, by prometheus_client (private to the collection).

The library may be missing on the controller; it is imported when something is written and not before.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._metrics.tally import (
    COUNTER,
    HISTOGRAM,
    METRICS,
    Changes,
    Sample,
    bounds_of,
    metric_of,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._report import write_text

# Another run holds the file for some milliseconds.
_LOCK_S = 2.0
_TRY_S = 0.05

Samples = dict[Sample, float]


class LibraryMissing(Dom0XenError):
    """The format cannot be written on this controller."""

    code = "prometheus_client_missing"


class TextFileUnusable(Dom0XenError):
    """The file is not one that may be replaced."""

    code = "textfile_unusable"
    remedy = "Name another file, or remove this one; the numbers then begin at 0."


def update(path: str, changes: Changes) -> None:
    """Add changes to what earlier runs have written, and replace the file in one step.

    Raises LibraryMissing, TextFileUnusable, ResultNotWritten, and OSError where it cannot be read or locked.
    """
    target = os.path.abspath(os.path.expanduser(path))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with _locked(target):
        samples = _read(target)
        for sample, amount in changes.added.items():
            samples[sample] = samples.get(sample, 0.0) + amount
        for sample, value in changes.put.items():
            samples[sample] = value
        write_text(target, render(samples))


def render(samples: Samples) -> str:
    """Return the text of samples, each below its metric. Raises LibraryMissing."""
    client = _client()
    text: str = client.generate_latest(_Collected(samples, client)).decode()
    return text


def read(text: str, path: str) -> Samples:
    """Return the samples of a text that :func:`render` has made. Raises TextFileUnusable, LibraryMissing.

    A histogram with other buckets, of another version of the collection, begins anew.
    """
    _client()
    from prometheus_client import parser

    samples: Samples = {}
    try:
        for family in parser.text_string_to_metric_families(text):
            for sample in family.samples:
                if metric_of(sample.name) is None:
                    raise TextFileUnusable(f"{path} has {sample.name}, which is of something else.", path=path)
                samples[sample.name, tuple(sorted(sample.labels.items()))] = float(sample.value)
    except (ValueError, KeyError, IndexError) as exc:
        raise TextFileUnusable(f"{path} is not what an earlier run has written: {exc}", path=path) from exc
    return _with_our_buckets(samples)


def _with_our_buckets(samples: Samples) -> Samples:
    found: dict[str, set[str]] = {}
    for name, labels in samples:
        if name.endswith("_bucket"):
            found.setdefault(name.removesuffix("_bucket"), set()).add(dict(labels).get("le", ""))
    other = {name for name, bounds in found.items() if bounds != set(bounds_of(name))}
    return {sample: value for sample, value in samples.items() if metric_of(sample[0]) not in other}


class _Collected:
    """What the library asks for its metrics."""

    def __init__(self, samples: Samples, client: t.Any) -> None:
        self._samples, self._client = samples, client

    def collect(self) -> t.Iterator[t.Any]:
        """Yield each metric that has samples, buckets in their order."""
        for name, about in METRICS.items():
            ours = [(sample, value) for sample, value in self._samples.items() if metric_of(sample[0]) == name]
            if not ours:
                continue
            stem = name.removesuffix("_total") if about.kind == COUNTER else name
            metric = self._client.Metric(stem, about.help, about.kind)
            for (sample, labels), value in sorted(ours, key=_order):
                metric.add_sample(sample, dict(labels), value)
            yield metric


def _order(item: tuple[Sample, float]) -> tuple[t.Any, ...]:
    (name, labels), dummy = item
    words = dict(labels)
    bound = float(words.pop("le", "inf"))
    kind = METRICS[metric_of(name) or ""].kind
    part = ("_bucket", "_count", "_sum").index(name[name.rindex("_") :]) if kind == HISTOGRAM else 0
    return (tuple(sorted(words.items())), part, bound)


def _read(target: str) -> Samples:
    try:
        with open(target, encoding="utf-8") as file:
            return read(file.read(), target)
    except FileNotFoundError:
        _client()
        return {}
    except UnicodeDecodeError as exc:
        raise TextFileUnusable(f"{target} is not what an earlier run has written: {exc}", path=target) from exc


@contextlib.contextmanager
def _locked(target: str) -> t.Iterator[None]:
    """Hold the file against other runs. Raises OSError when one of them holds it for too long."""
    fd = os.open(f"{target}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + _LOCK_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_TRY_S)
        yield
    finally:
        os.close(fd)


def _client() -> t.Any:
    try:
        import prometheus_client
    except ImportError:
        raise LibraryMissing(
            "the numbers for node_exporter need the Python library prometheus_client where Ansible runs.",
            remedy=f"Install it there ({sys.executable} -m pip install prometheus-client), or name no textfile.",
        ) from None
    return prometheus_client
