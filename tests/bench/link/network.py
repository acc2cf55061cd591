# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks between two hosts: this machine's loopback, or a wire of a given rate and delay between two namespaces."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
import typing as t

from ansible_collections.dom0.xen.tests.bench.link import wire

_VETH = "veth0"
_NEAR, _FAR = ("dom0-bench-a", "198.18.0.1"), ("dom0-bench-b", "198.18.0.2")


@dataclasses.dataclass(frozen=True)
class Network:
    """``rate`` in bits a second and ``delay`` in seconds one way; without a rate it is the loopback."""

    name: str
    rate: int = 0
    delay: float = 0.0


@dataclasses.dataclass(frozen=True)
class Ends:
    """What goes before commands at the source and the destination, and the destination's address."""

    source: tuple[str, ...]
    destination: tuple[str, ...]
    address: str


NETWORKS = (
    Network("loopback"),
    Network("10G", 10_000_000_000),
    Network("1G", 1_000_000_000),
    Network("100M-20ms", 100_000_000, 0.010),
)


@contextlib.contextmanager
def up(network: Network) -> t.Iterator[Ends]:
    """Have the network while the block runs. Raises SystemExit where namespaces cannot be made."""
    if not network.rate:
        yield Ends((), (), "127.0.0.1")
        return
    names = (_NEAR[0], _FAR[0])
    with contextlib.ExitStack() as ends:
        for name in names:
            _run("ip", "netns", "add", name)
            ends.callback(_run, "ip", "netns", "delete", name)
        device = ends.enter_context(_wire(network.delay)) if network.delay else _cable(names)
        for name in names:
            _shape(name, device, network)
        yield Ends(_inside(names[0]), _inside(names[1]), _FAR[1])


def _inside(name: str) -> tuple[str, ...]:
    return ("nsenter", f"--net=/run/netns/{name}")


def _cable(names: tuple[str, str]) -> str:
    near, far = names
    _run("ip", "link", "add", _VETH, "netns", near, "type", "veth", "peer", "name", _VETH, "netns", far)
    for name, address in (_NEAR, _FAR):
        _run("ip", "-n", name, "address", "add", f"{address}/30", "dev", _VETH)
        for device in (_VETH, "lo"):
            _run("ip", "-n", name, "link", "set", device, "up")
    return _VETH


@contextlib.contextmanager
def _wire(delay: float) -> t.Iterator[str]:
    places = (_NEAR[0], _FAR[0], _NEAR[1], _FAR[1], str(delay))
    command = [sys.executable, "-m", wire.__name__, *places]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdin is None or process.stdout is None or process.stdout.readline() != "up\n":
        raise SystemExit("the wire did not come up: root and TUN devices are needed")
    try:
        yield wire.DEVICE
    finally:
        process.stdin.close()
        process.wait()


def _shape(name: str, device: str, network: Network) -> None:
    # What a tenth of a second holds may wait, as in a switch with large buffers.
    waiting = max(200_000, int(network.rate / 8 * 0.1))
    burst = max(65_536, int(network.rate / 8 * 0.002))
    shaping = ("tbf", "rate", f"{network.rate}bit", "burst", str(burst), "limit", str(waiting))
    _run("tc", "-n", name, "qdisc", "replace", "dev", device, "root", *shaping)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()} (needs root, and a kernel with veth and tbf)")
