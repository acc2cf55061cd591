# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a session's process that hears words, without the rest of it."""

from __future__ import annotations

import pathlib
import select
import threading
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.gate import gate
from ansible_collections.dom0.xen.plugins.module_utils._session.process import asker
from ansible_collections.dom0.xen.plugins.module_utils._session.process.control import Control, Document
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.deciding import course

SESSION = "0123456789abcdef"


class HeldGate:
    """What a sender takes whose permission waits for the controller: the rules are the sender's own."""

    def __init__(self) -> None:
        first = SourceState(course.NAME, gate_held=True)
        held = (course.CONNECTED, course.HEADER, course.STREAMING, course.SUSPENDING, course.FINAL_ROUND)
        until = (*held, course.COMPLETE, course.READY, course.PERMISSION)
        self.state: SourceState = course.play(advance, first, *until)[0]

    def __call__(self, request: Document) -> bool:
        """Say whether the word is taken."""
        event = gate.event(request, self.state, True, lambda: None)
        if event is not None:
            self.state = advance(self.state, event)[0]
        return gate.obeyed(request.get("command"), self.state)


class Answering:
    """Listens in ``folder``, remembers what it was told as ``heard``, and answers by ``takes``.

    ``silent`` leaves the program that asks, and nobody who answers.
    """

    def __init__(
        self, folder: pathlib.Path, takes: t.Callable[[Document], bool] = lambda dummy: True, silent: bool = False
    ) -> None:
        self.folder = folder
        self.heard: list[Document] = []
        self._takes, self._silent = takes, silent
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Answering:
        """Begin to listen."""
        self.folder.mkdir(mode=0o700, parents=True)
        asker.offer(str(self.folder))
        if not self._silent:
            self._control = Control(str(self.folder))
            self._thread.start()
        return self

    def __exit__(self, *dummy: object) -> None:
        """Listen no more."""
        self._over.set()
        if not self._silent:
            self._thread.join()
            self._control.close()

    @property
    def commands(self) -> list[str]:
        """The words alone."""
        return [str(each.get("command")) for each in self.heard]

    def _serve(self) -> None:
        while not self._over.is_set():
            happened = select.select(self._control.filenos(), [], [], 0.05)[0]
            self._control.serve(happened, self._answer)

    def _answer(self, request: Document) -> Document:
        self.heard.append(request)
        accepted = self._takes(request)
        error = None if accepted else {"msg": "nobody gave the permission within 120 s", "code": "gate_timeout"}
        return {"accepted": accepted, "phase": "gate", "owner": "source", "error": error}
