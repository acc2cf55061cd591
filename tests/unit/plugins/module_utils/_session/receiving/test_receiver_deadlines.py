# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long the destination waits for a sender, and for one whose link is away."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination_state import DestinationState
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.receiver_deadlines import ReceiverDeadlines
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends

LINK, ADMISSION, BANNER = 30.0, 120.0, 60.0
SETTINGS = ReceiverSettings(
    session="0123456789abcdef",
    uuid="1c2d3e4f-0000-4000-8000-00000000002a",
    name="centos",
    runtime_folder="/nonexistent",
    journal_folder="/nonexistent",
    peer_certificate="",
    xl="xl",
    link_timeout=LINK,
    peer_host="",
    memory_max_kib=1,
    listen_address="127.0.0.1",
    port_first=1,
    port_last=1,
    admission_timeout=ADMISSION,
    banner_timeout=BANNER,
)
STARTING = DestinationState("centos")
ADMITTED = DestinationState("centos", phase=Phase.ADMITTED)


@pytest.fixture
def ends() -> t.Iterator[Ends]:
    """Both ends of a link; whose it is makes no difference to it, so the near one is the receiver's."""
    with Ends() as made:
        yield made


def kinds(deadlines: ReceiverDeadlines, state: DestinationState, listens: bool = True) -> list[str]:
    """What is too late now, by the code of its failure."""
    events = list(deadlines.passed(state, listens))
    return [event.failure.code for event in events if isinstance(event, (words.Failed, words.LinkExpired))]


def test_a_sender_may_come_late(ends: Ends) -> None:
    """The time before it has come is that of the admission, and none of the link's."""
    deadlines = ReceiverDeadlines(SETTINGS, ends.near, ends.clock)
    assert kinds(deadlines, STARTING) == []
    for _dummy in range(4):
        ends.clock.skew += LINK * 0.9
        assert kinds(deadlines, STARTING) == []
    ends.connect()
    assert kinds(deadlines, ADMITTED) == []
    ends.near.detach()
    ends.clock.skew += LINK * 0.9
    assert kinds(deadlines, ADMITTED) == []
    ends.clock.skew += LINK * 0.2
    assert kinds(deadlines, ADMITTED) == ["link_expired"]


@pytest.mark.parametrize(
    ("listens", "after", "code"), [(False, BANNER, "banner_wrong"), (True, ADMISSION, "no_sender")]
)
def test_what_does_not_come(ends: Ends, listens: bool, after: float, code: str) -> None:
    """The banner of ``xl``, and then a sender."""
    deadlines = ReceiverDeadlines(SETTINGS, ends.near, ends.clock)
    ends.clock.skew += after * 0.9
    assert kinds(deadlines, STARTING, listens) == []
    ends.clock.skew += after * 0.2
    assert kinds(deadlines, STARTING, listens) == [code]


def test_losses_add_up_until_the_source_answers(ends: Ends) -> None:
    """A link that comes and goes is given up; one over which the source answers is not."""
    deadlines = ReceiverDeadlines(SETTINGS, ends.near, ends.clock)
    ends.connect()
    assert kinds(deadlines, ADMITTED) == []

    def answer() -> None:
        before = ends.near.answers
        ends.near.tick()
        ends.until(lambda: ends.near.answers > before)

    def lose(part: float) -> list[str]:
        ends.near.detach()
        ends.far.detach()
        ends.clock.skew += LINK * part
        found = kinds(deadlines, ADMITTED)
        ends.connect()
        return found

    for _dummy in range(4):
        assert lose(0.7) == []
        answer()
        assert kinds(deadlines, ADMITTED) == []
    assert lose(0.7) == []
    assert lose(0.7) == ["link_expired"]
