# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One side of one session as a run that settles finds it on this host (private to the collection)."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER, session_folder
from ansible_collections.dom0.xen.plugins.module_utils._session.found import found, left_xl
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import History, read_history


@dataclass(frozen=True)
class Here:
    """One side of one session on this host; ``settler`` is the identity of the run that settles."""

    runtime_root: str
    journal_root: str
    session: str
    role: str
    uuid: str
    name: str
    settler: str

    @property
    def runtime(self) -> str:
        """The folder of its process."""
        return session_folder(self.runtime_root, self.session, self.role)

    @property
    def journal(self) -> str:
        """The folder of its journal."""
        return session_folder(self.journal_root, self.session, self.role)

    @property
    def other(self) -> Here:
        """The other side, which is on the same host only if its folder is there."""
        return replace(self, role=RECEIVER if self.role == SENDER else SENDER)

    def history(self) -> History:
        """Return what its journal says."""
        said = documents.last_lines(os.path.join(self.journal, documents.XL_STDERR))
        return read_history(journal.read(self.journal), said)

    def status(self) -> found.Document:
        """Return what it says of itself and whether its process runs, as :func:`found.status_of`; empty if nothing."""
        return found.status_of(self.runtime_root, self.journal_root, self.session, self.role) or {}

    def alive(self) -> bool:
        """Whether its process runs."""
        return bool(self.status().get("alive"))

    def left_xl(self) -> list[int]:
        """Return the processes that live of the ``xl`` that the session has started in this boot.

        That may be what stands for one, and an ``xl`` that it has started.
        """
        records = journal.read(self.journal)
        if read_history(records).boot_id != _procfs.boot_id():
            return []
        noted = [record.get("details") or {} for record in records if record.get("step") == "xl_started"]
        known = [xl for xl in noted if xl.get("pid") and xl.get("started")]
        if not known:
            return []
        leader, began = int(known[0]["pid"]), int(known[0]["started"])
        now = _procfs.start_time(leader)
        # Another process may have the pid by now, and a session of its own.
        own = [leader] if now == began and _procfs.is_alive(leader) else []
        if not known[0].get("leads", True) or now not in (began, None):
            return own
        return own + [pid for pid in left_xl.works(leader) if pid != leader]
