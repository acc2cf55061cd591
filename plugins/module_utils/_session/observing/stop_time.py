# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the guest stood still, from XenStore watches on both hosts (private to the collection).

It begins when the source's domain has suspended (``@releaseDomain``), or is asked to shut down for the move, and ends
when the destination's ``xl`` reports that its copy runs. The two moments are on two clocks; the link knows how far
apart they are.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._link.clocks import CLOCK_MAX, ClockOffset
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import SUSPENDED
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.watch import RELEASE_DOMAIN, DomainWatch, WatchEvent

BOTH_HOSTS = "source_suspended_to_destination_running"
ONE_HOST = "source_suspended_to_report"
BOTH_HOSTS_COLD = "shutdown_asked_to_destination_running"
ONE_HOST_COLD = "shutdown_asked_to_report"

RUNNING = "destination_running"
REPORTED = "journal_reported_running"

# When it came to the disk that the guest is asked to shut down.
ASKED = "journal_shutting_down"

_OWN = {
    "suspend_requested",
    "suspend_acknowledged",
    SUSPENDED,
    "stream",
    "stream_ended",
    "permission_held",
    ASKED,
    "journal_ready",
    "journal_commit_requested",
    REPORTED,
    "xl_exited",
}


@dataclass(frozen=True)
class StopTime:
    """The stop time in ms (``None`` while unknown), how it was measured, and all moments in ms since ``xl`` began."""

    milliseconds: int | None
    measured: str | None
    timeline: dict[str, int]


def stop_time(own: dict[str, float], peer: t.Mapping[str, t.Any], offset: ClockOffset | None) -> StopTime:
    """Put both sides' moments (monotonic seconds of each host) on one line."""
    start = own.get("xl_started")
    if start is None:
        return StopTime(None, None, {})
    moments = {name: at for name, at in own.items() if name in _OWN}
    if offset is not None:
        for name, at in peer.items():
            if isinstance(at, float) and abs(at) <= CLOCK_MAX:
                moments["destination_" + str(name)] = at - offset.seconds
    line = {name: int((at - start) * 1000) for name, at in sorted(moments.items(), key=lambda item: item[1])}
    cold = ASKED in moments
    suspended = moments.get(ASKED if cold else SUSPENDED)
    if suspended is None:
        return StopTime(None, None, line)
    if RUNNING in moments:
        return StopTime(int((moments[RUNNING] - suspended) * 1000), BOTH_HOSTS_COLD if cold else BOTH_HOSTS, line)
    reported = own.get(REPORTED)
    if reported is not None:
        return StopTime(int((reported - suspended) * 1000), ONE_HOST_COLD if cold else ONE_HOST, line)
    return StopTime(None, None, line)


class SuspendMoments:
    """What the events of a source's XenStore say of its guest's suspend. ``path`` is its control/shutdown."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._changes = -1

    def take(self, events: t.Iterable[WatchEvent], timeline: dict[str, float]) -> None:
        """Add the moments that have come to ``timeline``, in monotonic seconds."""
        if REPORTED in timeline:
            # From now on xl takes the copy down, and its folder in XenStore, which is a change as well.
            return
        for event in events:
            at = event.at_ns / 1e9
            if event.path == self._path:
                # The first event only says that the watch is set. Then libxl writes "suspend", and the guest empties
                # it.
                self._changes += 1
                if self._changes:
                    timeline.setdefault("suspend_requested" if self._changes == 1 else "suspend_acknowledged", at)
            elif "suspend_acknowledged" in timeline:
                # Before that it was another domain which shut down or suspended.
                timeline.setdefault(SUSPENDED, at)


class SourceWatch:
    """Notes when the guest is asked to suspend, when it agrees, and when it has suspended.

    Raises the errors of :class:`DomainWatch` when XenStore cannot be watched.
    """

    def __init__(self, domid: int) -> None:
        path = f"/local/domain/{domid}/control/shutdown"
        self._watch = DomainWatch([path], special=(RELEASE_DOMAIN,))
        self._moments = SuspendMoments(path)

    def fileno(self) -> int:
        """Return the descriptor to watch, -1 when XenStore's connection is lost."""
        return -1 if self._watch.lost else self._watch.fileno()

    def read(self, timeline: dict[str, float]) -> None:
        """Add the moments that have come to ``timeline``, in monotonic seconds."""
        self._moments.take(self._watch.read(), timeline)

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()
