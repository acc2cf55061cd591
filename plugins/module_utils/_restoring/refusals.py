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

from ansible_collections.dom0.xen.plugins.module_utils._checks import (
    devices,
    guest,
    hosts,
    identity,
    memory,
    needs,
    processor,
    world,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    ERROR,
    WAIVED,
    Case,
    Finding,
    MoveRequest,
    Rule,
    listed,
)
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description
from ansible_collections.dom0.xen.plugins.module_utils._image.processor import shown_policy
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, DomainState, HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._restoring import again
from ansible_collections.dom0.xen.plugins.module_utils._restoring.errors import waiver
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import CHECKPOINT, SHUT_DOWN, Manifest
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import Mark

CHECKPOINTED = "image_checkpoint"
_SAVED_ON = "the host that it was saved on"
_RULES: tuple[Rule, ...] = (
    hosts.complete,
    world.unmanaged,
    identity.free_at_destination,
    guest.abilities,
    memory.enough,
    guest.processors,
    devices.bridges,
    devices.driver_domains,
    processor.shown,
    needs.grants_asked,
    needs.scripts,
    needs.device_model,
)
# Of a move only: what is called NAME--incoming is in nobody's way.
_NOT_HERE = ("incoming_name_taken",)


_REMEDIES = {
    "not_enough_memory": "Make room on this host (move a domain away, or xl mem-set), or restore it on another one.",
    "bridge_missing": "Make that bridge on this host, or restore it on a host that has it.",
    "cpupool_missing": "Make that pool with xl cpupool-create, or restore it on a host that has it.",
    "affinity_impossible": "Restore it on a host with more processors; where it can be bound is in the image.",
    "driver_domain": "Start the driver domain of that name on this host first.",
    "name_taken": "Rename the other one with xl rename; the name of the one in the image is in the image.",
    "cpu_policy_refused": "Restore it on a host that gives its domains as much; else start it with xl create.",
    "cpu_features_shown": (
        "Restore it on a host that has them, or start it from its configuration file (xl create). If its guest does not"
        f" use them: {waiver('cpu_features_shown')}."
    ),
    "script_missing": "Copy that script to this host, or restore it on a host that has it.",
    "device_model_unseen": "See that it is there: without it xl cannot finish the domain. Debian: qemu-system-xen.",
    "cluster_managed": "Take it out of the cluster's hands first (pcs resource unmanage, crm resource unmanage).",
}
# What makes Xen able to run what it was not, by what its virt_caps lack. What is not here only other hosts have.
_ABLE = {
    "hvm": "switch virtualisation on in the machine's firmware",
    "hap": "switch virtualisation on in the machine's firmware, and do not boot Xen with hap=0",
    "vpmu": "boot Xen with vpmu=1",
    "gnttab-v2": "boot Xen without gnttab=max-ver:1",
}
_ANEW = "or start it from its configuration file, as after a loss of power (xl create)"


def findings(
    host: HostFacts, manifest: Manifest, seen: Description, path: str, mark: Mark | None
) -> t.Iterator[Finding]:
    """Yield it. ``seen`` is what the image tells, ``mark`` the record of an earlier restore of it."""
    name = host.hostname
    if mark is not None:
        yield again.beside_it(name, manifest, mark)
    if manifest.after != SHUT_DOWN:
        yield _checkpoint(name, manifest)
    yield from _next_boot(host, manifest, path)
    request = MoveRequest(domain=manifest.uuid, source=None, destination=name)
    case = Case(None, host, _domain(manifest, seen), request)
    found = [finding for rule in (*_RULES, _vendor, _unshown, _disks) for finding in rule(case)]
    found += needs.grants(_given_before(case, manifest))
    for finding in found:
        if finding.code not in _NOT_HERE:
            yield dataclasses.replace(finding, remedy=_remedy(finding))


def _remedy(finding: Finding) -> str:
    """Return what can be done for an image: its domain is not there to be changed, or to be moved elsewhere first."""
    if finding.code == "capability_missing":
        return _able(finding.details["missing"])
    if finding.code == "grant_limits":
        return _limit(finding.details)
    return _REMEDIES.get(finding.code, finding.remedy)


def _able(missing: t.Sequence[str]) -> str:
    steps = tuple(dict.fromkeys(_ABLE[word] for word in missing if word in _ABLE))
    first = f"On this host {', '.join(steps)}, then run this again; or restore" if steps else "Restore"
    end = " without what is missing" if "vpmu" in missing else ""
    return f"{first} it on a host that has {listed(missing)}, {_ANEW}{end}. The image stays as it is."


def _limit(details: t.Mapping[str, t.Any]) -> str:
    least, key = f"{details['option']}={details['source']}", details.get("asked")
    newer = ", or Xen 4.18 or newer" if key else ""
    here = (
        f"Boot this host with {least} on Xen's command line, or restore it on a host that has as much{newer}, {_ANEW}"
    )
    # A limit that is in the image is what xl asks Xen for, whatever the guest uses.
    if key:
        return f"{here}, there with {key}={details['destination']}."
    return f"{here}. If its guest uses no more than {details['destination']}: {waiver('grant_limits')}."


def waived(found: t.Iterable[Finding], waive: t.Collection[str]) -> tuple[Finding, ...]:
    """Return the findings, of which errors that somebody has taken upon himself have the severity for that."""
    return tuple(
        dataclasses.replace(finding, severity=WAIVED)
        if finding.severity == ERROR and finding.code in waive
        else finding
        for finding in found
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
        f"Put its disks back to copies from that very moment, then run this again with"
        f" {waiver(CHECKPOINTED)}; else start it from its configuration file (xl create).",
        {"saved_at": manifest.saved_at, "after": manifest.after},
    )


def _next_boot(host: HostFacts, manifest: Manifest, path: str) -> t.Iterator[Finding]:
    own = os.path.realpath(path)
    for entry in host.autostart:
        mine = entry.uuid == manifest.uuid or os.path.realpath(entry.path) == own
        if entry.kind == autostart.IMAGE and entry.set_aside is None and mine:
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
        cpu_policy=shown_policy(seen.policies),
    )


def _given_before(case: Case, manifest: Manifest) -> Case:
    """Return the case with what Xen gave its domains where the image was saved, as far as the manifest tells."""
    host = case.destination
    if host is None or host.xen is None or manifest.xen_commandline is None or manifest.boot_id == host.boot_id:
        return case
    xen = dataclasses.replace(host.xen, commandline=manifest.xen_commandline)
    there = dataclasses.replace(host, boot_id=manifest.boot_id, xen=xen)
    return dataclasses.replace(case, source=there, request=dataclasses.replace(case.request, source=_SAVED_ON))


def _vendor(case: Case) -> t.Iterator[Finding]:
    """The processor is of the maker that the guest was shown."""
    there = case.destination.equipment.processor if case.destination else None
    policy = case.domain.cpu_policy if case.domain else None
    if case.domain is None or policy is None or there is None:
        return
    most, host = there.most(case.domain.type), case.request.destination
    mine, theirs = policy.vendor, most.vendor if most is not None else there.vendor
    if mine and theirs and mine != theirs:
        yield case.error(
            "cpu_vendor",
            host,
            f"the processor of {host} is of {theirs}, and {case.domain.name} was shown one of {mine}; Xen does not"
            " support that.",
            "Restore it on a host with a processor of that maker, or start it from its configuration file (xl create).",
            source=mine,
            destination=theirs,
        )


def _unshown(case: Case) -> t.Iterator[Finding]:
    """It can be compared what the guest was shown of the processor."""
    there = case.destination.equipment.processor if case.destination else None
    domain, host = case.domain, case.request.destination
    if domain is None:
        return
    told = there is not None and (there.most(domain.type) is not None or bool(there.features))
    if domain.cpu_policy is None or not told:
        what = f"what {host} gives its domains" if domain.cpu_policy is not None else f"what {domain.name} was shown"
        yield case.warning(
            "cpu_unchecked",
            host,
            f"{what} of its processor is not known, so nothing can be compared.",
            "See that the processor of this host is of the generation of the one that it was saved on, or newer.",
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
