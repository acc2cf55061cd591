# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sender's status says beyond that of any session (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.clocks import ClockOffset
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD, LIVE, SUSPEND
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.stop_time import stop_time
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Owner

Timeline = t.Dict[str, float]


def document(
    state: SourceState,
    timeline: Timeline,
    peer: t.Mapping[str, t.Any],
    clock_offset: ClockOffset | None,
    late: bool,
    unix_ahead: float,
) -> dict[str, t.Any]:
    """Return method, permission, gate and times; ``timeline`` in seconds of the monotonic clock.

    ``peer`` is what the receiver has told, ``clock_offset`` how far its clock is ahead, ``late`` whether the link has
    been away, or nothing has moved, for longer than is waited. ``unix_ahead``: what makes seconds since 1970, by this
    host's clock, of seconds of its monotonic clock.
    """
    stop = stop_time(timeline, peer.get("timeline", {}), clock_offset)
    return {
        "method": COLD if state.shuts_down else SUSPEND if state.pauses else LIVE,
        "permission": {
            "held": state.permission_held,
            "committed": state.commit_left,
            "given": state.permission_given,
        },
        "gate": {
            "kind": state.gate,
            "waits": state.at_the_gate,
            "tasks_started": state.tasks_started,
            "tasks_undone": state.tasks_undone,
        },
        "waits_for_settling": waits_for_settling(state, late),
        "began_s": round(timeline["xl_started"] + unix_ahead, 3) if "xl_started" in timeline else None,
        "total_ms": _total_ms(timeline),
        "stop_ms": stop.milliseconds,
        "stop_measured": stop.measured,
        "timeline": stop.timeline,
    }


def of_peer(message: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what is kept of a message of the receiver: its moments, figures, and the last words of its ``xl``."""
    kinds = {"timeline": dict, "figures": dict, "stderr": list}
    return {key: message[key] for key, kind in kinds.items() if isinstance(message.get(key), kind)}


def waits_for_settling(state: SourceState, late: bool) -> bool:
    """Whether nothing but somebody who looks at both hosts can bring the session to its end."""
    if state.xl_killed and state.xl_runs:
        # The kernel does not let it end, and it keeps the guest.
        return late
    if state.owner is Owner.DESTINATION and state.answered and state.xl_runs:
        # It is to destroy its copy, and hangs. The domain has moved, and nothing is done by force.
        return late
    if state.must_undo and state.failure is not None:
        return True
    return state.owner is Owner.UNSETTLED and not state.answered and (late or state.report is not None)


def _total_ms(timeline: Timeline) -> int | None:
    if "xl_started" not in timeline or "xl_exited" not in timeline:
        return None
    return int((timeline["xl_exited"] - timeline["xl_started"]) * 1000)
