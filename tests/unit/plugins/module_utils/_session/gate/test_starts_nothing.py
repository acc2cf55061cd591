# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""While the guest stands still neither process of a session starts another one, where the engine has the gate."""

from __future__ import annotations

import pathlib
import shlex
import sys

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import noting, two_hosts

__all__ = ["make_site"]

pytestmark = pytest.mark.timeout(600)


def noting_interpreter(folder: pathlib.Path) -> str:
    """Write the interpreter of hosts whose sessions note in this folder what they start."""
    script = folder / "python"
    words = [sys.executable, noting.__file__, str(script), str(folder)]
    script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    script.chmod(0o755)
    return str(script)


def answers_late(host: Host, command: str, point: str) -> None:
    """Let a command of xl say nothing before another xl has passed this point."""
    xl = host.paths.bin / "xl"
    first, dummy, rest = xl.read_text().partition("\n")
    passed = f"grep -q ' {point}$' {shlex.quote(str(host.paths.points))}"
    xl.write_text(f'{first}\nif [ "$1" = {command} ]; then until {passed}; do sleep 0.05; done; fi\n{rest}')


def started(folder: pathlib.Path, role: str) -> list[tuple[int, str]]:
    """What a session has started, and when."""
    lines = [line.split(" ", 1) for line in (folder / role).read_text().splitlines()]
    return [(int(at), what) for at, what in lines]


def test_nothing_is_started_while_the_guest_stands_still(make_site: MakeSite, tmp_path: pathlib.Path) -> None:
    """Not even what was begun before: of the three questions to xl about the domain only the first one is asked."""
    folder = tmp_path / "notes"
    folder.mkdir()
    site = make_site("xen1", "xen2", python=noting_interpreter(folder))
    source, destination = site["xen1"], site["xen2"]
    source.start_guest(GuestConfig(memory_mib=8, compact=True))
    for host in site.hosts.values():
        host.record_points()
    answers_late(source, "vcpu-list", "suspend.done")
    destination.faults({"point": "receive.ready", "action": "stall", "seconds": 2})
    move = two_hosts.begin(site, "live", liveness=True, follow_config=True)
    assert move.result()["end_state"] == "moved"
    (stands,), (runs,) = source.passed("suspend.done"), destination.passed("receive.unpaused")
    sent, received = started(folder, "sender"), started(folder, "receiver")
    assert any("vcpu-list" in what for dummy, what in sent)
    assert any("migrate-receive" in what for dummy, what in received)
    assert [what for at, what in (*sent, *received) if stands < at < runs] == []
