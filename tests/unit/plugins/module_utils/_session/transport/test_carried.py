# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carried a session is told from its sockets and from what the interfaces have counted; one alone is no proof."""

from __future__ import annotations

import random
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.network import Look, look
from ansible_collections.dom0.xen.plugins.module_utils._link.ends import Ends as Pair
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.link import WAYS_LIMIT
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Direct
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.carried import LAG_S, Carried
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends

NOISE = random.Random(9).randbytes(1_500_000)
HERE, THERE = "127.0.0.21", "127.0.0.1"


@pytest.fixture(name="both")
def both_ends() -> t.Iterator[Ends]:
    """A link from one address of the loopback interface to another."""
    with Ends(route=lambda made: Direct(THERE, made.listener.port, HERE)) as both:
        yield both


def carry(both: Ends) -> None:
    """Send something."""
    both.near.send_data(NOISE)
    both.until(lambda: both.far_data() == NOISE and both.near.delivered)


def looks(*counted: dict[str, tuple[int, int]], interfaces: dict[str, str] | None = None) -> t.Callable[[], Look]:
    """Return a way to look that shows these counters, one after the other, of interfaces that have these addresses."""
    waiting = iter(counted)
    return lambda: Look(interfaces or {}, next(waiting))


def told(carried: Carried) -> dict[str, t.Any]:
    """Return the document, which must be there."""
    assert carried.document is not None
    return carried.document


def test_before_a_connection_there_is_nothing_to_tell(both: Ends) -> None:
    """Neither of addresses nor of what somebody else's traffic was."""
    carried = Carried(both.near, "lo", sends=True)
    carried.finish()
    assert carried.document is None


def test_over_the_loopback_interface(both: Ends) -> None:
    """As this machine counts, at both ends; without the counters as long as the end is not known."""
    near, far = Carried(both.near, "lo", sends=True), Carried(both.far, "", sends=False)
    carry(both)
    assert (told(near)["counters"], told(near)["shown"]) == (None, None)
    for carried, connection in ((near, (HERE, THERE)), (far, (THERE, HERE))):
        carried.finish()
        document = told(carried)
        local, peer = connection
        assert document["connections"] == [{"local": local, "peer": peer, "interface": "lo", "count": 1}]
        assert document["bytes"] >= len(NOISE) and document["shown"] is True
        assert document["counters"]["lo"]["tx_bytes"] >= len(NOISE)
    assert (told(near)["planned_interface"], told(far)["planned_interface"]) == ("lo", None)


def test_bytes_that_another_interface_has_counted(both: Ends) -> None:
    """The one with the address has not carried them; one that has carried as much is told."""
    zero = {"lo": (0, 0), "eth1": (5, 5), "eth7": (9, 9)}
    more = {"lo": (500, 700), "eth1": (5, 5), "eth7": (20, 9 + len(NOISE) * 2)}
    carried = Carried(both.near, "lo", sends=True, looking=looks(zero, more))
    carry(both)
    carried.finish()
    document = told(carried)
    assert document["shown"] is False
    assert document["counters"] == {
        "lo": {"rx_bytes": 500, "tx_bytes": 700},
        "eth7": {"rx_bytes": 11, "tx_bytes": len(NOISE) * 2},
    }


def test_the_direction_counts(both: Ends) -> None:
    """What a sender's interface has received does not show that it has sent, and the other way round."""
    begin, received = {"lo": (0, 0)}, {"lo": (10 * len(NOISE), 10)}
    near = Carried(both.near, "", sends=True, looking=looks(begin, received))
    far = Carried(both.far, "", sends=False, looking=looks(begin, received))
    carry(both)
    near.finish()
    far.finish()
    assert (told(near)["shown"], told(far)["shown"]) == (False, True)


def test_a_card_that_hands_over_its_counters_late(both: Ends) -> None:
    """It is looked at once more, and waited for only where it was not enough."""
    waited: list[float] = []
    full = {"lo": (0, 10 * len(NOISE))}
    late = Carried(both.near, "", sends=True, looking=looks({"lo": (0, 0)}, {"lo": (0, 50)}, full))
    quick = Carried(both.near, "", sends=True, looking=looks({"lo": (0, 0)}, full))
    carry(both)
    for carried in (late, quick):
        carried.finish()
        carried.finish(waited.append)
        assert told(carried)["shown"] is True
    assert waited == [LAG_S]


@pytest.mark.parametrize("after", [{}, {"lo": (0, 3)}], ids=["gone", "made anew"])
def test_what_cannot_be_told_is_not_claimed(both: Ends, after: dict[str, tuple[int, int]]) -> None:
    """Neither that it was so nor that it was not."""
    carried = Carried(both.near, "lo", sends=True, looking=looks({"lo": (0, 1000)}, after, after))
    carry(both)
    carried.finish()
    carried.finish()
    assert (told(carried)["shown"], told(carried)["counters"]) == (None, {})


def test_an_address_of_no_interface(both: Ends) -> None:
    """It is taken away in the middle of a move, or was never seen: said so, and nothing made of it."""
    carried = Carried(both.far, "eth1", sends=False, looking=looks({"eth1": (0, 0)}, {"eth1": (9, 9)}))
    carry(both)
    both.far.ways = {Pair("198.51.100.1", "198.51.100.2"): 1}
    carried.finish()
    assert told(carried)["connections"][0]["interface"] is None and told(carried)["shown"] is None


def test_over_ssh_the_sender_tells(both: Ends) -> None:
    """The receiver's own socket leads to its sshd; what it is told it looks up and counts by itself."""
    near = Carried(both.near, "lo", sends=True)
    eth = {"192.0.2.12": "eth1"}
    counted = looks({"eth1": (0, 0)}, {"eth1": (9 * len(NOISE), 0)}, interfaces=eth)
    far = Carried(both.far, "eth1", sends=False, told=True, looking=counted)
    carry(both)
    assert far.document is None
    near.tell()
    both.until(lambda: both.arrived_far[-1].kind.name == "MESSAGE")
    message = both.arrived_far[-1].document()
    assert message == {"type": "path", "local": THERE, "peer": HERE}
    for dummy in range(2):
        assert far.take({**message, "local": "192.0.2.12", "peer": "192.0.2.11"})
    far.finish()
    way = {"local": "192.0.2.12", "peer": "192.0.2.11", "interface": "eth1", "count": 2}
    assert told(far)["connections"] == [way] and told(far)["shown"] is True


def test_what_the_sender_tells_is_bounded(both: Ends) -> None:
    """Addresses, not more of them than there can be, and only where they are asked for."""
    far = Carried(both.far, "", sends=False, told=True)
    wrong: list[t.Any] = [None, 7, "xen1", "", "192.0.2.1 ", "1" * 100_000, ["192.0.2.1"]]
    for value in wrong:
        with pytest.raises(FrameError):
            far.take({"type": "path", "local": value, "peer": "192.0.2.1"})
        with pytest.raises(FrameError):
            far.take({"type": "path", "local": "192.0.2.1", "peer": value})
    for number in range(3 * WAYS_LIMIT):
        assert far.take({"type": "path", "local": f"192.0.2.{number}", "peer": "192.0.2.200"})
    assert len(told(far)["connections"]) == WAYS_LIMIT
    assert not far.take({"type": "ready"})
    with pytest.raises(FrameError):
        Carried(both.far, "", sends=False).take({"type": "path", "local": HERE, "peer": THERE})


def test_few_interfaces_are_told_of(both: Ends) -> None:
    """A host with hundreds of guests has hundreds of them; the busiest are named."""
    names = [f"vif{number}.0" for number in range(300)]
    before = {"lo": (0, 0), **dict.fromkeys(names, (0, 0))}
    after = {"lo": (0, 9 * len(NOISE)), **{name: (0, len(NOISE) * 2 + at) for at, name in enumerate(names)}}
    carried = Carried(both.near, "", sends=True, looking=looks(before, after))
    carry(both)
    carried.finish()
    assert list(told(carried)["counters"]) == ["lo", *(f"vif{number}.0" for number in range(299, 292, -1))]


def test_looking_runs_no_process_and_never_fails() -> None:
    """It is what a session does by default."""
    assert "lo" in look().counters
