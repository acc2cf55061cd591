# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of faults, and where each of them can happen (pure)."""

from __future__ import annotations

import dataclasses
import typing as t

from .names import DESTINATION, SOURCE, Place

# Processes that can be killed, by the name a recording has for them.
PROCESSES = (
    *("sender", "receiver", "xl-migrate", "xl-receive", "save-helper", "restore-helper", "shim", "controller"),
    *("settler", "xl-save", "xl-create", "monitor", "warden"),
)
# Those that may stand still for longer than they are waited for, and then go on as if nothing had been.
_HANGING = ("sender", "receiver", "xl-migrate", "xl-receive")
LINK = "link"
# Code that the campaign put points into: of sessions, of what stands for xl in them, and of what settles.
_INSIDE = ("sender.", "receiver.", "saver.", "shutter.", "starter.", "settle.")


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind: what must be there for it (a process, or the link), and on which host it must be passed."""

    name: str
    needs: str | None = None
    host: str | None = None
    # Whether only code that the campaign put points into can feel it.
    inside: bool = False
    # Only where a record has been written and not yet been flushed; only where a record has been made.
    unflushed: bool = False
    recorded: bool = False
    # Only at this point.
    at: str = ""

    def applies(self, place: Place, alive: t.Collection[str]) -> bool:
        """Tell whether it makes sense at a place where these things are alive."""
        if self.needs is not None and self.needs not in alive:
            return False
        if self.host is not None and self.host != place.host:
            return False
        if self.at and self.at != place.point:
            return False
        if self.inside and not place.point.startswith(_INSIDE):
            return False
        ending = ".written" if self.unflushed else ".after" if self.recorded else ""
        return not ending or (".journal." in place.point and place.point.endswith(ending))


def _kinds() -> t.Iterator[Kind]:
    for process in PROCESSES:
        yield Kind(f"kill-{process}", needs=process)
    for process in _HANGING:
        yield Kind(f"hang-{process}", needs=process, recorded=True)
    for name in ("cut", "stall", "oneway-out", "oneway-back", "vanish"):
        yield Kind(f"link-{name}", needs=LINK)
    # Both processes live on, and wait for whoever settles.
    yield Kind("link-lost", needs=LINK, host=SOURCE, at="sender.journal.commit_requested.after")
    for host in (SOURCE, DESTINATION):
        yield Kind(f"power-{host}")
        yield Kind(f"gone-{host}")
        yield Kind(f"torn-{host}", host=host, unflushed=True)
        for name in ("full", "eio", "clock-forward", "clock-back"):
            yield Kind(f"{name}-{host}", host=host, inside=True)


KINDS: dict[str, Kind] = {kind.name: kind for kind in _kinds()}
