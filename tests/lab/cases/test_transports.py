# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each transport moves the guest through the one port that it names, with every other one between the dom0s shut."""

from __future__ import annotations

import contextlib
import json
import time
import typing as t
from collections.abc import Iterator

from dom0lab import Host

from . import search
from .conftest import Record
from .plays import Outcome
from .world import BUSY_PAGES_PER_S, World, same_guest

SSH, RECEIVER, NOBODY = 22, 49152, 4711
ALL_PORTS = {SSH: "open", RECEIVER: "closed", NOBODY: "closed"}
TRUST = "/run/lab-trust"
SETTLE = "dom0.xen.settle"
NO_FORWARDING = "/etc/ssh/sshd_config.d/lab-no-forwarding.conf"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"
# A Python that imports paramiko, and logins, take their time in an emulated host; the receiver has to wait as long.
SLOW: dict[str, t.Any] = {"migrate_connect_timeout": 90, "migrate_admission_timeout": 400}
ANEW_S = 60.0


def knocked(world: World) -> dict[int, str]:
    """What comes of connections from the source to the destination, by port."""
    ports = [str(port) for port in ALL_PORTS]
    told = json.loads(world.script(world.source, "knock.py", world.destination.address, *ports))
    return {int(port): outcome for port, outcome in told.items()}


@contextlib.contextmanager
def walled(world: World, port: int) -> Iterator[None]:
    """Only this port can be reached, which is tried; within, nobody even tries another one."""
    assert knocked(world) == ALL_PORTS, "the hosts are not as they were"
    world.lab.wall(port)
    try:
        assert knocked(world) == {each: ALL_PORTS[each] if each == port else "silent" for each in ALL_PORTS}
        assert world.lab.knocks() == {("xen1", each) for each in ALL_PORTS}, "the wall does not see who knocks"
        world.lab.wall(port)
        yield
        assert world.lab.knocks() == {("xen1", port)}
    finally:
        world.lab.mend()


def move(world: World, record: Record, transport: str, port: int, **how: t.Any) -> Outcome:
    """Move the guest to xen2 by this transport through this port, and judge it."""
    with walled(world, port), world.lab.observe(everywhere=True) as watch:
        outcome = world.migrate(migrate_transport=transport, migrate_port_range=f"{RECEIVER}-{RECEIVER}", **how)
        watch.wait_answer()
    assert outcome.status == 0, outcome.output[-3000:]
    seen, result = same_guest(watch.observation), outcome.result
    record.note(total_ms=result["total_ms"], stop_ms=result["stop_ms"], gap_ms=seen.gap_ms)
    world.require("xen2")
    assert (result["owner"], result["end_state"], result["transport"]) == ("destination", "moved", transport)
    return outcome


def test_tls(home: World, record: Record) -> None:
    """The receiver's port is all that it takes."""
    move(home, record, "tls", RECEIVER)


def test_tcp_when_it_is_meant(home: World, record: Record) -> None:
    """It is refused without its switch, and not a packet goes; with it the same port is all that it takes."""
    journals = home.journals()
    home.lab.wall(RECEIVER)
    refused = home.migrate(migrate_transport="tcp")
    knocks = home.lab.knocks()
    home.lab.mend()
    assert refused.status != 0 and refused.changed == 0, refused.recap
    assert [(one["code"], one["host"]) for one in refused.findings] == [("plain_not_allowed", "xen1")]
    assert refused.result["end_state"] == "refused"
    assert knocks == set()
    after = home.require("xen1", 1)
    assert {name: left.journals for name, left in after.items()} == journals
    home.name += "-meant"
    outcome = move(home, record, "tcp", RECEIVER, migrate_allow_plain=True)
    assert "plain_transport" in {finding["code"] for finding in outcome.result["findings"]}


@contextlib.contextmanager
def strangers(world: World) -> Iterator[str]:
    """Hosts whose root has no key to the other one, and does not know its host key; yields the destination's keys."""
    own = "/root/.ssh/id_ed25519 /root/.ssh/id_ed25519.pub"
    for host in world.lab.hosts.values():
        host.run(
            f"mkdir {TRUST} && cp -p /root/.ssh/authorized_keys {TRUST}/ && mv {own} /etc/ssh/ssh_known_hosts {TRUST}/"
            " && sed -i '/dom0-xen-lab-peer$/d' /root/.ssh/authorized_keys"
        )
    try:
        # 255 is ssh's own; xl migrate would go no other way.
        assert world.source.run(["ssh", world.destination.address, "true"], check=False).returncode == 255
        yield keys(world)
    finally:
        for host in world.lab.hosts.values():
            host.run(f"cd {TRUST} && mv ssh_known_hosts /etc/ssh/ && mv * /root/.ssh/ && rmdir {TRUST}")


def test_ssh_between_hosts_that_trust_each_other_in_nothing(home: World, record: Record) -> None:
    """sshd's port is all that it takes, and a key that is made for the move, shows nowhere, and is gone after it."""
    with strangers(home) as before:
        assert "dom0-xen-lab-peer" not in before
        with search.no_key(home, "root", pipelining=True) as (dummy, how):
            move(home, record, "ssh", SSH, **SLOW, **how)
        assert keys(home) == before
        for host in home.lab.hosts.values():
            assert host.run("ls -A /root/.ssh").stdout.split() == ["authorized_keys", "config"]
            assert host.run("grep -rl --exclude-dir=code 'PRIVATE KEY' /root /run/dom0-xen", check=False).stdout == ""


def test_ssh_to_a_host_that_shows_another_key(home: World) -> None:
    """The host key is the one that the controller has read at the destination, or the guest is not touched."""
    host = home.destination
    host.run(
        f"cp -p {HOST_KEY} /run/lab-host-key.pub && ssh-keygen -q -t ed25519 -N '' -f /run/lab-other"
        f" && cp /run/lab-other.pub {HOST_KEY}"
    )
    try:
        with home.lab.observe(everywhere=True) as watch:
            outcome = home.migrate(migrate_transport="ssh", **SLOW)
    finally:
        host.run(f"mv /run/lab-host-key.pub {HOST_KEY}; rm -f /run/lab-other /run/lab-other.pub")
    same_guest(watch.observation)
    stayed(home, outcome, "ssh_host_key_mismatch")


def stayed(world: World, outcome: Outcome, code: str) -> None:
    """It failed for this reason, with the guest where it was and no key left in the destination's file."""
    world.require("xen1")
    assert outcome.status != 0
    assert outcome.result["error"]["code"] == code, outcome.message
    assert (outcome.result["owner"], outcome.result["end_state"]) == ("source", "stayed")
    assert "dom0-xen:" not in keys(world)


def keys(world: World) -> str:
    """The keys that root is let in with at the destination."""
    return world.destination.run("cat /root/.ssh/authorized_keys").stdout


def test_ssh_to_an_sshd_that_forwards_nothing(home: World) -> None:
    """One message says what to write into its configuration, and the guest is not touched."""
    host = home.destination
    changed(host, f"echo 'AllowTcpForwarding no' > {NO_FORWARDING}")
    try:
        with home.lab.observe(everywhere=True) as watch:
            outcome = home.migrate(migrate_transport="ssh", **SLOW)
    finally:
        changed(host, f"rm {NO_FORWARDING}")
    same_guest(watch.observation)
    stayed(home, outcome, "ssh_forwarding_off")
    assert "xen2" in outcome.message and "AllowTcpForwarding local" in outcome.message, outcome.message


def changed(host: Host, line: str) -> None:
    """Change sshd's configuration by a line of shell. While it starts itself anew, whoever comes in is turned away."""
    host.run(f"{line} && systemctl reload ssh && sleep 5")
    host.wait_banner(time.monotonic() + ANEW_S)


def test_ssh_key_of_a_receiver_that_was_killed(home: World, record: Record) -> None:
    """Nobody is left to take it away, since the controller is gone too: whoever settles does, and only that key."""
    before = keys(home)
    usual = home.lab.guest.ask()["rate"]
    home.lab.guest.set_rate(BUSY_PAGES_PER_S)
    with home.lab.observe(everywhere=True) as watch:
        run = home.start(migrate_transport="ssh", migrate_link_timeout=10, **SLOW)
        home.mid_stream(home.source, 5_000_000)
        run.kill()
        home.destination.run("pkill -KILL -f '[_]session.daemon.* receiver '")
        left = keys(home)
        home.name += "-settle"
        settled = home.migrate(play=SETTLE)
    home.lab.guest.set_rate(usual)
    assert "dom0-xen:" in left, "there was no key to be taken away"
    assert settled.status == 0, settled.output[-3000:]
    assert keys(home) == before
    home.require("xen1")
    record.note(gap_ms=same_guest(watch.observation).gap_ms)
