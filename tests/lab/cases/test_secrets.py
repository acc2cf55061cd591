# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No key is on a disk, in a process list, or in a log, whoever connects and however modules get to the hosts."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from . import search
from .conftest import Record
from .world import World

USERS = ("root", "operator", "operator-nopass")


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "no pipelining"])
@pytest.mark.parametrize("user", USERS)
def test_no_key(world: World, record: Record, user: str, pipelining: bool) -> None:
    """A whole move at the highest verbosity; without pipelining all that Ansible writes to the disks is kept."""
    hosts = list(world.lab.hosts.values())
    target = "xen1" if world.lab.guest.where() == ["xen2"] else "xen2"
    since = {host.name: search.now(host) for host in hosts}
    environment = {"ANSIBLE_PIPELINING": str(pipelining), "ANSIBLE_KEEP_REMOTE_FILES": str(not pipelining)}
    with world.spying() as spy:
        outcome = world.migrate(
            destination=target,
            inventory=world.lab.folder / ("inventory.yml" if user == "root" else f"inventory-{user}.yml"),
            options=["-vvvvv"],
            environment=environment,
        )
    assert outcome.status == 0, outcome.output[-4000:]
    record.note(total_ms=outcome.result["total_ms"], stop_ms=outcome.result["stop_ms"])
    assert len(spy.keys) == 2, f"the keys were not seen, so nothing can be searched for: {list(spy.keys)}"
    secrets = search.fragments(spy.keys.values())
    assert len(secrets) >= 4
    assert not spy.shown, "in a process list"
    assert not search.in_text(outcome.output, secrets), "in the log of the run"
    for host in hosts:
        found, searched = search.on_files(host, since[host.name], secrets)
        assert not found, f"on {host.name}: {found}"
        payloads = [path for path in searched if "AnsiballZ" in path]
        assert bool(payloads) is not pipelining, payloads
        assert not search.on_disk(host, secrets), f"on the disk of {host.name}"
        assert not search.in_log(host, since[host.name], secrets), f"in the log of {host.name}"
        host.run("rm -rf /root/.ansible /home/*/.ansible")
    world.require(target)


def test_search_finds_what_was_planted(home: World) -> None:
    """A search that finds nothing could be a bad search: each way is tried on a key that is there."""
    home.stale = True
    host = home.source
    pem = (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
    secrets, since = search.fragments([pem]), search.now(host)
    with home.spying() as spy:
        host.run("mkdir -p /run/dom0-xen/planted && cat > /run/dom0-xen/planted/key.pem", stdin=pem)
        host.run(["sh", "-c", "sleep 2; :", "sh", pem])
    assert spy.shown and spy.keys == {"xen1:/run/dom0-xen/planted/key.pem": pem}
    host.run("mkdir -p /root/.ansible/tmp && cat > /root/.ansible/tmp/planted", stdin=pem)
    assert set(search.on_files(host, since, secrets)[0]) == {"/root/.ansible/tmp/planted"}
    host.run("sync && rm /root/.ansible/tmp/planted")
    assert search.on_disk(host, secrets) == secrets
    host.run("logger -t planted", stdin=pem)
    assert search.in_log(host, since, secrets)
    assert search.in_text(f"stdin is {pem!r}", secrets)
