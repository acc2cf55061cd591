# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a move: each status once, for how long nothing moved, and that the source was not heard."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._progress_record import ProgressRecord

STATUS: dict[str, t.Any] = {"sequence": 1, "phase": "streaming", "round": 1, "bytes": 100, "link": {"up": True}}


def test_a_stall_is_seen(tmp_path: pathlib.Path) -> None:
    """A status that comes again is no line; one that has sent no more says since when."""
    path = tmp_path / "progress"
    record = ProgressRecord(str(path), "xen1", "xen2")
    for now, changes in ((10, {}), (12, {}), (15, {"sequence": 2}), (21, {"sequence": 3}), (22, {"bytes": 200})):
        record.take({**STATUS, "sequence": 4 if "bytes" in changes else 1, **changes}, now, 1.5)
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(each["stalled_s"], each["bytes"]) for each in told] == [(0.0, 100), (5.0, 100), (11.0, 100), (0.0, 200)]
    assert told[0]["at"] == "1970-01-01T00:00:01.500+00:00" and told[0]["link_up"] is True


def test_a_source_that_does_not_answer_is_told(tmp_path: pathlib.Path) -> None:
    """Nothing is made up of what it would have said."""
    path = tmp_path / "progress"
    ProgressRecord(str(path), "xen1", "xen2").silent(30.04, 0.0)
    assert json.loads(path.read_text()) == {
        "at": "1970-01-01T00:00:00.000+00:00",
        "source": "xen1",
        "destination": "xen2",
        "unanswered_s": 30.0,
    }


def test_a_status_of_another_make_is_kept_as_far_as_it_can_be(tmp_path: pathlib.Path) -> None:
    """It comes from the other host."""
    path = tmp_path / "progress"
    record = ProgressRecord(str(path), "xen1", "xen2")
    for status in ({"domain": "x", "link": 7, "bytes": "much", "phase": 3}, {"sequence": 1, "bytes": 1e300}):
        record.take(status, 0.0, 0.0)
    for line in path.read_text().splitlines():
        told = json.loads(line)
        assert (told["bytes"], told["phase"], told["uuid"], told["link_up"]) == (None, None, None, None)


@pytest.mark.timeout(30)
def test_a_pipe_that_nobody_reads_holds_nothing_up(tmp_path: pathlib.Path) -> None:
    """Nor does one whose reader is slow: who watches has a guest to care for."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    record = ProgressRecord(str(path), "xen1", "xen2")
    with pytest.raises(OSError, match="No such device"):
        record.silent(1.0, 0.0)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        record.silent(1.0, 0.0)
        assert json.loads(os.read(reader, 4096))["unanswered_s"] == 1.0
        with pytest.raises(BlockingIOError):
            for _dummy in range(100_000):
                record.silent(1.0, 0.0)
    finally:
        os.close(reader)


def test_without_a_path_nothing_is_written(tmp_path: pathlib.Path) -> None:
    """As nobody asked for it."""
    record = ProgressRecord("", "xen1", "xen2")
    record.take(STATUS, 0.0, 0.0)
    record.silent(1.0, 0.0)
    assert list(tmp_path.iterdir()) == []
