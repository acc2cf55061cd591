# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit finds domains that run twice, and copies that a migration has left behind."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import (
    SessionDomain,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._auditing import Answer
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    UUID,
    XEN,
    row,
)
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils.audited import (
    AWAY,
    COMING,
    DEAD,
    PAUSED,
    SUSPENDED,
    UNSETTLED,
    dom0,
    found,
    fresh,
    judge,
    one,
)


def test_running_twice_on_two_hosts() -> None:
    """The worst of all: both are named with host and domid, and pausing them is the first thing to type."""
    finding = one(judge(dom0("xen1", row()), dom0("xen2", row(domid=7))))
    assert (finding.code, finding.severity, finding.hosts) == ("running_twice", "error", ("xen1", "xen2"))
    assert finding.domain == SessionDomain(UUID, "centos")
    assert "xen1 (centos, domid 3, running) and on xen2 (centos, domid 7, running)" in finding.message
    assert "on xen1: `xl pause 3`; on xen2: `xl pause 7`" in finding.remedy


def test_running_twice_on_one_host() -> None:
    """Under another name, as after xl restore of an old image."""
    finding = one(judge(dom0("xen1", row(), row("copy", 9))))
    assert (finding.code, finding.hosts, len(finding.copies)) == ("running_twice", ("xen1",), 2)


def test_one_machine_under_two_names_runs_nothing_twice() -> None:
    """It is told as what it is, and its domains are counted once."""
    facts = dom0("xen1", row())
    result = judge(facts, alias=Answer(facts))
    assert found(result) == {"host_twice": "warning"}
    assert result.domains == 1


@pytest.mark.parametrize("name", [COMING, AWAY])
def test_copy_that_is_left_of_a_migration(name: str) -> None:
    """While the domain runs elsewhere the copy is to be destroyed, by its domid and after another look."""
    state = PAUSED if name == COMING else SUSPENDED
    result = judge(dom0("xen1", row()), dom0("xen2", fresh(row(name, 8, **state))))
    finding = one(result)
    assert (finding.code, finding.severity) == (name[8:] + "_left", "error")
    assert finding.remedy == "on xen2: `xl list -v 8`; if it is still that copy: `xl destroy 8`."


def test_two_copies_that_stand_still() -> None:
    """Nobody may guess which one counts: settling finds out, and nothing is to be typed that could make it two."""
    result = judge(dom0("xen1", row(AWAY, **SUSPENDED)), dom0("xen2", fresh(row(COMING, 8, **PAUSED))))
    assert found(result) == {"migratedaway_left": "error", "incoming_left": "error"}
    for finding in result.findings:
        assert f" `ansible-playbook -i INVENTORY dom0.xen.settle -e domain={UUID}`" in finding.remedy
        assert "is not seen running anywhere" in finding.message


def test_copy_that_runs_under_the_name_of_a_move() -> None:
    """As after a failure to give the name back: it only wants its name."""
    finding = one(judge(dom0("xen1", row(AWAY))))
    assert (finding.code, finding.remedy) == ("migratedaway_left", "on xen1: `xl rename 3 centos`.")
    finding = one(judge(dom0("xen1", row("a b" + COMING[6:]))))
    assert finding.remedy == "on xen1: `xl rename 3 'a b'`."


def test_second_copy_under_its_own_name() -> None:
    """The one that does not run is the one to destroy; where none runs, one finding tells of both."""
    finding = one(judge(dom0("xen1", row()), dom0("xen2", row(domid=8, **PAUSED))))
    assert (finding.code, finding.severity) == ("second_copy", "error")
    assert "xl destroy 8" in finding.remedy
    finding = one(judge(dom0("xen1", row(**PAUSED)), dom0("xen2", row(domid=8, **PAUSED))))
    assert finding.code == "second_copy" and "dom0.xen.settle" in finding.remedy


def test_suspended_domain_that_nobody_will_resume() -> None:
    """What resumes it depends on the release of Xen, and whether it may be resumed on its sessions."""
    newer = dataclasses.replace(XEN, minor=20)
    finding = one(judge(dom0("xen1", row(**SUSPENDED), xen=newer)))
    assert (finding.code, finding.severity, finding.remedy) == ("suspended", "error", "on xen1: `xl resume 3`.")
    finding = one(judge(dom0("xen1", row(**SUSPENDED))))
    assert finding.remedy.startswith("on xen1: `xl save -c 3 /dev/null` ")
    finding = one(judge(dom0("xen1", row(**SUSPENDED), xen=dataclasses.replace(XEN, minor=14))))
    assert "A PV or PVH guest does not survive that on Xen 4.14: on xen1: `xl destroy 3`" in finding.remedy
    result = judge(dom0("xen1", row(**SUSPENDED), sessions=(UNSETTLED,)))
    assert found(result) == {"suspended": "error", "session_unsettled": "error"}
    assert all("dom0.xen.settle" in finding.remedy for finding in result.findings)


def test_paused_domains() -> None:
    """One that ran was paused on purpose; one that never ran may be what a broken migration left."""
    assert found(judge(dom0("xen1", row(**PAUSED)))) == {"paused": "info"}
    assert found(judge(dom0("xen1", fresh(row(**PAUSED))))) == {"never_run": "warning"}
    result = judge(dom0("xen1", fresh(row(**PAUSED)), sessions=(dataclasses.replace(DEAD, role="receiver"),)))
    assert found(result) == {"never_run": "error", "session_dead": "error"}
    assert "xl unpause" not in result.findings[0].remedy


def test_what_is_torn_down_is_no_copy() -> None:
    """A source that takes its time to end never runs again."""
    assert judge(dom0("xen1", row(dying=True)), dom0("xen2", row(domid=8))).clean
