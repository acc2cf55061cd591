# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the status of a migration into a line that a person reads (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD

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


def phase_words(status: Status) -> str:
    """Return how far it is in words, such as ``round 2``, without figures."""
    phase = str(status.get("phase") or "unknown")
    if phase == "ended":
        return _ENDS.get(str(status.get("end_state")), "ended")
    if phase == "streaming":
        number = figure(status, "round")
        return f"round {number:.0f}" if number else "first round"
    if status.get("method") == COLD and phase in _COLD:
        return _COLD[phase]
    if status.get("leave_paused") and phase in _LEFT_PAUSED:
        return _LEFT_PAUSED[phase]
    return _PHASES.get(phase, phase)


def _parts(status: Status) -> list[str]:
    phase, parts = status.get("phase"), [phase_words(status)]
    if phase == "ended":
        return parts + _ended(status)
    if phase != "streaming":
        told = phase in ("suspending", "final_round") and parts[0] == _PHASES[str(phase)]
        return parts + [amount(status)] if told else parts
    parts.append(amount(status))
    speed, dirty, eta = rate(status), figure(status, "dirty_bytes_per_s"), figure(status, "eta_s")
    if speed:
        parts.append(speed)
    if dirty is not None and dirty > 0:
        parts.append(f"dirtying {mib(dirty)}/s")
    if eta is not None:
        parts.append(f"about {seconds(eta)} left")
    return parts


def _ended(status: Status) -> list[str]:
    parts = []
    sent = figure(status, "bytes")
    total, stop = figure(status, "total_ms"), figure(status, "stop_ms")
    if sent:
        parts.append(mib(sent))
    if total is not None:
        parts.append(f"{seconds(total / 1000)} in all")
    if stop is not None:
        parts.append(f"stood still for {seconds(stop / 1000)}")
    return parts


def amount(status: Status) -> str:
    """Return how much has gone: a share of what is expected, where it is one."""
    share, expected = percent(status), figure(status, "expected_bytes")
    if share is not None and expected:
        return f"{share:.0f} % of {mib(expected)}"
    return mib(figure(status, "bytes") or 0.0) + (" so far" if expected else "")


def percent(status: Status) -> float | None:
    """Return the share of the expected bytes that has gone, in per cent; None where that tells nothing.

    Pages that were dirtied again are sent again: the first guess is no limit.
    """
    done, expected = figure(status, "bytes") or 0.0, figure(status, "expected_bytes")
    return 100 * done / expected if expected and done < expected else None


def rate(status: Status) -> str:
    """Return how fast it goes, such as ``21.3 MiB/s``; empty where that is not known, or nothing goes."""
    speed = figure(status, "rate_bytes_per_s")
    return f"{mib(speed)}/s" if speed is not None and speed > 0 else ""


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


def figure(status: Status, key: str) -> float | None:
    """Return a number of a status document, None where it has none that can be one."""
    value = status.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _MOST:
        return None
    return float(value)
