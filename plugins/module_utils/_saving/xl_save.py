# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl save -p`` whose stream becomes an image, described and hashed on its way (private to the collection)."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import tempfile
import time
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._image.describe import Describer
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description
from ansible_collections.dom0.xen.plugins.module_utils._saving.room import MIB, Room
from ansible_collections.dom0.xen.plugins.module_utils._saving.sinks import Sink
from ansible_collections.dom0.xen.plugins.module_utils._saving.stop import Stop
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.unsuspended import unsuspended
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import READ_BYTES
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.save_paused import SavePaused
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import SaveFailed
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

# How often it is looked whether the module was told to end, in seconds.
_LOOK_S = 0.5
# How long xl may stand still, also behind the last byte: it pauses and resumes the domain.
_END_S = 150.0
# How much is written between two looks at the file system.
_STEP = 64 * MIB
_LINES = 10
_AWAKE = "See that the guest's kernel answers (xl console); one that cannot suspend cannot be saved, only shut down."


@dataclass(frozen=True)
class Written:
    """What has come through the pipe. ``still_since`` is when the first page came (monotonic seconds), if any did."""

    description: Description
    stream_bytes: int
    sha256: str
    still_since: float | None


class XlSave(SavePaused):
    """One ``xl save -p`` that becomes an image."""

    def __init__(self, xl: Xl, domid: int) -> None:
        super().__init__(xl, domid)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as this

    def begin(self) -> None:
        """Start xl. Raises XlNotStarted."""
        # A signal to the module's group must not end xl, which would leave the guest suspended.
        self.start(self._stderr, apart=True)

    def follow(self, sink: Sink, fd: int, room: Room, stop: Stop) -> Written:
        """Take the stream into ``sink``, which writes to ``fd``, until it ends.

        Raises what the sink does, NoRoom, Interrupted, and SaveFailed for what is no sound image.
        """
        describer, digest = Describer(pages=False), hashlib.sha256()
        size, looked, since, last = 0, 0, None, time.monotonic()
        while True:
            stop.check()
            if not select.select([self.source], [], [], _LOOK_S)[0]:
                # It holds the pipe to its own end, which may not come.
                if describer.ended and time.monotonic() - last > _END_S:
                    break
                continue
            last = time.monotonic()
            data = os.read(self.source, READ_BYTES)
            if not data:
                break
            describer.feed(data)
            digest.update(data)
            sink.write(data)
            size += len(data)
            if since is None and describer.jumpable:
                since = time.monotonic()
            if size - looked >= _STEP:
                looked = size
                room.require(0)
                # Begin to write it out now, and keep it from filling dom0's memory.
                with contextlib.suppress(OSError):
                    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        describer.finish()
        return Written(describer.describe("", size, ""), size, digest.hexdigest(), since)

    def end(self, limit: float | None = None) -> None:
        """Read what nobody wants any more, and wait for xl's end, never for ever."""
        super().end(_END_S if limit is None else limit)

    def close(self) -> None:
        """Let go of the pipe and the messages."""
        super().close()
        self._stderr.close()

    def error(self) -> Dom0XenError | None:
        """Return why xl failed, after :meth:`end`; None when it did not."""
        status = self.status or 0
        if status == 0:
            return None
        lines = self._lines()
        ignored = unsuspended(lines, _AWAKE)
        if ignored is not None:
            return ignored
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        last = f": {lines[-1]}" if lines else ""
        remedy = "See the lines of xl in details.stderr and in the hypervisor's messages (xl dmesg)."
        return SaveFailed(f"xl save {how}{last}", remedy=remedy, stderr="\n".join(lines), rc=status)

    def _lines(self) -> list[str]:
        self._stderr.seek(0)
        said = self._stderr.read().decode("utf-8", "replace")
        return [line for line in said.splitlines() if line.strip()][-_LINES:]
