# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way the domain is moved, and what that way needs (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import guest, hosts, processor, storage
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    ERROR,
    Case,
    Finding,
    Rule,
    is_true,
    listed,
)
from ansible_collections.dom0.xen.plugins.module_utils._methods import AUTO, COLD, LIVE, SUSPEND
from ansible_collections.dom0.xen.plugins.module_utils._records import XenFacts
from ansible_collections.dom0.xen.plugins.module_utils._releases import RESUMES_ANEW

STREAM: tuple[Rule, ...] = (
    *(guest.allowed, guest.suspends, hosts.not_older, processor.vendor, processor.shown),
    storage.handed_over,
)
"""What must be so for a running domain to move, and does not matter to one that is started anew."""


def chosen(case: Case) -> tuple[str, str]:
    """Return the method, and why, for a sentence."""
    if case.request.method != AUTO:
        return case.request.method, "as asked for"
    against = stream_refused(case) if case.request.allow_cold else None
    if against is not None:
        return COLD, f"as it cannot move while it runs: {against.message.rstrip('.')}"
    if lacks_log_dirty(case):
        return SUSPEND, "the memory of a running PV domain cannot be followed without shadow paging"
    return LIVE, "nothing speaks against it"


def stream_refused(case: Case) -> Finding | None:
    """Return what forbids to move the running domain, whichever way; ``None`` when nothing does."""
    found = (finding for rule in STREAM for finding in rule(case))
    return next((one for one in found if one.severity == ERROR and one.code not in case.request.waive), None)


def for_a_stream(rule: Rule) -> Rule:
    """Return a rule that has nothing to say where the domain is shut down for the move."""

    def only(case: Case) -> t.Iterator[Finding]:
        if chosen(case)[0] != COLD:
            yield from rule(case)

    return only


def lacks_log_dirty(case: Case) -> bool:
    """Whether the source's Xen cannot log what the running domain writes to its memory.

    A PV domain needs shadow paging for that (xen/arch/x86/mm/paging.c paging_log_dirty_enable); Debian builds Xen with
    CONFIG_SHADOW_PAGING off.
    """
    xen = case.source.xen if case.source else None
    known = xen is not None and case.domain is not None and case.domain.domid != 0
    return bool(known and case.domain and case.domain.type == "pv" and xen and "shadow" not in xen.virt_caps)


def log_dirty(case: Case) -> t.Iterator[Finding]:
    """What is to be moved live can be followed while it runs."""
    xen = case.source.xen if case.source else None
    if xen is None or case.domain is None or chosen(case)[0] != LIVE or not lacks_log_dirty(case):
        return
    yield case.error(
        "no_shadow_paging",
        case.source_name,
        f"{case.domain.name} is a PV domain, and Xen {xen.version} on {case.source_name} was built without"
        " shadow paging, which following the memory of a running PV domain needs.",
        "Let it be suspended for the transfer: set migrate_method to suspend, or to auto. Or turn it into a PVH domain"
        ' (type="pvh"), or run a Xen that was built with CONFIG_SHADOW_PAGING.',
        virt_caps=list(xen.virt_caps),
    )


def resumes_anew(case: Case) -> XenFacts | None:
    """Return the source's Xen if its ``xl`` resumes the domain as if it had been restored, which no kernel survives."""
    xen = case.source.xen if case.source else None
    concerned = case.domain is not None and case.domain.type in ("pv", "pvh")
    return xen if concerned and xen is not None and (xen.major, xen.minor) in RESUMES_ANEW else None


def comes_back(case: Case) -> t.Iterator[Finding]:
    """The guest goes on where it was, if this comes to nothing after its suspend."""
    xen = resumes_anew(case)
    if xen is None or case.domain is None:
        return
    kind = str(case.domain.type).upper()
    yield case.warning(
        "resume_broken",
        case.source_name,
        f"the xl of Xen {xen.version} on {case.source_name} resumes a {kind} guest as if it had"
        f" been restored elsewhere: if this comes to nothing after {case.domain.name} was suspended, its kernel stops.",
        f"Upgrade Xen on {case.source_name} to 4.15 or newer. Until then be ready to start the guest anew; one that is"
        " shut down for a move (migrate_method=cold) is not concerned.",
        version=xen.version,
        type=case.domain.type,
    )


def suspendable(case: Case) -> t.Iterator[Finding]:
    """Nothing on the source writes to a disk after the guest was suspended by ``xl save``.

    ``xl migrate`` has QEMU flush and let go of an HVM guest's disks (tools/libs/light/libxl_dom_save.c,
    xen-save-devices-state with live set); ``xl save`` does not set it, and resumes QEMU's guest into the pause.
    A raw file goes through a loop device, and so through the host's cache.
    """
    if case.domain is None or case.domain.type != "hvm" or chosen(case)[0] != SUSPEND:
        return
    kept = [
        str(disk.get("pdev_path"))
        for disk in case.config.get("disks") or ()
        if disk.get("pdev_path") and disk.get("format") != "empty" and not _uncached(case, disk)
    ]
    if kept:
        yield case.error(
            "suspend_disk_cached",
            case.source_name,
            f"QEMU, or the host, may keep parts of disks of {case.domain.name} in memory that are not written when the"
            f" domain is suspended by xl save: {listed(kept)}.",
            "Move it live (migrate_method: live), or give it raw block devices with direct-io-safe.",
            paths=kept,
        )


def _uncached(case: Case, disk: t.Mapping[str, t.Any]) -> bool:
    if disk.get("format") not in ("raw", None):
        return False
    if disk.get("backend") != "phy":
        return is_true(disk.get("direct_io_safe"))
    path, links = str(disk.get("pdev_path")), case.domain.links if case.domain else {}
    # What a script makes a disk of is no file; and within one host there is one cache of it.
    is_file = path.startswith("/") and not disk.get("script") and not links.get(path, path).startswith("/dev/")
    return case.same_host or not is_file
