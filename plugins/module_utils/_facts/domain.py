# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gathering the facts of domains on a dom0 (private to the collection). Nothing is changed."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.config_files import ConfigFiles, Understood
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import ConfigFile
from ansible_collections.dom0.xen.plugins.module_utils._facts.masking import mask
from ansible_collections.dom0.xen.plugins.module_utils._facts.problems import (
    add_problem,
    problem,
    pyxs_problem,
    user_problem,
)
from ansible_collections.dom0.xen.plugins.module_utils._meant import means
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    DeviceSeen,
    DomainFacts,
    DomainRow,
    Problem,
    XenStoreFacts,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import DomainMissing
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import Runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xen_cpuid import XenCpuid
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.connection import pyxs_version
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

# Each takes a process.
POLICIES_MAX = 256


def domain_facts(
    run: Runner, domain: str | None, config_path: str = ""
) -> tuple[tuple[DomainFacts, ...], tuple[Problem, ...]]:
    """Return the domains that a name, UUID or domid means (all when None), and what is wrong with the host.

    Runs xl list -v, and, when there is such a domain, xl list -l. ``config_path`` is the file that the domain is made
    from, or is to arrive with; those that look as if they were are found without. xl create -n is asked of it, and
    where one domain is meant of those that differ from what runs; of that one xen-cpuid -p tells the processor.
    """
    problems = user_problem()
    if pyxs_version() is None:
        problems.append(pyxs_problem())
    rows: tuple[DomainRow, ...] = ()
    configurations: dict[int, t.Any] = {}
    xl = Xl(run)
    try:
        rows = matching(xl.domains(), domain)
        if rows:
            only = rows[0].domid if len(rows) == 1 else None
            configurations = {found.domid: found.config for found in xl.configurations(only)}
    except DomainMissing:
        rows = ()  # it went between the two calls
    except Dom0XenError as exc:
        add_problem(problems, problem(exc))
    # A process for each domain of a host would be many.
    understood = xl.understood if domain is not None or config_path else None
    cpuid = XenCpuid(run) if domain is not None else None
    return _gathered(rows, configurations, problems, cpuid, config_path, understood), tuple(problems)


def guest_facts(
    run: Runner, rows: t.Iterable[DomainRow], processors: bool
) -> tuple[tuple[DomainFacts, ...], tuple[Problem, ...]]:
    """Return all domains but the host's own, from the rows of xl list -v, and what was in the way of it.

    Runs xl list -l once, and with ``processors`` xen-cpuid -p for each domain; for none where they are too many.
    """
    guests = [row for row in rows if row.domid]
    problems: list[Problem] = []
    configurations: dict[int, t.Any] = {}
    if guests:
        try:
            configurations = {found.domid: found.config for found in Xl(run).configurations()}
        except Dom0XenError as exc:
            add_problem(problems, problem(exc))
    cpuid = XenCpuid(run) if processors and len(guests) <= POLICIES_MAX else None
    return _gathered(guests, configurations, problems, cpuid), tuple(problems)


def _gathered(
    rows: t.Sequence[DomainRow],
    configurations: t.Mapping[int, t.Any],
    problems: list[Problem],
    cpuid: XenCpuid | None,
    config_path: str = "",
    understood: Understood | None = None,
) -> tuple[DomainFacts, ...]:
    """Return the facts of these domains; ``understood`` and ``cpuid`` are asked about each, where they are given."""
    seen = _ask_xenstore(rows, problems) if pyxs_version() is not None and rows else {}
    files = ConfigFiles()
    found = []
    for row in rows:
        config = configurations.get(row.domid)
        made_from = files.of(row.uuid, row.name, config or {}, config_path, understood) if row.domid else ()
        facts = _facts(row, config, seen.get(row.domid), made_from)
        shown = cpuid.domain(row.domid) if cpuid and row.domid else None
        found.append(dataclasses.replace(facts, cpu_policy=shown))
    return tuple(found)


def matching(rows: t.Iterable[DomainRow], domain: str | None) -> tuple[DomainRow, ...]:
    """Return the rows that a name, UUID or domid means; all digits are a domid, as for xl (xl_utils.c find_domain)."""
    if domain is None:
        return tuple(rows)
    if domain.isdigit():
        return tuple(row for row in rows if row.domid == int(domain))
    return tuple(row for row in rows if means(domain, row.uuid, row.name))


def _facts(
    row: DomainRow, config: t.Mapping[str, t.Any] | None, seen: XenStoreFacts | None, files: tuple[ConfigFile, ...]
) -> DomainFacts:
    memory_max = (config or {}).get("b_info", {}).get("max_memkb")
    return DomainFacts(
        domid=row.domid,
        uuid=row.uuid,
        name=row.name,
        state=row.state,
        config=mask(config) if config is not None else None,
        memory_mib=row.memory_mib,
        memory_max_kib=memory_max if memory_max is not None else (seen.memory_static_max_kib if seen else None),
        vcpus=row.vcpus,
        type=(config or {}).get("c_info", {}).get("type"),
        xenstore=seen,
        links=dict(disk_links(config or {})),
        config_files=files,
    )


def disk_links(config: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str]]:
    """Yield the paths of disks that lead over symbolic links, with the real ones."""
    for disk in config.get("disks") or ():
        path = str(disk.get("pdev_path") or "")
        # Links under /dev are udev's, and are among the facts of the host.
        if path.startswith("/") and not path.startswith("/dev/"):
            real = os.path.realpath(path)
            if real != path:
                yield path, real


def _ask_xenstore(rows: t.Iterable[DomainRow], problems: list[Problem]) -> dict[int, XenStoreFacts]:
    try:
        with XenStore() as store:
            return {row.domid: xenstore_facts(store, row.domid) for row in rows}
    except Dom0XenError as exc:
        add_problem(problems, problem(exc))
        return {}


def xenstore_facts(store: XenStore, domid: int) -> XenStoreFacts:
    """Return what XenStore knows of a domain (docs/misc/xenstore-paths.pandoc)."""
    base = f"/local/domain/{domid}"
    return XenStoreFacts(
        name=store.read(f"{base}/name"),
        vm=store.read(f"{base}/vm"),
        feature_suspend=store.read(f"{base}/control/feature-suspend"),
        control_shutdown=store.read(f"{base}/control/shutdown"),
        memory_target_kib=store.read_int(f"{base}/memory/target"),
        memory_static_max_kib=store.read_int(f"{base}/memory/static-max"),
        devices=tuple(_devices(store, f"{base}/device")),
    )


def _devices(store: XenStore, base: str) -> t.Iterator[DeviceSeen]:
    for kind in store.list(base):
        for number in store.list(f"{base}/{kind}"):
            if number.isdigit():  # device/suspend/event-channel is no device
                path = f"{base}/{kind}/{number}"
                yield DeviceSeen(
                    kind, int(number), store.read_int(f"{path}/backend-id"), store.read_int(f"{path}/state")
                )
