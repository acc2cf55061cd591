# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit finds domains without a monitor, and autostart of what lives elsewhere."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import (
    AutostartEntry,
    DomainRow,
    Monitor,
    SessionDomain,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    OTHER,
    UUID,
    row,
    session,
)
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils.audited import (
    COMING,
    PAUSED,
    SENDING,
    dom0,
    found,
    fresh,
    judge,
    one,
)


def test_domain_without_a_monitor() -> None:
    """Nothing handles its reboot; when it waits for that already, it stands still."""
    finding = one(judge(dom0("xen1", row(), monitors=())))
    assert (finding.code, finding.severity) == ("monitor_missing", "warning")
    finding = one(judge(dom0("xen1", row(shutdown=True, reason="reboot"), monitors=())))
    assert (finding.code, finding.severity) == ("monitor_missing", "error")
    assert finding.remedy == "On xen1: `xl destroy 3`, then `xl create` with its configuration file."


@pytest.mark.parametrize(
    "monitors",
    [
        (Monitor(9, "xl migrate-receive", True, 3, COMING),),
        (Monitor(9, "xl create", True, 3, "called otherwise"),),
        (Monitor(9, "xl create", True, None, COMING),),
    ],
)
def test_monitors_that_are_there(monitors: tuple[Monitor, ...]) -> None:
    """By domid, else by name."""
    assert judge(dom0("xen1", row(), monitors=monitors)).clean


def test_a_domain_that_is_being_made_has_no_monitor_yet() -> None:
    """It is paused until then; one that runs is missed its monitor, whatever else is being made on the host."""
    making = (Monitor(9, "xl create", False),)
    assert found(judge(dom0("xen1", fresh(row(**PAUSED)), monitors=making))) == {"others_at_work": "info"}
    assert found(judge(dom0("xen1", row(), monitors=making))) == {"monitor_missing": "warning"}


def test_monitor_that_does_not_tell_its_domain() -> None:
    """It may be the one: no alarm every hour on a host where guests are started in the foreground."""
    assert found(judge(dom0("xen1", row(), monitors=(Monitor(9, "xl create", True),)))) == {"monitor_unknown": "info"}
    assert found(judge(dom0("xen1", row(), monitors=(Monitor(9, "xl create", True, 4, "web"),)))) == {
        "monitor_missing": "warning"
    }


@pytest.mark.parametrize("copy", [row("Xenstore"), row("web-dm"), row(dying=True)])
def test_domains_that_have_no_monitor(copy: DomainRow) -> None:
    """Those that libxl makes for itself, and what is just being torn down."""
    assert judge(dom0("xen1", copy, monitors=())).clean


def test_autostart_of_a_domain_that_lives_elsewhere() -> None:
    """It would run twice after the next boot; by its name alone that is not certain."""
    entry = AutostartEntry("/etc/xen/auto/centos.cfg", "config", "centos", UUID)
    finding = one(judge(dom0("xen1", autostart=(entry,)), dom0("xen2", row())))
    assert (finding.code, finding.severity, finding.hosts) == ("autostart_elsewhere", "error", ("xen1", "xen2"))
    assert "/etc/xen/auto/centos.cfg" in finding.remedy
    nameless = dataclasses.replace(entry, uuid=None)
    assert found(judge(dom0("xen1", autostart=(nameless,)), dom0("xen2", row()))) == {"autostart_elsewhere": "warning"}
    other = dataclasses.replace(entry, uuid=OTHER)
    assert judge(dom0("xen1", autostart=(other,)), dom0("xen2", row())).clean
    assert judge(dom0("xen1", row(), autostart=(entry, nameless)), dom0("xen2")).clean


def test_autostart_that_is_still_set_aside() -> None:
    """Where the domain lives it is missed after a boot; where it has left, and while a session has it, it is right."""
    entry = AutostartEntry("/etc/xen/auto/.centos.cfg", "config", "centos", UUID, set_aside="a" * 16)
    assert found(judge(dom0("xen1", row(), autostart=(entry,)))) == {"autostart_set_aside": "warning"}
    old = dataclasses.replace(entry, path="/var/lib/xen/save/.centos", kind="image")
    assert one(judge(dom0("xen1", row(), autostart=(old,)))).remedy == "On xen1: remove it."
    assert judge(dom0("xen1", autostart=(entry,)), dom0("xen2", row())).clean
    assert found(judge(dom0("xen1", row(), autostart=(entry,), sessions=(SENDING,)))) == {"move_under_way": "info"}


def test_tasks_after_a_move_that_nobody_has_run() -> None:
    """The move is over, and so nobody settles it: without a word a disk stays where it was, or a name in the DNS."""
    sent = session(end_state="moved", owner="destination", after_tasks="owed")
    came = session(role="receiver", end_state="moved", owner="destination")
    finding = one(judge(dom0("xen1", sessions=(sent,)), dom0("xen2", row(), sessions=(came,))))
    assert (finding.code, finding.severity, finding.hosts) == ("after_tasks_owed", "warning", ("xen1", "xen2"))
    assert finding.domain == SessionDomain(UUID, "centos")
    assert f"-e domain={UUID} -e migrate_after_tasks=/ABSOLUTE/PATH`" in finding.remedy
    done = dataclasses.replace(came, after_tasks="done")
    assert judge(dom0("xen1", sessions=(sent,)), dom0("xen2", row(), sessions=(done,))).clean


def test_tasks_after_a_move_that_goes_on_are_not_owed_yet() -> None:
    """Its own run comes to them."""
    sending = dataclasses.replace(SENDING, after_tasks="owed")
    assert found(judge(dom0("xen1", row(), sessions=(sending,)))) == {"move_under_way": "info"}
