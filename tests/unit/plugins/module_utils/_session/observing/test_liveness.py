# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a domain is alive is seen on a host of the double, and never waited for longer than was said."""

from __future__ import annotations

import pathlib
import socket
import struct
import sys
import time
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.observing import liveness, portrait
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.liveness import (
    AddressInvalid,
    Look,
    Pulse,
    checked,
    follow,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.afterwards import Afterwards
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.guest_clock import GuestClock
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Owner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

__all__ = ["make_site"]

MAC = "00:16:3e:00:00:64"


class Clock:
    """Time that passes when it is waited."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        """Let it pass."""
        self.waits.append(seconds)
        self.now += seconds


def looks(*given: Look) -> t.Callable[[], Look]:
    """Return one look after the other, the last one for ever."""
    left = list(given)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def followed(clock: Clock, *given: Look, timeout: float = 15.0, dismissed_at: float = 1e9) -> dict[str, t.Any] | None:
    """Follow these looks."""
    return follow(looks(*given), timeout, clock.wait, lambda: clock.now >= dismissed_at, lambda: clock.now)


def test_it_ends_at_once_when_nothing_is_missing() -> None:
    """Most moves cost one look."""
    clock = Clock()
    found = followed(clock, Look((), (), True, {"state": "running"}))
    assert found == {"alive": True, "waited_ms": 0, "missing": [], "unseen": [], "state": "running"}
    assert clock.waits == []


def test_what_must_be_is_waited_for_to_the_limit() -> None:
    """And no longer: the domain stays where it is, whatever it lacks."""
    clock = Clock()
    found = followed(clock, Look(("vif/0 is not connected",), (), True), timeout=3.2)
    assert found and (found["alive"], found["missing"]) == (False, ["vif/0 is not connected"])
    assert clock.now == pytest.approx(3.2)
    assert (followed(Clock(), Look(("x",), (), True), Look((), (), True)) or {})["alive"] is True


def test_what_is_good_to_know_is_not_waited_for_long() -> None:
    """A guest may never say a word, and be idle, and be well."""
    clock = Clock()
    found = followed(clock, Look((), ("not heard",), True))
    assert found and (found["alive"], found["unseen"]) == (True, ["not heard"])
    assert clock.now == pytest.approx(liveness.PATIENCE_S)


def test_a_domain_of_which_nothing_was_seen_is_neither_alive_nor_dead() -> None:
    """It has no devices, no address was given, and it has used no processor time that shows."""
    assert (followed(Clock(), Look((), ("no time",), False)) or {"alive": 1})["alive"] is None


def test_a_session_that_is_told_to_end_says_nothing() -> None:
    """Somebody settles, and waits for it."""
    assert followed(Clock(), Look(("x",), (), True), dismissed_at=1.0) is None


@pytest.mark.parametrize(
    "address", ["192.0.2.7", "192.0.2.7:22", "guest.example", "2001:db8::7", "fe80::1%xenbr0", "[2001:db8::7]:22", ""]
)
def test_addresses(address: str) -> None:
    """With and without a port."""
    assert checked(address) == address


@pytest.mark.parametrize("address", ["-f", "a b", "$(reboot)", "192.0.2.7:0", "192.0.2.7:70000", "[x y]:22", "a;b:22"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """Before anything is started; it becomes an argument of ping."""
    with pytest.raises(AddressInvalid):
        checked(address)


def test_a_port_answers_or_does_not() -> None:
    """The answer is a connection."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert not liveness.answers(address)
        server.listen()
        assert liveness.answers(address)


@pytest.fixture
def host(make_site: MakeSite) -> Host:
    """One with a guest that has a network card."""
    host = make_site("xen1", python=sys.executable)["xen1"]
    host.start_guest(GuestConfig(memory_mib=16, compact=True))
    return host


@pytest.fixture
def pulse(host: Host, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[..., Pulse]]:
    """Makes what looks at it; the folder stands for /sys/class/net."""
    with XenStore(str(host.paths.store_socket)) as store:
        xl = Xl(subprocess_runner(), str(host.paths.bin / "xl"))
        domid = host.domains()[0]["domid"]
        yield lambda connected=("vif/0",), address="": Pulse(xl, store, domid, connected, address, str(tmp_path))


def bridge(folder: pathlib.Path, domid: int, *heard: tuple[str, int, bool]) -> None:
    """Make a bridge with the guest's card at its port 3, that has heard addresses at ports, local ones or not."""
    port = folder / f"vif{domid}.0" / "brport"
    port.mkdir(parents=True, exist_ok=True)
    (folder / "xenbr0").mkdir(exist_ok=True)
    if not (port / "bridge").is_symlink():
        (port / "bridge").symlink_to(folder / "xenbr0")
    (port / "port_no").write_text("0x3\n")
    entries = [
        bytes.fromhex(mac.replace(":", "")) + struct.pack("=BBIBBH", at, local, 0, 0, 0, 0) for mac, at, local in heard
    ]
    (folder / "xenbr0" / "brforward").write_bytes(b"".join(entries))


def until(look: t.Callable[[], Look], done: t.Callable[[Look], bool]) -> Look:
    """Look until it is so."""
    deadline = time.monotonic() + 20
    while not done(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)
    return seen


def test_a_guest_that_runs_is_alive(host: Host, pulse: t.Callable[..., Pulse]) -> None:
    """State, devices, and in the end its processor time."""
    host.behave("centos", load=1.0)
    seen = until(pulse().look, lambda look: not look.missing and bool(look.seen["cpu_time_s"]))
    assert seen.proven
    assert (seen.seen["state"], seen.seen["devices"]) == ("running", {"vif/0": 4})
    assert seen.seen["cpu_time_s"] > 0


def test_a_guest_without_devices_has_only_its_time(host: Host, pulse: t.Callable[..., Pulse]) -> None:
    """Until that shows nothing is proven."""
    host.behave("centos", load=0.0)
    seen = pulse(()).look()
    assert (seen.missing, seen.proven) == ((), False)
    assert seen.wished == ("its processor time has not come to a tenth of a second",)
    host.behave("centos", load=1.0)
    until(pulse(()).look, lambda look: look.proven and not look.wished)


def test_a_device_that_was_connected_must_be_again(host: Host, pulse: t.Callable[..., Pulse]) -> None:
    """One that was not need not be: the guest has no driver for it."""
    until(pulse().look, lambda look: not look.missing)
    domid = host.domains()[0]["domid"]
    host.run("xenstore-write", f"/local/domain/0/backend/vif/{domid}/0/state", "2")
    assert pulse().look().missing == ("the device vif/0 is in state 2, not connected",)
    assert pulse(("vif/0", "vbd/51712")).look().missing[1] == "the device vbd/51712 is gone, not connected"
    assert pulse(()).look().missing == ()


@pytest.mark.parametrize(("method", "alive"), [("live", False), ("cold", True)])
def test_a_guest_that_was_shut_down_may_still_boot(
    host: Host, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, method: str, alive: bool
) -> None:
    """It connects its devices minutes later, perhaps; one that came with its memory has to at once."""
    monkeypatch.setattr(autostart, "SETTINGS", (str(tmp_path / "none"),))
    host.behave("centos", load=1.0)
    places = {"runtime_folder": str(tmp_path), "journal_folder": str(tmp_path), "xl": "xl", "peer_certificate": ""}
    ports = {"listen_address": "127.0.0.1", "port_first": 0, "port_last": 0}
    limits = {"link_timeout": 1.0, "admission_timeout": 1.0, "banner_timeout": 1.0, "liveness_timeout": 2.0}
    who = {"session": "0123456789abcdef", "uuid": GuestConfig.uuid, "name": "centos", "peer_host": ""}
    settings = ReceiverSettings.from_document(
        {**who, **places, **ports, **limits, "memory_max_kib": 16384, "liveness": True, "method": method}
    )
    with XenStore(str(host.paths.store_socket)) as store:
        xl = Xl(subprocess_runner(), str(host.paths.bin / "xl"))
        subject = Afterwards(settings, xl, store, lambda dummy: None, GuestClock())
        subject.take({"type": portrait.KIND, "traits": {}, "connected": ["vbd/51712"]})
        subject.run(Owner.DESTINATION, host.domains()[0]["domid"], time.sleep, lambda: False)
    assert subject.told["liveness"]["alive"] is alive


def test_a_guest_that_is_paused_or_gone_is_not(host: Host, pulse: t.Callable[..., Pulse]) -> None:
    """Whatever else is well."""
    host.run("xl", "pause", "centos")
    assert "the domain is paused" in pulse().look().missing
    subject = pulse()
    host.run("xl", "destroy", "centos")
    assert "the domain is absent" in subject.look().missing


def test_its_card_is_heard_at_its_own_port(host: Host, pulse: t.Callable[..., Pulse], tmp_path: pathlib.Path) -> None:
    """What the bridge has heard at the port to the other host, before the move, does not count."""
    domid = host.domains()[0]["domid"]
    unheard = f"{MAC} was not heard at xenbr0"
    assert unheard not in pulse().look().wished, "there is no bridge to look at"
    bridge(tmp_path, domid, (MAC, 1, False), (MAC, 3, True))
    assert unheard in pulse().look().wished
    bridge(tmp_path, domid, (MAC, 1, False), (MAC, 3, False))
    assert unheard not in pulse().look().wished
    assert pulse().look().seen["macs"] == [{"mac": MAC, "bridge": "xenbr0", "heard": True}]


def test_an_address_that_was_given_must_answer(pulse: t.Callable[..., Pulse]) -> None:
    """Once is enough."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{server.getsockname()[1]}"
        subject = pulse(address=address)
        assert f"{address} does not answer" in subject.look().missing
        server.listen()
        assert subject.look().seen["answered"] is True
    assert subject.look().seen["answered"] is True
