# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy that arrives is told from what was there before, and the moment it gets its name is noted."""

from __future__ import annotations

import select
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, DomainState
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.arrival import Arrival
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

# Domain 3 of the daemon has it.
UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
COPY = "/local/domain/21"
STATE = DomainState(running=True)


@pytest.fixture
def store(xenstored: t.Any) -> t.Iterator[XenStore]:
    """A host on which the domain runs already, as on a move within one host."""
    with XenStore(xenstored.socket) as opened:
        yield opened


@pytest.fixture
def found(store: XenStore, xenstored: t.Any) -> t.Iterator[Arrival]:
    """A session that has just begun there."""
    made = Arrival(store, UUID.upper(), xenstored.socket)
    yield made
    made.close()


def moments(found: Arrival, seconds: float = 1.0) -> dict[str, float]:
    """What is noted within this time."""
    timeline: dict[str, float] = {}
    deadline = time.monotonic() + seconds
    while not timeline and time.monotonic() < deadline:
        if select.select([found.fileno()], [], [], 0.05)[0]:
            found.read(timeline)
    return timeline


def test_the_copy_is_found_and_its_name_watched(store: XenStore, found: Arrival) -> None:
    """The source's own copy is not taken for it; only the second name is the domain's own."""
    found.search(0.0)
    assert found.domid is None
    store.write(f"{COPY}/vm", f"/vm/{UUID}")
    store.write(f"{COPY}/name", "centos--incoming")
    found.search(0.1)
    assert found.domid is None, "it was looked for again before the time"
    found.search(10.0)
    assert [found.domid] == [21]
    assert moments(found, 0.3) == {}
    before = time.monotonic()
    store.write(f"{COPY}/name", "centos")
    assert before <= moments(found)["named"] <= time.monotonic()


def test_another_domain_is_not_the_copy(store: XenStore, found: Arrival) -> None:
    """Guests come and go on the destination while one arrives."""
    store.write("/local/domain/22/vm", "/vm/0ddba11e-0000-4000-8000-000000000001")
    found.search(0.0)
    assert found.domid is None


def test_mine_is_the_one_that_was_not_there(found: Arrival) -> None:
    """What the hypervisor shows is judged the same way, so that the source's copy is never destroyed."""
    assert found.is_mine(row(21, UUID))
    assert not found.is_mine(row(3, UUID))
    assert not found.is_mine(row(21, "0ddba11e-0000-4000-8000-000000000001"))


def row(domid: int, uuid: str) -> DomainRow:
    """A row of xl list."""
    return DomainRow(domid, uuid, "centos", STATE, 128, 1, 0.1)
