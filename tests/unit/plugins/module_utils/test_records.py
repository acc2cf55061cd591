# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records survive the way through a module's result, which is JSON."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    DomainRow,
    DomainState,
    HostFacts,
    Problem,
    XenFacts,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks import examples

RECORDS = [
    DomainState(shutdown=True, reason="suspend"),
    DomainRow(3, examples.UUID, "centos", DomainState(running=True), 128, 1, 0.1),
    examples.host("xen1"),
    examples.host("xen1", xen=None, runtime_path=None, problems=(Problem("no_xen", "a", "b"),)),
    examples.domain(),
    examples.domain(config=None, xenstore=None),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_there_and_back(record: Record) -> None:
    """The controller sees exactly what the host sent."""
    assert type(record).from_result(json.loads(json.dumps(record.to_result()))) == record


def test_newer_hosts_may_tell_more() -> None:
    """Keys that this version does not know are passed over."""
    result = examples.host("xen1").to_result()
    result["added_later"] = 1
    assert HostFacts.from_result(result) == examples.host("xen1")


def test_missing_values_are_no_defaults() -> None:
    """A record with a hole would make checks pass that nobody made."""
    result = examples.host("xen1").to_result()
    del result["bridges"]
    with pytest.raises(TypeError, match="bridges"):
        HostFacts.from_result(result)


def test_states() -> None:
    """Alive is neither shut down nor dying; paused is alive."""
    assert DomainState(paused=True).alive
    assert not DomainState(shutdown=True, reason="reboot").alive
    assert not DomainState(dying=True).alive
    assert not DomainState(shutdown=True, reason="reboot").suspended


def test_lists_come_back_as_tuples() -> None:
    """Frozen all the way down."""
    facts = XenFacts.from_result(json.loads(json.dumps(examples.XEN.to_result())))
    assert isinstance(facts.caps, tuple) and facts == examples.XEN
