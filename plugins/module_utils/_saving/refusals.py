# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against saving a domain (private to the collection): the checks of a move that mean a save too. Pure."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import devices, guest, hosts, identity, method, world
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    ERROR,
    WARNING,
    Case,
    Finding,
    MoveRequest,
    Rule,
)
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._image.opening import NONE
from ansible_collections.dom0.xen.plugins.module_utils._methods import LIVE, SUSPEND
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import ImageWouldStart, Refused
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import SHUT_DOWN

_RULES: tuple[Rule, ...] = (
    hosts.complete,
    identity.not_dom0,
    identity.not_a_domid,
    identity.known,
    hosts.quiet,
    world.left_alone,
    world.unmanaged,
    identity.free_at_source,
    guest.awake,
    guest.configured,
    guest.allowed,
    devices.own_devices,
    method.suspendable,
)
RESUME_BROKEN = "resume_broken"
# Where the words of a check are those of a move.
_SHUT_DOWN = "Shut it down instead; it starts anew from its configuration file."
# Unlike xl migrate, xl save does not refuse them: what a PV guest has comes back dead, and with HVM QEMU fails at last.
_DETACH = f"Detach them first (for PCI: xl pci-detach). {_SHUT_DOWN}"
_REMEDIES = {
    "suspend_disk_cached": "Save it with after: shut_down, or give it raw block devices with direct-io-safe.",
    "cluster_managed": "Take it out of the cluster's hands first (pcs resource unmanage, crm resource unmanage).",
    "domain_suspended": (
        "Wait until what is under way has ended. If nothing is: xl resume DOMID, before Xen 4.20 xl save -c DOMID"
        " /dev/null. dom0.xen.audit tells which."
    ),
    "domain_shut_down": "Destroy what is left of it with xl destroy, and start it from its configuration file.",
    RESUME_BROKEN: "Upgrade Xen to 4.15 or newer. Until then a save that fails may cost the guest its memory.",
    "suspend_refused": _SHUT_DOWN,
    "migration_disabled": _SHUT_DOWN,
    **dict.fromkeys(("pci_passthrough", "dt_passthrough", "usb_passthrough"), _DETACH),
    "vtpm": _SHUT_DOWN,
    "vnuma": _SHUT_DOWN,
    "nested_virtualisation": _SHUT_DOWN,
}
_WORDS = (
    ("cannot be moved", "cannot be saved"),
    ("xl cannot migrate", "xl cannot save"),
    ("so it cannot migrate it", "so it cannot save it"),
    ("they cannot move, and xl refuses to", "their state cannot be saved"),
    ("they cannot move", "their state cannot be saved"),
    ("whose state stays behind", "whose state is not in an image"),
)


def findings(host: HostFacts, domain: DomainFacts | None, wanted: str, after: str) -> tuple[Finding, ...]:
    """Return what speaks against it, and what a person should know.

    With ``after: shut_down`` QEMU ends, on the host that has its disks in memory, with all of them flushed: libxl stops
    it before it has it save its state (tools/libs/light/libxl_dom_save.c, QMP stop), as with a plain ``xl save``. Where
    it goes on, what the image holds of an HVM guest and what lies on disks that QEMU caches can differ.
    """
    way = LIVE if after == SHUT_DOWN else SUSPEND
    request = MoveRequest(domain=wanted, source=host.hostname, destination=host.hostname, method=way)
    case = Case(host, host, domain, request)
    found = tuple(_worded(finding) for rule in _RULES for finding in rule(case))
    if after != SHUT_DOWN:
        return (*found, *_kept_by_qemu(case), *_does_not_come_back(case))
    found += tuple(_worded(finding) for finding in method.comes_back(case))
    if domain is None:
        return found
    starts = [entry.path for entry in world.starting(host, domain)]
    if starts:
        text = f"{host.hostname} starts {domain.name} anew at its next boot, beside the image: {', '.join(starts)}."
        remedy = "Move that file away until the domain was restored."
        found += (case.warning("autostart", host.hostname, text, remedy, paths=starts),)
    return found


def _kept_by_qemu(case: Case) -> t.Iterator[Finding]:
    """No disk of a guest that goes on is an image of which QEMU has parts in memory that a copy of it lacks.

    A PV or PVH guest's QEMU is never told to write them (tools/libs/light/libxl_dom_save.c); method.suspendable tells
    of an HVM guest.
    """
    for disk in case.config.get("disks") or () if case.domain is not None and case.domain.type != "hvm" else ():
        image, path = disk.get("format"), disk.get("pdev_path")
        if disk.get("backend") == "qdisk" and path and disk.get("readwrite") and image not in ("raw", "empty", None):
            yield case.error(
                "disk_not_raw",
                case.source_name,
                f"{path}, a disk of {case.domain.name if case.domain else ''}, is an image of format {image}, and QEMU"
                " keeps parts of it in memory: a copy that is made while the domain is paused lacks them.",
                "Save it with after: shut_down, or turn that image into a raw one.",
                path=path,
                format=image,
            )


def _does_not_come_back(case: Case) -> t.Iterator[Finding]:
    """The guest is to go on after the save, and xl can let it."""
    xen = method.resumes_anew(case)
    if xen is None or case.domain is None:
        return
    yield case.error(
        RESUME_BROKEN,
        case.source_name,
        f"the xl of Xen {xen.version} resumes a {str(case.domain.type).upper()} guest that was saved as if"
        f" it had been restored elsewhere, and the kernel of {case.domain.name} would stop.",
        "Save it with after: shut_down and restore it, or upgrade Xen to 4.15 or newer.",
        version=xen.version,
        type=case.domain.type,
    )


def explained(found: t.Iterable[Finding], path: str) -> tuple[Finding, ...]:
    """Return the findings; a domain that stands still does so since a save of it to this path was cut off."""
    text = f" A save of it to {path} was cut off, and so was what would have let it go on."
    return tuple(
        dataclasses.replace(finding, message=finding.message + text)
        if finding.code in ("domain_paused", "domain_suspended")
        else finding
        for finding in found
    )


def require(found: t.Iterable[Finding]) -> None:
    """Raise Refused when there is an error among the findings; the details have all of them."""
    errors = [finding for finding in found if finding.severity == ERROR]
    if not errors:
        return
    first = errors[0]
    refused = Refused(
        first.message, host=first.host, remedy=first.remedy, findings=[finding.to_result() for finding in errors]
    )
    refused.code = first.code
    raise refused


def warnings(found: t.Iterable[Finding]) -> list[str]:
    """Return the findings that do not forbid it, for people."""
    return [f"{finding.host}: {finding.message} {finding.remedy}" for finding in found if finding.severity == WARNING]


def require_asleep(path: str, after: str, compression: str, where: autostart.Roots) -> None:
    """See that the next boot does not restore an image whose domain has gone on. Raises ImageWouldStart."""
    if after != SHUT_DOWN and starts_at_boot(path, compression, where):
        text = f"the host restores what lies in {where.save} when it boots, and {path} would be out of date by then"
        raise ImageWouldStart(text, path=path)


def starts_at_boot(path: str, compression: str, where: autostart.Roots) -> bool:
    """Say whether the host restores such an image when it boots."""
    if compression != NONE or where.save is None:
        return False
    return os.path.realpath(os.path.dirname(path)) == os.path.realpath(where.save)


def _worded(finding: Finding) -> Finding:
    message = finding.message
    for of_a_move, of_a_save in _WORDS:
        message = message.replace(of_a_move, of_a_save)
    return dataclasses.replace(finding, message=message, remedy=_REMEDIES.get(finding.code, finding.remedy))
