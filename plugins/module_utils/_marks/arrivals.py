# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that takes no domains while it is being emptied (private to the collection).

The mark survives controller and host; the module ``host_info`` tells it, and the checks refuse a move to the host.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import CLOSED, closed_mark
from ansible_collections.dom0.xen.plugins.module_utils._marks import files


class ClosedToArrivals(Dom0XenError):
    """The host takes no domains."""

    code = "closed_to_arrivals"
    remedy = "Name another destination, or run this again when the host is open (dom0.xen.host_arrivals)."


def require_open(journal_root: str) -> None:
    """Raise ClosedToArrivals when the host is closed."""
    mark = closed_mark(journal_root)
    if mark is not None:
        since = f" since {mark['since']}" if mark["since"] else ""
        who, why = mark["by"] or "somebody", mark["reason"] or "no reason was given"
        raise ClosedToArrivals(f"the host is closed to arrivals{since}, by {who}: {why}", **mark)


def foreign(mark: t.Mapping[str, t.Any] | None, run: str) -> bool:
    """Whether a mark is there that the run of these words has not made (pure).

    What a person has closed by hand has no run, and is nobody's but his.
    """
    return mark is not None and (not run or mark["run"] != run)


def close(journal_root: str, reason: str, by: str, run: str, own: bool = False) -> tuple[bool, files.Document]:
    """Close the host to arrivals; return whether that changed something, and the mark.

    One that is closed keeps its date; who closes it anew with other words has the last one. With ``own`` a mark that
    the run has not made stays as it is. Raises PlaceError, OSError.
    """
    with files.locked(journal_root) as folder:
        before = closed_mark(journal_root)
        asked = {"reason": reason, "by": by, "run": run}
        if before is not None and (own and foreign(before, run) or asked == {key: before[key] for key in asked}):
            return False, before
        since = before["since_s"] if before is not None else None
        files.write(os.path.join(folder, CLOSED), {**asked, "since_s": time.time() if since is None else since})
        return True, closed_mark(journal_root) or dict(asked)


def open_again(journal_root: str, run: str = "", own: bool = False) -> tuple[bool, files.Document | None]:
    """Open it; return whether that changed something, and the mark that was there.

    With ``own`` a mark that the run has not made stays as it is. Raises PlaceError, OSError.
    """
    if closed_mark(journal_root) is None:
        return False, None
    with files.locked(journal_root) as folder:
        before = closed_mark(journal_root)
        if own and foreign(before, run):
            return False, before
        return files.remove(os.path.join(folder, CLOSED)), before
