# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy of a session's domain at the destination: which one it is, and when it gets its name (private)."""

from __future__ import annotations

import contextlib
import math

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.watch import DomainWatch

SEARCH_INTERVAL = 0.25


class Arrival:
    """Tells this session's copy from every other domain with its UUID: on a move within one host, from the source's.

    Made before ``xl`` is started. Raises the errors of :class:`XenStore` and :class:`DomainWatch`.
    """

    def __init__(self, store: XenStore, uuid: str, socket_path: str | None = None) -> None:
        self._store = store
        self._uuid = uuid.lower()
        self._before = frozenset(store.domids())
        self._others = frozenset(domid for domid in self._before if store.uuid(domid) == self._uuid)
        self._watch = DomainWatch(socket_path=socket_path, special=())
        self._searched = -math.inf
        self._names = -1
        self.domid: int | None = None

    def fileno(self) -> int:
        """Return the descriptor to watch, -1 when XenStore's connection is lost."""
        return -1 if self._watch.lost else self._watch.fileno()

    def search(self, now: float) -> bool:
        """Look for the copy, and watch its name, until it is found; ``now`` in seconds bounds how often.

        Returns whether it has just been found.

        Its folder is there before memory is read (libxl_create.c, libxl__domain_make): called while the stream flows,
        all of this is done before the guest stands still.
        """
        if self.domid is not None or now - self._searched < SEARCH_INTERVAL:
            return False
        self._searched = now
        # Where XenStore refuses, the moment stays unknown, and the copy is found when the hypervisor is asked.
        with contextlib.suppress(Dom0XenError):
            self.domid = next(iter(self._store.domids_of(self._uuid, apart_from=self._before)), None)
            if self.domid is not None:
                self._watch.add(f"/local/domain/{self.domid}/name")
        return self.domid is not None

    def read(self, timeline: dict[str, float]) -> None:
        """Add the moment when the copy got the domain's own name to ``timeline``, in monotonic seconds."""
        for event in self._watch.read():
            # The first event only says that the watch is set.
            self._names += 1
            if self._names:
                timeline.setdefault("named", event.at_ns / 1e9)

    def is_mine(self, row: DomainRow) -> bool:
        """Whether a domain of this host is the session's copy."""
        return row.uuid == self._uuid and row.domid not in self._others

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()
