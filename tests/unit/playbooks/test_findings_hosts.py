# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check finds of hosts that a domain cannot go to: many of them, asked about in one run."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import struct
import sys
import threading
import typing as t
import uuid

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._marks import arrivals
from ansible_collections.dom0.xen.tests.unit.playbooks.asking import Answer, Found, ask, bare_python, require

pytestmark = pytest.mark.timeout(600)

# The guests of the double are shown CX16, which is bit 13 of the second word.
OLDER = "078bfbfd:80800001:2193fbff:00000005:00000000:00000000:00000000:00000100"
FEWER_GRANTS = "dom0_mem=1024M gnttab_max_frames=32"
# Of which dom0 has 1024 MiB and Xen 64.
SMALL_MIB = 1100
# XS_ERROR of xen/include/public/io/xs_wire.h, and its header: type, request, transaction, length.
ERROR, HEADER = 16, struct.Struct("=IIII")

Undo = t.Callable[[contextlib.ExitStack, Host], None]


def as_it_is(undo: contextlib.ExitStack, host: Host) -> None:
    """Nothing has to be done."""


def without(name: str) -> Undo:
    """Return what takes a file of the host's memory away, such as the way to the hypervisor or to XenStore."""

    def hide(undo: contextlib.ExitStack, host: Host) -> None:
        path = host.paths.run.resolve() / name
        away = path.with_name(f"{name}-away")
        path.rename(away)
        undo.callback(away.replace, path)

    return hide


def with_xl(text: str) -> Undo:
    """Return what puts another program in the place of xl; an empty one: none."""

    def replace(undo: contextlib.ExitStack, host: Host) -> None:
        path = host.paths.bin / "xl"
        path.unlink()
        if text:
            path.write_text(text)
            path.chmod(0o755)

    return replace


def xl_fails(undo: contextlib.ExitStack, host: Host) -> None:
    """Each time it is asked what host this is."""
    host.faults({"point": "info.start", "action": "exit", "status": 1, "times": 99})


def takes_no_domains(undo: contextlib.ExitStack, host: Host) -> None:
    """Somebody empties it."""
    arrivals.close(str(host.paths.lib / "dom0-xen"), "it is being emptied", "alice", "evacuate")


def store(answers: bool) -> Undo:
    """Return what puts a daemon in XenStore's place that refuses everything, or one that never says a word."""

    def replace(undo: contextlib.ExitStack, host: Host) -> None:
        without("xenstored")(undo, host)
        server = undo.enter_context(socket.socket(socket.AF_UNIX))
        server.bind(str(host.paths.store_socket))
        server.listen()
        undo.callback(server.shutdown, socket.SHUT_RDWR)
        if answers:
            threading.Thread(target=_refuse, args=(server,), daemon=True).start()

    return replace


def _refuse(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            wire = server.accept()[0]
            with wire, wire.makefile("rb") as stream:
                while head := stream.read(HEADER.size):
                    dummy, request, transaction, length = HEADER.unpack(head)
                    stream.read(length)
                    wire.sendall(HEADER.pack(ERROR, request, transaction, 4) + b"EIO\0")


@dataclasses.dataclass(frozen=True)
class Other:
    """A host: what must be found of it for the domain, its settings, what is done with it, and whether it takes mount
    namespaces.
    """

    found: Found
    settings: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    then: Undo = as_it_is
    domain: str = "plain"
    namespaces: bool = False


OTHERS: t.Mapping[str, Other] = {
    "alike": Other(frozenset()),
    "older": Other({("xen_older", "older")}, {"xen_minor": 16}),
    "newer": Other({("device_model_gone", "newer")}, {"xen_minor": 21}, domain="traditional"),
    "pv-only": Other({("capability_missing", "pv-only")}, {"virt_caps": "pv"}),
    "fewer": Other({("cpu_features_fewer", "fewer")}, {"hw_caps": OLDER}),
    "unknown": Other({("cpu_unchecked", "unknown")}, {"hw_caps": "", "xen_cpuid": False}),
    "otherwise": Other(
        {("cpu_vendor", "otherwise")}, {"cpu_maker": "GenuineIntel", "xen_cpuid": False}, namespaces=True
    ),
    "slower": Other({("tsc_rate_differs", "slower")}, {"cpu_khz": 2100000}),
    "stingy": Other({("grant_limits", "stingy")}, {"xen_commandline": FEWER_GRANTS}),
    "small": Other({("not_enough_memory", "small")}, {"memory_mib": SMALL_MIB}),
    "giving": Other({("dom0_ballooned", "giving")}, {"memory_mib": SMALL_MIB, "xen_commandline": "loglvl=all"}),
    "bridgeless": Other({("bridge_missing", "bridgeless")}, {"bridges": ()}),
    "narrow": Other({("mtu_smaller", "narrow")}, {"bridge_mtu": 1400}),
    "dated": Other({("device_model_older", "dated")}, {"qemu": "5.2.0"}, domain="emulated", namespaces=True),
    "emptied": Other({("closed_to_arrivals", "emptied")}, then=takes_no_domains),
    "no-xen": Other({("no_xen", "no-xen")}, then=without("hypervisor")),
    "no-xl": Other({("xl_missing", "no-xl")}, then=with_xl("")),
    "failing": Other({("xl_failed", "failing")}, then=xl_fails),
    "babbling": Other({("xl_output", "babbling")}, then=with_xl("#!/bin/sh\necho '<xml/>'\n")),
    "no-store": Other({("xenstore_unreachable", "no-store")}, then=without("xenstored")),
    "no-pools": Other({("cpupool_unchecked", "no-pools"), ("xenstore_unreachable", "no-pools")},
                      then=without("xenstored"), domain="pooled"),
    "mute": Other({("xenstore_timeout", "mute")}, then=store(answers=False)),
    "refusing": Other({("xenstore_error", "refusing")}, then=store(answers=True)),
    "no-pyxs": Other({("pyxs_missing", "no-pyxs")}),
    "closed": Other({("host_unreachable", "closed")}),
    "broken": Other({("host_without_facts", "broken")}),
}  # fmt: skip
# Those that are only in the inventory.
NO_HOSTS = {
    "closed": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"},
    "broken": {"ansible_connection": "local", "ansible_python_interpreter": "/bin/false"},
}
DOMAINS = {
    "plain": GuestConfig("plain", str(uuid.uuid4()), memory_mib=16, compact=True),
    "traditional": GuestConfig(
        "traditional", str(uuid.uuid4()), "hvm", extra='device_model_version = "qemu-xen-traditional"', compact=True
    ),
    "emulated": GuestConfig("emulated", str(uuid.uuid4()), "hvm", compact=True),
    "pooled": GuestConfig("pooled", str(uuid.uuid4()), extra='pool = "rt"', compact=True),
}


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Answer]:
    """What was found of all hosts at once, for each of the domains."""
    folder = tmp_path_factory.mktemp("double")
    site = Site(folder / "site")
    bare = bare_python(folder)
    site.up(["xen1"], python=sys.executable, qemu="7.2.9")
    for name, other in OTHERS.items():
        if name not in NO_HOSTS:
            site.up([name], python=bare if name == "no-pyxs" else sys.executable, **other.settings)
    for guest in DOMAINS.values():
        site["xen1"].start_guest(guest)
    more = folder / "more.json"
    more.write_text(json.dumps({"dom0": {"hosts": NO_HOSTS}}))
    with contextlib.ExitStack() as undo:
        for name, other in OTHERS.items():
            if name not in NO_HOSTS:
                other.then(undo, site[name])
        found = ask(site, folder, "-i", str(more), "-e", "source=xen1", "--forks", "8")
    yield found
    assert site.down() == []


@pytest.mark.parametrize("name", OTHERS)
def test_is_found(answer: Answer, name: str) -> None:
    """Just what is wrong with this host, and of no other."""
    if OTHERS[name].namespaces and not namespaces():
        pytest.skip("needs mount namespaces")
    place = answer.place(OTHERS[name].domain, name)
    expected = OTHERS[name].found
    require(place["findings"], expected)
    assert {finding["host"] for finding in place["findings"] if finding["severity"] == "error"} <= {name}
    assert place["possible"] is not any(finding["severity"] == "error" for finding in place["findings"])


def test_nothing_is_wrong_with_the_source(answer: Answer) -> None:
    """Which is told once, and not for each domain."""
    assert answer.result["findings"] == []
    assert {domain["name"] for domain in answer.result["domains"]} == set(DOMAINS)
