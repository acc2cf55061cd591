# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking for a key everywhere it must not be: process lists, files, the raw disk, the system's log, the run's log."""

from __future__ import annotations

import contextlib
import json
import mmap
import re
import typing as t
from collections.abc import Iterable, Iterator

from dom0lab import Host

from .world import ON_HOST, Spy, World

# The header of any key with the key's first characters, whose line's end may be escaped. The header alone is in the
# sender's code. The keys of the hosts' own sshd are not new, so they are not found.
KEY = r"PRIVATE KEY-----[\\rn\s]+[A-Za-z0-9+/]{16}"


# How the first line begins, which is the same in all keys of a kind: ECDSA on P-256 in PKCS #8, and OpenSSH's own.
COMMON = ("MIGHAgEAMBMGByqGSM49", "b3BlbnNzaC1rZXktdjE")


def fragments(keys: Iterable[str]) -> list[str]:
    """The lines of PEM keys that nothing else can have."""
    lines = [line for key in keys for line in key.splitlines() if line and "-----" not in line]
    return [line for line in lines if len(line) >= 32 and not line.startswith(COMMON)]


def now(host: Host) -> float:
    """The host's clock."""
    return float(host.run("date +%s.%N").stdout)


def on_files(host: Host, since: float, secrets: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Files changed since then that have a secret in them, and all that were searched."""
    script = (ON_HOST / "disk.py").read_text()
    command = ["python3", "-I", "-", str(since), KEY, *secrets]
    answer = json.loads(host.run(command, stdin=script, timeout=300).stdout)
    return answer["found"], answer["searched"]


def on_disk(host: Host, secrets: list[str]) -> list[str]:
    """Secrets that are, or were, on the host's disk: in any block that was ever written, deleted files too."""
    host.run("sync")
    with (
        (host.folder / f"{host.name}.qcow2").open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as disk,
    ):
        return [secret for secret in secrets if disk.find(secret.encode()) >= 0]


def in_log(host: Host, since: float, secrets: list[str]) -> list[str]:
    """Secrets in the system's log."""
    text = host.run(["journalctl", "-q", "-a", "-o", "cat", "--since", f"@{int(since)}"]).stdout
    return in_text(text, secrets)


def in_text(text: str, secrets: list[str]) -> list[str]:
    """Secrets in a text; one that was wrapped in quotes or escapes still has its lines."""
    return [*re.findall(KEY, text), *(secret for secret in secrets if secret in text)]


@contextlib.contextmanager
def no_key(
    world: World, user: str, hosts: Iterable[Host] = (), *, pipelining: bool
) -> Iterator[tuple[Spy, dict[str, t.Any]]]:
    """A run as this user at the highest verbosity, during and after which no key is anywhere on ``hosts`` (or on all).

    Yields what the spies will have seen, and the arguments for ``World.migrate``. Without pipelining Ansible writes its
    modules to the hosts' disks; all of that is kept, and searched.
    """
    chosen = list(hosts) or list(world.lab.hosts.values())
    since = {host.name: now(host) for host in chosen}
    arguments = {
        "inventory": world.lab.folder / ("inventory.yml" if user == "root" else f"inventory-{user}.yml"),
        "options": ["-vvvvv"],
        "environment": {"ANSIBLE_PIPELINING": str(pipelining), "ANSIBLE_KEEP_REMOTE_FILES": str(not pipelining)},
    }
    with world.spying() as spy:
        yield spy, arguments
    assert len(spy.keys) == 2, f"the keys were not seen, so nothing can be searched for: {list(spy.keys)}"
    secrets = fragments(spy.keys.values())
    assert len(secrets) >= 4
    assert not spy.shown, "in a process list"
    output = world.log.read_text(errors="replace")
    assert "ESTABLISH" in output, "not the log of a run at the highest verbosity"
    assert not in_text(output, secrets), "in the log of the run"
    for host in chosen:
        found, searched = on_files(host, since[host.name], secrets)
        assert not found, f"on {host.name}: {found}"
        payloads = [path for path in searched if "AnsiballZ" in path]
        assert bool(payloads) is not pipelining, payloads
        assert not on_disk(host, secrets), f"on the disk of {host.name}"
        assert not in_log(host, since[host.name], secrets), f"in the log of {host.name}"
        host.run("rm -rf /root/.ansible /home/*/.ansible")
