# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one call of settling: what the role ``settle`` does for an interrupted session, without Ansible between."""

from __future__ import annotations

import contextlib
import json
import pathlib
import secrets
import subprocess
import time
import types
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts, SessionSeen
from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.plugin_utils import _decision
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import Interrupted, interrupted

from . import storage
from .judge import Settled
from .names import DESTINATION, SOURCE
from .world import ROOT, World

# As in roles/settle/vars/main.yml.
ROUNDS = 12
WAIT_S = 6
PAUSE_S = 0.5
ANSWER_S = 40.0
_SETTLER = pathlib.Path(__file__).resolve().parent / "inside" / "settler.py"

Answer = dict[str, t.Any]


class Silent(Exception):
    """A host does not answer."""


class _Hand:
    """A process on a host that carries out what the controller asks."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, **request: t.Any) -> Answer:
        """Return the answer. Raises :class:`Silent`."""
        if not self._world.powered(self._name):
            raise Silent(self._name)
        places = {"runtime": self._world.runtime(self._name), "journal": self._world.journal(self._name)}
        try:
            if self._process is None:
                self._start()
            self._send({**places, **request})
            line = self._process.stdout.readline() if self._process and self._process.stdout else b""
        except BrokenPipeError:
            line = b""
        if not line:
            raise Silent(self._name)
        answer: Answer = json.loads(line)
        return answer

    def _start(self) -> None:
        host = self._world.host(self._name)
        self._process = host.spawn(
            str(host.paths.bin / "python3"),
            str(_SETTLER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._world.settlers.append(self._process)
        self._send({"code": str(ROOT / "build" / "collections")})

    def _send(self, document: Answer) -> None:
        if self._process is None or self._process.stdin is None:
            raise Silent(self._name)
        self._process.stdin.write(json.dumps(document).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Let it end."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(ANSWER_S)


def settle(world: World) -> Settled:
    """Bring the session to one owner, and return what was reported."""
    hands = {name: _Hand(world, name) for name in (SOURCE, DESTINATION)}
    try:
        found = _interrupted(world, hands)
        return _rounds(world, hands, found) if found is not None else Settled()
    except Silent as exc:
        return Settled(False, text=f"{exc} fell silent while a step was taken")
    finally:
        for hand in hands.values():
            hand.close()


def _interrupted(world: World, hands: dict[str, _Hand]) -> Interrupted | None:
    facts: dict[str, HostFacts] = {}
    for name, hand in hands.items():
        with contextlib.suppress(Silent):
            seen = [SessionSeen.from_result(one) for one in hand.ask(do="seen")["sessions"]]
            facts[name] = t.cast(HostFacts, types.SimpleNamespace(sessions=tuple(seen)))
    return next((one for one in interrupted(facts) if one.session == world.session), None)


def _rounds(world: World, hands: dict[str, _Hand], found: Interrupted) -> Settled:
    common = {"session": found.session, "uuid": found.uuid, "name": found.name, "settler": secrets.token_hex(8)}
    roles = {SOURCE: "sender", DESTINATION: "receiver"}
    # Gone for good does not mean that somebody vouches for it: that is for a person.
    text = ""
    for dummy in range(ROUNDS):
        looks: dict[str, Answer] = {}
        for name in (SOURCE, DESTINATION):
            looks[name] = {}
            with contextlib.suppress(Silent):
                looks[name] = hands[name].ask(do="look", role=roles[name], wait=WAIT_S, **common)
            text += f" {name}: {looks[name]['error']['msg']};" if "error" in looks[name] else ""
        source, destination = (_decision.side(name, looks[name], (), None) for name in (SOURCE, DESTINATION))
        made = decide(source, destination)
        told = _decision.told(made, found.name, source, destination)
        text += f" {told['next']} {made.step.side + '.' + made.step.verb if made.step else ''} ({made.reason})"
        if made.next == to.ACT:
            act = told["act"]
            step = {name: act[name] for name in ("role", "verb", "status", "domid")}
            answer = hands[act["host"]].ask(do="act", wait=WAIT_S, **step, **common)
            if "error" in answer:
                return Settled(False, made.owner, made.end_state, f"{text} -> {answer['error']}")
            if not answer.get("accepted", True):
                time.sleep(PAUSE_S)
        elif made.next in (to.TASKS, to.UNDO):
            answer = _at_the_gate(world, hands[SOURCE], made.next, {"role": roles[SOURCE], "wait": WAIT_S, **common})
            if "error" in answer:
                return Settled(False, made.owner, made.end_state, f"{text} -> {answer['error']}")
        elif made.next == to.WAIT:
            time.sleep(PAUSE_S)
        elif made.next == to.DONE:
            return _conclude(hands, looks, roles, common, Settled(True, made.owner, made.end_state, text))
        else:
            return Settled(False, made.owner, made.end_state, text)
    return Settled(False, text=f"no end after {ROUNDS} rounds:{text}")


def _at_the_gate(world: World, hand: _Hand, what: str, request: Answer) -> Answer:
    """Do what gate.yml and undo.yml of the role do: the storage changes hands between the records."""
    if what == to.TASKS:
        storage.hand(world.storage, DESTINATION)
        return hand.ask(do="tasks_done", **request)
    answer = hand.ask(do="undo_started", **request)
    if answer.get("accepted"):
        storage.hand(world.storage, SOURCE)
        answer = hand.ask(do="undone", **request)
    return answer


def _conclude(
    hands: dict[str, _Hand], looks: dict[str, Answer], roles: dict[str, str], common: Answer, end: Settled
) -> Settled:
    for name, look in looks.items():
        if "side" in look:
            request = {"role": roles[name], "owner": end.owner, "end_state": end.end_state, "wait": WAIT_S}
            answer = hands[name].ask(do="conclude", **request, **common)
            if "error" in answer:
                return Settled(False, end.owner, end.end_state, f"{end.text} -> {answer['error']}")
    return end
