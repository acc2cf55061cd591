# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl migrate-receive``, or what stands for it, on the destination, our child (private to the collection)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import typing as t
from collections import deque

from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.module_utils._session.copies import number
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import CONFIG
from ansible_collections.dom0.xen.plugins.module_utils._session.found import left_xl
from ansible_collections.dom0.xen.plugins.module_utils._session.process.own_code import code_path
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import enlarge
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins import starter
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure
from ansible_collections.dom0.xen.plugins.module_utils._toolstack import priority
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import spawn
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.scripts import LightScripts
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import Answer, AnswerMatcher, Status

# For how long what was killed is waited for, in seconds; only the kernel can keep it longer.
_KILLED_S = 1.0


class DestinationXl:
    """One run of ``xl migrate-receive``, or of :mod:`stand_ins.starter`, what it is still to get, and its answers."""

    def __init__(self, xl: Xl, settings: ReceiverSettings, stderr_path: str) -> None:
        self._session = settings.session
        self._starts = settings.method == COLD
        self._prepared = os.path.join(settings.journal_folder, CONFIG)
        self._told = self._swept = False
        pipe, mark = subprocess.PIPE, {priority.MARK: settings.session}
        self._scripts = LightScripts(settings.runtime_folder)
        mark.update(self._scripts.environment)
        if settings.keep_domid:
            mark.update(number.ENVIRONMENT)
        argv = xl.receive_argv(settings.leave_paused)
        if self._starts:
            limits = (settings.memory_max_kib, settings.journal_folder)
            argv = starter.argv(code_path(), xl.binary, settings.uuid, settings.name, *limits)
        with open(stderr_path, "ab") as stderr:
            self._process = spawn(argv, stdin=pipe, stdout=pipe, stderr=stderr, mark=mark, leads=self._starts)
        self._precedence = priority.Precedence(self._process.pid)
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("no pipes to xl")
        self._input = os.dup(self._process.stdin.fileno())
        self._output = os.dup(self._process.stdout.fileno())
        self._process.stdin.close()
        self._process.stdout.close()
        for fd in (self._input, self._output):
            os.set_blocking(fd, False)
        enlarge(self._input)
        self._matcher = AnswerMatcher()
        self._waiting: deque[tuple[memoryview, t.Any]] = deque()
        self.written = 0

    @property
    def pid(self) -> int:
        """Process of ``xl migrate-receive``."""
        return self._process.pid

    @property
    def leads(self) -> bool:
        """Whether it has a session of its own: what stands for ``xl`` does."""
        return self._starts

    @property
    def input(self) -> int:
        """Descriptor to watch for writing, -1 when there is nothing to write or xl's input is closed."""
        return self._input if self._waiting else -1

    @property
    def output(self) -> int:
        """Descriptor of the answers, -1 after their end."""
        return self._output

    def put(self, data: bytes | bytearray | memoryview, token: t.Any = None) -> None:
        """Queue bytes; ``token`` is returned by :meth:`write` when the last of them has been written."""
        if self._input >= 0 and len(data):
            self._waiting.append((memoryview(data), token))

    def write(self) -> list[t.Any]:
        """Write as much as xl takes now; return the tokens of what has been written whole."""
        done: list[t.Any] = []
        while self._waiting and self._input >= 0:
            view, token = self._waiting[0]
            try:
                count = os.write(self._input, view)
            except BlockingIOError:
                break
            except BrokenPipeError:
                self.close_input()
                break
            self.written += count
            if count == len(view):
                self._waiting.popleft()
                if token is not None:
                    done.append(token)
            else:
                self._waiting[0] = (view[count:], token)
        return done

    def answers(self) -> list[Answer]:
        """Return all answers that have come, none after their end. Raises a ``StreamError`` for anything else."""
        answers: list[Answer] = []
        while self._output >= 0:
            try:
                data = os.read(self._output, 4096)
            except BlockingIOError:
                break
            if not data:
                os.close(self._output)
                self._output = -1
                break
            answers += self._matcher.feed(data)
        if any(isinstance(answer, Status) for answer in answers):
            self._precedence.take_back()
        return answers

    def prepared(self, found: bool) -> bool:
        """Whether what it is to receive may stop now, said once: its copy was ``found``, or is as good as made."""
        if not self._starts:
            return found
        if self._told or not os.path.exists(self._prepared):
            return False
        self._told = True
        return True

    def close_input(self) -> None:
        """Let xl read the end of its input; its answers are still read, or it would not destroy its copy."""
        self._waiting.clear()
        if self._input >= 0:
            os.close(self._input)
            self._input = -1

    def hurry(self) -> None:
        """Let it have the processor first, and this process too, until it has said whether the guest runs."""
        if self._process.returncode is None:
            self._precedence.give()

    def slow_down(self) -> None:
        """Let this process and all that xl has left running wait their turn again; takes a look at all processes."""
        self._precedence.take_back()
        self._scripts.end()
        # The copy is looked at next, also where no descriptor is to be had for a moment.
        with contextlib.suppress(OSError):
            priority.take_back_left(self._session)

    def kill(self) -> bool:
        """End xl by force, only before the permission was given; return false where it makes a domain, and is left."""
        if self._starts and self._making():
            return False
        self._process.kill()
        if not self._starts:
            self.exit_code()
            return True
        # What it has started in its last moment is seen once it is gone.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_KILLED_S)
        return not self._making()

    def _making(self) -> bool:
        """Whether an ``xl create`` of it runs, or may: where that cannot be seen for a moment it is left alone."""
        try:
            return left_xl.making(self._process.pid)
        except OSError:
            return True

    def exit_code(self) -> int | None:
        """Return xl's exit status, negative for a signal, ``None`` while it, or an ``xl create`` of it, runs."""
        code = self._process.poll()
        if code is not None and self._starts and not self._swept:
            # It may make a copy that must be known of when it is looked for. What cannot be seen is looked for again.
            if self._making() or not self._sweep():
                return None
            self._swept = True
        return code

    def _sweep(self) -> bool:
        try:
            left_xl.end_works(self._process.pid)
        except OSError:
            return False
        return True

    def ended(self, said: t.Sequence[str], code: int) -> Failure:
        """Return what its end means, which ``said`` these lines at last."""
        kind = starter.ENDS.get(code) if self._starts else None
        if kind is None:
            return failures.xl_ended("xl_migrate_receive", said, code)
        own = [line[len(starter.SAYS) :] for line in said if line.startswith(starter.SAYS)]
        return failures.of(kind(own[0] if own else kind.__name__))

    def close(self) -> None:
        """Close every descriptor."""
        self._scripts.end()
        self.close_input()
        if self._output >= 0:
            os.close(self._output)
            self._output = -1
