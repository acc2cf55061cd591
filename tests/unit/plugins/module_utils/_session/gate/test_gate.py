# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What closes the gate says why, and what to do about it: the guest stands still meanwhile."""

from __future__ import annotations

import os
import signal
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.gate import gate
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure, Owner, Phase
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import CommandResult
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving

__all__ = ["make_site"]

pytestmark = pytest.mark.timeout(600)

GUEST = GuestConfig(memory_mib=8, compact=True)


@pytest.fixture(name="host")
def one_host(make_site: MakeSite) -> Host:  # noqa: F811  # pytest finds fixtures by their names
    """A source that runs the guest."""
    host = make_site("xen1")["xen1"]
    host.start_guest(GUEST)
    return host


@pytest.fixture(name="store")
def its_store(host: Host) -> t.Iterator[XenStore]:
    """The host's XenStore."""
    with XenStore(str(host.paths.store_socket)) as store:
        yield store


def settings(pauses: bool = False) -> SenderSettings:
    """What the sender of this guest knows."""
    return SenderSettings(
        session="0123456789abcdef", uuid=GUEST.uuid, name=GUEST.name, runtime_folder="", journal_folder="",
        peer_certificate="", xl="xl", link_timeout=1, peer_host="", destination_address="", port=1, connect_timeout=1,
        stop_link_timeout=1, memory_kib=1, gate_held=False, gate_timeout=1, progress_interval=1,
        method="suspend" if pauses else "live",
    )  # fmt: skip


def without(argv: t.Sequence[str]) -> CommandResult:
    """Run nothing: the host has no descriptor left for a pipe."""
    raise OSError(24, "Too many open files")


def closed(failure: Failure | None, code: str) -> str:
    """The gate is closed with this code and a remedy; return what is told."""
    assert failure is not None and failure.code == code and failure.remedy, failure
    return failure.msg


def test_what_closes_the_gate_says_what_to_do(host: Host, store: XenStore) -> None:
    """Whoever reads it at three in the morning has a guest that stands still, or will."""
    domid, xl = int(host.run("xl", "domid", GUEST.name).stdout), Xl(without)
    assert closed(gate.evidence_against(xl, store, domid, settings(), None), "gate_name").count(GUEST.name) == 1
    closed(gate.presence_against(store, GUEST.uuid, GUEST.name, None), "gate_started")
    closed(gate.presence_against(store, "another", "another", 1), "gate_xl")
    host.run("xl", "rename", str(domid), GUEST.name + "--migratedaway")
    closed(gate.evidence_against(xl, store, domid, settings(), 1), "gate_xl")
    assert gate.evidence_against(xl, store, domid, settings(), None) is None
    # A host that is short of descriptors for a moment ends no sender: the guest would stay paused.
    closed(gate.evidence_against(xl, store, domid, settings(pauses=True), None), "xl_failed")


def test_a_permission_that_has_been_used_is_accepted_again_whatever_the_link_does() -> None:
    """Who asks a second time, after a run that was ended, is not told that the request for the commit never left."""
    state = SourceState(GUEST.name, phase=Phase.COMMITTED, owner=Owner.UNSETTLED, gate_held=True, commit_left=True)
    for link_up in (True, False):
        event = gate.event({"command": control.PERMIT}, state, link_up, lambda: None)
        assert event is not None
        assert advance(state, event) == (state, ())
    assert gate.obeyed(control.PERMIT, state)


def test_a_permission_while_the_link_is_down_says_so(make_site: MakeSite) -> None:  # noqa: F811
    """It is not taken, since the way back would be closed: nothing else that the sender knows is wrong then."""
    site = make_site("xen1", "xen2")
    site["xen1"].start_guest(GUEST)
    receiver = receiving.start(site["xen2"], method="live")
    move = two_hosts.begin_to(site, receiver, method="live", gate_held=True)
    two_hosts.until(lambda: "permission_held" in move.steps())
    folder = str(site["xen1"].paths.run.resolve() / "dom0-xen" / f"{two_hosts.SESSION}.sender")
    os.kill(receiver.pid, signal.SIGKILL)
    two_hosts.until(lambda: not (documents.read(os.path.join(folder, documents.STATUS)) or {})["link"]["up"])
    told = control.ask(folder, {"command": control.PERMIT}, 30)
    assert (told["accepted"], told["phase"]) == (False, "gate")
    assert told["error"]["code"] == "link_down" and told["error"]["remedy"]
    assert told["error"]["msg"].startswith("the link to the destination is down")
    assert control.ask(folder, {"command": control.CANCEL}, 30)["accepted"]
    assert move.result()["end_state"] == "stayed"
