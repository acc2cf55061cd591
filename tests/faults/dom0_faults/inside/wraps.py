# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts named points around functions of the real daemons, and shortens their waits.

A function that is not there any more raises AttributeError, so that the campaign cannot go blind unnoticed.
"""

from __future__ import annotations

import functools
import os
import pathlib
import time
import types
import typing as t

from .disk import CLOCK, Disk
from .pipes import DestinationPipes, SourcePipes

Hit = t.Callable[[str], None]

_ROOT = "ansible_collections.dom0.xen.plugins.module_utils"
# A guest is watched for longer than one that is late takes.
_LATE = {"LOOK_INTERVAL": 0.3, "WATCH_S": 5.0}
# Waits that do not matter for what is decided, only for how long a run takes. In seconds.
WAITS: dict[str, dict[str, float]] = {
    "_link.link": {"PING_INTERVAL": 0.4, "SILENCE_LIMIT": 1.5},
    "_link.dialer": {"RETRY_INTERVAL": 0.1, "ATTEMPT_LIMIT": 1.5},
    "_link.listener": {"GUEST_SECONDS": 2.0},
    "_session.process.driver": {"DELIVERY_LIMIT": 1.0},
    "_session.journal.telling": {"INTERVAL": 0.3, "INTERVAL_MAX": 0.5},
    "_session.observing.observe": {"LOOK_INTERVAL": 0.3},
    "_session.receiving.receiver": {"REPORT_LINGER": 12.0, "OBSERVE_RUNNING_AFTER": 0.1},
    "_session.receiving.receiver_deadlines": {"GIVE_UP_LIMIT": 3.0, "UNUSED_GIVE_UP_LIMIT": 1.0},
    "_session.copies.late_shutdown": _LATE,
}
SETTLING_WAITS: dict[str, dict[str, float]] = {
    "_session.observing.observe": {"LOOK_INTERVAL": 0.3},
    # It may be looking for its copy meanwhile, twenty times.
    "_session.process.control": {"ANSWER_S": 12.0},
    "_session.settling.settle": {"POLL_S": 0.1},
    "_session.settling.fence": {"POLL_S": 0.05},
    "_session.copies.late_shutdown": _LATE,
    "_session.copies.late_suspend": _LATE,
}


# Where the daemon of a role lies.
_SIDES = {"sender": "_session.sending.sender", "receiver": "_session.receiving.receiver"}
# What stands for xl in a session, by who starts it: its class, and the steps of it that get points around them.
_STARTS = {"sender": ("saver", "shutter"), "receiver": ("starter",)}
STAND_INS: dict[str, tuple[str, tuple[str, ...]]] = {
    "saver": ("Saver", ("_send", "_permit", "_report", "_go_on")),
    "shutter": ("Shutter", ("_begin", "_shut_down", "_is_down", "_permit", "_report", "_go_back", "_start")),
    "starter": ("Starter", ("_prepare", "_make", "_start", "_drop")),
}


def _module(name: str) -> types.ModuleType:
    return __import__(f"{_ROOT}.{name}", fromlist=["_"])


def shorten(waits: t.Mapping[str, t.Mapping[str, float]]) -> None:
    """Shorten the waits."""
    for name, values in waits.items():
        module = _module(name)
        for constant, value in values.items():
            getattr(module, constant)
            setattr(module, constant, value)


def clock(host: pathlib.Path) -> None:
    """Let the wall clock of this process be wrong by what the host's file says."""
    real = time.time

    def wrong() -> float:
        try:
            return real() + float((host / CLOCK).read_text())
        except (OSError, ValueError):
            return real()

    time.time = wrong


def around(owner: t.Any, name: str, hit: Hit, label: t.Callable[..., str | None]) -> None:
    """Put a point before and one after a function; ``label`` makes their name from the arguments, None for none."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def wrapped(*arguments: t.Any, **options: t.Any) -> t.Any:
        point = label(*arguments, **options)
        if point is None:
            return real(*arguments, **options)
        hit(f"{point}.before")
        result = real(*arguments, **options)
        hit(f"{point}.after")
        return result

    setattr(owner, name, wrapped)


def wrap(role: str, host: pathlib.Path, hit: Hit) -> None:
    """Put the points into the code of a daemon."""
    shorten(WAITS)
    clock(host)
    _journal(role, host, hit)
    driver = _module("_session.process.driver").Driver
    actions = _module("_session.terms.actions")
    side = getattr(_module(_SIDES[role]), role.capitalize())
    around(driver, "feed", hit, lambda dummy, event: f"{role}.event.{_event(event)}")
    around(driver, "launched", hit, lambda self, *dummy: None if self._launch_told else f"{role}.launched")
    around(driver, "_finish", hit, lambda *dummy: f"{role}.finish")
    around(side, "_perform", hit, lambda dummy, action: f"{role}.action.{_action(actions, action)}")
    around(side, "_close", hit, lambda *dummy: f"{role}.close")
    around(_module("_link.link").Link, "attach", hit, lambda *dummy: f"{role}.link.attach")
    around(_module("_domain_lock").DomainLock, "release", hit, lambda *dummy: f"{role}.lock.release")
    for name in _STARTS[role]:
        _start_with_points(_module(f"_session.stand_ins.{name}"))
    if role == "sender":
        around(_module("_session.sending.source_xl").SourceXl, "start", hit, lambda *dummy: "sender.xl.start")
        around(_module("_session.sending.source_xl").SourceXl, "accept", hit, lambda *dummy: "sender.shim.accept")
        around(_module("_session.gate.gate"), "evidence_against", hit, lambda *dummy, **more: "sender.evidence")
        _module("_session.sending.source_xl").os = SourcePipes(hit)  # type: ignore[attr-defined]
    else:
        handshake = _module("_wire.handshake")
        around(_module("_session.receiving.receiver"), "DestinationXl", hit, lambda *dummy: "receiver.xl.start")
        answers = [("banner", len(handshake.BANNER)), ("ready", len(handshake.READY))]
        answers += [("report", len(handshake.REPORT)), ("status", 1), ("go_back", len(handshake.PERMISSION))]
        _module("_session.receiving.destination_xl").os = DestinationPipes(hit, answers)  # type: ignore[attr-defined]


def _start_with_points(stand_in: types.ModuleType) -> None:
    real = stand_in.argv

    def argv(*arguments: t.Any) -> list[str]:
        return [os.environ["DOM0_FAULTS_DAEMON"], *real(*arguments)[1:]]

    stand_in.argv = argv  # type: ignore[attr-defined]


def wrap_stand_in(name: str, host: pathlib.Path, hit: Hit) -> None:
    """Put the points into the code of what stands for ``xl``."""
    clock(host)
    module = _module(f"_session.stand_ins.{name}")
    kind, steps = STAND_INS[name]
    for step in steps:
        around(getattr(module, kind), step, hit, _always(f"{name}.{step[1:]}"))
    disk = Disk(host, name, hit)
    documents = _module("_session.journal.documents")
    for write in ("write", "write_text"):
        setattr(documents, write, _on_disk(getattr(documents, write), name, disk, hit))


def _on_disk(real: t.Callable[..., None], name: str, disk: Disk, hit: Hit) -> t.Callable[..., None]:
    def written(path: str, *content: t.Any, **more: t.Any) -> None:
        point = f"{name}.document.{os.path.basename(path)}"
        hit(f"{point}.before")
        disk.check_room()
        disk.check_flush()
        real(path, *content, **more)
        hit(f"{point}.after")

    return written


def _always(point: str) -> t.Callable[..., str]:
    return lambda *dummy, **dummy2: point


def wrap_settler(host: pathlib.Path, hit: Hit) -> None:
    """Put the points into the code that settles."""
    shorten(SETTLING_WAITS)
    clock(host)
    _journal("settle", host, hit)
    settle = _module("_session.settling.settle")
    around(settle, "look", hit, lambda *dummy: "settle.look")
    around(settle, "act", hit, lambda dummy, dummy2, step, *dummy3: f"settle.act.{step.verb}")
    around(settle, "tasks_done", hit, lambda *dummy: "settle.tasks_done")
    around(settle, "undo_started", hit, lambda *dummy: "settle.undo_started")
    around(settle, "undone", hit, lambda *dummy: "settle.undone")
    around(_module("_session.settling.conclusion"), "conclude", hit, lambda *dummy: "settle.conclude")
    around(settle, "speak", hit, lambda dummy, request, *dummy2: f"settle.speak.{request['command']}")


def _journal(role: str, host: pathlib.Path, hit: Hit) -> None:
    journal = _module("_session.journal.journal")
    disk = Disk(host, role, hit)
    journal.os = disk  # type: ignore[attr-defined]
    write = journal.Journal.write

    def journalled(self: t.Any, step: str, *arguments: t.Any, **options: t.Any) -> None:
        disk.step = step
        hit(f"{role}.journal.{step}.before")
        write(self, step, *arguments, **options)
        hit(f"{role}.journal.{step}.after")

    journal.Journal.write = journalled
    documents = _module("_session.journal.documents")
    document = documents.write

    def written(path: str, content: t.Any, *, durable: bool = False) -> None:
        name = os.path.basename(path).removesuffix(".json")
        phase = f".{content['phase']}" if name == "status" and "phase" in content else ""
        hit(f"{role}.document.{name}{phase}.before")
        if durable:
            disk.check_room()
            disk.check_flush()
        document(path, content, durable=durable)
        hit(f"{role}.document.{name}{phase}.after")

    documents.write = written  # type: ignore[attr-defined]


def _event(event: t.Any) -> str:
    name = type(event).__name__
    phase = getattr(event, "phase", None)
    return f"{name}.{phase.value}" if phase is not None else name


def _action(actions: types.ModuleType, action: t.Any) -> str:
    name = type(action).__name__
    return f"{name}.{action.message['type']}" if isinstance(action, actions.Send) else name
