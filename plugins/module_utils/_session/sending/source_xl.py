# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl migrate`` on the source, and the shim that gives us its transport (private to the collection).

``xl migrate -s '' DOMID COMMAND`` runs ``sh -c COMMAND`` with the stream on the child's stdin and the answers on its
stdout (tools/xl/xl_migrate.c create_migration_child). Our command is a shim that passes both descriptors over a
Unix socket, so that memory goes from xl's helper into this process without another copy.
"""

from __future__ import annotations

import array
import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys

from ansible_collections.dom0.xen.plugins.module_utils._procfs import save_helper_of
from ansible_collections.dom0.xen.plugins.module_utils._session.found import left_xl
from ansible_collections.dom0.xen.plugins.module_utils._session.process.own_code import code_path
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import READ_BYTES, enlarge, unread
from ansible_collections.dom0.xen.plugins.module_utils._session.process.sockets import listen_in
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.described import described
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins import saver, shutter
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.warden import Warden
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import XlNotStarted
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import spawn
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.scripts import LightScripts
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

STOP_INTERVAL = 0.2
# How long a helper that asks for the suspend is left to hear that it may not, and to clean up.
HEARS_S = 5.0

_SOCKET = "shim.sock"

# It waits for the end of the socket before it ends: xl takes the end of its child as the end of the transport.
_SHIM = """\
import array, os, socket, sys
sock = socket.socket(socket.AF_UNIX)
os.chdir(os.path.dirname(os.path.abspath(__file__)))
sock.connect("{socket}")
sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1]))])
null = os.open(os.devnull, os.O_RDWR)
os.dup2(null, 0)
os.dup2(null, 1)
sock.recv(1)
"""


class SourceXl:
    """One run of ``xl migrate``, or of :mod:`stand_ins.saver` or :mod:`stand_ins.shutter`, and the two pipes to it."""

    def __init__(self, xl: Xl, settings: SenderSettings, stderr_path: str) -> None:
        self._xl = xl
        self._settings = settings
        self._folder = settings.runtime_folder
        self._stderr_path = stderr_path
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: socket.socket | None = None
        self._shim: socket.socket | None = None
        self._stream = -1
        self._answers = -1
        self.warden = Warden(settings.journal_folder)
        self._scripts: LightScripts | None = None
        self._stop_wanted = False
        self._stop_tried = 0.0
        self._hears_until: float | None = None
        self._described = ""

    def start(self, domid: int) -> None:
        """Start it for the domain. Raises :class:`XlNotStarted`, and the errors of :func:`described`."""
        try:
            self._described = described(self._xl, self._settings, domid)
            argv = self._own(domid) if self.leads else self._migrate(domid)
            mark = self.warden.lay(code_path()) if self._settings.asks_first else {}
            if not self.leads:
                # It takes the source's copy down at last, devices and all, before it ends.
                self._scripts = LightScripts(self._folder)
                mark.update(self._scripts.environment)
            self._listener = listen_in(self._folder, _SOCKET)
            with open(self._stderr_path, "ab") as stderr:
                self._process = spawn(
                    argv, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, mark=mark, leads=self.leads
                )
        except OSError as exc:
            raise XlNotStarted(f"xl cannot be started: {exc}") from exc

    def _migrate(self, domid: int) -> list[str]:
        script = os.path.join(self._folder, "shim.py")
        with open(script, "w", encoding="ascii") as handle:
            handle.write(_SHIM.format(socket=_SOCKET))
        command = f"exec {shlex.quote(sys.executable)} -I -S {shlex.quote(script)}"
        return self._xl.migrate_argv(domid, command, self._described)

    def _own(self, domid: int) -> list[str]:
        """Return the command of what stands for ``xl migrate``."""
        settings = self._settings
        where = (code_path(), os.path.join(self._folder, _SOCKET), self._xl.binary)
        if settings.pauses:
            return saver.argv(*where, domid, settings.uuid, settings.name, self._described)
        more = (settings.config_path, settings.journal_folder, str(settings.shutdown_timeout))
        return shutter.argv(*where, domid, settings.uuid, settings.name, *more)

    @property
    def pid(self) -> int | None:
        """Process of ``xl migrate``, ``None`` before it was started."""
        return self._process.pid if self._process is not None else None

    @property
    def leads(self) -> bool:
        """Whether it has a session of its own: what stands for ``xl`` does."""
        return self._settings.pauses or self._settings.shuts_down

    @property
    def filenos(self) -> tuple[int, ...]:
        """Descriptors of those who come to it, -1 for one who is not awaited."""
        return (self.listener, self.warden.fileno())

    @property
    def listener(self) -> int:
        """Descriptor that is readable when the shim has come, -1 when it is not awaited."""
        return self._listener.fileno() if self._listener is not None else -1

    @property
    def stream(self) -> int:
        """Descriptor of the stream, -1 when there is none (not yet, or at its end)."""
        return self._stream

    def accept(self) -> None:
        """Take the descriptors that the shim passes."""
        if self._listener is None:
            return
        self._shim, dummy = self._listener.accept()
        self._listener.close()
        self._listener = None
        room = socket.CMSG_SPACE(2 * array.array("i").itemsize)
        dummy2, ancillary, dummy3, dummy4 = self._shim.recvmsg(1, room)
        received = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received.frombytes(data[: len(data) - len(data) % received.itemsize])
        self._stream, self._answers = received
        # Our end of the pipe is an open file of its own, so this does not make xl's end non-blocking.
        os.set_blocking(self._stream, False)
        enlarge(self._stream)

    @property
    def has_written(self) -> bool:
        """Whether there is something in the pipe that was not read."""
        return self._stream >= 0 and unread(self._stream) > 0

    def read(self) -> bytes | None:
        """Return stream bytes, ``b""`` at the end of the stream, ``None`` when there are none now."""
        try:
            data = os.read(self._stream, READ_BYTES)
        except BlockingIOError:
            return None
        if not data:
            os.close(self._stream)
            self._stream = -1
        return data

    def ended(self, suspend_asked: bool) -> None:
        """Drop what it wrote before it ended.

        A saver that was killed may have left an ``xl save`` behind that waits for a reader. Once the guest was asked to
        suspend that one is left alone: it finds that nobody reads, and resumes the guest.
        """
        while self._stream >= 0 and self.read():
            pass
        if self._settings.pauses and self._process is not None and not suspend_asked:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGTERM)

    def write(self, text: bytes) -> None:
        """Write an answer. Nothing is lost when xl has gone: its end is noticed by :meth:`exit_code`."""
        if self._answers >= 0:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._answers, text)

    def close_answers(self) -> None:
        """Let xl read the end of its answers: before its permission it then resumes the domain and exits."""
        if self._answers >= 0:
            os.close(self._answers)
            self._answers = -1
        if self._shim is not None:
            # The shim holds nothing any more; letting it go lets xl see that its transport has ended.
            self._shim.close()
            self._shim = None

    def want_stop(self) -> None:
        """Have :meth:`stop_saving_if_wanted` end ``libxl-save-helper`` as soon as there is one."""
        self._stop_wanted = True

    def stop_saving_if_wanted(self, now: float) -> None:
        """Send SIGTERM to ``libxl-save-helper``, to which ``xl`` may not have come yet; ``now`` in seconds.

        libxc then ends log-dirty mode and the guest is never paused (tools/libs/light/libxl_save_helper.c
        startup and its signal handler). Only while memory flows before the suspend. One that waits for an answer dies
        of a signal without all that (helper_getreply there): where it asks for the suspend, the refusal ends it.
        """
        if self._process is None or not self._stop_wanted or now - self._stop_tried < STOP_INTERVAL:
            return
        if self.warden.asked:
            self._hears_until = now + HEARS_S if self._hears_until is None else self._hears_until
            if now < self._hears_until:
                return
        self._stop_tried = now
        # A helper that has just gone, or cannot be seen for want of a descriptor, is looked for again.
        with contextlib.suppress(OSError):
            helper = save_helper_of(self._process.pid)
            if helper is not None:
                os.kill(helper, signal.SIGTERM)
                self._stop_wanted = False

    def exit_code(self) -> int | None:
        """Return xl's exit status, negative for a signal, ``None`` while it runs or was never started."""
        return self._process.poll() if self._process is not None else None

    def kill(self, making: bool = True) -> bool:
        """End ``xl`` by force, or what stands for it with all that it has started.

        Where that makes a domain it is left, and false returned, unless it is to be ended even then.
        """
        if self._process is None:
            return True
        pid = self._process.pid
        if not making and self._settings.shuts_down and left_xl.making(pid):
            return False
        with contextlib.suppress(OSError):
            left_xl.end(pid) if self.leads else self._process.kill()
        return True

    def close(self) -> None:
        """Close every descriptor."""
        self.warden.clear()
        if self._scripts is not None:
            self._scripts.end()
        self.close_answers()
        if self._stream >= 0:
            os.close(self._stream)
            self._stream = -1
        if self._listener is not None:
            self._listener.close()
            self._listener = None
