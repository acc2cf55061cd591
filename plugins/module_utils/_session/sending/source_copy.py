# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source's copy of a session, as the way in which it is moved has it (private to the collection)."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._session.copies import late_shutdown, late_suspend
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import Being, Downfall
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.number import DomidChanged
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.unsuspended import unsuspended
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.gate import gate
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.observe import observe
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.shutter import ENDS, SAYS
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import DomainVanished
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Copy, CopyState, Failure, Owner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore


class SourceCopy:
    """One session's; ``domid`` is the one that the domain has when the session begins, -1 before that."""

    def __init__(self, xl: Xl, store: XenStore, settings: SenderSettings) -> None:
        self._xl, self._store, self._settings = xl, store, settings
        self.domid = -1
        self._down: Downfall | None = None

    def find(self) -> int:
        """Return its domid. Raises DomainVanished where there is not exactly one, or DomidChanged."""
        domids = self._store.domids_of(self._settings.uuid)
        if len(domids) != 1:
            raise DomainVanished(f"{len(domids)} domains have the UUID {self._settings.uuid} here")
        if self._settings.keep_domid not in (0, domids[0]):
            had = f"{self._settings.name} had the domid {self._settings.keep_domid}"
            raise DomidChanged(f"{had}, which it was to keep, and has {domids[0]} now")
        self.domid = domids[0]
        if self._settings.shuts_down:
            self._downfall().attend()
        return self.domid

    def observe(self, owner: Owner) -> Copy:
        """Look at it until it is as it may stay; one that was started again has another domid."""
        if self.domid < 0:
            self.domid = next(iter(self._store.domids_of(self._settings.uuid)), -1)
        here = () if owner is Owner.DESTINATION else (CopyState.RUNNING, CopyState.PAUSED)
        seen = observe(self._xl, self._is_mine, {CopyState.ABSENT, *here}.__contains__)
        anew = self._settings.shuts_down and seen.domid != self.domid and seen.state is CopyState.PAUSED
        if anew and here:
            # What makes it lets it go at last.
            seen = observe(self._xl, self._is_mine, {CopyState.ABSENT, CopyState.RUNNING}.__contains__)
            if seen.state is CopyState.PAUSED:
                return replace(seen, state=CopyState.HALF_MADE)
        gone = self._settings.shuts_down and owner is not Owner.DESTINATION and seen.state is CopyState.ABSENT
        return Copy(CopyState.TAKEN) if gone and self._downfall().look()[0] is Being.TAKEN else seen

    def _is_mine(self, row: DomainRow) -> bool:
        if self._settings.shuts_down:
            # What is being torn down is none, and may lie beside what was started again.
            return row.uuid == self._settings.uuid and not row.state.dying
        return row.domid == self.domid

    def against(self, xl_exit_code: int | None) -> Failure | None:
        """Return what it shows against using the permission."""
        settings = self._settings
        if settings.rehearse:
            # Whatever has let it come this far.
            return failures.NOT_REFUSED
        if settings.shuts_down:
            return gate.presence_against(self._store, settings.uuid, settings.name, xl_exit_code)
        return gate.evidence_against(self._xl, self._store, self.domid, settings, xl_exit_code)

    def ended(self, said: t.Sequence[str], code: int) -> Failure:
        """Return what the end of ``xl``, or of what stands for it, means, which ``said`` these lines at last."""
        kind = ENDS.get(code) if self._settings.shuts_down else None
        if kind is None:
            ignored = unsuspended(said)
            return failures.of(ignored) if ignored else failures.xl_ended("xl_migrate", said, code)
        # What it has said first is the cause, what comes after that is how it went back.
        own = [line[len(SAYS) :] for line in said if line.startswith(SAYS)]
        return failures.of(kind(own[0] if own else kind.__name__))

    def complete(self) -> None:
        """Its whole stream has come: what stands for ``xl`` has seen it shut down."""
        if self._settings.shuts_down:
            self._downfall().vouch()

    def go_on(self) -> None:
        """Let it run again here, or start it again."""
        if self._settings.shuts_down:
            self._downfall().start()
        else:
            Copies(self._xl, self._store, self._settings.uuid, self._settings.name).go_on(self.domid)

    def watches(self, state: SourceState, timeline: t.Container[str], said: t.Iterable[str]) -> bool:
        """Return whether the guest may still do as it was asked, when the session is over and the domain stayed."""
        if state.owner is not Owner.SOURCE or state.must_undo:
            return False
        return state.down_asked or late_suspend.possible(timeline, said)

    def follow(
        self,
        state: SourceState,
        timeline: t.Container[str],
        said: t.Sequence[str],
        wait: late_suspend.Wait,
        dismissed: t.Callable[[], bool],
    ) -> t.Iterator[tuple[str, dict[str, t.Any], Failure | None]]:
        """Watch, when the session is over and the domain stayed, for what the guest may still do as it was asked.

        Yields once that it is worth it, and then what to put on record, and why it has no owner any more where so.
        """
        if not self.watches(state, timeline, said):
            return
        if state.down_asked:
            yield "watches", {}, None
            who = (self.domid, self._settings.name)
            outcome = late_shutdown.follow(self._downfall(), *who, wait, dismissed)
            yield "late_shutdown", outcome, late_shutdown.failure(outcome, self._settings.name)
        else:
            yield "watches", {}, None
            copy = (self.domid, self._settings.uuid, self._settings.name)
            outcome = late_suspend.follow(self._xl, self._store, *copy, wait, dismissed)
            yield "late_suspend", outcome, late_suspend.failure(outcome, self._settings.name)

    def _downfall(self) -> Downfall:
        if self._down is None:
            settings = self._settings
            self._down = Downfall(self._xl, settings.uuid, settings.name, self.domid, settings.journal_folder)
        return self._down
