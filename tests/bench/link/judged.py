# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bench of the link has to show: ratios within one run, and the memory of each side (pure)."""

from __future__ import annotations

import typing as t

from proof.figures import Check, at_least, at_most

# MB/s of the stream by way, by capture, by network; ``peak_mib`` of the collection's own ways.
Told = t.Mapping[str, t.Any]
Networks = t.Mapping[str, t.Mapping[str, t.Mapping[str, Told]]]

SSH, SOCAT, DEFAULT, UNPACKED = "ssh", "socat", "default", "tls-none"
# A capture of an idle guest has this in its name.
IDLE = "idle"
LOOPBACK = "loopback"
# way, against which way, on which network, captures with this in their name, and the least ratio of their rates.
RATIOS = (
    (UNPACKED, SSH, LOOPBACK, "", 1.8),
    (UNPACKED, SOCAT, LOOPBACK, "", 0.75),
    (DEFAULT, SSH, "1G", IDLE, 5.0),
    (DEFAULT, SSH, "100M-20ms", IDLE, 7.0),
    (DEFAULT, SSH, "10G", "", 1.5),
)
# The default's share of the rate of the best setting that is fixed, everywhere.
OF_THE_BEST = 0.95
FIXED = "tls-"
MEMORY_MIB = 96.0


def checks(networks: Networks) -> list[Check]:
    """Return one check for each ratio that was measured, and what each side may take of memory."""
    found: list[Check] = []
    for way, against, network, part, least in RATIOS:
        for capture, told in networks.get(network, {}).items():
            if part in capture and way in told and against in told:
                ratio = told[way]["mb_s"] / told[against]["mb_s"]
                found.append(at_least(f"{network} {capture}: {way} against {against}", round(ratio, 3), least))
    for network, capture, told in _each(networks):
        fixed = [figures["mb_s"] for way, figures in told.items() if way.startswith(FIXED)]
        if DEFAULT in told and fixed:
            share = told[DEFAULT]["mb_s"] / max(fixed)
            name = f"{network} {capture}: {DEFAULT} against the best fixed setting"
            found.append(at_least(name, round(share, 3), OF_THE_BEST))
    own = [figures["peak_mib"] for *dummy, told in _each(networks) for figures in told.values()]
    peaks = [max(each) for each in own if each]
    if peaks:
        found.append(at_most("the most memory of a sender or receiver in MiB", max(peaks), MEMORY_MIB))
    return found


def _each(networks: Networks) -> t.Iterator[tuple[str, str, t.Mapping[str, Told]]]:
    for network, captures in networks.items():
        for capture, told in captures.items():
            yield network, capture, told
