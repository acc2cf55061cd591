# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to the XenStore daemon that can be lost without hanging anybody (private to the collection).

pyxs leaves a caller waiting for ever when its connection dies, and prints the end of its thread on stderr. So calls are
made in a thread of our own with a limit of time, and the thread of pyxs ends in silence.
"""

from __future__ import annotations

import os
import queue
import re
import threading
import traceback
import typing as t

try:
    import pyxs
    from pyxs.connection import UnixSocketConnection
except ImportError:
    pyxs = None
    PYXS_TRACEBACK: str | None = traceback.format_exc()
else:
    PYXS_TRACEBACK = None

from ansible_collections.dom0.xen.plugins.module_utils._xenstore.errors import (
    PyxsMissing,
    XenStoreError,
    XenStoreTimeout,
    XenStoreUnreachable,
)

SOCKETS = ("/run/xenstored/socket", "/var/run/xenstored/socket")
T = t.TypeVar("T")

_METADATA = re.compile(r"pyxs-([0-9][^-]*)(?:-py[0-9.]+)?\.(?:egg|dist)-info\Z")


def find_socket() -> str:
    """Return the path of the daemon's socket, looked up as libxenstore does (tools/libs/store/xs.c, xs_lib.c)."""
    named = os.environ.get("XENSTORED_PATH")
    if named:
        return named
    folder = os.environ.get("XENSTORED_RUNDIR")
    candidates = (os.path.join(folder, "socket"),) if folder else SOCKETS
    return next((path for path in candidates if os.path.exists(path)), candidates[0])


def pyxs_version() -> str | None:
    """Return the version of pyxs, "unknown" where it does not tell, or None when it cannot be imported."""
    if pyxs is None:
        return None
    # Beside the package lies pyxs-VERSION.egg-info or .dist-info; importlib.metadata is far too slow to ask.
    package = os.path.dirname(pyxs.__file__)
    for name in os.listdir(os.path.dirname(package)):
        match = _METADATA.match(name)
        if match:
            return match.group(1)
    return "unknown"


class Connection:
    """A pyxs client whose calls have a limit of time.

    Raises PyxsMissing and XenStoreUnreachable when it is made; ``on_lost`` is called, in a thread of pyxs, when the
    connection ends for whatever reason.
    """

    def __init__(
        self, socket_path: str | None = None, timeout_s: float = 10.0, on_lost: t.Callable[[], None] | None = None
    ) -> None:
        if pyxs is None:
            raise PyxsMissing("pyxs is not installed for this Python.", traceback=PYXS_TRACEBACK)
        self.path = socket_path or find_socket()
        self.timeout_s = timeout_s
        self._lost = threading.Event()
        self._on_lost = on_lost
        self._jobs: queue.SimpleQueue[_Job[t.Any] | None] = queue.SimpleQueue()
        self.client = pyxs.Client(router=_quiet_router(self.path, self._router_ended))
        threading.Thread(target=self._work, name="xenstore", daemon=True).start()
        try:
            self.call(self.client.connect)
        except XenStoreError as exc:
            self.close()
            if isinstance(exc, XenStoreTimeout):
                raise
            raise XenStoreUnreachable(f"no XenStore daemon answers at {self.path}: {exc}", path=self.path) from exc

    @property
    def lost(self) -> bool:
        """Whether the connection has ended."""
        return self._lost.is_set()

    def call(self, function: t.Callable[..., T], *arguments: t.Any) -> T:
        """Call a method of pyxs and return what it returns.

        Raises XenStoreError, XenStoreUnreachable once the connection is lost, XenStoreTimeout.
        """
        if self.lost:
            raise XenStoreUnreachable(f"the connection to XenStore at {self.path} is lost.", path=self.path)
        job = _Job(function, arguments)
        self._jobs.put(job)
        waited = 0.0
        while not job.done.wait(0.25):
            waited += 0.25
            if self._lost.is_set() and not job.done.wait(0.25):
                raise XenStoreUnreachable(f"the connection to XenStore at {self.path} was lost.", path=self.path)
            if waited >= self.timeout_s:
                self._lost.set()
                raise XenStoreTimeout(
                    f"XenStore at {self.path} did not answer within {self.timeout_s:g} s.", path=self.path
                )
        return job.result()

    def close(self) -> None:
        """End the connection; never waits longer than a second."""
        self._lost.set()
        self._jobs.put(None)
        ending = threading.Thread(target=self._terminate, name="xenstore-close", daemon=True)
        ending.start()
        ending.join(1.0)

    def _terminate(self) -> None:
        try:
            self.client.close()
        except (pyxs.PyXSError, OSError):
            return

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            job.run()

    def _router_ended(self) -> None:
        self._lost.set()
        if self._on_lost is not None:
            self._on_lost()


class _Job(t.Generic[T]):
    """One call, made in the connection's thread."""

    def __init__(self, function: t.Callable[..., T], arguments: t.Sequence[t.Any]) -> None:
        self._function = function
        self._arguments = arguments
        self._value: T | None = None
        self._error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            self._value = self._function(*self._arguments)
        except Exception as exc:  # handed to the caller, in whose thread it is raised
            self._error = exc
        finally:
            self.done.set()

    def result(self) -> T:
        if self._error is None:
            return t.cast(T, self._value)
        if isinstance(self._error, pyxs.ConnectionError):
            raise XenStoreUnreachable(str(self._error)) from self._error
        if isinstance(self._error, (pyxs.PyXSError, ValueError, OSError)):
            raise XenStoreError(str(self._error), errno=errno_of(self._error)) from self._error
        raise self._error


def errno_of(error: BaseException) -> int | None:
    """Return the error number of an exception of pyxs, which has it as its first argument, or None."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else None


def _quiet_router(path: str, on_end: t.Callable[[], None]) -> t.Any:
    """Return the part of pyxs that receives, with a thread whose end is told instead of printed."""
    router = pyxs.Router(UnixSocketConnection(path))

    def receive() -> None:
        try:
            router()
        except (pyxs.PyXSError, OSError, ValueError, AttributeError):
            return  # the connection ended, perhaps while select was looking at it
        finally:
            on_end()

    router.thread = threading.Thread(target=receive, name="xenstore-receive", daemon=True)
    return router
