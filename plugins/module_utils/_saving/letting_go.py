# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a guest whose image is in place (private to the collection).

An image fits the disks for which its guest is destroyed. Until then anybody may unpause the guest; then it is kept, and
the image must not pass for one that can be restored.
"""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import GuestWentOn, ImageUnwritable
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import CHECKPOINT, SHUT_DOWN, Manifest
from ansible_collections.dom0.xen.plugins.module_utils._saving.pair import Pair
from ansible_collections.dom0.xen.plugins.module_utils._saving.refusals import starts_at_boot
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore


def stands_as_saved(row: DomainRow, manifest: Manifest, boot_id: str) -> bool:
    """Say whether a copy is the one that was saved, and has not run since."""
    same = (row.uuid, row.domid, row.cpu_time_s, boot_id) == (
        manifest.uuid,
        manifest.domid,
        manifest.cpu_time_s,
        manifest.boot_id,
    )
    return same and row.state.word == "paused"


def let_go(xl: Xl, store: XenStore, pair: Pair) -> None:
    """Destroy the copy whose image is in place, let it run, or leave it paused, as the manifest says.

    Raises GuestWentOn for one that is not as it was saved any more, ImageUnwritable, and the errors of :class:`Copies`.
    """
    manifest = pair.found()
    if manifest is None:
        raise ImageUnwritable(f"{pair.path} and its manifest are not there any more", path=pair.path)
    copies = Copies(xl, store, manifest.uuid, manifest.name)
    if manifest.after == CHECKPOINT:
        copies.go_on(manifest.domid)
    elif manifest.after == SHUT_DOWN:
        _require_as_saved(xl, pair, manifest)
        try:
            copies.destroy(manifest.domid)
        except Dom0XenError:
            _require_as_saved(xl, pair, manifest)
            raise


def _require_as_saved(xl: Xl, pair: Pair, manifest: Manifest) -> None:
    """See that the guest stands as it was saved, or is gone; else have the image say that it went on."""
    boot_id = _procfs.boot_id()
    rows = [row for row in xl.domains() if row.uuid == manifest.uuid and not row.state.dying]
    other = next((row for row in rows if not stands_as_saved(row, manifest, boot_id)), None)
    if other is not None:
        raise GuestWentOn(
            f"somebody else has let {manifest.name} go on while it was saved, so it is kept (domid {other.domid},"
            f" {other.state.word}), and {pair.path} does not fit its disks any more: {_outdated(pair, manifest)}",
            guest=other.state.word,
        )


def _outdated(pair: Pair, manifest: Manifest) -> str:
    """Have the manifest say that the guest went on; return what has come of it.

    xendomains looks at no manifest: what it would restore at the next boot is removed.
    """
    if starts_at_boot(pair.path, manifest.compression, autostart.roots()):
        why = "since this host would restore it at its next boot"
        return f"it was removed, {why}" if pair.withdraw() else f"remove it, {why}"
    pair.outdate(manifest)
    left = pair.found()
    if left is None:
        return "its manifest was removed"
    return "it counts as a checkpoint" if left.after == CHECKPOINT else "remove it, its manifest cannot be changed"
