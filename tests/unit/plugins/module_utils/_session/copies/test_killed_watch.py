# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender is killed when its session has ended and it watches for a guest that may do late what it was asked for."""

from __future__ import annotations

import json
import signal
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import sessions_seen
from ansible_collections.dom0.xen.plugins.module_utils._records import SessionSeen
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import NAME, UUID, Move, until

__all__ = ["make_site"]

pytestmark = pytest.mark.timeout(900)

FILE = f'''name = "{NAME}"
type = "pvh"
memory = 8
kernel = "/srv/guest/vmlinuz"
vif = [ "bridge=xenbr0" ]
'''


def seen(site: Site) -> SessionSeen:
    """What xen1 tells of the session."""
    paths = site["xen1"].paths
    (session,) = sessions_seen(str(paths.run.resolve() / "dom0-xen"), str(paths.lib / "dom0-xen"))
    return session


def kill_while_it_watches(site: Site, move: Move, number: int = signal.SIGKILL) -> None:
    """Kill the sender, or tell it to end, and see that its host does not tell that all is well."""
    status = site["xen1"].paths.run.resolve() / "dom0-xen" / f"{two_hosts.SESSION}.sender" / "status.json"
    until(lambda: status.exists() and json.loads(status.read_bytes()).get("watches"), lambda: move.records()[-3:])
    assert move.steps()[-1] == "ended"
    site["xen1"].kill("_session.daemon", "sender", number=number)
    until(lambda: not seen(site).alive)
    assert not seen(site).over and seen(site).end_state is None


def runs_on_the_source(site: Site) -> None:
    """The guest never ran twice, and runs there and nowhere else; that is on record as the end."""
    assert site.overlaps(UUID) == []
    assert len(site.running(UUID)) == 1
    assert [each["name"] for each in site["xen1"].domains()] == [NAME]
    assert site["xen2"].domains() == []
    assert seen(site).over and seen(site).end_state == "stayed"


@pytest.fixture
def cold(
    make_site: MakeSite,  # noqa: F811  # pytest finds fixtures by their names
    request: pytest.FixtureRequest,
) -> t.Iterator[tuple[Site, Move]]:
    """A move whose guest does not shut down in time; it does not see that it is asked, unless a test says otherwise."""
    site = make_site("xen1", "xen2", suspend_timeout_s=1.0)
    site["xen1"].start_guest(GuestConfig(memory_mib=8, compact=True))
    path = site["xen1"].paths.root / "domain.cfg"
    path.write_text(FILE)
    site["xen1"].behave(NAME, shutdown=getattr(request, "param", "ignore"))
    yield site, two_hosts.begin(site, "cold", config_path=str(path), shutdown_timeout=1.0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_guest_that_shuts_down_after_that_is_asked_about(cold: tuple[Site, Move], number: int) -> None:
    """It may have shut down by itself as well as been destroyed or moved; a person says which, and it is started."""
    site, move = cold
    kill_while_it_watches(site, move, number)
    site["xen1"].machine.call("shut_down", domid=site["xen1"].domains()[0]["domid"], reason=0)
    until(lambda: site["xen1"].domains() == [])
    assert move.settle().end_state == "started_perhaps"
    assert site["xen1"].domains() == []
    assert move.settle(vouched_ran=False).end_state == "stayed"
    runs_on_the_source(site)


@pytest.mark.parametrize("cold", ["ack_only"], indirect=True)
@pytest.mark.parametrize("destroyed", [False, True])
def test_a_guest_that_had_agreed_is_started_again(cold: tuple[Site, Move], destroyed: bool) -> None:
    """Where the log of its monitor says that it has shut down by itself; else a person is asked."""
    site, move = cold
    kill_while_it_watches(site, move)
    (domain,) = site["xen1"].domains()
    if destroyed:
        assert site["xen1"].run("xl", "destroy", NAME).status == 0
    else:
        site["xen1"].machine.call("shut_down", domid=domain["domid"], reason=0)
    until(lambda: site["xen1"].domains() == [])
    if destroyed:
        assert move.settle().end_state == "started_perhaps"
        assert site["xen1"].domains() == []
    else:
        assert move.settle().end_state == "stayed"
        runs_on_the_source(site)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_guest_that_runs_on_has_stayed(cold: tuple[Site, Move], number: int) -> None:
    """Nobody is asked for what can be seen."""
    site, move = cold
    kill_while_it_watches(site, move, number)
    assert move.settle().end_state == "stayed"
    runs_on_the_source(site)


def test_a_guest_that_suspends_after_that_is_resumed(make_site: MakeSite) -> None:  # noqa: F811
    """Nobody else would do it: xl has given up."""
    site = make_site("xen1", "xen2", suspend_timeout_s=1.0)
    site["xen1"].start_guest(GuestConfig(memory_mib=8, compact=True, behaviour={"suspend_s": 8}))
    move = two_hosts.begin(site, "live")
    kill_while_it_watches(site, move)
    until(lambda: site["xen1"].domains()[0]["shutdown"])
    assert move.settle().end_state == "stayed"
    runs_on_the_source(site)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_guest_that_suspends_only_when_that_is_settled_is_resumed(make_site: MakeSite, number: int) -> None:  # noqa: F811
    """It runs when it is looked at, and whoever settles watches in the sender's place."""
    site = make_site("xen1", "xen2", suspend_timeout_s=1.0)
    site["xen1"].start_guest(GuestConfig(memory_mib=8, compact=True, behaviour={"suspend_s": 20}))
    move = two_hosts.begin(site, "live")
    kill_while_it_watches(site, move, number)
    assert not site["xen1"].domains()[0]["shutdown"], "this machine is too slow for what is tested here"
    assert move.settle().end_state == "stayed"
    kept = [record["details"] for record in journal.read(str(move.journal)) if record["step"] == "late_suspend"]
    assert (kept[-1]["end"], kept[-1]["by"], kept[-1]["error"]) == ("resume", "me", None)
    runs_on_the_source(site)
