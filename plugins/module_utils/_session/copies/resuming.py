# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resuming a suspended domain with what its release of xl has for it (private to the collection)."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.monitors import KEPT, LOST
from ansible_collections.dom0.xen.plugins.module_utils._releases import RESUME_SINCE
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import XlTimeout
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import CommandResult, spawn
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl, failure
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

SUSPEND = "suspend"

# libxl waits 60 s for the guest to acknowledge, and 60 s for it to suspend (libxl_dom_suspend.c).
_SAVE_LIMIT = 150.0
_POLL = 0.1
_KILL_LIMIT = 10.0

Sleep = t.Callable[[float], None]
Clock = t.Callable[[], float]
Release = t.Tuple[int, int]


def monitor_after_suspend(release: Release) -> str:
    """Return what a suspend does to the process of xl that looks after the domain: ``kept``, or ``lost`` before 4.20.

    Without it nobody acts when the guest reboots or crashes (tools/xl/xl_vmcontrol.c handle_domain_death). It
    outlives a suspend since the release that has xl resume (DOMAIN_RESTART_SUSPENDED there).
    """
    return KEPT if release >= RESUME_SINCE else LOST


def shutdown_node(domid: int) -> str:
    """Return the node through which a guest is asked to suspend, and which it empties when it agrees."""
    return f"/local/domain/{domid}/control/shutdown"


def resume(
    xl: Xl,
    store: XenStore,
    domid: int,
    release: Release,
    sleep: Sleep = time.sleep,
    clock: Clock = time.monotonic,
) -> None:
    """Resume a domain that the caller has seen suspended; look at it afterwards, whatever comes of this.

    Before 4.20 nothing but ``xl save -c`` resumes, and a domain that is *not* suspended must never get here: its guest
    would not know that somebody agrees in its place. Takes seconds, at most ``_SAVE_LIMIT``. Raises the errors of
    :class:`Xl`.
    """
    if release >= RESUME_SINCE:
        xl.resume(domid)
        return
    with _Acknowledger(store, domid) as acknowledger, tempfile.TemporaryFile() as stderr:
        argv = xl.save_and_resume_argv(domid)
        # The image goes to /dev/null and not to us: xl crashes when its reader ends before it does.
        process = spawn(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        deadline = clock() + _SAVE_LIMIT
        while process.poll() is None and clock() < deadline:
            acknowledger.turn()
            sleep(_POLL)
        if process.poll() is None:
            # What is left running would resume the domain when somebody has decided otherwise.
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_KILL_LIMIT)
            text = f"xl save -c of domid {domid} did not end within {_SAVE_LIMIT:g} s"
            raise XlTimeout(text, cmd=argv, rc=-1, stderr=_text(stderr))
        if process.returncode:
            raise failure(argv, CommandResult(process.returncode, "", _text(stderr)))


class _Acknowledger:
    """Agrees to one suspend request in the place of a guest that is suspended already.

    Without it libxl waits a minute and then takes the request back, which ends in the same way (libxl_dom_suspend.c
    domain_suspend_common_pvcontrol_suspending); so a XenStore that cannot be used costs time, nothing else.
    """

    def __init__(self, store: XenStore, domid: int) -> None:
        self._store = store
        self._node = shutdown_node(domid)
        self._done = False

    def __enter__(self) -> _Acknowledger:
        # A request that was left over is not the one to wait for.
        self.turn()
        self._done = False
        return self

    def __exit__(self, *dummy: object) -> None:
        return None

    def turn(self) -> None:
        """Look once; agree when asked."""
        if self._done:
            return
        with contextlib.suppress(Dom0XenError):
            if self._store.read(self._node) == SUSPEND:
                self._store.write(self._node, "")
                self._done = True


def _text(file: t.IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
