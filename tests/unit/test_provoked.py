# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every finding is provoked by a run of a playbook: on real Xen in the lab, or on the double where no lab can do that.

Whoever writes a new rule decides at once how what it finds can be had.
"""

from __future__ import annotations

import inspect
import re
import typing as t

import pytest
from cases import test_disks, test_findings, test_findings_at_once, test_refusals, test_settle, test_transports

from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import CODES
from ansible_collections.dom0.xen.tests.unit.playbooks import test_causes, test_comeback, test_findings_questions
from ansible_collections.dom0.xen.tests.unit.playbooks.test_findings_domains import HERE
from ansible_collections.dom0.xen.tests.unit.playbooks.test_findings_hosts import OTHERS
from ansible_collections.dom0.xen.tests.unit.playbooks.test_findings_questions import QUESTIONS

Tables = t.Iterable[t.Mapping[str, t.Any]]
Tests = t.Mapping[str, t.Callable[..., None]]
# What is provoked case by case; each test requires just what its table says.
IN_THE_LAB: Tables = (
    *(test_findings.CASES, test_findings.DOMAINS, test_findings.MEANT),
    *(test_findings_at_once.CASES, test_disks.KINDS),
)
ON_THE_DOUBLE: Tables = (HERE, OTHERS, QUESTIONS)
# What takes a test of its own, in which the code is written.
LAB_BY_ITSELF: Tests = {
    "domain_is_dom0": test_refusals.test_domain_0,
    "domain_unknown": test_refusals.test_unknown_domain,
    "host_not_in_inventory": test_refusals.test_unknown_domain_and_unknown_destination,
    "host_unreachable": test_refusals.test_destination_unreachable,
    "no_xen": test_refusals.test_no_xen,
    "not_enough_memory": test_refusals.test_four_things_wrong_at_the_destination,
    "not_root": test_refusals.test_not_root,
    "plain_transport": test_transports.test_tcp_when_it_is_meant,
    "same_host": test_refusals.test_destination_is_source,
    "session_interrupted": test_settle.test_a_session_at_work_and_one_that_was_cut_off,
    "session_running": test_settle.test_a_session_at_work_and_one_that_was_cut_off,
    "uuid_taken": test_refusals.test_four_things_wrong_at_the_destination,
}
DOUBLE_BY_ITSELF: Tests = {
    "cpu_features_shown": test_causes.test_a_guest_that_was_shown_more_is_not_moved,
    "cpu_policy_refused": test_causes.test_a_guest_that_was_shown_what_xen_there_refuses,
    **dict.fromkeys(("disk_differs", "disk_missing", "disk_size_differs"), test_causes.test_another_disk_of_that_name),
    "disk_read_only": test_causes.test_a_disk_that_can_only_be_read_there,
    "resume_broken": test_comeback.test_a_guest_that_its_xen_resumes_wrongly_is_told_of,
    "session_interrupted": test_findings_questions.test_a_session_at_work_and_one_that_was_cut_off,
    "session_running": test_findings_questions.test_a_session_at_work_and_one_that_was_cut_off,
}
# What the lab's hosts cannot be brought to, and why: the double must do.
NOT_IN_THE_LAB = {
    **dict.fromkeys(
        ("cpu_features_fewer", "cpu_features_shown", "cpu_policy_refused"),
        "all hosts of a lab have the one processor that QEMU makes",
    ),
    "cpu_unchecked": "Xen tells of the processor on each of them",
    "domain_dying": "it is torn down at once where no backend of another domain holds on to it",
    "dt_passthrough": "these machines have no device tree",
    "pci_passthrough": "they have no IOMMU, and libxl keeps no device in its record that is not in XenStore",
    "resume_broken": "a lab of two hosts has Xen 4.17; the matrix moves guests from 4.14",
    "usb_passthrough": "they have no USB, and the same",
    "vtpm": "no package has a domain that serves virtual TPMs, and the same",
}
# What hosts of the double cannot be brought to, and why: the lab must do, and the tests of the rules.
NOT_ON_THE_DOUBLE = {
    "clocks_differ": "all of its hosts have this machine's clock",
    **dict.fromkeys(("cluster_managed", "cluster_unknown"), "they have its processes too, and so one cluster manager"),
    "no_runtime_path": "they have its /dev/shm, which is in memory",
    "not_root": "their files belong to whoever runs the tests",
    "script_missing": "they have its /etc/xen/scripts, which is not there",
}
# What no host can be brought to, and why.
NEVER = {
    "domain_missing": "a domain that goes while it is looked at is one that is not there: domain_gone, domain_unknown",
    "toolstack_error": "the kind that the others are of",
    "xl_timeout": "facts are gathered by modules, which wait for xl; only a session has a limit for it",
}


def provoked(tables: Tables, tests: Tests) -> set[str]:
    """Return the codes that tables and tests provoke, warnings beside errors among them."""
    cases = [case for table in tables for case in table.values()]
    found = {code for case in cases for code, dummy in {*case.found, *getattr(case, "beside", ())}}
    return found | tests.keys()


def test_every_finding_is_provoked() -> None:
    """Or it is said why it cannot be; and no code is there that no rule has."""
    anywhere = provoked(IN_THE_LAB, LAB_BY_ITSELF) | provoked(ON_THE_DOUBLE, DOUBLE_BY_ITSELF)
    assert anywhere | NEVER.keys() == CODES.keys()
    assert not NEVER.keys() & anywhere


def test_on_real_xen_where_that_is_possible() -> None:
    """The double does for what it cannot be, and for nothing else."""
    lab, double = provoked(IN_THE_LAB, LAB_BY_ITSELF), provoked(ON_THE_DOUBLE, DOUBLE_BY_ITSELF)
    assert lab | NOT_IN_THE_LAB.keys() | NEVER.keys() == CODES.keys()
    assert not NOT_IN_THE_LAB.keys() & lab
    assert NOT_IN_THE_LAB.keys() <= double


def test_on_the_double_where_that_is_possible() -> None:
    """So that a rule that nobody asks any more is missed at once, and not when somebody starts the lab."""
    double = provoked(ON_THE_DOUBLE, DOUBLE_BY_ITSELF)
    assert double | NOT_ON_THE_DOUBLE.keys() | NEVER.keys() == CODES.keys()
    assert not NOT_ON_THE_DOUBLE.keys() & double


@pytest.mark.parametrize("code", sorted(LAB_BY_ITSELF.keys() | DOUBLE_BY_ITSELF.keys()))
def test_the_test_is_about_that_finding(code: str) -> None:
    """It has its code in it."""
    for tests in (LAB_BY_ITSELF, DOUBLE_BY_ITSELF):
        assert code not in tests or re.search(rf"\b{code}\b", inspect.getsource(tests[code]))
