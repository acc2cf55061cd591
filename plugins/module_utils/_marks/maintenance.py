# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run keeps on each of its hosts, so that one that is cut off is taken up (private to the collection)."""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks import files
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, MIGRATED_AWAY

NAME = "maintenance.json"
# In their order. ``done``: this host; ``over``: the whole run, whose marks are being taken away.
BEGUN, EMPTY, WORKED, BACK, DONE, OVER = "begun", "empty", "worked", "back", "done", "over"
STAGES = (BEGUN, EMPTY, WORKED, BACK, DONE, OVER)


class MaintenanceOfAnotherRun(Dom0XenError):
    """The host is in the middle of another maintenance."""

    code = "maintenance_of_another_run"
    remedy = "Run that one again, so that it comes to its end; or begin anew, with -e maintain_anew=true."


def noted(journal_root: str) -> files.Document | None:
    """Return what is noted on this host; None when nothing is."""
    return files.read(_path(journal_root))


def note(journal_root: str, run: str, values: t.Mapping[str, t.Any]) -> tuple[bool, files.Document]:
    """Note something of a run; return whether that changed anything, and all that is noted then.

    What the host was like before (``domains``, ``boot_id``, ``bridges``) stays as it was noted first, but that the boot
    is the last one before it was empty, and that ``domains`` grow as long as it is emptied; ``stopped`` grows;
    ``stage`` does not go back. Raises MaintenanceOfAnotherRun, PlaceError, OSError.
    """
    with files.locked(journal_root):
        before = files.read(_path(journal_root))
        merged = merge(before, run, values, time.time())
        if merged != before:
            files.write(_path(journal_root), merged)
        return merged != before, merged


def merge(before: files.Document | None, run: str, values: t.Mapping[str, t.Any], now_s: float) -> files.Document:
    """Return what is to be kept (pure). Raises MaintenanceOfAnotherRun."""
    if before is None:
        before = {"run": run, "begun_s": now_s, "stage": BEGUN, "stopped": []}
    elif before.get("run") != run:
        raise MaintenanceOfAnotherRun(f"maintenance was begun here and not brought to its end: `{before.get('run')}`")
    merged = dict(before)
    so_far = place(before.get("stage"))
    if "bridges" in values:
        merged.setdefault("bridges", values["bridges"])
    # A restart before the caller's tasks began is none that they have made.
    if "boot_id" in values and (so_far == place(BEGUN) or "boot_id" not in merged):
        merged["boot_id"] = values["boot_id"]
    if "domains" in values and so_far <= place(EMPTY):
        known = list(before.get("domains", ()))
        uuids = {each["uuid"] for each in known}
        merged["domains"] = [*known, *(each for each in short(values["domains"]) if each["uuid"] not in uuids)]
    merged["stopped"] = sorted({*before.get("stopped", ()), *values.get("stopped", ())})
    stage = values.get("stage") or BEGUN
    if STAGES.index(stage) > so_far:
        merged["stage"] = stage
    return merged


def place(stage: t.Any) -> int:
    """Return how far a stage is, as its place in ``STAGES``; the first one for what is none."""
    return STAGES.index(stage) if stage in STAGES else 0


def short(domains: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return of the facts of domains what is kept: ``uuid``, ``name``, ``macs``. Copies of migrations are left out."""
    return [
        {
            "uuid": each["uuid"],
            "name": each["name"],
            "macs": [nic["mac"] for nic in (each.get("config") or {}).get("nics") or () if nic.get("mac")],
        }
        for each in domains
        if not str(each["name"]).endswith((INCOMING, MIGRATED_AWAY))
    ]


def forget(journal_root: str) -> bool:
    """Take the note away; return whether there was one. Raises PlaceError, OSError."""
    if noted(journal_root) is None:
        return False
    with files.locked(journal_root):
        return files.remove(_path(journal_root))


def _path(journal_root: str) -> str:
    return os.path.join(journal_root, files.FOLDER, NAME)
