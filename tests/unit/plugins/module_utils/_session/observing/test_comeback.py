# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of a guest that goes on where it stood still only what grows is a sign of life: on a host of the double."""

from __future__ import annotations

import pathlib
import socket
import sys
import time
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.plugins.module_utils._session.observing.comeback import Comeback, watch
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.liveness import Look
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

__all__ = ["make_site"]


class Stopped:
    """A guest that runs and does nothing, and the folders that its host's kernel counts in."""

    def __init__(self, host: Host, folder: pathlib.Path, store: XenStore) -> None:
        self.host, self.folder, self.store = host, folder, store
        self.xl = Xl(subprocess_runner(), str(host.paths.bin / "xl"))
        self.domid = host.domains()[0]["domid"]

    def comeback(self, address: str = "") -> Comeback:
        """What is under test."""
        net, backends = (str(self.folder / name) for name in ("net", "backends"))
        return Comeback(self.xl, self.store, self.domid, address, net, backends)

    def count(self, *names: str, value: int) -> None:
        """Have a file count so many."""
        path = self.folder.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")


@pytest.fixture
def stopped(make_site: MakeSite, tmp_path: pathlib.Path) -> t.Iterator[Stopped]:
    """One with a network card and a disk."""
    host = make_site("xen1", python=sys.executable)["xen1"]
    domid = host.start_guest(GuestConfig(memory_mib=16, compact=True, behaviour={"load": 0.0}))
    disk = f"/libxl/{domid}/device/vbd/51712/backend"
    host.run("xenstore-write", disk, f"/local/domain/0/backend/vbd/{domid}/51712")
    with XenStore(str(host.paths.store_socket)) as store:
        yield Stopped(host, tmp_path, store)


def test_a_guest_whose_kernel_has_stopped_gives_no_sign(stopped: Stopped) -> None:
    """It is listed as running, and what it had counted before is no sign."""
    stopped.count("net", f"vif{stopped.domid}.0", "statistics", "rx_packets", value=17)
    seen = watch(stopped.xl, stopped.store, stopped.domid, 1.0)
    assert seen is not None and (seen["alive"], seen["state"], seen["signs"]) == (None, "running", [])
    assert seen["waited_ms"] >= 1000 and seen["unseen"]
    subject = stopped.comeback()
    assert [subject.look().proven for dummy in range(2)] == [False, False]


def test_processor_time_that_grows_is_a_sign(stopped: Stopped) -> None:
    """Which ends the watch."""
    stopped.host.behave("centos", load=1.0)
    seen = watch(stopped.xl, stopped.store, stopped.domid, 20.0)
    assert seen is not None and (seen["alive"], seen["signs"], seen["unseen"]) == (True, ["cpu_time"], [])
    assert seen["waited_ms"] < 20_000


@pytest.mark.parametrize(
    ("names", "device"),
    [
        (("net", "vif{}.0", "statistics", "rx_packets"), "vif/0"),
        (("net", "vif{}.0-emu", "statistics", "rx_packets"), "vif/0"),
        (("backends", "vbd-{}-51712", "statistics", "rd_req"), "vbd/51712"),
        (("backends", "vbd-{}-51712", "statistics", "wr_req"), "vbd/51712"),
        (("backends", "vbd-{}-51712", "statistics", "f_req"), "vbd/51712"),
    ],
)
def test_a_packet_or_a_request_is_a_sign(stopped: Stopped, names: tuple[str, ...], device: str) -> None:
    """Nobody but the guest's kernel makes one, and an idle guest makes one sooner than it uses a tenth of a second."""
    names = tuple(name.format(stopped.domid) for name in names)
    subject = stopped.comeback()
    stopped.count(*names, value=4)
    assert not subject.look().proven
    assert not subject.look().proven
    stopped.count(*names, value=5)
    seen = subject.look()
    assert (seen.proven, seen.seen["signs"], seen.wished) == (True, [device], ())


def test_one_that_does_not_run_is_not_alive(stopped: Stopped) -> None:
    """Whatever else is seen."""
    subject = stopped.comeback()
    stopped.host.run("xl", "pause", "centos")
    assert subject.look().missing == ("the domain is paused",)
    stopped.host.run("xl", "destroy", "centos")
    assert subject.look().missing == ("the domain is absent",)


def test_the_address_that_was_given_must_answer(stopped: Stopped) -> None:
    """And says that it is alive."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{server.getsockname()[1]}"
        subject = stopped.comeback(address)
        assert subject.look().missing == (f"{address} does not answer",)
        server.listen()
        seen: Look = subject.look()
    assert (seen.missing, seen.proven, seen.seen["answered"]) == ((), True, True)


def test_an_xl_that_does_not_answer_is_no_death(stopped: Stopped) -> None:
    """What cannot be seen is told so, in the time that was given."""
    stopped.xl = Xl(subprocess_runner(), "/nonexistent/xl")
    begun = time.monotonic()
    seen = watch(stopped.xl, stopped.store, stopped.domid, 0.5)
    assert seen is not None and (seen["alive"], seen["missing"]) == (None, [])
    assert "xl does not tell whether it runs" in seen["unseen"]
    assert time.monotonic() - begun < 20
