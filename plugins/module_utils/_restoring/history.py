# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That an image was restored, kept on the host that did it (private to the collection).

The record beside the image is left behind by who copies the image, or puts it back from a backup. This one is told by
``host_info``, see ``_facts.sessions.restored_images``; a file for each image, the newest ones. It holds the record of
the restore before as well, which counts again when the last one is taken back.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import RESTORED, RESTORED_MOST, restored_images
from ansible_collections.dom0.xen.plugins.module_utils._marks import files
from ansible_collections.dom0.xen.plugins.module_utils._places import journal_root, make_private_folder
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import Mark

# In a record: that of the restore of the same image before it.
_BEFORE = "before"


class History:
    """The restores of this host, below the journal root."""

    def __init__(self, journal_path: str) -> None:
        self._journal_path = journal_path

    def put(self, mark: Mark, name: str, path: str) -> None:
        """Put a restore on record, in the place of an earlier one of its image; it is on the disk when this returns.

        Raises :class:`OSError` and PlaceError.
        """
        make_private_folder(os.path.join(journal_root(self._journal_path), RESTORED))
        document: dict[str, t.Any] = {
            "sha256": mark.sha256,
            "saved_at": mark.saved_at,
            "host": mark.host,
            "at": mark.begun_at,
            "name": name,
            "path": path,
        }
        before = files.read(self.path_of(mark))
        if before is not None:
            document[_BEFORE] = {key: value for key, value in before.items() if key != _BEFORE}
        files.write(self.path_of(mark), document)
        self._prune(mark)

    def path_of(self, mark: Mark) -> str:
        """Return where the record of a restore lies."""
        return self._path(mark.sha256)

    def take_back(self, mark: Mark) -> None:
        """Take the record of this restore away, and no other one. Raises :class:`OSError`."""
        document = files.read(self.path_of(mark))
        if document is None or not is_of(document, mark):
            return
        before = document.get(_BEFORE)
        if isinstance(before, dict):
            files.write(self.path_of(mark), before)
            return
        files.remove(self.path_of(mark))

    def _prune(self, mark: Mark) -> None:
        # What was put on record now stays, also where the clock was set back and it looks like the oldest.
        others = [each for each in restored_images(self._journal_path, limit=None) if each["sha256"] != mark.sha256]
        for document in others[RESTORED_MOST - 1 :]:
            files.remove(self._path(document["sha256"]))

    def _path(self, sha256: str) -> str:
        return os.path.join(self._journal_path, RESTORED, f"{sha256}.json")


def is_of(document: t.Mapping[str, t.Any], mark: Mark) -> bool:
    """Say whether it is about this very restore."""
    ours = (mark.sha256, mark.saved_at, mark.host, mark.begun_at)
    return tuple(document.get(key) for key in ("sha256", "saved_at", "host", "at")) == ours
