# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the domain be shut down here and started from its configuration file there? (pure; private to the collection)"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.method import chosen
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, listed
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD


def config_path(case: Case) -> str:
    """Return the file that the domain is to be made from; empty where that is not known, or not needed."""
    files = case.domain.config_files if case.domain else ()
    return files[0].path if len(files) == 1 and chosen(case)[0] == COLD else ""


def away(case: Case) -> t.Iterator[Finding]:
    """It goes to another host: within one there is nothing to be moved."""
    if _is_cold(case) and case.same_host and case.request.allow_same_host:
        yield case.error(
            "cold_same_host",
            case.request.destination,
            "the domain would be shut down and started on the host that it is on.",
            "Reboot it (`xl reboot`), or move it with migrate_method=live or suspend.",
        )


def as_in_its_file(case: Case) -> t.Iterator[Finding]:
    """Nothing is asked for that only a running domain's configuration takes along, on its way."""
    asked = {
        "migrate_leave_paused": case.request.leave_paused,
        "migrate_map_bridges": case.request.map_bridges,
        "migrate_map_disks": case.request.map_disks,
        "migrate_preserve_domid": case.request.preserve_domid,
    }
    names = [name for name, wanted in asked.items() if wanted]
    if _is_cold(case) and names:
        yield case.error(
            "cold_as_in_file",
            case.source_name,
            f"the domain is started from its configuration file as it is, without {listed(names)}.",
            "Change the file and leave that out, or move it with migrate_method=live or suspend.",
            options=names,
        )


def stays_down(case: Case) -> t.Iterator[Finding]:
    """Once it has shut down nothing starts it again here."""
    action = str(case.config.get("on_poweroff", "destroy"))
    if _is_cold(case) and case.domain is not None and "restart" in action:
        yield case.error(
            "restarts_at_poweroff",
            case.source_name,
            f'{case.domain.name} is started again here when it has shut down (on_poweroff="{action}").',
            'Start it with on_poweroff="destroy", or move it with migrate_method=live or suspend.',
            on_poweroff=action,
        )


def configuration(case: Case) -> t.Iterator[Finding]:
    """There is one file to make the domain from, and it is of this domain."""
    if not _is_cold(case) or case.domain is None:
        return
    name, host, files = case.domain.name, case.source_name, case.domain.config_files
    remedy = f"Name the file on {host} that it is started from: migrate_config."
    given = case.request.config_path
    if not files or (given and not given.startswith("/")):
        where = "none in /etc/xen has its UUID, or its name and no UUID"
        if given:
            where = f"{given} {'cannot be read' if given.startswith('/') else 'is no absolute path'}"
        yield case.error(
            "no_config_file", host, f"there is no configuration file of {name} on {host}: {where}.", remedy
        )
        return
    if len(files) > 1:
        paths = [file.path for file in files]
        text = f"{len(paths)} different configuration files on {host} make {name}: {listed(paths)}."
        yield case.error("config_ambiguous", host, text, remedy, paths=paths)
        return
    file = files[0]
    if (file.uuid and file.uuid != case.domain.uuid) or (not file.uuid and file.name not in (None, name)):
        yield case.error(
            "config_other_domain",
            host,
            f"{file.path} is the configuration file of {file.name or 'a domain'} ({file.uuid or 'no UUID'}), not of"
            f" {name} ({case.domain.uuid}).",
            remedy,
            path=file.path,
        )
    elif file.problem:
        yield case.error(
            "config_invalid",
            host,
            f"xl on {host} makes no domain of {file.path}: {file.problem}.",
            f"Correct it until `xl create -n {file.path}` takes it, or name another file: migrate_config.",
            path=file.path,
        )
    elif file.differs:
        yield case.warning(
            "config_differs",
            host,
            f"{file.path}, from which {name} will be started, differs from what runs: {listed(file.differs)}.",
            "See that the file is what you want; the move puts in UUID, addresses of network cards, and"
            ' on_poweroff="destroy".',
            path=file.path,
            differs=list(file.differs),
        )


def _is_cold(case: Case) -> bool:
    return case.domain is not None and case.domain.domid != 0 and chosen(case)[0] == COLD
