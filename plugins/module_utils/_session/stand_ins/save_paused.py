# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl save -p`` into a pipe, and the look that the domain stands still after it (private to the collection).

xl pauses the domain, then resumes it into the pause, looks at neither, and exits with 0 (tools/xl/xl_saverestore.c
save_domain). It ends badly when its reader goes, so that what nobody wants is read to its end all the same.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import READ_BYTES, enlarge
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import StandsNotStill, XlNotStarted
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import environment
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl


class SavePaused:
    """One ``xl save -p``. The pipe is there first, so that somebody else can hold ``theirs``: then :meth:`start`.

    ``source`` is the descriptor to read. ``config`` is the file that xl writes the domain's configuration from, empty
    for its own.
    """

    def __init__(self, xl: Xl, domid: int, config: str = "") -> None:
        self._xl, self._domid, self._config = xl, domid, config
        self.source, self.theirs = os.pipe()
        self._process: subprocess.Popen[bytes] | None = None
        enlarge(self.source)

    @property
    def started(self) -> bool:
        """Whether xl was started."""
        return self._process is not None

    @property
    def status(self) -> int | None:
        """The exit status of xl, negative for a signal; None before :meth:`end` has seen one."""
        return self._process.returncode if self._process is not None else None

    def start(self, messages: int | t.IO[bytes], *, apart: bool = False) -> None:
        """Start xl, which writes to ``messages``; ``apart``: in a session of its own. Raises XlNotStarted."""
        argv = self._xl.save_paused_argv(self._domid, f"/proc/self/fd/{self.theirs}", self._config)
        try:
            self._process = subprocess.Popen(  # pylint: disable=ansible-bad-function  # it is followed while it runs
                argv,
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=messages,
                env=environment(),
                pass_fds=(self.theirs,),
                start_new_session=apart,
            )
        except OSError as exc:
            text = f"{self._xl.binary} could not be started: {exc.strerror}"
            raise XlNotStarted(text, remedy="Make room in memory on the host, then run this again.") from exc
        finally:
            self._close_theirs()

    def end(self, limit: float | None = None) -> None:
        """Read what nobody wants any more, and wait for xl's end; when it stands still for ``limit`` s it is killed.

        However much is still to come: an xl that is killed leaves the guest suspended.
        """
        self._close_theirs()
        over = False
        with contextlib.suppress(OSError):
            while not over and select.select([self.source], [], [], limit)[0]:
                over = not os.read(self.source, READ_BYTES)
        if self._process is None:
            return
        try:
            self._process.wait(limit if over or limit is None else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Let go of the pipe."""
        self._close_theirs()
        os.close(self.source)

    def _close_theirs(self) -> None:
        if self.theirs >= 0:
            os.close(self.theirs)
            self.theirs = -1


def standing_still(xl: Xl, domid: int, uuid: str, name: str) -> DomainRow:
    """Return the domain ``name`` as ``xl save -p`` leaves it, paused. Raises StandsNotStill and the errors of Xl."""
    row = next((row for row in xl.domains() if (row.domid, row.uuid) == (domid, uuid)), None)
    if row is None or not row.state.paused or not row.state.alive:
        state = "gone" if row is None else row.state.word
        raise StandsNotStill(f"{name} is {state} after xl save, not paused")
    return row
