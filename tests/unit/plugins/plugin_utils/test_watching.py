# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a migration is looked at again, and when watching ends."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import threading
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.looks import Looks
from ansible_collections.dom0.xen.plugins.plugin_utils._watching import (
    MARKERS,
    Ending,
    Reading,
    Watch,
    parse_reading,
    reading_script,
)


def status(phase: str = "streaming", **values: t.Any) -> dict[str, t.Any]:
    """Return a status document."""
    return {"phase": phase, "sequence": 1, "pid": 4242, "owner": "source", "elapsed_ms": 0, **values}


def watch(until: str = "ended") -> Watch:
    """Return a watch that began at 100 s."""
    return Watch(until, interval=5.0, silence_s=60.0, started=100.0)


def test_the_end_is_reported_as_an_end_with_its_owner() -> None:
    """Only the session's own last word names an owner."""
    one = watch()
    assert one.take(Reading(status(), True), 101) is None
    ending = one.take(Reading(status("ended", owner="destination"), True), 102)
    assert ending is Ending.ENDED
    assert one.owner(Ending.ENDED) == "destination"


@pytest.mark.parametrize("phase", ["gate", "committed", "finishing"])
def test_a_watch_for_the_gate_ends_there_and_beyond(phase: str) -> None:
    """With the engine's gate the gate itself is rarely seen."""
    assert watch("gate").take(Reading(status(phase), True), 101) is Ending.GATE
    assert watch("ended").take(Reading(status(phase), True), 101) is None


def held(begins: bool) -> Watch:
    """Return a watch for a gate that the controller holds, with or without tasks there."""
    return Watch("gate", 5.0, 60.0, 100.0, gate="controller", begins=begins)


WAITS = {"gate": {"kind": "controller", "waits": True}}


def test_a_gate_with_tasks_is_reached_when_it_is_on_record_that_they_begin() -> None:
    """What cannot begin is not begun: the watch goes on until it is known what has become of the move instead."""
    one = held(begins=True)
    assert one.take(Reading(status("gate", **WAITS), True), 101) is None
    assert one.take(Reading(status("gate", **WAITS), True, begun=True), 102) is Ending.GATE
    assert one.begun


def test_a_gate_without_tasks_is_reached_when_the_permission_waits() -> None:
    """Nothing would have to be undone."""
    one = held(begins=False)
    assert one.take(Reading(status("gate", gate={"waits": False}), True), 101) is None
    assert one.take(Reading(status("gate", **WAITS), True), 102) is Ending.GATE
    assert not one.begun


@pytest.mark.parametrize(
    ("after", "ending"),
    [
        (status("committed"), Ending.GATE),
        (status("gate", **WAITS, waits_for_settling=True), Ending.UNSETTLED),
        (status("ended"), Ending.ENDED),
    ],
)
def test_a_gate_that_was_passed_meanwhile_has_no_tasks_begun(after: dict[str, t.Any], ending: Ending) -> None:
    """Another run has given the permission, or the time was over: no task of this one may take the storage away."""
    one = held(begins=True)
    assert one.take(Reading(status("gate", **WAITS), True), 101) is None
    assert one.take(Reading(after, True), 102) is ending
    assert not one.begun


def test_a_process_that_is_gone_without_a_last_word_is_unsettled() -> None:
    """A killed sender must never look like a success, whatever it wrote before."""
    one = watch()
    ending = one.take(Reading(status("finishing", owner="destination"), False), 101)
    assert ending is Ending.GONE
    assert one.owner(Ending.GONE) == "unsettled"


def test_a_last_word_counts_although_the_process_is_gone() -> None:
    """The usual case: the result is read after the process has ended."""
    assert watch().take(Reading(status("ended"), False), 101) is Ending.ENDED


def test_a_status_that_does_not_change_ends_the_watch() -> None:
    """A sender that hangs is reported, not waited for until the last day."""
    one = watch()
    assert one.take(Reading(status(), True), 101) is None
    assert one.take(Reading(status(), True), 160) is None
    assert one.take(Reading(status(sequence=2), True), 161) is None
    assert one.take(Reading(status(sequence=2), True), 221) is Ending.SILENT
    assert one.owner(Ending.SILENT) == "unsettled"


def test_a_status_that_never_appears_ends_the_watch() -> None:
    """Nothing there is not the same as silent."""
    one = watch()
    assert one.take(Reading(None, None), 101) is None
    assert one.take(Reading(None, None), 161) is Ending.MISSING


def test_time_out_of_reach_is_no_silence_and_is_said_once() -> None:
    """A broken network must not end the watch as if the sender hung."""
    one = watch()
    assert one.take(Reading(status(), True), 101) is None
    assert [one.unreachable(now) for now in (110, 150, 300)] == [True, False, False]
    assert one.unreachable_for(300) == 190
    assert one.take(Reading(status(), True), 301) is None
    assert one.unreachable_for(301) == 0
    assert one.unreachable(302)


def test_the_time_gone_by_is_that_of_the_move() -> None:
    """A run that adopts a long move begins with a long pause."""
    one = watch()
    one.take(Reading(status(elapsed_ms=1_200_000), True), 101)
    assert one.elapsed(101) == 1200


def read(tmp_path: pathlib.Path, pid: int | None, wait: float, limit: float = 30) -> tuple[Reading, float]:
    """Run the script here; return what it read and how long it took."""
    script = reading_script(str(tmp_path / "a b'c" / "status.json"), str(tmp_path / "result.json"), pid, wait, limit)
    began = time.monotonic()
    output = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout
    begin, end, process = MARKERS
    body = output.partition(begin + "\n")[2].partition(end + "\n")[0]
    said = next((line[len(process) :] for line in output.splitlines() if line.startswith(process)), None)
    return parse_reading(body, said), time.monotonic() - began


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A runtime folder whose name needs quoting."""
    path = tmp_path / "a b'c"
    path.mkdir()
    return path


def test_the_script_prefers_the_status_and_falls_back_to_the_result(
    tmp_path: pathlib.Path, folder: pathlib.Path
) -> None:
    """The runtime folder is removed when the session ends."""
    (folder / "status.json").write_text(json.dumps(status()))
    (tmp_path / "result.json").write_text(json.dumps(status("ended")))
    assert read(tmp_path, None, 0)[0] == Reading(status(), None)
    (folder / "status.json").unlink()
    assert read(tmp_path, None, 0)[0] == Reading(status("ended"), None)
    (tmp_path / "result.json").unlink()
    assert read(tmp_path, None, 0)[0] == Reading(None, None)


def test_a_process_that_has_gone_is_not_waited_for(tmp_path: pathlib.Path, folder: pathlib.Path) -> None:
    """The end is noticed also where the session could not say when to look."""
    (folder / "status.json").write_text(json.dumps(status()))
    with subprocess.Popen(["true"]) as process:
        pass
    reading, took = read(tmp_path, process.pid, 30)
    assert reading.alive is False
    assert took < 5


def test_the_session_says_when_to_look(tmp_path: pathlib.Path, folder: pathlib.Path) -> None:
    """What a look starts on the host takes its processor time from a guest that stands still."""
    (folder / "status.json").write_text(json.dumps(status("transferred")))
    looks = Looks(str(folder), 1, time.monotonic)

    def call() -> None:
        (folder / "status.json").write_text(json.dumps(status("ended")))
        looks.call()

    timer = threading.Timer(2.5, call)
    timer.start()
    reading, took = read(tmp_path, os.getpid(), 1)
    timer.join()
    looks.close()
    assert reading == Reading(status("ended"), True)
    assert 2 < took < 5


def test_a_session_that_never_calls_is_looked_at_after_the_limit(tmp_path: pathlib.Path, folder: pathlib.Path) -> None:
    """A sender that hangs is seen to be silent."""
    (folder / "status.json").write_text(json.dumps(status("transferred")))
    looks = Looks(str(folder), 1, time.monotonic)
    assert 1.5 < read(tmp_path, os.getpid(), 1, limit=2)[1] < 5
    looks.close()


def test_waiting_starts_next_to_nothing(
    tmp_path: pathlib.Path, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy dom0 every process that is started takes time from the migration."""
    (folder / "status.json").write_text(json.dumps(status()))
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("timeout", "sh", "cat", "sleep", "tail"):
        text = f'#!/bin/sh\necho {name} >>"{tmp_path}/started"\nexec {shutil.which(name)} "$@"\n'
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    looks = Looks(str(folder), 1, time.monotonic)
    timer = threading.Timer(1.5, looks.call)
    timer.start()
    assert read(tmp_path, os.getpid(), 1)[0].alive is True
    timer.join()
    looks.close()
    assert (tmp_path / "started").read_text().split() == ["timeout", "sh", "cat"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"phase": "gate", "gate": {"waits": True}}, True),
        ({"phase": "gate", "gate": {"waits": False}, "waits_for_settling": True}, False),
        ({"phase": "streaming", "stderr": ['"waits":true']}, False),
    ],
)
def test_a_word_is_said_where_the_permission_waits(
    tmp_path: pathlib.Path, folder: pathlib.Path, document: dict[str, t.Any], said: bool
) -> None:
    """In the look that finds it so, and in no other; the status is printed all the same."""
    documents.write(str(folder / "status.json"), document)
    script = reading_script(
        str(folder / "status.json"), str(tmp_path / "result.json"), None, 0, 30, at_the_gate="( cd / && echo word )"
    )
    output = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert ("word" in output.splitlines()) == said
    assert parse_reading(output.partition(f"{MARKERS[0]}\n")[2].partition(MARKERS[1])[0], None).status == document


def test_the_script_waits_no_longer_than_asked(tmp_path: pathlib.Path, folder: pathlib.Path) -> None:
    """A shell must not linger on the host."""
    (folder / "status.json").write_text(json.dumps(status()))
    assert 1.5 < read(tmp_path, None, 2)[1] < 6


@pytest.mark.parametrize("body", [None, "", "\n", "{", "[1]", "cat: no such file"])
def test_what_is_no_document_is_no_status(body: str | None) -> None:
    """Half a file, or a message, is not taken for news."""
    assert parse_reading(body, "gone") == Reading(None, False)


@pytest.mark.parametrize("told", [10**400, float("inf"), float("nan"), "x", None])
def test_elapsed_time_that_cannot_be(told: t.Any) -> None:
    """The time that this watch has taken counts where the host's figure is none."""
    watch = Watch("ended", 1.0, 60.0, 0.0)
    watch.take(Reading({"elapsed_ms": told}, None), 1.0)
    assert watch.elapsed(5.0) == 5.0


def test_nested_status() -> None:
    """A document nested so deep that reading it fails is no status."""
    assert parse_reading("[" * 200_000, None) == Reading(None, None)
