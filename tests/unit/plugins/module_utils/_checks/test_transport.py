# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the bytes are to travel, and what speaks against it."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import errors, findings, warnings
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Finding
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import domain, host, request


def found(**asked: t.Any) -> tuple[Finding, ...]:
    """Return what is found against a move that nothing else speaks against."""
    return findings(host("xen1"), host("xen2"), domain(), request(**asked))


def test_tls_needs_no_word() -> None:
    """It is what everybody gets who names nothing."""
    assert found() == found(transport="tls") == ()


def test_tcp_takes_two_words() -> None:
    """One of them alone refuses, and no waiver takes the place of the other."""
    waived = found(transport="tcp", waive=("plain_not_allowed",))
    assert "plain_not_allowed" in [finding.code for finding in errors(waived)]
    (finding,) = errors(found(transport="tcp"))
    assert finding.host == "xen1" and "migrate_allow_plain" in finding.remedy
    both = found(transport="tcp", allow_plain=True)
    assert [finding.code for finding in warnings(both)] == ["plain_transport"] and not errors(both)
