# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task that restores a domain asks for, and its result (private to the collection)."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import line
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import WAIVED, Finding
from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import RESTORES, DomainBusy, DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.host import host_facts
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, runtime_root
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._restoring import elsewhere, here, refusals
from ansible_collections.dom0.xen.plugins.module_utils._restoring.errors import NewerXen, WaiverAlone
from ansible_collections.dom0.xen.plugins.module_utils._restoring.here import Next
from ansible_collections.dom0.xen.plugins.module_utils._restoring.history import History
from ansible_collections.dom0.xen.plugins.module_utils._restoring.restore import Order, Restored, restore, unmarkable
from ansible_collections.dom0.xen.plugins.module_utils._restoring.source import Source, source
from ansible_collections.dom0.xen.plugins.module_utils._saving import marker as marks
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import Mark, Marker
from ansible_collections.dom0.xen.plugins.module_utils._saving.refusals import require, warnings
from ansible_collections.dom0.xen.plugins.module_utils._saving.stop import Stop
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

Result = t.Dict[str, t.Any]
FULL = "full"
QUICK = "quick"
_DAMAGED = "Find out whether this image was restored, where its domain has run since; then remove that file."


@dataclass(frozen=True)
class Asked:
    """The options of the task, as the module documents them; ``zstd`` is where that program is, if it is."""

    path: str
    hosts: t.Mapping[str, t.Any]
    inventory: tuple[str, ...]
    switched_off: tuple[str, ...]
    leave_paused: bool
    verify: str
    waive: tuple[str, ...]
    runtime_path: str
    journal_path: str
    zstd: str | None
    check: bool


def run(asked: Asked, warn: t.Callable[[str], None]) -> Result:
    """Restore the domain unless that was done, or speaks something against it; return the module's result.

    Raises the errors of ``source`` and ``restore``, Refused, DomainBusy, NewerXen, WaiverAlone. Each has a host's name.
    """
    host = host_facts(subprocess_runner(), asked.runtime_path, asked.journal_path)
    try:
        return _run(asked, warn, host)
    except Dom0XenError as exc:
        exc.host = exc.host or host.hostname
        raise


def _run(asked: Asked, warn: t.Callable[[str], None], host: HostFacts) -> Result:
    image = source(asked.path, asked.zstd)
    mark = _mark(image)
    step, against = here.judge(host, image.manifest, mark, asked.leave_paused)
    row = here.copy_of(host, image.manifest)
    if step is Next.NOTHING and row is not None:
        return _result(asked, image, False, Restored(row.domid, row.state.word, 0.0), None)
    found: list[Finding] = [against] if against is not None else []
    where = elsewhere.findings(asked.hosts, asked.inventory, asked.switched_off, host, image.manifest, mark)
    if step in (Next.RESTORE, Next.REMOVE, Next.START):
        found += where
    # To read the image takes minutes, and what it has in it does not matter where the domain must not be restored.
    _require(asked, found, step, row)
    seen = _looked_at(asked, image, host) if step in (Next.RESTORE, Next.REMOVE) else None
    if seen is not None:
        # What is left of a restore that was cut off has never run, so it was not restored by it.
        known = None if step is Next.REMOVE else mark
        found += refusals.findings(_without(host, image), image.manifest, seen, asked.path, known)
    judged = _require(asked, found, step, row)
    for text in [*warnings(judged), *(line(each) for each in judged if each.severity == WAIVED)]:
        warn(text)
    if asked.check:
        return _result(asked, image, True, None, judged)
    return _result(asked, image, True, _act(asked, image, host, step, mark), judged)


def _require(asked: Asked, found: t.Iterable[Finding], step: Next, row: DomainRow | None) -> tuple[Finding, ...]:
    """Return the findings as they count, with what was waived. Raises Refused and WaiverAlone."""
    judged = refusals.waived(found, asked.waive)
    try:
        _require_alone(asked, judged)
        require(judged)
    except Dom0XenError as exc:
        if step is Next.START and row is not None:
            exc.remedy += f" The copy here has never run and stays paused; xl destroy {row.domid} takes it away."
        raise
    return judged


def _act(asked: Asked, image: Source, host: HostFacts, step: Next, mark: Mark | None) -> Restored:
    xl, uuid, name = Xl(subprocess_runner()), image.manifest.uuid, image.manifest.name
    row = here.copy_of(host, image.manifest)
    with Stop() as stop, contextlib.ExitStack() as stack:
        try:
            lock = DomainLock(runtime_root(asked.runtime_path), uuid, RECEIVER, RESTORES)
        except DomainBusy as exc:
            exc.message = f"a migration to this host or another restore of {name} is under way"
            exc.remedy = "Wait until it has ended, then look at where the domain is before this is run again."
            raise
        stack.callback(lock.release)
        if row is not None:
            with XenStore() as store:
                copies = Copies(xl, store, uuid, name)
                if step is Next.START:
                    copies.roll_forward(row.domid)
                    return Restored(row.domid, "running", 0.0)
                copies.destroy(row.domid, never_ran=True)
            try:
                if mark is not None:
                    History(asked.journal_path).take_back(mark)
                Marker(image.path, None).take_back()
            except OSError as exc:
                raise unmarkable(marks.path_of(image.path), exc) from exc
            mark = None
        return restore(xl, Order(image, host.hostname, asked.leave_paused, mark, asked.journal_path), stop)


def _mark(image: Source) -> Mark | None:
    try:
        return marks.read(image.path, image.manifest)
    except OSError as exc:
        error = unmarkable(marks.path_of(image.path), exc)
        error.message = f"{marks.path_of(image.path)} cannot be read: {exc.strerror or exc}"
        if exc.errno == errno.EINVAL:
            error.remedy = _DAMAGED
        raise error from exc


def _looked_at(asked: Asked, image: Source, host: HostFacts) -> Description:
    """Return what the image tells. Raises what is wrong with it."""
    # Before anything is read that takes minutes.
    manifest, xen = image.manifest, host.xen
    if xen is not None and manifest.release > (xen.major, xen.minor):
        text = f"{asked.path} was written by Xen {manifest.xen_version}, and this host has Xen {xen.version}"
        raise NewerXen(text, image=manifest.xen_version, host_has=xen.version)
    return image.look(whole=asked.verify == FULL)


def _without(host: HostFacts, image: Source) -> HostFacts:
    """Return the host without the image's domain, which is judged by itself: what is left of it here is taken away."""
    others = tuple(row for row in host.domains if row.uuid != image.manifest.uuid)
    free, left = host.free_memory_mib, sum(row.memory_mib for row in host.domains if row not in others)
    return dataclasses.replace(host, domains=others, free_memory_mib=None if free is None else free + left)


def _require_alone(asked: Asked, judged: t.Iterable[Finding]) -> None:
    """See that no domain is let run beside another copy of it, whatever was waived."""
    twice = next((each for each in judged if (each.code, each.severity) == (elsewhere.ELSEWHERE, WAIVED)), None)
    if twice is not None and not asked.leave_paused:
        raise WaiverAlone(twice.message, host=twice.host)


def _result(
    asked: Asked, image: Source, changed: bool, done: Restored | None, judged: t.Sequence[Finding] | None
) -> Result:
    manifest = image.manifest
    return {
        "changed": changed,
        "path": asked.path,
        "manifest": manifest.to_result(),
        "domain": {
            "uuid": manifest.uuid,
            "name": manifest.name,
            "type": manifest.type,
            "domid": done.domid if done else None,
            "state": done.state if done else None,
        },
        "accepted": [each.to_result() for each in judged or ()],
        "seconds": done.seconds if done and changed else None,
    }
