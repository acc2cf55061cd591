# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long the destination waits, and for what (private to the collection).

As in :mod:`sending.sender_deadlines` what comes of it the machine decides.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.away import Away
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination_state import DestinationState
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import BannerWrong, NotAdmitted
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase

# How long xl may take to give up after its input was closed, before it is killed; it may wait for its lock meanwhile.
GIVE_UP_LIMIT = 120.0
# The same while xl has not been given anything yet, so that there is nothing it could have to tidy up.
UNUSED_GIVE_UP_LIMIT = 5.0


class ReceiverDeadlines:
    """Those of one receiver; ``clock`` is monotonic, in seconds."""

    def __init__(self, settings: ReceiverSettings, link: Link, clock: t.Callable[[], float]) -> None:
        self._settings, self._link, self._clock = settings, link, clock
        self._away = Away(link, clock)
        self._began = clock()
        self._closed_at: float | None = None

    def closed(self) -> None:
        """Take note that ``xl`` reads the end of its input now, and is to end."""
        self._closed_at = self._clock()

    def passed(self, state: DestinationState, listens: bool) -> t.Iterator[words.Event]:
        """Yield what is too late by now; ``listens``: the banner has come."""
        settings, gone = self._settings, self._clock() - self._began
        # Whether more should have come only the source can tell; it gives up by itself.
        self._away.look((state.phase, self._link.expected, self._link.answers))
        if not listens and gone > settings.banner_timeout:
            text = f"xl migrate-receive has said nothing within {settings.banner_timeout} s"
            yield words.Failed(failures.of(BannerWrong(text)))
        if state.phase is Phase.STARTING:
            if listens and gone > settings.admission_timeout:
                text = f"no sender came within {settings.admission_timeout} s"
                yield words.Failed(failures.of(NotAdmitted(text)))
        elif self._away.seconds > settings.link_timeout:
            yield words.LinkExpired(failures.link_expired("source", settings.link_timeout))

    def kills(self, state: DestinationState, authorised: bool) -> bool:
        """Whether ``xl`` has had its time to give up, said once; ``authorised``: it was given something to read."""
        limit = GIVE_UP_LIMIT if authorised else UNUSED_GIVE_UP_LIMIT
        if self._closed_at is None or state.committed or self._clock() - self._closed_at <= limit:
            return False
        self._closed_at = None
        return True
