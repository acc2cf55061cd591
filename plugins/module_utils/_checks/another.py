# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a file that is to describe the running domain at the destination do so? (pure; private to the collection)

``migrate_config`` for a move of its memory, as ``xl migrate -C``. What the destination needs is looked for as that file
has it (:func:`for_arrival`), since that is the configuration that arrives; and as the file has it from which a domain
is started that is shut down, as far as it is known what ``xl`` makes of that.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _other_config
from ansible_collections.dom0.xen.plugins.module_utils._checks.mapping import collisions
from ansible_collections.dom0.xen.plugins.module_utils._checks.method import chosen
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, Rule, listed
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import ConfigFile
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts

_REMEDY = "Correct %s, or leave out migrate_config."


def wanted(case: Case) -> bool:
    """Whether the domain's memory is moved, and a file is to describe it at the destination."""
    named = bool(case.request.config_path) and case.domain is not None and case.domain.domid != 0
    return named and chosen(case)[0] != COLD


def named(case: Case) -> ConfigFile | None:
    """Return the file that the caller has named, as far as it could be read; None where he has named none."""
    files = case.domain.config_files if case.domain and case.domain.domid != 0 and case.request.config_path else ()
    return files[0] if len(files) == 1 else None


def file_of(case: Case) -> ConfigFile | None:
    """Return that file where it is to describe the domain, whose memory is moved."""
    return named(case) if wanted(case) else None


def _started_from(case: Case) -> ConfigFile | None:
    """Return the file that the domain is started from, which is shut down; None where that is not one."""
    files = case.domain.config_files if case.domain and case.domain.domid != 0 else ()
    return files[0] if len(files) == 1 and chosen(case)[0] == COLD else None


def _file(case: Case) -> ConfigFile | None:
    """Return the file that says how the domain arrives, whichever way it goes; None where none does."""
    return _started_from(case) or file_of(case)


def arrival(case: Case) -> Case:
    """Return the case with the domain as it is to arrive; the same where no file says that, or it is not known how."""
    file = _file(case)
    if file is None or file.config is None or case.domain is None:
        return case
    # XenStore tells of the devices that it has here.
    domain = dataclasses.replace(case.domain, config=file.config, xenstore=None)
    if _started_from(case) is not None:
        domain = _anew(domain, file.config)
    paths = _other_config.paths(case.config, file.config)
    return dataclasses.replace(case, domain=domain, request=dataclasses.replace(case.request, map_disks=paths))


def _anew(domain: DomainFacts, config: t.Mapping[str, t.Any]) -> DomainFacts:
    """Return a domain of which nothing is kept but what its file says."""
    created, build = config.get("c_info") or {}, config.get("b_info") or {}
    return dataclasses.replace(
        domain,
        type=created.get("type") or domain.type,
        memory_mib=0,
        memory_max_kib=build.get("max_memkb") or domain.memory_max_kib,
        vcpus=build.get("max_vcpus") or 1,
    )


def for_arrival(rule: Rule) -> Rule:
    """Return a rule that looks at the domain as it is to arrive."""

    def there(case: Case) -> t.Iterator[Finding]:
        yield from _of_file(case, rule(arrival(case)))

    return there


def _of_file(case: Case, found: t.Iterable[Finding]) -> t.Iterator[Finding]:
    """Say with each finding which file it comes from, where the domain is looked at as one has it."""
    file = _file(case)
    for finding in found:
        told = file is not None and file.config is not None and file.path not in finding.message + finding.remedy
        more = f" It is looked at as {file.path} has it." if told and file else ""
        yield dataclasses.replace(finding, remedy=finding.remedy + more)


def for_both(rule: Rule) -> Rule:
    """Return a rule that looks at it as it runs, and as it is to arrive; of one that is started anew, at that alone."""

    def twice(case: Case) -> t.Iterator[Finding]:
        there = arrival(case)
        if there is not case and _started_from(case) is not None:
            yield from _of_file(case, rule(there))
            return
        found = list(rule(case))
        yield from found
        codes = {finding.code for finding in found}
        more = (finding for finding in rule(there) if there is not case and finding.code not in codes)
        yield from _of_file(case, more)

    return twice


def disks_there(rule: Rule) -> Rule:
    """Return a rule that looks at the disks that arrive, each under the path that it has here, and there."""

    def mapped(case: Case) -> t.Iterator[Finding]:
        there = arrival(case)
        if there is case or case.domain is None:
            yield from rule(case)
            return
        config = {**there.config, "disks": _other_config.disks(case.config, there.config)}
        yield from _of_file(
            case, rule(dataclasses.replace(there, domain=dataclasses.replace(case.domain, config=config)))
        )

    return mapped


def apart(case: Case) -> t.Iterator[Finding]:
    """No two disks of the domain are one in the file."""
    there, file = arrival(case), _file(case)
    if there is case or file is None or case.domain is None:
        return
    disks = {"disks": _other_config.disks(case.config, there.config)}
    for path, before in collisions(case, there.request.names, disks):
        yield case.error(
            "map_collides",
            case.source_name,
            f"{file.path} makes one of disks of {case.domain.name}: {listed(before)} would all be {path}.",
            f"Correct {file.path}: each disk has a path of its own.",
            path=path,
            disks=list(before),
        )


def described(case: Case) -> t.Iterator[Finding]:
    """The file can be read, is of this domain, and xl makes the same machine of it."""
    if not wanted(case) or case.domain is None:
        return
    host, path, name, file = case.source_name, case.request.config_path, case.domain.name, file_of(case)
    if case.request.map_bridges or case.request.map_disks:
        yield case.error(
            "config_with_names",
            host,
            f"{path} has the destination's names already, and others are to be put in.",
            "Leave out migrate_map_bridges and migrate_map_disks, or migrate_config.",
            path=path,
        )
    if file is None or not path.startswith("/"):
        yield case.error(
            "no_config_file",
            host,
            f"{path}, which is to describe {name} on {case.request.destination}, cannot be read on {host}.",
            f"Name a text on {host} by its absolute path, of at most 256 KiB: migrate_config.",
            path=path,
        )
    elif (file.uuid or case.domain.uuid) != case.domain.uuid or (file.name or name) != name:
        yield case.error(
            "config_other_domain",
            host,
            f"{path} is the configuration file of {file.name or 'a domain'} ({file.uuid or 'no UUID'}), not of {name}"
            f" ({case.domain.uuid}).",
            _REMEDY % path,
            path=path,
        )
    elif file.config is None:
        yield case.error(
            "config_invalid",
            host,
            f"xl on {host} makes no domain of {path}: {file.problem or 'it was not asked'}.",
            f"Correct it until `xl create -n {path}` takes it, or leave out migrate_config.",
            path=path,
        )
    elif case.domain.config is not None:
        yield from _alike(case, file)


def _alike(case: Case, file: ConfigFile) -> t.Iterator[Finding]:
    running, other, host = case.config, file.config or {}, case.source_name
    name = case.domain.name if case.domain else ""
    machine, devices = _other_config.machine(running, other), _other_config.devices(running, other)
    if machine:
        yield case.error(
            "config_other_machine",
            host,
            f"{file.path} makes another machine than the one that {name} runs on: {_other_config.sentence(machine)}.",
            _REMEDY % file.path + " With migrate_method=cold it is started anew as the file says.",
            path=file.path,
            differs=[change._asdict() for change in machine],
        )
    if devices:
        yield case.error(
            "config_other_devices",
            host,
            f"{file.path} gives {name} other devices than those that its guest has open:"
            f" {_other_config.sentence(devices)}.",
            _REMEDY % file.path + f" Plug a device in or out on {host} first (`xl block-attach`, `xl network-detach`).",
            path=file.path,
            differs=[change._asdict() for change in devices],
        )
    changes = _other_config.differences(running, other)
    if changes and not machine and not devices:
        yield case.warning(
            "config_arrives",
            host,
            f"{name} arrives as {file.path} describes it, which differs from what runs in:"
            f" {listed(change.what for change in changes)}.",
            "See that the file is what you want; what was set since the domain was started is not in it.",
            path=file.path,
            differs=[change._asdict() for change in changes],
        )
