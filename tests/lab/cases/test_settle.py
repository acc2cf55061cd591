# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A migration that breaks at the gate is settled, on real Xen: one copy runs, the same guest, and nothing is left."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

from .conftest import Record
from .findings import Provoked, ask, findings, of_kind
from .plays import A_RUN_S, wait_until
from .world import BUSY_PAGES_PER_S, ON_HOST, World, same_guest

GATE = Path(__file__).parent / "gate"
SETTLE = "dom0.xen.settle"


def at_the_gate(tasks: str) -> dict[str, t.Any]:
    """Return the variables of a move that runs these tasks at the gate."""
    return {"migrate_gate": "controller", "migrate_gate_tasks": str(GATE / f"{tasks}.yml")}


def nothing_to_settle(world: World) -> None:
    """Require that another run finds nothing, and changes nothing."""
    again = world.migrate(play=SETTLE)
    assert again.status == 0, again.output
    assert again.changed == 0
    assert "was interrupted" in again.output


def test_sender_killed_at_the_gate(home: World, record: Record) -> None:
    """The run that fails settles: the receiver gives its copy up, and the source's is resumed without xl's own help."""
    undo = str(GATE / "undo.yml")
    with home.lab.observe(everywhere=True) as watch:
        run = home.migrate(**at_the_gate("kill_sender"), migrate_gate_undo_tasks=undo, migrate_silence_timeout=20)
        watch.wait_answer()
    home.require("xen1")
    seen = same_guest(watch.observation)
    record.note(gap_ms=seen.gap_ms)
    assert run.status != 0, "a failed migration was reported as a success"
    assert run.result["owner"] == "source", run.output[-3000:]
    nothing_to_settle(home)


def test_receiver_killed_after_the_commit(home: World, record: Record) -> None:
    """The permission is through, so it only goes forward: the guest is at the destination, the other copy is gone.

    The report may have left before the kill; then the run succeeds, and what the receiver has left is settled after it.
    """
    with home.lab.observe(everywhere=True) as watch:
        run = home.migrate(**at_the_gate("kill_receiver"), migrate_link_timeout=10)
        watch.wait_answer()
    settled = home.migrate(play=SETTLE)
    assert settled.status == 0, settled.output
    home.require("xen2")
    seen = same_guest(watch.observation)
    record.note(gap_ms=seen.gap_ms)
    assert run.result["owner"] == "destination", run.output[-3000:]
    nothing_to_settle(home)


def test_refused_at_the_gate(home: World, record: Record) -> None:
    """A task at the gate fails, what it had done is undone, and the guest goes on where it was."""
    home.source.run("rm -f /run/lab-undone")
    with home.lab.observe(everywhere=True) as watch:
        run = home.migrate(**at_the_gate("fail"), migrate_gate_undo_tasks=str(GATE / "undo.yml"))
        watch.wait_answer()
    home.require("xen1")
    seen = same_guest(watch.observation)
    record.note(gap_ms=seen.gap_ms)
    assert run.status != 0 and "the storage cannot be fenced" in run.message
    assert home.source.run("test -e /run/lab-undone", check=False).returncode == 0
    nothing_to_settle(home)


def test_refused_without_a_way_to_undo(home: World, record: Record) -> None:
    """What a failed task at the gate has done may forbid that the source goes on: it waits for a person's word."""
    with home.lab.observe(everywhere=True) as watch:
        run = home.migrate(**at_the_gate("fail"))
        assert run.status != 0
        assert "must be undone before the source may run the domain" in run.message, run.output[-3000:]
        assert "settle_undone=true" in run.message, run.message
        told = home.migrate(play=SETTLE, settle_undone=True)
        watch.wait_answer()
    assert told.status == 0, told.output
    home.require("xen1")
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    nothing_to_settle(home)


def test_cancelled_in_mid_stream(home: World, record: Record) -> None:
    """A move that is called off while memory flows ends on both hosts, and the guest never notices."""
    # The run that calls it off takes half a minute to begin, and an idle guest is at the destination by then.
    usual = home.lab.guest.ask()["rate"]
    home.lab.guest.set_rate(BUSY_PAGES_PER_S)
    with home.lab.observe(everywhere=True) as watch:
        run = home.start()
        home.mid_stream(home.source, 5_000_000)
        # A run has files of its own, which the second one must not overwrite.
        home.name += "-cancel"
        cancelled = home.migrate(migrate_state="cancelled")
        moved = run.wait()
    assert cancelled.status == 0, cancelled.output[-3000:]
    assert moved.status != 0, "a migration that was called off was reported as a success"
    home.require("xen1")
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    nothing_to_settle(home)
    home.lab.guest.set_rate(usual)


def test_destination_loses_power_at_the_gate(home: World, record: Record) -> None:
    """Nothing was committed: once the link has been down for long enough the guest goes on where it was."""
    with home.lab.observe(everywhere=True) as watch:
        undo = str(GATE / "undo.yml")
        times: dict[str, t.Any] = {"migrate_stop_link_timeout": 10, "migrate_silence_timeout": 20}
        run = home.start(**at_the_gate("pause"), migrate_gate_undo_tasks=undo, **times)
        run.reach("the gate", gate(home, "waits"))
        home.destination.power_off()
        outcome = run.wait()
        watch.wait_answer()
    seen = same_guest(watch.observation)
    record.note(gap_ms=seen.gap_ms)
    assert outcome.status != 0
    assert home.lab.guest.where() == ["xen1"]
    home.stale = True


def test_a_session_at_work_and_one_that_was_cut_off(home: World, record: Record) -> None:
    """Both hosts tell whoever asks: that somebody moves the guest, and afterwards that nobody knows what came of it."""
    # The first round takes two minutes and more, so that the question, of which each task takes seconds, is answered
    # while it lasts.
    slow: dict[str, t.Any] = {"migrate_compression": "none", "migrate_rate_limit": 8}
    question = Provoked(set())
    with home.lab.observe(everywhere=True) as watch:
        run = home.start(**slow)
        home.mid_stream(home.source, 5_000_000)
        home.name += "-at-work"
        at_work = findings(ask(home, question))
        # Nobody settles what is cut off in mid-stream: xl and the guest go on by themselves.
        run.kill()
        for host in home.lab.hosts.values():
            host.run("pkill -KILL -f '[_]session.daemon'", check=False)
        wait_until("the end of both xl", lambda: not any(left.processes for left in home.look().values()))
        home.name += "-cut-off"
        cut_off = findings(ask(home, question))
        settled = home.migrate(play=SETTLE)
        watch.wait_answer()
    assert of_kind(at_work, "error") == {
        *(("session_running", "xen1"), ("session_running", "xen2"), ("incoming_name_taken", "xen2"))
    }
    assert {("session_interrupted", "xen1"), ("session_interrupted", "xen2")} <= of_kind(cut_off, "warning")
    assert not of_kind(cut_off, "error")
    assert settled.status == 0, settled.output[-3000:]
    home.require("xen1")
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    nothing_to_settle(home)


def test_two_runs_settle_at_once(home: World, record: Record) -> None:
    """Both come to the same end, whoever of them takes the steps, and the guest goes on once."""
    undo: dict[str, t.Any] = {"migrate_gate_undo_tasks": str(GATE / "undo.yml")}
    name = home.name
    home.source.run("rm -f /run/lab-undone")
    with home.lab.observe(everywhere=True) as watch:
        run = home.start(**at_the_gate("pause"), **undo, migrate_link_timeout=10)
        run.reach("the tasks at the gate", gate(home, "tasks_started"))
        run.kill()
        home.source.run("pkill -KILL -f '[_]session.daemon.* sender '")
        runs = []
        for number in ("one", "two"):
            home.name = f"{name}-{number}"
            # Who comes second waits for the other one's step, which takes an emulated host its time.
            runs.append(home.start(play=SETTLE, settle_wait=120, **undo))
        settled = [each.wait() for each in runs]
        watch.wait_answer(120)
    for each in settled:
        assert each.status == 0, each.output[-3000:]
    home.require("xen1")
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
    assert home.source.run("test -e /run/lab-undone", check=False).returncode == 0
    home.name = f"{name}-again"
    nothing_to_settle(home)


def gate(world: World, word: str) -> subprocess.Popen[str]:
    """Whoever watches on the source until the sender says this of its gate."""
    with (ON_HOST / "gate.py").open() as program:
        return world.source.start(["python3", "-I", "-", word, str(A_RUN_S)], stdin=program)
