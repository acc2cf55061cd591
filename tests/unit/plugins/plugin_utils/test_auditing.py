# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit finds what is wrong with a fleet, says what to type, and finds nothing where nothing is wrong."""

from __future__ import annotations

import json
import random
import time
import typing as t
import uuid

from ansible_collections.dom0.xen.plugins.module_utils._records import (
    AutostartEntry,
    Problem,
    SessionDomain,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._auditing import Answer, Audit, audit, describe
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    OTHER,
    host,
    row,
    session,
)
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils.audited import (
    PAUSED,
    SUSPENDED,
    dom0,
    found,
    judge,
    one,
)


def test_a_healthy_fleet_has_no_findings() -> None:
    """Whatever runs, is blocked or has just been made on whatever host, with sessions that ended well."""
    draw = random.Random(1)
    for dummy in range(50):
        names = iter(range(1, 1000))
        hosts = []
        for number in range(1, draw.randint(2, 9)):
            domains = [
                row(f"d{next(names)}", domid, str(uuid.UUID(int=draw.getrandbits(128))), **draw.choice(STATES))
                for domid in draw.sample(range(1, 99), draw.randint(0, 6))
            ]
            ended = [
                session(session=f"{place:016x}", domain=SessionDomain(d.uuid, d.name), end_state=draw.choice(WELL))
                for place, d in enumerate(domains)
            ]
            starts = [AutostartEntry(f"/etc/xen/auto/{d.name}", "config", d.name, d.uuid) for d in domains]
            hosts.append(dom0(f"xen{number}", *domains, sessions=tuple(ended), autostart=tuple(starts)))
        result = judge(*hosts)
        assert (result.findings, result.clean, result.fails("warning")) == ((), True, False)
        assert describe(result)[0].endswith("domains: nothing wrong.") or result.domains == 1


STATES: list[dict[str, t.Any]] = [{"running": True}, {"blocked": True}]
WELL = ["moved", "stayed"]


def test_a_host_that_does_not_answer_is_never_clean() -> None:
    """Nothing else is wrong, and all the same nobody knows; remedies say which hosts to ask first."""
    result = judge(dom0("xen1", row()), None)
    assert found(result) == {"host_unreachable": "error"}
    assert (result.complete, result.clean, result.silent, result.look_again) == (False, False, ("xen2",), ("xen2",))
    assert describe(result)[0] == "2 hosts, 1 domain: 1 error. Not complete: 1 host not known."
    result = judge(dom0("xen1", row(**SUSPENDED)), None)
    assert result.findings[0].remedy.startswith("First see that it does not run on xen2, ")


def test_a_host_that_does_not_tell_its_domains() -> None:
    """With the reason that the host gave, or that the module failed with."""
    broken = host("xen2", domains=(), problems=(Problem("xl_failed", "xl list said no.", "Look at xl."),))
    finding = one(judge(dom0("xen1", row()), broken))
    assert (finding.code, finding.message, finding.remedy) == (
        "host_without_facts",
        "xen2 did not tell its domains: xl list said no.",
        "Look at xl.",
    )
    finding = one(judge(dom0("xen1"), xen9=Answer(None, True, "no python")))
    assert finding.message == "xen9 did not tell its domains: no python."


def test_a_host_that_was_not_asked() -> None:
    """A limit leaves hosts out: that is said, as one finding however many they are."""
    result = audit({"xen1": Answer(dom0("xen1"))}, [f"xen{number}" for number in range(1, 9)])
    assert found(result) == {"host_not_asked": "warning"}
    assert not result.complete and result.look_again == ()
    assert one(result).message == "Not asked: xen2, xen3, xen4, xen5, xen6 and 2 more. A second copy there is not seen."


def test_problems_of_a_host_are_told() -> None:
    """It told its domains, and something else was not to be seen."""
    problem = Problem("xenstore_unreachable", "XenStore does not answer.", "Restart it.")
    finding = one(judge(dom0("xen1", problems=(problem,))))
    assert (finding.code, finding.severity, finding.message, finding.remedy) == (
        "xenstore_unreachable",
        "warning",
        "xen1: XenStore does not answer.",
        "Restart it.",
    )


def test_what_makes_it_fail() -> None:
    """Errors by default; warnings when asked for; nothing when told so."""
    warning, error = judge(dom0("xen1", row(), monitors=())), judge(dom0("xen1", row(**SUSPENDED)))
    assert [warning.fails(level) for level in ("error", "warning", "never")] == [False, True, False]
    assert [error.fails(level) for level in ("error", "warning", "never")] == [True, True, False]
    assert not judge(dom0("xen1", row(**PAUSED))).fails("warning")


def test_the_worst_comes_first_and_all_of_it_is_json() -> None:
    """Monitoring reads the first; a program reads it all back."""
    result = judge(dom0("xen1", row("web", 5, OTHER, **PAUSED), row(), monitors=()), dom0("xen2", row(domid=8)))
    assert [finding.severity for finding in result.findings] == ["error", "warning", "warning", "info"]
    assert Audit.from_result(json.loads(json.dumps(result.to_result()))) == result
    suspended = row("mail", 4, "11111111" + OTHER[8:], **SUSPENDED)
    result = judge(dom0("xen1", suspended, row()), dom0("xen2", row(domid=8)))
    assert [finding.code for finding in result.findings] == ["running_twice", "suspended"]
    lines = describe(result)
    assert lines[0] == "2 hosts, 2 domains: 2 errors."
    assert lines[1].startswith("ERROR running_twice: centos runs on xen1 ")
    assert lines[2].startswith("  Stop all of them at once: ")


def test_cost_grows_with_the_number_of_domains_only() -> None:
    """Four times the hosts must cost about four times the work, not sixteen times."""

    def seconds(count: int) -> float:
        hosts = [
            dom0(
                f"xen{number}",
                *(row(f"d{number}-{i}", i, str(uuid.UUID(int=number * 1000 + i)), **PAUSED) for i in range(1, 31)),
                sessions=tuple(session(session=f"{number:08x}{i:08x}", end_state=None) for i in range(20)),
                autostart=tuple(AutostartEntry("/a", "config", f"d{number + 1}-{i}", None) for i in range(1, 31)),
            )
            for number in range(count)
        ]
        before = time.process_time()
        judge(*hosts)
        return time.process_time() - before

    seconds(10)
    small, large = min(seconds(50) for dummy in range(3)), min(seconds(200) for dummy in range(3))
    assert large < 9 * small
