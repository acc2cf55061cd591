# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gathering the facts of a dom0 (private to the collection). Nothing is changed, and nothing missing is fatal."""

from __future__ import annotations

import dataclasses
import itertools
import os
import platform
import shutil
import socket
import sys
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._facts.cluster import cluster
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment import equipment
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Card
from ansible_collections.dom0.xen.plugins.module_utils._facts.hands import hands
from ansible_collections.dom0.xen.plugins.module_utils._facts.monitors import monitors
from ansible_collections.dom0.xen.plugins.module_utils._facts.network import network
from ansible_collections.dom0.xen.plugins.module_utils._facts.problems import (
    add_problem,
    problem,
    pyxs_problem,
    user_problem,
)
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import (
    closed_mark,
    restored_images,
    sessions_seen,
)
from ansible_collections.dom0.xen.plugins.module_utils._places import NoRuntimePlace, resolve_runtime_root
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, HostFacts, Problem, XenFacts
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import XenInfo, parse_autoballoon
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import SYSTEM_PATH, Runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xen_cpuid import XenCpuid
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.connection import pyxs_version
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

XL_CONF = "/etc/xen/xl.conf"
# A host whose domains have more has its first ones told.
CARDS_MAX = 2048


def host_facts(run: Runner, runtime_path: str, journal_path: str, xl_conf: str = XL_CONF) -> HostFacts:
    """Return what is known of this host. Runs four processes: xl info, xl list -v, xen-cpuid -p, ip."""
    problems = user_problem()
    xl = Xl(run)
    info, domains = _ask_xl(xl, problems)
    policies = XenCpuid(run).system((info.major, info.minor)) if info else {}
    pools, cards = _ask_xenstore(info, problems)
    try:
        runtime: str | None = resolve_runtime_root(runtime_path)
    except NoRuntimePlace as exc:
        runtime = None
        problems.append(problem(exc))
    lines = _procfs.command_lines()
    sessions = sessions_seen(runtime, journal_path)
    boot = autostart.roots()
    links = network(run, shutil.which("ip") or shutil.which("ip", path=SYSTEM_PATH))
    return HostFacts(
        # The name that xl knows tells hosts apart that share everything else, such as test doubles on one machine.
        hostname=(info.fields.get("host") if info else None) or socket.gethostname(),
        uid=os.geteuid(),
        boot_id=_procfs.boot_id(),
        python=platform.python_version(),
        pyxs=pyxs_version(),
        systemd=os.path.isdir("/run/systemd/system"),  # as sd_booted(3)
        xen=_xen(info),
        cpus=info.cpus if info else None,
        memory_mib=info.total_memory_mib if info else None,
        free_memory_mib=info.free_memory_mib if info else None,
        dom0_memory_mib=next((row.memory_mib for row in domains if row.domid == 0), None),
        autoballoon=info is not None and parse_autoballoon(_text(xl_conf), info.commandline),
        bridges=links.bridges,
        addresses=links.addresses,
        cpupools=pools,
        clock_s=time.time(),
        runtime_path=runtime,
        domains=domains,
        sessions=sessions,
        problems=tuple(problems),
        autostart=autostart.entries(boot),
        # What belongs to a session is told as that session.
        hands=hands(lines, [session.pid for session in sessions if session.alive and session.pid]),
        monitors=monitors(lines),
        cluster=cluster(lines),
        equipment=dataclasses.replace(
            equipment(info.fields if info else {}, policies=policies),
            mtus=links.mtus,
            cards=cards,
            ipv4=links.ipv4,
        ),
        # To import it would take longer than all the rest.
        paramiko=_installed("paramiko"),
        zstandard=_installed("zstandard"),
        configs=autostart.configs(boot),
        closed=closed_mark(journal_path),
        restored=restored_images(journal_path),
    )


def _installed(package: str) -> bool:
    # Debian 11 and others have a module of one file.
    names = (package, f"{package}.py")
    return any(os.path.exists(os.path.join(folder, name)) for folder in sys.path for name in names)


def _ask_xl(xl: Xl, problems: list[Problem]) -> tuple[XenInfo | None, tuple[DomainRow, ...]]:
    info = None
    try:
        info = xl.info()
        return info, xl.domains()
    except Dom0XenError as exc:
        add_problem(problems, problem(exc))
        return info, ()


def _ask_xenstore(info: XenInfo | None, problems: list[Problem]) -> tuple[tuple[str, ...], tuple[Card, ...]]:
    """Return the names of the cpupools (libxl keeps them at /local/pool) and the network cards of all domains, and see
    whether XenStore answers at all.
    """
    if pyxs_version() is None:
        problems.append(pyxs_problem())
        return (), ()
    if info is None:
        return (), ()
    try:
        with XenStore() as store:
            names = [store.read(f"/local/pool/{pool}/name") for pool in store.list("/local/pool")]
            cards = tuple(itertools.islice(_cards(store), CARDS_MAX))
    except Dom0XenError as exc:
        problems.append(problem(exc))
        return (), ()
    return tuple(name for name in names if name), cards


def _cards(store: XenStore) -> t.Iterator[Card]:
    """Yield the network cards of all domains, whoever serves them (libxl_device.c libxl__device_generic_add)."""
    for domid in store.list("/libxl"):
        for number in store.list(f"/libxl/{domid}/device/vif") if domid.isdigit() else ():
            mac = store.read(f"/libxl/{domid}/device/vif/{number}/mac")
            if mac:
                yield Card(int(domid), mac)


def _xen(info: XenInfo | None) -> XenFacts | None:
    if info is None:
        return None
    return XenFacts(
        version=info.version,
        major=info.major,
        minor=info.minor,
        extra=info.extra,
        caps=info.caps,
        virt_caps=info.virt_caps,
        commandline=info.commandline,
    )


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
