# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That an image was restored, put on record beside it (private to the collection).

An image is only good once: when its domain has run on, its disks belong to a later moment. So before anything is made
of it that is on the disk, and again before the domain may run. The record names the image that it is about, so one that
an earlier image has left means nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import stat
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._durable import sync_folder
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import LIMIT, Manifest

FORMAT = 1
RESTORING = "restoring"
RESTORED = "restored"
ENDING = ".restored.json"


@dataclasses.dataclass(frozen=True)
class Mark(Record):
    """One restore; ``begun_at`` is UTC, ISO 8601.

    RESTORING: the domain has not been let run by it. RESTORED: it may have run since. ``domid`` is that of the copy on
    ``host`` in the boot ``boot_id``, None as long as it is not known.
    """

    format: int
    sha256: str
    saved_at: str
    state: str
    host: str
    boot_id: str
    begun_at: str
    domid: int | None = None

    def is_of(self, manifest: Manifest) -> bool:
        """Say whether it is about this image."""
        return (self.sha256, self.saved_at) == (manifest.sha256, manifest.saved_at)


def path_of(image: str) -> str:
    """Return where the record of an image lies."""
    return image + ENDING


def read(image: str, manifest: Manifest) -> Mark | None:
    """Return the record of this very image, None when it was not restored.

    Raises :class:`OSError`, with EINVAL for a file that is no record, and so does not say that there was no restore.
    """
    content = _content(path_of(image))
    mark = None if content is None else _decode(content)
    if content is not None and mark is None:
        raise OSError(errno.EINVAL, "it is no record of a restore", path_of(image))
    return mark if mark is not None and mark.is_of(manifest) else None


class Marker:
    """Writes the record; each is on the disk when the method returns. All raise :class:`OSError`.

    ``known`` is the record of the same image that is replaced knowingly, if there is one. Of several processes, on
    whatever hosts, the first one wins. ``taken_path`` is there while one replaces a known record.
    """

    def __init__(self, image: str, known: Mark | None) -> None:
        self._image, self._known = image, known
        self._path = path_of(image)
        hidden = os.path.join(os.path.dirname(image), f".{os.path.basename(self._path)}")
        self._aside = f"{hidden}.{_procfs.boot_id()[:8]}.{os.getpid()}"
        self.taken_path = f"{hidden}.taken"

    def claim(self, manifest: Manifest, mark: Mark) -> bool:
        """Write the first record of this restore; return False when another one has come first."""
        if read(self._image, manifest) != self._known:
            return False
        if self._known is None and os.path.lexists(self._path) and not self._clear(manifest):
            return False
        self._write(mark)
        try:
            if self._known is None:
                os.link(self._aside, self._path)
            elif not self._replace_known():
                return False
        except FileExistsError:
            return False
        finally:
            _remove(self._aside)
        sync_folder(os.path.dirname(self._path))
        return True

    def update(self, mark: Mark) -> None:
        """Replace this restore's record."""
        self._write(mark)
        os.replace(self._aside, self._path)
        sync_folder(os.path.dirname(self._path))

    def take_back(self) -> None:
        """Put back what was there before: what this restore has made is gone, and has never run."""
        if self._known is not None:
            self.update(self._known)
            return
        for path in (self._path, self._aside):
            _remove(path)
        sync_folder(os.path.dirname(self._path))

    def _replace_known(self) -> bool:
        """Replace the known record; return False, or raise FileExistsError, when another process has, or is about to.

        It is never away: without it the image would pass for one that was not restored.
        """
        os.link(self._path, self.taken_path)
        try:
            if _decode(_content(self.taken_path) or b"") != self._known:
                return False
            os.replace(self._aside, self._path)
        finally:
            _remove(self.taken_path)
        return True

    def _clear(self, manifest: Manifest) -> bool:
        """Take the record of an earlier image away; return False when another process has put this one's there."""
        try:
            os.replace(self._path, self._aside)
        except FileNotFoundError:
            return True
        mark = _decode(_content(self._aside) or b"")
        ours = mark is not None and mark.is_of(manifest)
        if ours:
            with contextlib.suppress(FileExistsError):
                os.link(self._aside, self._path)
        _remove(self._aside)
        return not ours

    def _write(self, mark: Mark) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        _remove(self._aside)
        with os.fdopen(os.open(self._aside, flags, 0o600), "wb") as handle:
            handle.write((json.dumps(mark.to_result(), indent=2) + "\n").encode("utf-8"))
            handle.flush()
            os.fsync(handle.fileno())


def _decode(data: bytes) -> Mark | None:
    try:
        found: t.Any = json.loads(data.decode("utf-8"))
        mark = Mark.from_result(found)
    except (ValueError, TypeError, RecursionError):
        return None
    return mark if mark.format == FORMAT and mark.state in (RESTORING, RESTORED) else None


def _content(path: str) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        return os.read(fd, LIMIT) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    finally:
        os.close(fd)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
