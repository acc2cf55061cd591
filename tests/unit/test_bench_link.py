# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench of the link says no where a ratio is missed, and judges only what was measured."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.tests.bench.link.judged import checks


def told(mb_s: float, peak_mib: t.Sequence[float] = ()) -> dict[str, t.Any]:
    """What is known of a way."""
    return {"mb_s": mb_s, "peak_mib": list(peak_mib)}


WAYS = {
    "ssh": told(100.0),
    "socat": told(240.0),
    "default": told(990.0, (40.0, 41.5)),
    "tls-none": told(185.0, (40.0, 40.0)),
    "tls-zstd1": told(1000.0, (60.0, 55.0)),
}


def missed(network: str, capture: str, **ways: dict[str, t.Any]) -> set[str]:
    """The checks that do not hold, by the end of their name, with some ways otherwise."""
    found = checks({network: {capture: {**WAYS, **ways}}})
    assert found
    return {check.name.removeprefix(f"{network} {capture}: ") for check in found if not check.ok}


@pytest.mark.parametrize("network", ["loopback", "1G", "100M-20ms", "10G"])
def test_what_is_good_enough(network: str) -> None:
    """Each bound is kept, on each network, by the same figures."""
    assert missed(network, "pvh-idle") == set()


@pytest.mark.parametrize(
    ("network", "ways", "name"),
    [
        ("loopback", {"ssh": told(103.0)}, "tls-none against ssh"),
        ("loopback", {"socat": told(250.0)}, "tls-none against socat"),
        ("1G", {"ssh": told(199.0)}, "default against ssh"),
        ("100M-20ms", {"ssh": told(142.0)}, "default against ssh"),
        ("10G", {"ssh": told(661.0)}, "default against ssh"),
        ("1G", {"tls-zstd1": told(1043.0, (1.0, 1.0))}, "default against the best fixed setting"),
        ("1G", {"tls-none": told(1.0, (20.0, 96.5))}, "the most memory of a sender or receiver in MiB"),
    ],
)
def test_what_is_not(network: str, ways: dict[str, t.Any], name: str) -> None:
    """One that is missed by little is missed."""
    assert missed(network, "pvh-idle", **ways) == {name}


def test_a_guest_that_is_busy_is_asked_for_less() -> None:
    """What an idle guest's memory is packed to, no other's is."""
    assert missed("1G", "pvh-busy", ssh=told(900.0)) == set()
    assert missed("10G", "pvh-busy", ssh=told(900.0)) == {"default against ssh"}


def test_what_was_not_measured_is_not_judged() -> None:
    """Nothing at all holds of nothing."""
    assert checks({}) == []
    assert checks({"1G": {"pvh-idle": {"ssh": told(1.0)}}}) == []
