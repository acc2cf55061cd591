# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xen-cpuid -p`` on real hosts: what Xen has shown the guest lies within what it says that it gives at most."""

from __future__ import annotations

from pathlib import Path

from .world import World

PLAY = Path(__file__).parent / "playbooks" / "processor.yml"


def test_what_the_guest_was_shown_is_known_and_compared(home: World) -> None:
    """On both hosts, which are alike: the check has all of it, and finds nothing."""
    outcome = home.start(play=str(PLAY)).wait()
    assert outcome.status == 0, outcome.output[-3000:]
    shown = outcome.result["domain"]["cpu_policy"]
    assert shown is not None and len(shown["features"]) == 19 and shown["max_leaf"] > 0
    for host in outcome.result["hosts"]:
        processor = host["equipment"]["processor"]
        for name in ("pv_max", "hvm_max", "pv_default", "hvm_default"):
            assert processor[name] is not None and processor[name]["vendor"] == processor["vendor"], name
    check = outcome.result["check"]
    assert check["action"] == "migrate"
    assert [finding["code"] for finding in check["findings"] if finding["code"].startswith("cpu_")] == []
    assert check["destination"]["cpu_policy"] == outcome.result["hosts"][1]["equipment"]["processor"]["hvm_max"]
