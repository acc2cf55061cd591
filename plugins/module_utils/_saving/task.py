# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task that saves a domain asks for, and its result (private to the collection)."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils import _lifeless
from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import SAVES, DomainBusy, DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._facts.domain import domain_facts
from ansible_collections.dom0.xen.plugins.module_utils._facts.host import host_facts
from ansible_collections.dom0.xen.plugins.module_utils._image.errors import ZstdMissing
from ansible_collections.dom0.xen.plugins.module_utils._image.opening import ZSTD
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER, runtime_root
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._saving import marker, refusals
from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import Refused
from ansible_collections.dom0.xen.plugins.module_utils._saving.letting_go import stands_as_saved
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import (
    CHECKPOINT,
    LEAVE_PAUSED,
    SHUT_DOWN,
    Manifest,
)
from ansible_collections.dom0.xen.plugins.module_utils._saving.pair import Pair
from ansible_collections.dom0.xen.plugins.module_utils._saving.room import Room, Statvfs, image_bytes
from ansible_collections.dom0.xen.plugins.module_utils._saving.save import Order, Saved, save
from ansible_collections.dom0.xen.plugins.module_utils._saving.stop import Stop
from ansible_collections.dom0.xen.plugins.module_utils._session.observing import comeback
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

Result = t.Dict[str, t.Any]
_SAVED_BEFORE = (
    "{path} was saved at {at}, and {name} is not here: nothing was done. If it was started anywhere since, the image"
    " does not fit its disks any more."
)
_NO_ZSTD = "Install zstd on this host (Debian and Ubuntu: the package zstd), or use compression: gzip or none."


@dataclass(frozen=True)
class Asked:
    """The options of the task, as the module documents them; ``zstd`` is where that program is, if it is."""

    domain: str
    path: str
    after: str
    compression: str
    force: bool
    reserve_mib: int
    runtime_path: str
    journal_path: str
    liveness_timeout: int
    zstd: str | None
    check: bool


def run(asked: Asked, warn: t.Callable[[str], None], statvfs: Statvfs | None = None) -> Result:
    """Save the domain unless that was done, or speaks something against it; return the module's result.

    Raises the errors of ``save``, Refused, DomainBusy, ZstdMissing, ImageWouldStart, and those of ``Pair``. Each has
    the host's name.
    """
    runner = subprocess_runner()
    host = host_facts(runner, asked.runtime_path, asked.journal_path)
    try:
        return _run(asked, warn, statvfs, host)
    except Dom0XenError as exc:
        exc.host = exc.host or host.hostname
        raise


def _run(asked: Asked, warn: t.Callable[[str], None], statvfs: Statvfs | None, host: HostFacts) -> Result:
    xl, pair = Xl(subprocess_runner()), Pair(asked.path)
    domain = _domain(asked, host)
    done = _done(asked, pair, domain, host)
    if done is not None:
        if asked.after == SHUT_DOWN:
            warn(_SAVED_BEFORE.format(path=asked.path, at=done.saved_at, name=done.name))
        # Cut off by a power loss behind its last byte.
        changed = not asked.check and pair.complete()
        return _result(asked, pair, changed, _named(done), done, None)
    found = refusals.findings(host, domain, asked.domain, asked.after)
    if pair.cut_off():
        found = refusals.explained(found, asked.path)
    refusals.require(found)
    if domain is None:  # a finding says so; this is for what could not be looked at
        raise Refused(f"there is no domain {asked.domain}", remedy="List the domains of the host with xl list.")
    if asked.compression == ZSTD and asked.zstd is None:
        raise ZstdMissing("this host has no program zstd", remedy=_NO_ZSTD)
    refusals.require_asleep(asked.path, asked.after, asked.compression, autostart.roots())
    pair.require_free(domain.uuid, asked.force)
    room = Room(pair.folder, asked.reserve_mib) if statvfs is None else Room(pair.folder, asked.reserve_mib, statvfs)
    room.require(image_bytes(domain.memory_mib))
    for text in refusals.warnings(found):
        warn(text)
    named = {"uuid": domain.uuid, "name": domain.name, "domid": domain.domid, "type": domain.type}
    if asked.check:
        return _result(asked, pair, True, named, None, None)
    order = Order(
        domid=domain.domid,
        uuid=domain.uuid,
        name=domain.name,
        type=str(domain.type),
        after=asked.after,
        compression=asked.compression,
        zstd=asked.zstd,
        xen_commandline=host.xen.commandline if host.xen else None,
        resumes_anew=any(finding.code == refusals.RESUME_BROKEN for finding in found),
    )
    with Stop() as stop, contextlib.ExitStack() as stack:
        try:
            lock = DomainLock(runtime_root(asked.runtime_path), domain.uuid, SENDER, SAVES)
        except DomainBusy as exc:
            exc.message = f"a migration or another save of {domain.name} is under way"
            exc.remedy = (
                "Wait until it has ended, then run this again. Behind a save that has failed somebody sees to the guest"
                " for two or three minutes more."
            )
            raise
        stack.callback(lock.release)
        saved = save(xl, order, pair, room, stop, lock)
    life = _life(asked, xl, domain, warn)
    return {**_result(asked, pair, True, named, saved.manifest, saved), "liveness": life}


def _life(asked: Asked, xl: Xl, domain: DomainFacts, warn: t.Callable[[str], None]) -> Result | None:
    """Look whether the guest goes on, where it was let; what was saved is, whatever comes of it."""
    if asked.after != CHECKPOINT or asked.liveness_timeout <= 0:
        return None
    seen = None
    with contextlib.suppress(Dom0XenError), XenStore() as store:
        seen = comeback.watch(xl, store, domain.domid, asked.liveness_timeout)
    if seen is not None and _lifeless.is_lifeless(seen):
        warn(f"{domain.name} was saved, and {_lifeless.message(seen)} {_lifeless.remedy(domain.name, seen)}")
    return seen


def _domain(asked: Asked, host: HostFacts) -> DomainFacts | None:
    """Return the domain by its name or UUID; a domid means none."""
    if asked.domain.isdigit():
        return None
    domains, dummy = domain_facts(subprocess_runner(), asked.domain)
    return domains[0] if domains else None


def _done(asked: Asked, pair: Pair, domain: DomainFacts | None, host: HostFacts) -> Manifest | None:
    """Return the manifest of the image that the task would make, when it is there.

    That the domain has not run since can be seen only of one that stands paused as it was saved.
    """
    found = pair.found()
    if found is None or found.after != asked.after or not found.means(asked.domain) or host.xen is None:
        return None
    if not any(row.domid == 0 for row in host.domains):
        return None  # they could not be listed: what is not seen is not gone
    if _was_restored(asked.path, found):
        return None  # the domain has run on since, and has ended
    if asked.after == SHUT_DOWN and not any(row.uuid == found.uuid or row.name == found.name for row in host.domains):
        return found
    row = next((row for row in host.domains if domain is not None and row.domid == domain.domid), None)
    if asked.after == LEAVE_PAUSED and row is not None and stands_as_saved(row, found, host.boot_id):
        return found
    return None


def _was_restored(path: str, found: Manifest) -> bool:
    try:
        return marker.read(path, found) is not None
    except OSError:
        return True


def _named(manifest: Manifest) -> Result:
    return {"uuid": manifest.uuid, "name": manifest.name, "domid": manifest.domid, "type": manifest.type}


def _result(
    asked: Asked, pair: Pair, changed: bool, domain: Result, manifest: Manifest | None, saved: Saved | None
) -> Result:
    return {
        "changed": changed,
        "path": asked.path,
        "manifest_path": pair.manifest_path,
        "manifest": manifest.to_result() if manifest else None,
        "domain": domain,
        "stream_bytes": manifest.stream_bytes if manifest else None,
        "file_bytes": manifest.file_bytes if manifest else None,
        "seconds": saved.seconds if saved else None,
        "stop_ms": saved.stop_ms if saved else None,
        "monitor": saved.monitor if saved else None,
        "liveness": None,
    }
