# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check finds that takes a question of its own: which domain, which host, how, by which file."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t
import uuid

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.asking import Found, ask, bare_python, require
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, read_until

pytestmark = pytest.mark.timeout(600)

CENTOS = GuestConfig(memory_mib=16, compact=True)
COPY = str(uuid.uuid4())
EMULATED = 'disk = [ "vdev=xvda,access=w,format=raw,backendtype=qdisk,target=/dev/vg/emulated" ]'
TWO_DISKS = 'disk = [ "/dev/vg/a,raw,xvda,w", "/dev/vg/b,raw,xvdb,w" ]'
ENDS_S = 60.0

Prepared = t.ContextManager[t.Mapping[str, t.Any]]
Prepare = t.Callable[[Site, pathlib.Path], Prepared]


@contextlib.contextmanager
def as_it_is(site: Site, folder: pathlib.Path) -> t.Iterator[t.Mapping[str, t.Any]]:
    """Nothing has to be done, and nothing more asked."""
    yield {}


def file(change: t.Callable[[str], str] = str) -> Prepare:
    """Return what asks for a move by a configuration file that is the guest's but for this change."""

    @contextlib.contextmanager
    def written(site: Site, folder: pathlib.Path) -> t.Iterator[t.Mapping[str, t.Any]]:
        path = folder / "given.cfg"
        path.write_text(change(CENTOS.text()))
        yield {"migrate_config": str(path)}

    return written


def inventory(**groups: t.Mapping[str, t.Any]) -> Prepare:
    """Return what asks with more hosts in the inventory."""

    @contextlib.contextmanager
    def written(site: Site, folder: pathlib.Path) -> t.Iterator[t.Mapping[str, t.Any]]:
        path = folder / "more.json"
        path.write_text(json.dumps({group: {"hosts": hosts} for group, hosts in groups.items()}))
        yield {"-i": str(path)}

    return written


@contextlib.contextmanager
def gone_between_two_looks(site: Site, folder: pathlib.Path) -> t.Iterator[t.Mapping[str, t.Any]]:
    """A domain of xen1 that is destroyed when its host has told of it, and before it is looked at."""
    host, real = site["xen1"], site["xen1"].paths.bin / "xl-real"
    config = GuestConfig("racing", str(uuid.uuid4()), memory_mib=16, bridge=None, compact=True)
    domid = host.start_guest(config)
    xl, seen = host.paths.bin / "xl", folder / "listed"
    xl.rename(real)
    xl.write_text(
        f'#!/bin/sh\nif [ "$1" = list ]; then\n  if [ -e {seen} ]; then {real} destroy {domid}; else : > {seen}; fi\n'
        f'fi 2>/dev/null\nexec {real} "$@"\n'
    )
    xl.chmod(0o755)
    try:
        yield {}
    finally:
        real.replace(xl)


def numbered(destroyed: bool) -> Prepare:
    """Return what gives the guest's number to a domain of xen2, which may have been destroyed a moment ago."""

    @contextlib.contextmanager
    def made(site: Site, folder: pathlib.Path) -> t.Iterator[t.Mapping[str, t.Any]]:
        domid = int(site["xen1"].run("xl", "domid", "centos").stdout)
        config = {
            "c_info": {"name": "holder", "uuid": str(uuid.uuid4()), "type": "pvh"},
            "b_info": {"max_memkb": 4096, "target_memkb": 4096, "max_vcpus": 1},
        }
        site["xen2"].machine.call("create", config=config, domid=domid)
        try:
            if destroyed:
                assert site["xen2"].run("xl", "destroy", str(domid)).status == 0
            yield {}
        finally:
            if not destroyed:
                site["xen2"].machine.call("destroy", domid=domid)

    return made


@contextlib.contextmanager
def name_of_its_file_taken(site: Site, folder: pathlib.Path) -> t.Iterator[t.Mapping[str, t.Any]]:
    """Another domain's file at the destination is called as the guest's is here."""
    mine = site["xen1"].keep_config(CENTOS)
    theirs = site["xen2"].paths.auto.parent / mine.name
    theirs.write_text(GuestConfig("another", str(uuid.uuid4())).text())
    try:
        yield {}
    finally:
        mine.unlink()
        theirs.unlink()


def own_file(name: str) -> Prepare:
    """Return what asks for a move by the file that a domain of xen1 was started from."""

    @contextlib.contextmanager
    def named(site: Site, folder: pathlib.Path) -> t.Iterator[t.Mapping[str, t.Any]]:
        yield {"migrate_config": str(site["xen1"].paths.root / f"{name}.cfg")}

    return named


@contextlib.contextmanager
def two_files(site: Site, folder: pathlib.Path) -> t.Iterator[t.Mapping[str, t.Any]]:
    """Two files of xen1 that are not the same make the guest."""
    one = site["xen1"].keep_config(CENTOS)
    other = one.with_name("other.cfg")
    other.write_text(f"{CENTOS.text()}vcpus = 2\n")
    try:
        yield {}
    finally:
        one.unlink()
        other.unlink()


@contextlib.contextmanager
def being_saved(site: Site, folder: pathlib.Path) -> t.Iterator[t.Mapping[str, t.Any]]:
    """Somebody saves the guest by hand, and has not come to it yet."""
    host, nothing = site["xen1"], subprocess.DEVNULL
    host.faults({"point": "save.start", "action": "stall"})
    save = host.spawn("xl", "save", "centos", "/dev/null", stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        deadline = time.monotonic() + ENDS_S
        # What waits at the point has used its fault up, and shows the command line of xl.
        while json.loads(host.paths.faults.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield {}
    finally:
        save.kill()
        save.wait()
        host.faults()


@dataclasses.dataclass(frozen=True)
class Question:
    """What must be found, what is asked beside ``domain=centos destination=xen2``, and what is done before."""

    found: Found
    asked: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    before: Prepare = as_it_is
    namespaces: bool = False


COLD = {"migrate_method": "cold"}
KEEP = {"migrate_preserve_domid": True}
HERE = {"source": "xen1", "destination": "xen1"}
CLOSED = {"closed": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}}
QUESTIONS: t.Mapping[str, Question] = {
    "nothing": Question(frozenset()),
    "words": Question(
        {
            ("waiver_unknown", "localhost"),
            ("waiver_forbidden", "localhost"),
            ("map_invalid", "xen2"),
            ("bridge_missing", "xen2"),
            ("network_invalid", "localhost"),
            ("plain_not_allowed", "xen1"),
        },
        {
            "migrate_waive": "all,foreign_hand",
            "migrate_map_bridges": {"xenbr0": "no bridge"},
            "migrate_network": ["192.0.2.1"],
            "migrate_transport": "tcp",
        },
    ),
    "plain": Question({("plain_transport", "xen1")}, {"migrate_transport": "tcp", "migrate_allow_plain": True}),
    "number": Question({("domain_is_domid", "xen1")}, {"domain": "7", "source": "xen1"}),
    "dom0": Question({("domain_is_dom0", "xen1")}, {"domain": "Domain-0", "source": "xen1"}),
    "nobody": Question({("domain_unknown", "xen1")}, {"domain": "nobody", "source": "xen1"}),
    "two of a name": Question({("domain_ambiguous", "xen2")}, {"domain": "both"}),
    "two copies": Question({("domain_on_several_hosts", "xen2")}, {"domain": "copy"}),
    "paused there": Question({("domain_not_running_there", "xen2")}, {"domain": "arrived", "source": "xen1"}),
    "gone": Question({("domain_gone", "xen1")}, {"domain": "racing", "source": "xen1"}, gone_between_two_looks),
    "name of the move": Question({("move_name_taken", "xen2")}, before=inventory(web={"centos@xen1": {}})),
    "closed": Question({("domain_not_looked_for", "xen2")}, {"domain": "nobody"}, inventory(dom0=CLOSED)),
    "no such host": Question({("host_not_in_inventory", "xen9")}, {"destination": "xen9"}),
    "same host": Question({("same_host", "xen1")}, HERE),
    "cold within": Question({("cold_same_host", "xen1")}, {**HERE, **COLD, "allow_same_host": True}, file()),
    "cold and paused": Question({("cold_as_in_file", "xen1")}, {**COLD, "migrate_leave_paused": True}, file()),
    "cold otherwise": Question(
        {("config_differs", "xen1")}, COLD, file(lambda text: text.replace("memory = 16", "memory = 20"))
    ),
    "no file": Question({("no_config_file", "xen1")}, {"migrate_config": "/opt/no-such-place/centos.cfg"}),
    "bad file": Question({("config_invalid", "xen1")}, before=file(lambda text: f"{text}extra = [\n")),
    "other machine": Question({("config_other_machine", "xen1")}, before=file(lambda text: f"{text}vcpus = 2\n")),
    "other devices": Question(
        {("config_other_devices", "xen1")}, before=file(lambda text: f"{text}{EMULATED.replace('/vg/', '/xvg/')}\n")
    ),
    "other words": Question({("config_arrives", "xen1")}, before=file(lambda text: f'{text}on_crash = "preserve"\n')),
    "file and names": Question(
        {("config_with_names", "xen1")}, {"migrate_map_bridges": {"xenbr0": "xenbr1"}}, file()
    ),
    "file's name": Question({("config_name_taken", "xen2")}, before=name_of_its_file_taken, namespaces=True),
    "number taken": Question({("domid_taken", "xen2")}, KEEP, numbered(destroyed=False)),
    "number just free": Question({("domid_recent", "xen2")}, KEEP, numbered(destroyed=True), namespaces=True),
    "number within": Question({("domid_same_host", "xen1")}, {**KEEP, **HERE, "allow_same_host": True}),
    "number and old": Question(
        {("domid_unsupported", "old"), ("xen_older", "old")}, {**KEEP, "destination": "old"}
    ),
    "one disk of two": Question(
        {("map_collides", "xen2"), ("map_unused", "xen1"), ("disk_unproven", "xen2")},
        {
            "domain": "disks",
            "migrate_map_disks": {"/dev/vg/a": "/dev/vg/b"},
            "migrate_map_bridges": {"br9": "xenbr0"},
        },
    ),
    "file of another": Question({("config_other_domain", "xen1")}, COLD, own_file("disks")),
    "two files": Question({("config_ambiguous", "xen1")}, COLD, two_files, namespaces=True),
    "cold and never down": Question(
        {("restarts_at_poweroff", "xen1")}, {**COLD, "domain": "restarts"}, own_file("restarts")
    ),
    "PV, live": Question({("no_shadow_paging", "xen1")}, {"domain": "paravirtual", "migrate_method": "live"}),
    "saved by hand": Question({("foreign_hand", "xen1")}, before=being_saved),
    "suspended": Question({("suspend_disk_cached", "xen1")}, {"domain": "emulated", "migrate_method": "suspend"}),
    "ssh": Question(
        {("paramiko_missing", "bare"), ("pyxs_missing", "bare")}, {"domain": "bared", "migrate_transport": "ssh"}
    ),
    "no network": Question(
        {("network_no_address", "xen1"), ("network_no_address", "xen2")}, {"migrate_network": ["198.51.100.0/24"]}
    ),
    "two networks": Question(
        {("network_contradicts", "xen2")},
        {"migrate_network": ["192.0.2.0/24"], "migrate_destination_address": "192.0.2.99"},
    ),
    "two addresses": Question({("network_several_addresses", "xen1")}, {"migrate_network": ["192.0.2.0/24"]}),
    "address": Question(
        {("address_doubtful", "xen2"), ("listens_on_all", "xen2")}, {"migrate_destination_address": "192.0.2.99"}
    ),
    # The name is looked up on the source.
    "address of a name": Question(
        {("listens_on_all", "xen2")}, {"migrate_destination_address": "no-such-host.invalid"}
    ),
}  # fmt: skip


def interface(last: int) -> list[str]:
    """Return an address in the network of the questions."""
    return ["eth0", f"192.0.2.{last}/24"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Four hosts, of which one is older and one has nothing but Python; the inventory has no address for moves."""
    folder = tmp_path_factory.mktemp("double")
    site = Site(folder / "site")
    bare = bare_python(folder)
    site.up(["xen1"], python=sys.executable, addresses=[interface(1), interface(11)])
    site.up(["xen2"], python=sys.executable, addresses=[interface(2)], bridges=["xenbr0", "xenbr1"])
    site.up(["old"], python=sys.executable, xen_minor=13)
    site.up(["bare"], python=bare)
    site.inventory.write_text(site.inventory.read_text().replace("      dom0_xen_address: 127.0.0.1\n", ""))
    more: dict[str, t.Any] = {"memory_mib": 16, "bridge": None, "compact": True}
    site["xen1"].start_guest(CENTOS)
    site["xen1"].start_guest(GuestConfig("disks", str(uuid.uuid4()), memory_mib=16, compact=True, extra=TWO_DISKS))
    site["xen1"].start_guest(GuestConfig("emulated", str(uuid.uuid4()), "hvm", extra=EMULATED, **more))
    site["xen1"].start_guest(GuestConfig("paravirtual", str(uuid.uuid4()), "pv", **more))
    restarts = GuestConfig("restarts", str(uuid.uuid4()), extra='on_poweroff = "restart"', **more)
    site["xen1"].start_guest(restarts)
    site["bare"].start_guest(GuestConfig("bared", str(uuid.uuid4()), **more))
    for host in ("xen1", "xen2"):
        site[host].start_guest(GuestConfig("both", str(uuid.uuid4()), **more))
        site[host].start_guest(GuestConfig("copy", COPY, **more))
    site["xen2"].start_guest(GuestConfig("arrived", str(uuid.uuid4()), **more))
    assert site["xen2"].run("xl", "pause", "arrived").status == 0
    yield site
    assert site.down() == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_is_found(site: Site, tmp_path: pathlib.Path, name: str) -> None:
    """Just what speaks against what was asked; the guest runs on as before."""
    question = QUESTIONS[name]
    if question.namespaces and not namespaces():
        pytest.skip("needs mount namespaces")
    before = site.intervals(GUEST)
    with question.before(site, tmp_path) as more:
        asked = {"domain": "centos", "destination": "xen2", **question.asked, **more}
        options = [word for key in list(asked) if key.startswith("-") for word in (key, asked.pop(key))]
        answer = ask(site, tmp_path, *options, "-e", json.dumps(asked))
    require(answer.findings, question.found)
    assert answer.status == (2 if any(finding["severity"] == "error" for finding in answer.findings) else 0)
    assert site.intervals(GUEST) == before


def test_a_session_at_work_and_one_that_was_cut_off(tmp_path: pathlib.Path) -> None:
    """Both hosts tell of it: who moves the guest, and afterwards that nobody knows what came of it."""
    site = Site(tmp_path / "double")
    try:
        site.up(["xen1", "xen2"], python=sys.executable, save_rate=100_000)
        site["xen1"].start_guest(CENTOS)
        move = User(site, tmp_path).start("dom0.xen.migrate", "-e", "domain=centos", "-e", "destination=xen2")
        read_until(move, "first round")
        asked = ("-e", "domain=centos", "-e", "source=xen1", "-e", "destination=xen2")
        at_work = {("session_running", "xen1"), ("session_running", "xen2"), ("incoming_name_taken", "xen2")}
        require(ask(site, tmp_path, *asked).findings, at_work)
        cut_off(site, move)
        left = {("session_interrupted", "xen1"), ("session_interrupted", "xen2")}
        require(ask(site, tmp_path, *asked).findings, left)
        assert len(site.running(GUEST)) == 1 and site.overlaps(GUEST) == []
    finally:
        site.down()


def cut_off(site: Site, move: subprocess.Popen[str]) -> None:
    """Kill both ends of the session, and whoever watches it; xl then goes on with the guest, and ends."""
    os.killpg(move.pid, signal.SIGKILL)
    move.communicate(timeout=LIMIT_S)
    deadline = time.monotonic() + ENDS_S
    for host in site.hosts.values():
        assert host.kill("_session.daemon")
    while any(host.left_over() for host in site.hosts.values()):
        assert time.monotonic() < deadline, [host.left_over() for host in site.hosts.values()]
        time.sleep(0.1)
