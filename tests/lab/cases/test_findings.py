# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``dom0.xen.check`` finds on real hosts that are not as a move needs them; neither they nor the guest notice.

All of it on one lab, one after the other: the guest is watched from before the first to after the last. A run takes an
emulated host most of a minute, and tells everything at once: what can be wrong at the same time is.
"""

from __future__ import annotations

import contextlib
import re

import pytest
from dom0lab.guest_disk import GUEST_UUID

from .circumstances import OTHER_UUID, paused
from .findings import PAUSED, Provoked, ask, of_kind, require, small
from .provoking import (
    BARE,
    FILE,
    OTHER_NETWORK,
    a_file,
    bare_python,
    everything_at_once,
    fallen,
    lonely,
    odd_that_goes,
    odd_that_restarts,
    paravirtual,
    renamed,
    stubborn,
    together,
    two_files,
    unknown,
    without_a_file,
    worth_a_word,
)
from .world import World

CLOSED = {"ansible_host": "127.0.0.1", "ansible_port": 9}
ODD = {"domain": "odd"}
COLD = {"migrate_method": "cold"}
GIVEN = {"migrate_config": FILE}
WITHIN = {"destination": "xen1", "allow_same_host": True, "migrate_preserve_domid": True}
CASES = {
    # The question is as wrong as the hosts are.
    "everything at once": Provoked(
        {
            *(("migratedaway_name_taken", "xen1"), ("incoming_name_taken", "xen2"), ("name_taken", "xen2")),
            *(("cluster_managed", "xen1"), ("cpu_vendor", "xen2"), ("no_runtime_path", "xen2")),
            *(("suspend_refused", "xen1"), ("foreign_hand", "xen1"), ("closed_to_arrivals", "xen2")),
            *(("waiver_unknown", "localhost"), ("waiver_forbidden", "localhost"), ("network_invalid", "localhost")),
            *(("map_invalid", "xen2"), ("bridge_missing", "xen2"), ("plain_not_allowed", "xen1")),
        },
        everything_at_once,
        {
            "migrate_waive": "all,foreign_hand",
            "migrate_map_bridges": {"xenbr0": "no bridge"},
            "migrate_network": ["192.0.2.1"],
            "migrate_transport": "tcp",
        },
        variables={"xen2": {"dom0_xen_runtime_path": "/var/lab"}},
    ),
    "gone": Provoked({("domain_gone", "xen1")}, odd_that_goes, ODD),
    "bare source, and another machine": Provoked(
        {
            *(("paramiko_missing", "xen1"), ("pyxs_missing", "xen1"), ("map_unused", "xen1")),
            *(("network_no_address", "xen1"), ("network_no_address", "xen2"), ("config_with_names", "xen1")),
            *(("config_other_machine", "xen1"), ("config_other_devices", "xen1")),
        },
        together(bare_python, a_file(vcpus=2, cards=2)),
        {
            **GIVEN,
            "migrate_transport": "ssh",
            "migrate_network": [OTHER_NETWORK],
            "migrate_map_bridges": {"br9": "xenbr0"},
        },
        variables={"xen1": {"ansible_python_interpreter": BARE}},
        drop=("dom0_xen_address",),
    ),
    "number": Provoked({("domain_is_domid", "xen1")}, question={"domain": "7"}),
    "name of the move": Provoked({("move_name_taken", "xen1")}, groups={"web": {"centos@xen1": {}}}),
    "closed": Provoked(
        {("domain_not_looked_for", "xen2")},
        question={"domain": "nobody", "source": ""},
        groups={"dom0": {"closed": CLOSED}},
    ),
    # Both hosts are in it, and dom0_xen_address names the other network.
    "another network, and cold without a file": Provoked(
        {("network_contradicts", "xen1"), ("network_contradicts", "xen2"), ("no_config_file", "xen1")},
        without_a_file,
        {**COLD, "migrate_network": ["10.0.2.0/24"]},
    ),
    "cold with two files": Provoked({("config_ambiguous", "xen1")}, two_files, COLD),
    "cold with a file of another": Provoked(
        {("config_other_domain", "xen1")}, question={**COLD, "migrate_config": "/etc/xen/xlexample.pvhlinux"}
    ),
    "cold and never down": Provoked(
        {PAUSED, ("restarts_at_poweroff", "xen1")},
        odd_that_restarts,
        {**ODD, **COLD, "migrate_config": "/run/odd.cfg"},
    ),
    # Whether it can keep its number is not asked of a domain that is started anew.
    "within a host, by no file of xl": Provoked(
        {("domid_same_host", "xen1"), ("config_invalid", "xen1")},
        a_file('serial = [ "pty"'),
        {**WITHIN, **GIVEN},
    ),
    "cold within a host": Provoked(
        {("cold_same_host", "xen1"), ("cold_as_in_file", "xen1")},
        question={**COLD, **WITHIN, "migrate_config": "/etc/xen/centos.cfg"},
    ),
    "cold with another word, to an address of nobody": Provoked(
        {("config_differs", "xen1"), ("address_doubtful", "xen2"), ("listens_on_all", "xen2")},
        a_file(memory_mib=144),
        {**COLD, **GIVEN, "migrate_destination_address": "192.0.2.99"},
        forbids=False,
    ),
    "worth a word": Provoked(
        {
            *(("clocks_differ", "xen2"), ("cluster_unknown", "xen2"), ("mtu_smaller", "xen2")),
            *(("network_several_addresses", "xen1"), ("config_arrives", "xen1")),
        },
        together(worth_a_word, a_file('on_reboot = "destroy"')),
        {**GIVEN, "migrate_network": ["10.77.0.0/24"]},
        forbids=False,
        drop=("dom0_xen_address",),
    ),
}
# Domains of xen1 by their names, all of which are there at one time; the last one boots, which costs the others time.
ALL_OF_XEN1 = {
    "domain": "",
    "migrate_method": "live",
    "migrate_map_disks": {"/dev/mapper/vg-a": "/dev/mapper/vg-b", "/dev/mapper/vg-n": "/dev/mapper/vg-o"},
}
DOMAINS = {
    "stubborn": Provoked(
        {PAUSED, ("shutdown_pending", "xen1"), ("migration_disabled", "xen1"), ("script_missing", "xen2")},
        stubborn,
        beside={("suspend_unconfirmed", "xen1")},
    ),
    "renamed": Provoked(
        {
            *(PAUSED, ("map_collides", "xen2"), ("disk_differs", "xen2"), ("disk_unproven", "xen2")),
            ("disk_missing", "xen2"),
        },
        renamed,
    ),
    "lonely": Provoked(
        {PAUSED, ("disk_size_differs", "xen2"), ("disk_not_shared", "xen2"), ("disk_read_only", "xen2")},
        lonely,
        beside={("disk_unchecked", "xen2"), ("disk_cached", "xen1")},
    ),
    "paravirtual": Provoked({PAUSED, ("no_shadow_paging", "xen1")}, paravirtual),
    "unknown": Provoked({PAUSED, ("configuration_missing", "xen1")}, unknown),
    "fallen": Provoked({("domain_crashed", "xen1")}, fallen),
}
# Which domain is meant, where xen2 has one of the guest's name and one of its UUID.
MEANT = {
    "two of a name": Provoked({("domain_ambiguous", "xen2")}, question={"source": ""}),
    "two copies": Provoked({("domain_on_several_hosts", "xen2")}, question={"domain": GUEST_UUID, "source": ""}),
    "only there": Provoked({("domain_not_running_there", "xen2")}, question={"domain": OTHER_UUID}),
}


def called(name: str) -> str:
    """What the files of this case are called; by a comma Ansible knows a list of hosts."""
    return f"finding-{re.sub('[^A-Za-z0-9]+', '-', name)}"


@pytest.mark.parametrize("name", CASES)
def test_is_found(watched: World, name: str) -> None:
    """Just what was provoked, with a message and a remedy each, on the host that it is about."""
    case = CASES[name]
    watched.name = called(name)
    with case.changed(watched):
        outcome = ask(watched, case)
    require(outcome, case)


def test_of_each_domain(watched: World) -> None:
    """Just what was provoked of it, of all in one run; the guest is among them, and could go."""
    watched.name = called("of each domain")
    with contextlib.ExitStack() as stack:
        for case in DOMAINS.values():
            stack.enter_context(case.changed(watched))
        outcome = ask(watched, Provoked(set(), question=ALL_OF_XEN1))
    assert outcome.result, outcome.output[-3000:]
    assert (outcome.status, outcome.changed, outcome.result["findings"]) == (2, 0, []), outcome.output[-3000:]
    places = {domain["name"]: domain["places"] for domain in outcome.result["domains"]}
    told = {name: place["findings"] for name, (place,) in places.items()}
    wanted = {"centos": Provoked(set()), **DOMAINS}
    found = {name: of_kind(each, "error") for name, each in told.items()}
    assert found == {name: case.found for name, case in wanted.items()}
    missed = {name: case.beside - of_kind(told[name], "warning") for name, case in wanted.items()}
    assert not any(missed.values()), missed
    assert {name for name, (place,) in places.items() if place["possible"]} == {"centos"}


def test_which_domain_is_meant(watched: World) -> None:
    """Where a name or a UUID means more than one, or one that does not run, nothing is guessed."""
    host = watched.destination
    outcomes = {}
    with (
        paused(host, "centos", small("centos")),
        paused(host, "twin", small("twin", uuid=GUEST_UUID)),
    ):
        for name, case in MEANT.items():
            watched.name = called(name)
            outcomes[name] = ask(watched, case)
    for name, case in MEANT.items():
        require(outcomes[name], case)
