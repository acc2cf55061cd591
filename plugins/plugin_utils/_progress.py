# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the status of a migration into a line that a person reads (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import COLD

Status = t.Mapping[str, t.Any]

_MIB = 1024 * 1024

# JSON knows numbers that no time and no size can be; they would end the watch when they are rounded.
_MOST = 1e18

# What each phase of a status document is called; "streaming" is told by its round instead.
_PHASES: dict[str, str] = {
    "starting": "starting",
    "admitted": "receiver has admitted the sender",
    "configuration": "sending the configuration",
    "suspending": "suspending the guest",
    "final_round": "guest stands still, last round",
    "transferred": "all memory is there, waiting for the receiver",
    "gate": "at the gate: ready to run at the destination",
    "committed": "committed: the destination may run it",
    "finishing": "runs at the destination, tidying up",
}

# The same of a domain that is shut down here and started there.
_COLD: dict[str, str] = {
    "suspending": "guest shuts down",
    "transferred": "it is down, waiting for the receiver to make it there",
}

# The same of a domain that nobody starts there.
_LEFT_PAUSED: dict[str, str] = {
    "gate": "at the gate: complete at the destination",
    "committed": "committed: the destination may keep it, paused",
    "finishing": "is at the destination, paused; tidying up",
}

_ENDS: dict[str, str] = {
    "moved": "moved",
    "stayed": "stayed at the source",
    "unsettled": "unsettled: which copy counts is not known",
}


def progress_line(status: Status, source: str, destination: str) -> str:
    """Return a line such as ``[xen1 → xen2] centos: round 2, 45 % of 128 MiB, 21.3 MiB/s, about 6 s left``."""
    domain = status.get("domain")
    name = (domain.get("name") if isinstance(domain, dict) else None) or "domain"
    return f"[{source} → {destination}] {name}: {', '.join(_parts(status))}"


def _parts(status: Status) -> list[str]:
    phase = str(status.get("phase") or "unknown")
    if phase == "ended":
        return _ended(status)
    if phase != "streaming":
        if status.get("method") == COLD and phase in _COLD:
            return [_COLD[phase]]
        if status.get("leave_paused") and phase in _LEFT_PAUSED:
            return [_LEFT_PAUSED[phase]]
        parts = [_PHASES.get(phase, phase)]
        return parts + [_amount(status)] if phase in ("suspending", "final_round") else parts
    number = _number(status, "round")
    parts = [f"round {number:.0f}" if number else "first round", _amount(status)]
    rate, dirty, eta = (_number(status, key) for key in ("rate_bytes_per_s", "dirty_bytes_per_s", "eta_s"))
    if rate is not None and rate > 0:
        parts.append(f"{mib(rate)}/s")
    if dirty is not None and dirty > 0:
        parts.append(f"dirtying {mib(dirty)}/s")
    if eta is not None:
        parts.append(f"about {seconds(eta)} left")
    return parts


def _ended(status: Status) -> list[str]:
    parts = [_ENDS.get(str(status.get("end_state")), "ended")]
    amount = _number(status, "bytes")
    total, stop = _number(status, "total_ms"), _number(status, "stop_ms")
    if amount:
        parts.append(mib(amount))
    if total is not None:
        parts.append(f"{seconds(total / 1000)} in all")
    if stop is not None:
        parts.append(f"stood still for {seconds(stop / 1000)}")
    return parts


def _amount(status: Status) -> str:
    done, expected = _number(status, "bytes") or 0.0, _number(status, "expected_bytes")
    if not expected:
        return mib(done)
    if done >= expected:
        # Pages that were dirtied again are sent again: the first guess is no limit.
        return f"{mib(done)} so far"
    return f"{100 * done / expected:.0f} % of {mib(expected)}"


def mib(amount: float) -> str:
    """Return bytes as MiB, or GiB from 10 GiB on, with one decimal where it tells something."""
    value, unit = (amount / _MIB, "MiB") if amount < 10 * 1024 * _MIB else (amount / _MIB / 1024, "GiB")
    text = f"{value:.1f}" if value < 100 else f"{value:.0f}"
    return f"{text.removesuffix('.0')} {unit}"


def seconds(amount: float) -> str:
    """Return a time in words: ``0.4 s``, ``6 s``, ``2 min 5 s``, ``1 h 12 min``."""
    if amount < 1:
        return f"{amount:.1f} s"
    whole = round(amount)
    if whole < 60:
        return f"{amount:.1f} s" if amount < 10 and amount != whole else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def _number(status: Status, key: str) -> float | None:
    value = status.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _MOST:
        return None
    return float(value)
