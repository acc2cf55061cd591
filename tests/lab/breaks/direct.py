# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move and its settling as the roles do them, by the code of the modules, without Ansible between."""

from __future__ import annotations

import secrets
import threading
import time
import typing as t

from dom0_faults import rounds
from dom0_faults.rounds import Answer, Settled, Silent

from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import make_credentials

from .field import Field
from .hands import PLACES

MEMORY_KIB = 128 * 1024
STARTING_S = 90.0
# How long the tasks at the gate take: what breaks there has been done by then, and a blink is over.
GATE_S = 10.0
POLL_S = 1.0
# Longer than any limit that a session is given; after it whoever is still there waits for help.
STILL_S = 25.0
LIMITS: Answer = {"link_timeout": 10}
SENDER: Answer = {"connect_timeout": 15, "stop_link_timeout": 10, "gate_timeout": 120, "progress_interval": 5}
RECEIVER: Answer = {"port_first": 49152, "port_last": 49215, "admission_timeout": 120, "banner_timeout": 60}


class Move:
    """One move in a thread of its own; ``message`` says why it did not begin, or how the gate was refused."""

    def __init__(self, field: Field, gate_held: bool) -> None:
        self._field, self._gate_held = field, gate_held
        self.session = secrets.token_hex(8)
        self.message = ""
        self.undone = False
        self._source, self._destination = field.source, field.destination
        self._thread = threading.Thread(target=self._run, name="move", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait(self, limit: float) -> None:
        """Wait until no session runs any more, or those that do wait for help; at most ``limit`` seconds."""
        self._thread.join(limit)
        if self._thread.is_alive():
            raise TimeoutError(f"the move did not come to rest within {limit:.0f} s")

    def settle(self) -> Settled:
        """Bring the session to one owner."""
        return rounds.settle(self.session, self._source.name, self._destination.name, self._field.hands, self)

    def tasks(self) -> None:
        """Stand for the caller's tasks at the gate."""

    def undo(self) -> None:
        """Undo them."""
        self.undone = True

    # In the thread. ---

    def _run(self) -> None:
        try:
            if self._begin() and self._gate_held:
                self._at_the_gate()
        except Silent as exc:
            self.message = f"{exc} does not answer"
        self._rest()

    def _begin(self) -> bool:
        sender, receiver = make_credentials("sender"), make_credentials("receiver")
        address = self._destination.address
        own: Answer = {"memory_max_kib": MEMORY_KIB, "listen_address": address, **RECEIVER}
        answer = self._start("receiver", receiver, sender.certificate, own)
        if not answer.get("banner_verified"):
            return False
        own = {"memory_kib": MEMORY_KIB, "destination_address": address, "port": answer["port"], **SENDER}
        answer = self._start("sender", sender, receiver.certificate, {**own, "gate_held": self._gate_held})
        if "error" in answer:
            # As rescue.yml: where there never was a sender nobody else ends the receiver.
            self._say(self._destination.name, "receiver", "cancel")
        return "error" not in answer

    def _start(self, role: str, mine: t.Any, peer_certificate: str, own: Answer) -> Answer:
        here, there = (self._source, self._destination) if role == "sender" else (self._destination, self._source)
        guest = self._field.lab.guest
        settings = {"uuid": guest.uuid, "name": guest.name, "peer_host": there.name, **LIMITS, **own}
        answer = self._field.hands[here.name].ask(
            do="start", role=role, session=self.session, timeout=STARTING_S, key=mine.key.decode(),
            certificate=mine.certificate, settings={**settings, "peer_certificate": peer_certificate},
        )  # fmt: skip
        self.message = str(answer.get("error", {}).get("msg", ""))
        if "error" in answer:
            # As rescue.yml: the credentials of a side that did not come up.
            self._field.hands[here.name].sh(f"rm -rf {PLACES['runtime']}/{self.session}.{role}")
        return answer

    def _at_the_gate(self) -> None:
        if not self._held():
            return
        if not self._say(self._source.name, "sender", "gate_start"):
            # As rescue.yml: a sender that does not take the beginning of the tasks is given up, and settled.
            self._say(self._source.name, "sender", "cancel")
            return
        time.sleep(GATE_S)
        if self._say(self._source.name, "sender", "permit"):
            return
        self.message = "the permission was not taken"
        refused = self._say(self._source.name, "sender", "refuse")
        if refused and self._say(self._source.name, "sender", "undo_start"):
            self.undo()
            self._say(self._source.name, "sender", "undone")

    def _held(self) -> bool:
        while True:
            status = self._field.hands[self._source.name].ask(do="status", session=self.session, role="sender")[
                "status"
            ]
            if status is None or not self._alive(self._source.name):
                return False
            if status["gate"]["waits"]:
                return True
            time.sleep(POLL_S)

    def _say(self, host: str, role: str, command: str) -> bool:
        answer = self._field.hands[host].ask(do="say", session=self.session, role=role, command=command)
        return bool(answer.get("accepted"))

    def _alive(self, host: str) -> bool:
        sessions = self._field.hands[host].ask(do="seen")["sessions"]
        return any(one["session"] == self.session and one["alive"] for one in sessions)

    def _rest(self) -> None:
        seen: list[object] = []
        since = time.monotonic()
        while time.monotonic() < since + STILL_S:
            now = [self._state(host.name) for host in (self._source, self._destination)]
            if now == [None, None]:
                return
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(POLL_S)

    def _state(self, host: str) -> object:
        """How far the session is there; None where no process of it runs."""
        role = "sender" if host == self._source.name else "receiver"
        try:
            if not self._alive(host):
                return None
            status = self._field.hands[host].ask(do="status", session=self.session, role=role)["status"] or {}
        except Silent:
            return None
        return [status.get(name) for name in ("phase", "owner", "bytes", "link")]
