# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl restore -p`` from a pipe, whose last bytes it gets only when all of them are known to be right (private).

``xl`` makes nothing of a stream without its end: libxl destroys what it has built (libxl_create.c domcreate_complete).
So as long as the last record is held back, closing the pipe undoes everything, and a process that is killed closes it.
"""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._restoring.errors import RestoreFailed
from ansible_collections.dom0.xen.plugins.module_utils._saving.stop import Stop
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import enlarge
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import spawn
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

HELD = 8
"""The record that ends a stream of libxl has so many bytes (tools/libs/light/libxl_sr_stream_format.h)."""
# How often it is looked whether the module was told to end, in seconds.
_LOOK_S = 0.2
# How long xl may take nothing: it waits without limit for its lock, which another xl may hold for minutes.
_STALL_S = 900.0
# How long it may take behind the last byte: it attaches the devices.
_END_S = 300.0
# How long it may take to undo what it has begun.
_UNDO_S = 60.0
_LINES = 10


class Ended(Exception):
    """xl has ended, or does not read any more, and :meth:`XlRestore.error` says why."""


class XlRestore:
    """One ``xl restore -p``, which reads its standard input; started when this returns."""

    def __init__(self, xl: Xl) -> None:
        theirs, self.sink = os.pipe()
        enlarge(self.sink)
        os.set_blocking(self.sink, False)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as this
        try:
            # A signal to the module's group must not end xl, which then would leave a copy behind.
            self._process = spawn(
                xl.restore_paused_argv("/proc/self/fd/0"),
                stdin=theirs,
                stdout=self._stderr,
                stderr=self._stderr,
                leads=True,
            )
        except OSError as exc:
            self.close()
            remedy = "Make room in memory on the host, then run this again."
            raise RestoreFailed(f"{xl.binary} could not be started: {exc.strerror}", remedy=remedy) from exc
        finally:
            os.close(theirs)
        self.pid = self._process.pid
        self.begun = _procfs.start_time(self.pid)

    def write(self, data: bytes, stop: Stop) -> None:
        """Give it the next bytes. Raises Interrupted, Ended, or RestoreFailed when it takes nothing any more."""
        view, since = memoryview(data), time.monotonic()
        while view:
            stop.check()
            if not select.select([], [self.sink], [], _LOOK_S)[1]:
                if time.monotonic() - since > _STALL_S:
                    raise RestoreFailed(f"xl restore has read nothing for {_STALL_S:g} s", remedy=_remedy())
                continue
            try:
                view, since = view[os.write(self.sink, view) :], time.monotonic()
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise Ended from None

    def finish(self, stop: Stop) -> None:
        """Say that there are no more bytes and wait until it has ended. Raises Interrupted or RestoreFailed."""
        self._close_sink()
        deadline = time.monotonic() + _END_S
        while self._process.poll() is None:
            stop.check()
            if time.monotonic() > deadline:
                text = f"xl restore has not ended within {_END_S:g} s after the last byte"
                raise RestoreFailed(text, remedy=_remedy())
            self._wait(_LOOK_S)

    def give_up(self) -> None:
        """Close the pipe and wait until it has undone what it has begun; end it when it does not end."""
        self._close_sink()
        if not self._wait(_UNDO_S):
            self._process.kill()
            self._process.wait()

    def error(self) -> RestoreFailed | None:
        """Return why it failed, after its end; None when it did not, or was given up."""
        status = self._process.poll()
        if not status:
            return None
        self._stderr.seek(0)
        said = self._stderr.read().decode("utf-8", "replace")
        lines = [line for line in said.splitlines() if line.strip()][-_LINES:]
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        # The first error is the cause, and what follows is how it was taken.
        cause = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")
        text = f"xl restore {how}{f': {cause}' if cause else ''}"
        return RestoreFailed(text, stderr="\n".join(lines), rc=status)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def close(self) -> None:
        """Let go of the pipe."""
        self._close_sink()
        self._stderr.close()

    def _wait(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _close_sink(self) -> None:
        if self.sink >= 0:
            os.close(self.sink)
            self.sink = -1


def _remedy() -> str:
    return "Look for another xl on the host that holds the toolstack's lock, and at xl dmesg; then run this again."


def hold_back(pieces: t.Iterable[bytes]) -> t.Iterator[tuple[bytes, bytes]]:
    """Yield each piece with what of the stream may be passed on by now: all but its last ``HELD`` bytes.

    The last pair has no piece and the bytes that were held.
    """
    held = b""
    for piece in pieces:
        data = held + piece
        held = data[-HELD:]
        yield piece, data[:-HELD]
    yield b"", held
