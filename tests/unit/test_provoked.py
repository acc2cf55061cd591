# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every finding is provoked somewhere: on real Xen in the lab, or on hosts of the double, by a run of a playbook.

Whoever writes a new rule decides at once how what it finds can be had.
"""

from __future__ import annotations

import inspect
import re
import typing as t

import pytest
from cases import test_disks, test_refusals
from cases.test_findings import CASES

from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import CODES
from ansible_collections.dom0.xen.tests.unit.playbooks import test_causes, test_findings_questions
from ansible_collections.dom0.xen.tests.unit.playbooks.test_findings_domains import HERE
from ansible_collections.dom0.xen.tests.unit.playbooks.test_findings_hosts import OTHERS
from ansible_collections.dom0.xen.tests.unit.playbooks.test_findings_questions import QUESTIONS

# What is provoked case by case; each test requires just what its table says.
TABLES = (CASES, HERE, OTHERS, QUESTIONS, test_disks.KINDS)
# What takes a test of its own, in which the code is written.
BY_ITSELF: t.Mapping[str, t.Callable[..., None]] = {
    "cpu_features_shown": test_causes.test_a_guest_that_was_shown_more_ends_the_move_before_memory,
    "not_root": test_refusals.test_not_root,
    "session_interrupted": test_findings_questions.test_a_session_at_work_and_one_that_was_cut_off,
    "session_running": test_findings_questions.test_a_session_at_work_and_one_that_was_cut_off,
}
# What no host can be brought to, and why.
NEVER = {
    "domain_missing": "a domain that goes while it is looked at is one that is not there: domain_gone, domain_unknown",
    "toolstack_error": "the kind that the others are of",
    "xl_timeout": "facts are gathered by modules, which wait for xl; only a session has a limit for it",
}


def in_tables() -> set[str]:
    """Return the codes that the tables provoke."""
    cases = (case for table in TABLES for case in table.values())
    return {code for case in cases for code, dummy in case.found}


def test_every_finding_is_provoked() -> None:
    """Or it is said why it cannot be; and no code is there that no rule has."""
    assert in_tables() | BY_ITSELF.keys() | NEVER.keys() == CODES.keys()
    assert not NEVER.keys() & (in_tables() | BY_ITSELF.keys())


@pytest.mark.parametrize("code", sorted(BY_ITSELF))
def test_the_test_is_about_that_finding(code: str) -> None:
    """It has its code in it."""
    assert re.search(rf"\b{code}\b", inspect.getsource(BY_ITSELF[code]))
