# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine outside both hosts, plugged into the lab's switch: it talks to the guest as any neighbour would."""

from __future__ import annotations

import json
import os
import secrets
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import control
from .errors import LabError
from .guest_disk import GUEST_PORT, USUAL, GuestSpec
from .packets import BROADCAST, Card, answer_arp, mac, parse_udp, udp_frame

OWN_PORT = 40000


@dataclass(frozen=True)
class Answer:
    """What the guest said, and when it arrived (controller's monotonic clock, seconds)."""

    nonce: str
    arrived: float
    body: dict[str, t.Any]


class Outside:
    """A cable into the switch, with an address of its own; one per user, not shared between threads.

    It talks to one guest. ``number`` is the last one of its own address: who needs many at one time says 20 to 49, so
    that no two of them, and none that takes any number above those, are the same.
    """

    def __init__(self, folder: Path, guest: GuestSpec = USUAL, *, number: int | None = None) -> None:
        number = secrets.randbelow(200) + 50 if number is None else number
        self._card = Card(bytes.fromhex("5254007701") + bytes([number]), f"10.77.0.{number}")
        self._guest, self._guest_mac = guest.address, mac(guest.mac)
        self._buffer = bytearray()
        try:
            self._wire = control.connect(folder, "outside.port", 10)
        except OSError as exc:
            raise LabError(f"no lab is up in {folder} ({exc})", "Start one with `lab up`") from exc

    def __enter__(self) -> Outside:
        return self

    def __exit__(self, *dummy: object) -> None:
        self.close()

    def close(self) -> None:
        self._wire.close()

    def fileno(self) -> int:
        return self._wire.fileno()

    def _send(self, frame: bytes) -> None:
        frame = frame.ljust(60, b"\0")
        self._wire.sendall(len(frame).to_bytes(4, "big") + frame)

    def ask(self, words: str, nonce: str, *, everywhere: bool = False) -> None:
        """Send one request. ``everywhere``: in a broadcast frame, which reaches every copy of the guest there is."""
        data = f"{words} {nonce}\n".encode()
        target = BROADCAST if everywhere else self._guest_mac
        self._send(udp_frame(self._card, target, self._guest, (OWN_PORT, GUEST_PORT), data))

    def receive(self, timeout: float) -> list[Answer]:
        """Answers that arrive within ``timeout`` seconds: returns as soon as there is at least one."""
        deadline = time.monotonic() + timeout
        answers: list[Answer] = []
        while not answers:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self._wire.settimeout(left)
            try:
                data = self._wire.recv(1 << 16)
            except TimeoutError:
                break
            except OSError as exc:
                raise LabError(f"the lab's switch went away ({exc})") from exc
            if not data:
                raise LabError("the lab's switch went away")
            self._buffer += data
            answers = self._frames(time.monotonic())
        self._wire.settimeout(10)
        return answers

    def _frames(self, arrived: float) -> list[Answer]:
        answers: list[Answer] = []
        while len(self._buffer) >= 4:
            end = 4 + int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < end:
                break
            frame = bytes(self._buffer[4:end])
            del self._buffer[:end]
            reply = answer_arp(self._card, frame)
            if reply:
                self._send(reply)
                continue
            datagram = parse_udp(self._card, frame)
            if datagram and datagram.source == self._guest:
                body: dict[str, t.Any] = json.loads(datagram.data)
                answers.append(Answer(str(body["nonce"]), arrived, body))
        return answers

    def question(self, words: str, *, timeout: float = 30, every: float = 1.0) -> dict[str, t.Any]:
        """Ask until an answer comes. Raises LabError when none does."""
        nonce = f"q{os.getpid()}x{secrets.token_hex(4)}"
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.ask(words, nonce)
            again = min(deadline, time.monotonic() + every)
            while (left := again - time.monotonic()) > 0:
                for answer in self.receive(left):
                    if answer.nonce == nonce:
                        return answer.body
        raise LabError(f"the guest did not answer {words!r} within {timeout:.0f} s")
