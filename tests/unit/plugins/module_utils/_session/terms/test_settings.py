# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sender is to hold the stream against travels with its settings, and is refused when it is none."""

from __future__ import annotations

import json
import math
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import SettingsWrong
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import RATE_MAX, SenderSettings

MOST = Policy("AuthenticAMD", ("178bfbfd",), 13, None, 0x80000021, 1 << 31)


def settings(**changes: t.Any) -> SenderSettings:
    """Those of a sender."""
    texts = dict.fromkeys(
        ("session", "uuid", "name", "runtime_folder", "journal_folder", "peer_certificate", "xl", "peer_host"), "x"
    )
    numbers = dict.fromkeys(
        ("port", "link_timeout", "connect_timeout", "stop_link_timeout", "memory_kib", "gate_timeout"), 1
    )
    values = {**texts, **numbers, "destination_address": "", "gate_held": False, "progress_interval": 5.0, **changes}
    return SenderSettings.from_document(values)


@pytest.mark.parametrize("rate", [-1.0, math.inf, math.nan, RATE_MAX])
def test_a_rate_that_none_can_keep_is_refused(rate: float) -> None:
    """A stream that is held to it would never be sent, or not be held at all."""
    with pytest.raises(SettingsWrong, match="nothing can be sent at .* Mbit/s") as told:
        settings(rate_limit=rate)
    assert told.value.remedy == "Give migrate_rate_limit in Mbit/s, 0 for no limit."
    assert settings(rate_limit=0.0).rate_limit == 0 and settings(rate_limit=RATE_MAX / 2).rate_limit == RATE_MAX / 2


def test_a_stop_time_below_nothing_is_refused() -> None:
    """It would be as no limit, and whoever gave it wants one."""
    with pytest.raises(SettingsWrong, match="no guest stands still for -1 ms") as told:
        settings(max_stop_ms=-1)
    assert told.value.remedy == "Give migrate_max_stop_ms in milliseconds, 0 for no limit."
    assert not settings(max_stop_ms=0).gives_up and settings(max_stop_ms=1).gives_up


def test_a_limit_below_nothing_is_refused() -> None:
    """As with the stop time."""
    with pytest.raises(SettingsWrong, match="no move takes -1 s") as told:
        settings(timeout_per_gib=-1)
    assert told.value.remedy == "Give migrate_timeout in seconds for each GiB of memory, 0 for no limit."
    assert settings().longest_s == 0


def test_policy_travels_with_the_settings() -> None:
    """As JSON, from the launcher to the daemon."""
    there = settings(destination_cpu_policy=MOST.to_result())
    assert SenderSettings.from_document(json.loads(json.dumps(there.to_document()))).most_shown == MOST
    assert settings().most_shown is None


@pytest.mark.parametrize(
    "document",
    [{"features": ["1"]}, {**MOST.to_result(), "features": "bfebfbff"}, {**MOST.to_result(), "max_leaf": "d"}],
)
def test_what_is_no_policy_is_refused(document: dict[str, t.Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(SettingsWrong):
        assert settings(destination_cpu_policy=document).most_shown
