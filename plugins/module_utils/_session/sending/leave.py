# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The leave to suspend the guest of a live move, for which the warden asks (private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.keeper import StopKeeper
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.source_xl import SourceXl
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.warden import WardenMissing
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase


class Leave:
    """One sender's. ``unguarded`` is whether ``xl`` would not ask for it.

    Where it would not, nothing is read any more: what is in the pipe keeps the helper where it can be ended.
    """

    def __init__(self, process: SourceXl, stream: Outgoing, keeper: StopKeeper, link: Link) -> None:
        self._process, self._stream, self._keeper, self._link = process, stream, keeper, link
        self.unguarded = False

    @property
    def awaited(self) -> bool:
        """Whether the guest cannot be suspended yet, however far the stream has come."""
        return self._process.warden.holds

    def look(self, state: SourceState) -> words.Event | None:
        """Answer whoever asks, once all that was written before has arrived; return what has come of it.

        It is to be fed at once. Once it was permitted nobody may disturb the helper, long before XenStore tells that
        the guest was asked; once it was refused the move is over, however long ``xl`` takes to end.
        """
        warden, failed = self._process.warden, state.failure is not None
        warden.look()
        if warden.holds and not warden.stands and not failed and self._stream.rounds.number >= 0:
            self.unguarded = True
            return words.Failed(failures.of(WardenMissing("the move was given up: xl would suspend the guest unasked")))
        if warden.asks and failed:
            warden.answer(permitted=False)
        # The guest would stand still for what is on its way, too, and with the link away for as long as that is.
        elif warden.asks and not self._process.has_written and self._link.up and self._link.delivered:
            # Some rounds do not show their end, and the last one would count with the one before.
            self._stream.rounds.end_round()
            refused = self._keeper.against(self._stream)
            warden.answer(permitted=refused is None)
            return words.Reached(Phase.SUSPENDING) if refused is None else words.Failed(refused)
        return None
