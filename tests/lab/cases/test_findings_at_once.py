# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Could this host be emptied? Asked once, of a host whose domains are odd, with many others that lack something.

One run of ``dom0.xen.check`` looks at each domain of xen1 for each host: what must be found of some of them is here.
The odd domains are made as ordinary ones, and never run; libxl's record of them is changed, and Xen told that they have
shut down. The others are xen2, seen in other ways (:mod:`.views`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t
from collections.abc import Iterator, Mapping

import pytest
from dom0lab import Host
from dom0lab.guest_disk import GUEST_UUID, guest_config
from proof.share import NO_QEMU

from .circumstances import OTHER_UUID, THIRD_UUID, card_less, paused
from .findings import CHECK, PAUSED, SMALL_MIB, Found, findings, of_kind, small, with_groups
from .plays import Outcome
from .views import MUTE, NO_XL, REFUSING, View, instead_of, inventory, saying, views
from .world import BUILD, World

HVM_MIB = 128
WAIT_S = 900
PINNED_UUID, MODELLED_UUID, ROUTED_UUID, EMULATED_UUID, ALIKE_UUID = (
    f"0ddba11e-0000-4000-8000-00000000000{number}" for number in range(3, 8)
)
OTHER_MAC, ROUTED_MAC = "00:16:3e:77:00:20", "00:16:3e:77:00:30"
POWEROFF, SUSPENDED = 0, 2
NOWHERE = "/opt/no-such-place"
CONFIG = "/etc/xen/lab-name.cfg"
HISTORY = "/run/xen/domid-history"
NOTES, SILENT = "/run/lab-notes", "</dev/null >/dev/null 2>&1"
# Xen's own library for Python is where Debian's Python does not look.
SHUT_DOWN = (
    "import glob, sys; sys.path[:0] = glob.glob('/usr/lib/xen-*/lib/python'); "
    "from xen.lowlevel.xc import xc; xc().domain_shutdown({domid}, {reason})"
)
# What the one domain is said to have been made with.
PINNED = {
    "c_info": {"pool_name": "rt", "hap": "False", "ssid_label": "system_u:system_r:domU_t"},
    "b_info": {
        "nested_hvm": "True",
        "vcpu_hard_affinity": [[5]],
        # xl of 4.17 makes no PV domain with nodes, and Xen's library no PVH one (xc_domain_getvnuma).
        "vnuma_nodes": [{"memkb": SMALL_MIB * 1024, "distances": [10], "pnode": 0, "vcpus": [0]}],
        "device_model_version": "qemu_xen_traditional",
    },
    "nics": [{"backend_domname": "net1"}],
}
ROUTED = {
    "b_info": {"kernel": "/boot/no-such-kernel", "altp2m": "external"},
    "nics": [
        {"script": "vif-route", "gatewaydev": "eth9"},
        {"script": f"{NOWHERE}/vif-own", "gatewaydev": "eth9"},
    ],
}
MODELLED = {
    "b_info": {
        "dm_restrict": "True",
        "nested_hvm": "True",
        "device_model": f"{NOWHERE}/qemu",
        "device_model_user": "no-such-user",
        "type.hvm": {"system_firmware": f"{NOWHERE}/ovmf.fd"},
    }
}
# The domains of xen2 have the numbers that the guest and the pinned one have, and are asked to keep.
TAKEN = "domid_taken"


def of_pinned(host: str) -> set[tuple[str, str]]:
    """What is wrong with that domain wherever it is to go."""
    here = {PAUSED, ("nested_virtualisation", "xen1"), ("driver_domain", "xen1"), ("vnuma", "xen1")}
    return here | {(code, host) for code in ("affinity_impossible", "capability_missing", TAKEN)}


@dataclasses.dataclass(frozen=True)
class Answer:
    """What must be found of a domain and a host: all errors, and some of the warnings."""

    domain: str
    host: str
    found: Found
    beside: Found = frozenset()
    qemu: bool = False


DATED = "dated"
QEMU, QEMU_5_2 = "/usr/libexec/xen-qemu-system-i386", "/run/lab-qemu"
VIEWS: Mapping[str, View] = {
    "no-xl": View(python=NO_XL),
    "failing": View('[ "$1" != info ] || exit 1'),
    "babbling": View("echo '<xml/>'; exit"),
    "no-store": View(store=f"{NOWHERE}/socket"),
    "mute": View(store=MUTE),
    "refusing": View(store=REFUSING),
    "less": View(
        saying("/^virt_caps/s/ hap//", "/^xen_commandline/s/$/ gnttab_max_frames=32/", "/^cpu_mhz/s/:.*/: 1234.000/")
    ),
    "newer": View(
        saying(
            *("/^xen_minor/s/:.*/: 21/", "/^xen_version/s/:.*/: 4.21.0/"),
            *("/^free_memory/s/:.*/: 64/", "/^xen_commandline/s/dom0_mem=[^ ]*//"),
        )
    ),
    # QEMU's version is read from the program itself. A host without QEMU has nothing that this could stand for.
    DATED: View(python=instead_of(QEMU, QEMU_5_2)),
    "older": View(saying("/^xen_minor/s/:.*/: 13/", "/^xen_version/s/:.*/: 4.13.0/")),
}
# No view of anything: its Python ends at once.
BROKEN = "broken"
ANSWERS = [
    Answer("centos", "xen2", {(TAKEN, "xen2")}, {("config_name_taken", "xen2")}),
    Answer("centos", "no-xl", {("xl_missing", "no-xl")}),
    Answer("centos", "failing", {("xl_failed", "failing")}),
    Answer("centos", "babbling", {("xl_output", "babbling")}),
    Answer("centos", "no-store", {("xenstore_unreachable", "no-store"), (TAKEN, "no-store")}),
    Answer("centos", "mute", {("xenstore_timeout", "mute"), (TAKEN, "mute")}),
    Answer("centos", "refusing", {("xenstore_error", "refusing"), (TAKEN, "refusing")}),
    Answer(
        "centos",
        "less",
        {("capability_missing", "less"), ("grant_limits", "less"), (TAKEN, "less")},
        {("tsc_rate_differs", "less")},
    ),
    Answer("centos", "newer", {(TAKEN, "newer")}, {("dom0_ballooned", "newer")}),
    Answer("centos", "older", {("xen_older", "older"), ("domid_unsupported", "older"), (TAKEN, "older")}),
    Answer("centos", BROKEN, {("host_without_facts", BROKEN)}),
    Answer(
        "pinned",
        "xen2",
        {*of_pinned("xen2"), ("cpupool_missing", "xen2")},
        {("suspend_unconfirmed", "xen1"), ("label_unchecked", "xen2")},
    ),
    Answer(
        "pinned",
        "newer",
        {*of_pinned("newer"), ("cpupool_missing", "newer"), ("device_model_gone", "newer")},
    ),
    Answer(
        "pinned",
        "no-store",
        {*of_pinned("no-store"), ("xenstore_unreachable", "no-store")},
        {("cpupool_unchecked", "no-store")},
    ),
    Answer(
        "routed",
        "xen2",
        {PAUSED, ("gateway_missing", "xen2")},
        {(code, "xen2") for code in ("boot_file_unseen", "altp2m_stays", "mac_taken", "gateway_unchecked")},
    ),
    Answer("twice", "xen2", {("uuid_twice", "xen1"), ("domain_shut_down", "xen1")}),
    Answer(
        "half--incoming",
        "xen2",
        {
            *(("uuid_twice", "xen1"), ("leftover_name", "xen1"), ("domain_suspended", "xen1")),
            ("domid_recent", "xen2"),
        },
    ),
    Answer(
        "modelled",
        "xen2",
        {PAUSED, ("nested_virtualisation", "xen1"), ("device_model_user_missing", "xen2")},
        {
            *(("device_model_unseen", "xen2"), ("firmware_unseen", "xen2"), ("memory_below_maximum", "xen1")),
            *(("device_model_restricted", "xen2"), ("drivers_unseen", "xen1")),
        },
        qemu=True,
    ),
    Answer("emulated", DATED, {PAUSED}, {("device_model_older", DATED)}, qemu=True),
]
# For whoever wants to know what is provoked here, as elsewhere.
CASES = {f"{answer.domain} to {answer.host}": answer for answer in ANSWERS}


def domid(host: Host, name: str) -> int:
    """The number of a domain there."""
    return int(host.run(["xl", "domid", name]).stdout)


@contextlib.contextmanager
def made_from(world: World, name: str, text: str, changes: t.Mapping[str, t.Any]) -> Iterator[int]:
    """A paused domain of xen1 that was made from other words than it was; yields its number."""
    with paused(world.source, name, text):
        number = domid(world.source, name)
        world.script(world.source, "record.py", str(number), json.dumps(changes))
        yield number


@contextlib.contextmanager
def shut_down(world: World, name: str, uuid: str, reason: int) -> Iterator[int]:
    """A domain of xen1 that has shut down for this reason, and is kept; yields its number."""
    with paused(world.source, name, small(name, 'on_poweroff = "preserve"', uuid=uuid)):
        number = domid(world.source, name)
        world.source.run(["python3", "-c", SHUT_DOWN.format(domid=number, reason=reason)])
        yield number


@contextlib.contextmanager
def odd_hosts(world: World) -> Iterator[None]:
    """All of it, with xen2 first: a host that was just restored numbers its domains from 1, as xen1 did the guest."""
    source, destination, stack = world.source, world.destination, contextlib.ExitStack()
    with stack:
        stack.enter_context(paused(destination, "holder", small("holder")))
        assert domid(destination, "holder") == domid(source, "centos")
        card = guest_config(name="pinned", uuid=PINNED_UUID, memory_mib=SMALL_MIB, mac=OTHER_MAC)
        stack.enter_context(made_from(world, "pinned", card, PINNED))
        card = guest_config(name="routed", uuid=ROUTED_UUID, memory_mib=SMALL_MIB, mac=ROUTED_MAC, cards=2)
        stack.enter_context(made_from(world, "routed", card, ROUTED))
        card = guest_config(name="alike", uuid=ALIKE_UUID, memory_mib=SMALL_MIB, mac=ROUTED_MAC)
        stack.enter_context(paused(destination, "alike", card))
        assert domid(destination, "alike") == domid(source, "pinned")
        stack.enter_context(shut_down(world, "twice", THIRD_UUID, POWEROFF))
        number = stack.enter_context(shut_down(world, "half--incoming", THIRD_UUID, SUSPENDED))
        if world.lab.share is not None:
            text = card_less(guest_config(name="emulated", uuid=EMULATED_UUID, type="hvm", memory_mib=HVM_MIB))
            stack.enter_context(paused(source, "emulated", text))
            text = card_less(guest_config(name="modelled", uuid=MODELLED_UUID, type="hvm", memory_mib=HVM_MIB))
            modelled = stack.enter_context(made_from(world, "modelled", text, MODELLED))
            target = f"/local/domain/{modelled}/memory/target"
            source.run(f"xenstore-write {target} $(($(xenstore-read {target}) - 16384))")
        destination.run(f"echo QEMU emulator version 5.2.0 > {QEMU_5_2}")
        stack.callback(destination.run, ["rm", QEMU_5_2])
        stack.enter_context(views(destination, VIEWS))
        for host, name in ((source, "centos"), (destination, "another")):
            uuid = GUEST_UUID if host is source else OTHER_UUID
            host.run(f"cat > {CONFIG}", stdin=guest_config(name=name, uuid=uuid))
            stack.callback(host.run, ["rm", CONFIG])
        stack.enter_context(just_destroyed(destination, number))
        yield


@contextlib.contextmanager
def just_destroyed(host: Host, number: int) -> Iterator[None]:
    """A number that a domain there has just had, as libxl notes it (libxl__mark_domid_recent).

    It is dropped when it is a minute old, so it is noted anew until the host has been looked at, whenever that is.
    """
    noted = f"echo $(cut -d. -f1 /proc/uptime) {number} >> {HISTORY}"
    host.run(f"touch {NOTES}; {{ setsid sh -c 'while test -e {NOTES}; do {noted}; sleep 15; done' {SILENT} & }}")
    try:
        yield
    finally:
        host.run(["rm", NOTES])


@pytest.fixture(scope="module")
def outcome(watched: World) -> Iterator[Outcome]:
    """One run, about all domains of xen1 and all hosts."""
    watched.name = "findings-at-once"
    document = json.loads(watched.lab.inventory.read_text())
    variables = document["all"]["children"]["dom0"]["hosts"]["xen2"]
    more = inventory(variables, VIEWS) | {BROKEN: {**variables, "ansible_python_interpreter": "/bin/false"}}
    path = with_groups(watched.inventory(), {"dom0": more})
    told = {
        "source": "xen1",
        "check_result_path": str(BUILD / watched.name / "result.json"),
        "migrate_preserve_domid": True,
    }
    with odd_hosts(watched):
        # No more than two at a time: but for xen1 they are all one emulated host.
        options = ["--forks", "2", "-e", json.dumps(told)]
        done = watched.start(play=CHECK, domain="", destination="", inventory=path, options=options).wait(WAIT_S)
    assert done.result, done.output[-3000:]
    assert (done.status, done.changed) == (2, 0), done.output[-3000:]
    yield done


@pytest.mark.parametrize("name", CASES)
def test_is_found(outcome: Outcome, watched: World, name: str) -> None:
    """Just what was provoked of this domain and this host."""
    answer = CASES[name]
    if answer.qemu and watched.lab.share is None:
        pytest.skip(NO_QEMU)
    (place,) = (
        place
        for domain in outcome.result["domains"]
        for place in domain["places"]
        if (domain["name"], place["host"]) == (answer.domain, answer.host)
    )
    told = place["findings"]
    assert of_kind(told, "error") == answer.found, told
    assert answer.beside <= of_kind(told, "warning"), told
    assert place["possible"] == (not answer.found)


def test_nothing_else_is_wrong(outcome: Outcome) -> None:
    """With the question, or with xen1; each domain was asked about for each host."""
    assert outcome.result["findings"] == []
    places = [len(domain["places"]) for domain in outcome.result["domains"]]
    assert places == [len(VIEWS) + 2] * len(places) and len(findings(outcome)) > 0
