# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against restoring an image on this host (private to the collection).

Pure but for one look at whether the disks are there.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _autostart
from ansible_collections.dom0.xen.plugins.module_utils._checks import devices, guest, hosts, identity, memory, world
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    ERROR,
    WAIVED,
    Case,
    Finding,
    MoveRequest,
    Rule,
    listed,
)
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, DomainState, HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import CHECKPOINT, SHUT_DOWN, Manifest
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import RESTORED, Mark

CHECKPOINTED = "image_checkpoint"
AGAIN = "image_restored"
_RULES: tuple[Rule, ...] = (
    hosts.complete,
    world.unmanaged,
    identity.free_at_destination,
    guest.abilities,
    memory.enough,
    guest.processors,
    devices.bridges,
    devices.driver_domains,
)
# Of a move only: what is called NAME--incoming is in nobody's way.
_NOT_HERE = ("incoming_name_taken",)
_REMEDIES = {
    "not_enough_memory": "Make room on this host (move a domain away, or xl mem-set), or restore it on another one.",
    "bridge_missing": "Make that bridge on this host, or restore it on a host that has it.",
    "cpupool_missing": "Make that pool with xl cpupool-create, or restore it on a host that has it.",
    "affinity_impossible": "Restore it on a host with more processors; where it can be bound is in the image.",
    "capability_missing": "Switch virtualisation on in the machine's firmware, or restore it on another host.",
    "driver_domain": "Start the driver domain of that name on this host first.",
    "name_taken": "Rename the other one with xl rename; the name of the one in the image is in the image.",
    "cluster_managed": "Take it out of the cluster's hands first (pcs resource unmanage, crm resource unmanage).",
}


def findings(
    host: HostFacts, manifest: Manifest, seen: Description, path: str, mark: Mark | None
) -> t.Iterator[Finding]:
    """Yield it. ``seen`` is what the image tells, ``mark`` the record of an earlier restore of it."""
    name = host.hostname
    if mark is not None:
        yield _again(name, manifest, mark)
    if manifest.after != SHUT_DOWN:
        yield _checkpoint(name, manifest)
    yield from _next_boot(host, manifest, path)
    request = MoveRequest(domain=manifest.uuid, source=None, destination=name)
    case = Case(None, host, _domain(manifest, seen), request)
    for rule in (*_RULES, _disks):
        for finding in rule(case):
            if finding.code not in _NOT_HERE:
                yield dataclasses.replace(finding, remedy=_REMEDIES.get(finding.code, finding.remedy))


def waived(found: t.Iterable[Finding], waive: t.Collection[str]) -> tuple[Finding, ...]:
    """Return the findings, of which errors that somebody has taken upon himself have the severity for that."""
    return tuple(
        dataclasses.replace(finding, severity=WAIVED)
        if finding.severity == ERROR and finding.code in waive
        else finding
        for finding in found
    )


def _again(host: str, manifest: Manifest, mark: Mark) -> Finding:
    values = {"state": mark.state, "host": mark.host, "at": mark.begun_at}
    if mark.state == RESTORED:
        text = f"{manifest.name} was restored from this image on {mark.host} at {mark.begun_at} and may have run since."
    else:
        text = f"a restore of this image on {mark.host} at {mark.begun_at} was cut off; it may have run since."
    return Finding(
        AGAIN,
        ERROR,
        host,
        f"{text} Its memory belongs to the disks as they were at {manifest.saved_at}; on later ones it destroys their"
        " file systems.",
        f"Start it from its configuration file (xl create), which only takes its disks as they are. If it has not run"
        f" since, or its disks were put back to that moment: waive: [{AGAIN}].",
        values,
    )


def _checkpoint(host: str, manifest: Manifest) -> Finding:
    how = "went on" if manifest.after == CHECKPOINT else "was left paused, and may have gone on,"
    return Finding(
        CHECKPOINTED,
        ERROR,
        host,
        f"{manifest.name} {how} after this image was saved at {manifest.saved_at} (after: {manifest.after}). Restored,"
        " it goes back to that moment, and its disks have gone on: memory and disks do not fit together, which destroys"
        " the file systems.",
        f"Put its disks back to copies from that very moment, then run this again with waive: [{CHECKPOINTED}]; else"
        " start it from its configuration file (xl create).",
        {"saved_at": manifest.saved_at, "after": manifest.after},
    )


def _next_boot(host: HostFacts, manifest: Manifest, path: str) -> t.Iterator[Finding]:
    own = os.path.realpath(path)
    for entry in host.autostart:
        mine = entry.uuid == manifest.uuid or os.path.realpath(entry.path) == own
        if entry.kind == _autostart.IMAGE and entry.set_aside is None and mine:
            yield Finding(
                "image_in_autostart",
                ERROR,
                host.hostname,
                f"{host.hostname} restores {entry.path} at its next boot, on disks that have gone on by then.",
                "Move it, with its manifest, to another folder: this one is XENDOMAINS_SAVE of the host's xendomains.",
                {"path": entry.path},
            )


def _domain(manifest: Manifest, seen: Description) -> DomainFacts:
    """Return the domain as it will be here."""
    config = seen.config or {}
    build = config.get("b_info") or {}
    target = seen.identity.memory_target_kib if seen.identity else 0
    maximum = seen.identity.memory_max_kib if seen.identity else 0
    vcpus = build.get("max_vcpus")
    return DomainFacts(
        domid=manifest.domid,
        uuid=manifest.uuid,
        name=manifest.name,
        state=DomainState(paused=True),
        config=config,
        memory_mib=(target or maximum) // memory.KIB_PER_MIB,
        memory_max_kib=maximum,
        vcpus=vcpus if isinstance(vcpus, int) else 1,
        type=manifest.type,
        xenstore=None,
    )


def _disks(case: Case) -> t.Iterator[Finding]:
    """The disks that dom0 serves by itself are there; one that a script makes may come only then."""
    missing = [
        str(disk["pdev_path"])
        for disk in case.config.get("disks") or ()
        if disk.get("pdev_path")
        and not (disk.get("script") or disk.get("backend_domid") or disk.get("backend_domname"))
        and disk.get("format") != "empty"
        and str(disk["pdev_path"]).startswith("/")
        and not os.path.exists(disk["pdev_path"])
    ]
    if missing and case.domain is not None:
        host = case.request.destination
        yield case.error(
            "disk_missing",
            host,
            f"{host} does not have the disks of {case.domain.name}: {listed(missing)}.",
            "Make them available here (vgchange -ay, multipath, the mount), under the same names.",
            paths=missing,
        )
