# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a loss of power leaves of the files is completed by whoever settles."""

from __future__ import annotations

import json
import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.leaving import Leaving
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.unpacking import Unpacking
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import conclusion, fence
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.belongings.test_autostart import (
    Disk,
    PowerLoss,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.belongings.two_dom0s import (
    TEXT,
    UUID,
    Dom0,
    session,
)


@pytest.mark.parametrize("lose", [True, False])
def test_power_lost_while_unpacking(tmp_path: pathlib.Path, lose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a cut at every step a second call ends it, with whole files and nothing beside them."""
    last, done = 0, False
    while not done:
        one, two = Dom0(tmp_path / f"{last}-1"), Dom0(tmp_path / f"{last}-2")
        one.write(starts=True)
        two.unpacking(session(1)).keep(one.leaving(session(1)).gather().to_message())
        disk = Disk(last, monkeypatch)
        try:
            two.unpacking(session(1)).unpack()
            done = True
        except PowerLoss:
            pass
        disk.power_on(lose, monkeypatch)
        two.unpacking(session(1)).unpack()
        assert two.files() == one.files(), last
        last += 1
    assert last >= 3


@pytest.mark.parametrize("lose", [True, False])
def test_power_lost_while_leaving(tmp_path: pathlib.Path, lose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has one name or the other, and a second call gives it the other."""
    last, done = 0, False
    while not done:
        one, two = Dom0(tmp_path / f"{last}-1"), Dom0(tmp_path / f"{last}-2")
        one.write()
        leaving = one.leaving(session(1))
        leaving.answered(two.unpacking(session(1)).keep(leaving.gather().to_message()))
        disk = Disk(last, monkeypatch)
        try:
            one.leaving(session(1)).finish()
            done = True
        except PowerLoss:
            pass
        disk.power_on(lose, monkeypatch)
        one.leaving(session(1)).finish()
        assert one.files() == {f"centos.cfg.moved-{session(1)}": TEXT}, last
        last += 1
    assert last >= 2


def test_whoever_settles_completes_it(
    hosts: tuple[Dom0, Dom0], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both processes died when the domain ran at the destination; each side is told in its result."""
    one, two = hosts
    one.write(starts=True)
    before, told = one.files(), {}
    for dom0, role in ((one, "sender"), (two, "receiver")):
        (dom0.root / "journals" / f"{session(1)}.{role}").mkdir(parents=True)
    who = (session(1), UUID, "centos")
    leaving = Leaving(str(one.root / "journals" / f"{session(1)}.sender"), *who, one.roots)
    unpacking = Unpacking(str(two.root / "journals" / f"{session(1)}.receiver"), *who, two.roots)
    leaving.answered(unpacking.keep(leaving.gather().to_message()))
    for dom0, role in ((one, "sender"), (two, "receiver")):
        settings = tmp_path / f"{role}.settings"
        settings.write_text(f"XENDOMAINS_AUTO={dom0.auto}\nXENDOMAINS_SAVE={dom0.save}\n")
        monkeypatch.setattr(autostart, "SETTINGS", (str(settings),))
        journals, runtime = dom0.root / "journals", dom0.root / "run"
        runtime.mkdir(mode=0o700)
        here = Here(str(runtime), str(journals), session(1), role, UUID, "centos", "f" * 16)
        fence.mark(here)
        assert conclusion.conclude(here, Xl(subprocess_runner(), "/nowhere/xl"), "destination", "moved", 5.0)
        told[role] = json.loads((journals / f"{session(1)}.{role}" / "result.json").read_text())["belongings"]
    assert two.files() == before
    assert f"centos.cfg.moved-{session(1)}" in one.files() and "centos.cfg" not in one.files()
    assert told["sender"]["kept_as"] == str(one.configs / f"centos.cfg.moved-{session(1)}")
    assert told["receiver"]["config"] == str(two.configs / "centos.cfg")
