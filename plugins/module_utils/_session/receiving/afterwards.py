# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the destination does once the domain's owner is known and the source has been told (private to the collection).

First what came with the domain is put in place, then its life is looked at. The source waits for neither, and nothing
of it changes who owns the domain.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._mapping import of_entries
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings import belongings
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.unpacking import Unpacking
from ansible_collections.dom0.xen.plugins.module_utils._session.observing import liveness, portrait
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.guest_clock import GuestClock
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Owner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore


class Afterwards:
    """One receiver's; ``send`` sends a message to the source, ``clock`` is what its stream has told of the guest's."""

    def __init__(
        self,
        settings: ReceiverSettings,
        xl: Xl,
        store: XenStore,
        send: t.Callable[[t.Mapping[str, t.Any]], None],
        clock: GuestClock,
    ) -> None:
        self._settings = settings
        self._xl = xl
        self._store = store
        self._send = send
        self._clock = clock
        who = (settings.session, settings.uuid, settings.name)
        self._unpacking = Unpacking(settings.journal_folder, *who, names=of_entries(settings.mapped))
        self._before: portrait.Traits = {}
        self._connected: tuple[str, ...] = ()
        self._came = False
        self._liveness: dict[str, t.Any] | None = None
        self._differences: list[dict[str, t.Any]] | None = None

    @property
    def told(self) -> dict[str, t.Any]:
        """What the result says of it."""
        return {
            "belongings": self._unpacking.told,
            "liveness": self._liveness,
            "differences": self._differences,
        }

    def take(self, message: t.Mapping[str, t.Any]) -> bool:
        """Take a message of the source if it is about this; return whether it is. Raises FrameError."""
        kind = message.get("type")
        if kind == portrait.KIND:
            traits, connected = portrait.read(message)
            self._before.update(traits)
            self._connected = self._connected or connected
        elif kind == belongings.KIND:
            if self._came:
                raise FrameError("belongings that come twice")
            self._came = True
            self._send(belongings.seen(self._unpacking.keep(message) if self._settings.follow_config else None))
        return kind in (portrait.KIND, belongings.KIND)

    def run(
        self,
        owner: Owner,
        domid: int | None,
        wait: t.Callable[[float], None],
        dismissed: t.Callable[[], bool],
    ) -> None:
        """Do it, for a session that has ended with this owner."""
        if owner is Owner.SOURCE:
            self._unpacking.drop()
        if owner is not Owner.DESTINATION:
            return
        self._unpacking.unpack()
        if not self._settings.liveness or self._settings.leave_paused or domid is None:
            return
        # A guest that was started anew connects its devices when it has booted, and some take minutes.
        connected = () if self._settings.method == COLD else self._connected
        pulse = liveness.Pulse(self._xl, self._store, domid, connected, self._settings.liveness_address)
        self._liveness = liveness.follow(pulse.look, self._settings.liveness_timeout, wait, dismissed)
        if self._before and not dismissed():
            after = portrait.processors(self._xl, domid)
            with contextlib.suppress(Dom0XenError):
                after.update(portrait.memory(self._store, domid))
            self._differences = portrait.differences(self._before, after, self._clock.info)
