# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one call of settling: what the role ``settle`` does for an interrupted session, without Ansible between."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import time
import types
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts, SessionDomain, SessionSeen
from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.plugin_utils import _decision
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import Interrupted, interrupted

# As in roles/settle/vars/main.yml.
ROUNDS = 12
WAIT_S = 6
PAUSE_S = 0.5

Answer = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Settled:
    """What settling reported: ``settled`` tells that it came to an end, ``None`` that there was no settling.

    ``under_way``: there is nothing to settle yet, since both sides work on and will come to their end.
    """

    settled: bool | None = None
    owner: str | None = None
    end_state: str | None = None
    text: str = ""
    under_way: bool = False

    @property
    def asks(self) -> bool:
        """Whether a person is asked if the domain has run: the answer is all that is missing."""
        return self.settled is False and self.end_state in (to.STARTED_PERHAPS, to.RAN_PERHAPS)


class Silent(Exception):
    """A host does not answer."""


class Hand(t.Protocol):
    """A host that does what :mod:`inside.asked` describes."""

    def ask(self, **request: t.Any) -> Answer:
        """Return the answer. Raises :class:`Silent`."""


class Gate(t.Protocol):
    """What the caller's tasks at the gate do."""

    def tasks(self) -> None:
        """Run them."""

    def undo(self) -> None:
        """Undo them."""


def settle(
    session: str,
    source: str,
    destination: str,
    hands: t.Mapping[str, Hand],
    gate: Gate,
    ran: bool | None = None,
) -> Settled:
    """Bring the session to one owner; return what was reported. ``hands`` are by the hosts' names.

    ``ran`` is a person's word on whether the domain has run, as ``settle_ran`` is.
    """
    try:
        found = _interrupted(session, hands)
        return _Settling(found, source, destination, hands, gate, ran).go() if found is not None else Settled()
    except Silent as exc:
        return Settled(False, text=f"{exc} fell silent while a step was taken")


def _interrupted(session: str, hands: t.Mapping[str, Hand]) -> Interrupted | None:
    facts: dict[str, HostFacts] = {}
    for name, hand in hands.items():
        with contextlib.suppress(Silent):
            seen = [SessionSeen.from_result(one) for one in hand.ask(do="seen")["sessions"]]
            facts[name] = t.cast(HostFacts, types.SimpleNamespace(sessions=tuple(seen)))
    return next((one for one in interrupted(facts) if one.session == session), None)


class _Settling:
    def __init__(
        self,
        found: Interrupted,
        source: str,
        destination: str,
        hands: t.Mapping[str, Hand],
        gate: Gate,
        ran: bool | None,
    ) -> None:
        self._found, self._gate, self._hands, self._ran = found, gate, hands, ran
        self._source, self._destination = source, destination
        self._roles = {source: "sender", destination: "receiver"}
        self._domain = SessionDomain(found.uuid, found.name)
        names = {"session": found.session, "uuid": found.uuid, "name": found.name}
        self._common: Answer = {**names, "settler": secrets.token_hex(8), "wait": WAIT_S}
        self._text = ""

    def go(self) -> Settled:
        # Gone for good does not mean that somebody vouches for it: that is for a person.
        for dummy in range(ROUNDS):
            looks = {name: self._look(name) for name in self._roles}
            sides = (_decision.side(name, look, (), self._ran) for name, look in looks.items())
            source, destination = sides
            made = decide(source, destination)
            told = _decision.told(made, self._domain, source, destination)
            step = f"{made.step.side}.{made.step.verb}" if made.step else ""
            self._text += f" {told['next']} {step} ({made.reason})"
            if made.next == to.DONE:
                return self._conclude(looks, Settled(True, made.owner, made.end_state, self._text))
            if made.next == to.WAIT:
                # As a person reads it where it stays so.
                self._text += "".join(f" {choice}." for choice in made.choices)
                time.sleep(PAUSE_S)
                continue
            if made.next not in (to.ACT, to.TASKS, to.UNDO):
                return Settled(False, made.owner, made.end_state, self._text, under_way=made.next == to.WATCH)
            answer = self._act(told["act"]) if made.next == to.ACT else self._at_the_gate(made.next)
            if "error" in answer:
                return Settled(False, made.owner, made.end_state, f"{self._text} -> {answer['error']}")
            if made.next == to.ACT and not answer.get("accepted", True):
                time.sleep(PAUSE_S)
        return Settled(False, text=f"no end after {ROUNDS} rounds:{self._text}")

    def _look(self, name: str) -> Answer:
        look: Answer = {}
        with contextlib.suppress(Silent):
            look = self._hands[name].ask(do="look", role=self._roles[name], **self._common)
        self._text += f" {name}: {look['error']['msg']};" if "error" in look else ""
        return look

    def _act(self, act: Answer) -> Answer:
        step = {name: act[name] for name in ("role", "verb", "status", "domid")}
        return self._hands[act["host"]].ask(do="act", **step, **self._common)

    def _at_the_gate(self, what: str) -> Answer:
        """Do what gate.yml and undo.yml of the role do."""
        request = {"role": self._roles[self._source], **self._common}
        hand = self._hands[self._source]
        if what == to.TASKS:
            self._gate.tasks()
            return hand.ask(do="tasks_done", **request)
        answer = hand.ask(do="undo_started", **request)
        if answer.get("accepted"):
            self._gate.undo()
            answer = hand.ask(do="undone", **request)
        return answer

    def _conclude(self, looks: t.Mapping[str, Answer], end: Settled) -> Settled:
        for name, look in looks.items():
            if "side" in look:
                request = {"role": self._roles[name], "owner": end.owner, "end_state": end.end_state}
                answer = self._hands[name].ask(do="conclude", **request, **self._common)
                if "error" in answer:
                    return Settled(False, end.owner, end.end_state, f"{end.text} -> {answer['error']}")
        return end
