# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image and its manifest on the disk: written aside, then put in place so that a power loss leaves no doubt.

Aside they have names that begin with a dot. The manifest is written only when the image is whole and on the disk, so
both aside mean a save that was finished; an image aside without one, a save that was not. The image is renamed first;
a manifest that is alone aside, and fits the image in place, is only due to be renamed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import os
import stat

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._durable import sync_folder
from ansible_collections.dom0.xen.plugins.module_utils._saving import manifest as manifests
from ansible_collections.dom0.xen.plugins.module_utils._saving import marker
from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import (
    FolderMissing,
    ImageBusy,
    ImageNotRegular,
    ImageTaken,
    ImageUnwritable,
    NoRoom,
)
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import CHECKPOINT, Manifest

_FULL = (errno.ENOSPC, errno.EDQUOT)


def unwritable(path: str, exc: OSError) -> ImageUnwritable | NoRoom:
    """Return what an error of the operating system means for whoever wants an image there."""
    kind = NoRoom if exc.errno in _FULL else ImageUnwritable
    return kind(f"{path} cannot be written: {exc.strerror or exc}", path=path)


class Pair:
    """The files of one image, ``path`` being the image's."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.folder, name = os.path.split(path)
        self.manifest_path = path + ".json"
        self.aside = os.path.join(self.folder, f".{name}.saving")
        self.manifest_aside = os.path.join(self.folder, f".{name}.json.saving")
        self._fd = -1

    def found(self) -> Manifest | None:
        """Return the manifest of the image that is there, and whole; None when there is none. Nothing is changed.

        A save that a power loss has cut off behind its last byte counts as there: :meth:`recover` puts it in place.
        """
        aside = self._cut_off_whole()
        if aside is not None:
            return aside
        seen = self._manifest(self.manifest_path)
        return seen if seen is not None and _size(self.path) == seen.file_bytes else None

    def require_free(self, uuid: str, force: bool) -> None:
        """See that the image may be put there, in place of one of the same domain, or with ``force`` of any file.

        Raises FolderMissing, ImageNotRegular, or ImageTaken.
        """
        if not os.path.isdir(self.folder):
            raise FolderMissing(f"there is no folder {self.folder}", path=self.folder)
        for path in (self.path, self.manifest_path, self.aside, self.manifest_aside):
            if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
                raise ImageNotRegular(f"{path} is no regular file", path=path)
        found = self.found()
        if force or (found is not None and found.uuid == uuid):
            return
        if found is not None:
            text = f"{self.path} holds {found.name} (UUID {found.uuid}), saved at {found.saved_at}"
            raise ImageTaken(text, path=self.path, uuid=found.uuid)
        left = self._manifest(self.manifest_path)
        if left is not None and left.uuid == uuid and not os.path.lexists(self.path):
            return  # xendomains removes what it has restored, and knows nothing of the manifest
        for path in (self.path, self.manifest_path):
            if os.path.lexists(path):
                raise ImageTaken(f"{path} is there, and no whole image with a manifest of this module", path=path)

    def cut_off(self) -> bool:
        """Say whether there is an image aside that nobody writes any more, and that has no end. Nothing is changed."""
        try:
            fd = os.open(self.aside, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(fd)
        return self._manifest(self.manifest_aside) is None

    def begin(self) -> int:
        """Return a descriptor for the image aside, empty. What a save that was cut off has left is dealt with first.

        Raises ImageBusy, ImageUnwritable, or NoRoom.
        """
        try:
            self._lock()
            self.recover()
            if not self._current():  # it was removed, or is in place now
                self.close()
                self._lock()
            os.ftruncate(self._fd, 0)
        except OSError as exc:
            self.close()
            raise unwritable(self.aside, exc) from exc
        return self._fd

    def publish(self, manifest: Manifest) -> None:
        """Put the image in place with its manifest; both are on the disk when this returns.

        Raises ImageUnwritable or NoRoom; of the new ones nothing is left then.
        """
        try:
            os.fsync(self._fd)
            self._write_aside(manifest)
            # Whoever cleans up may have taken the image: a manifest alone would pass for a save.
            if not self._current():
                raise FileNotFoundError(errno.ENOENT, f"{self.aside} was removed while it was written")
            self._put_in_place()
            if not self.published():
                raise FileNotFoundError(errno.ENOENT, "the image is not there after it was put in place")
        except OSError as exc:
            # What was renamed has replaced its predecessor; neither of the two must stay without the other.
            if self.published():
                _remove(self.path)
            if self._manifest(self.manifest_path) == manifest:
                _remove(self.manifest_path)
            raise unwritable(self.path, exc) from exc

    def outdate(self, manifest: Manifest) -> None:
        """Have the manifest in place say that its domain went on; where that cannot be, remove it."""
        try:
            self._write_aside(dataclasses.replace(manifest, after=CHECKPOINT))
            os.replace(self.manifest_aside, self.manifest_path)
            sync_folder(self.folder)
        except OSError:
            for path in (self.manifest_path, self.manifest_aside):
                _remove(path)
            with contextlib.suppress(OSError):
                sync_folder(self.folder)

    def withdraw(self) -> bool:
        """Remove the image in place and its manifest; return whether the image is gone, which is on the disk then."""
        for path in (self.path, self.manifest_path):
            _remove(path)
        with contextlib.suppress(OSError):
            sync_folder(self.folder)
        return not os.path.lexists(self.path)

    def published(self) -> bool:
        """Say whether the image that :meth:`begin` has made is in place."""
        try:
            return self._fd >= 0 and os.stat(self.path).st_ino == os.fstat(self._fd).st_ino
        except OSError:
            return False

    def _cut_off_whole(self, own: bool = False) -> Manifest | None:
        """Return the manifest of a whole save that was cut off before it was in place.

        Only by a power loss, unless it is one's ``own``: within a boot its guest is still there, and may have gone on.
        """
        aside = self._manifest(self.manifest_aside)
        if aside is None or (aside.boot_id == _procfs.boot_id() and not own):
            return None
        whole = any(_size(path) == aside.file_bytes for path in (self.aside, self.path))
        return aside if whole else None

    def recover(self, own: bool = False) -> bool:
        """Put a save that was cut off behind its last byte in place, remove one that was cut off before.

        ``own``: it is the one that this has begun. Says whether one was put in place. Raises :class:`OSError`.
        """
        if self._cut_off_whole(own) is not None:
            self._put_in_place()
            return True
        self.discard()
        return False

    def complete(self) -> bool:
        """Do as :meth:`recover` where there is something to put in place; raises ImageBusy or ImageUnwritable too."""
        if self._cut_off_whole() is None:
            return False
        try:
            self._lock()
            done = self.recover()
            if self._current():
                _remove(self.aside)
            return done
        except OSError as exc:
            raise unwritable(self.path, exc) from exc
        finally:
            self.close()

    def discard(self) -> bool:
        """Remove what lies aside, the manifest first; return whether nothing is left."""
        for path in (self.manifest_aside, self.aside):
            _remove(path)
        with contextlib.suppress(OSError):
            sync_folder(self.folder)
        return not any(map(os.path.lexists, (self.manifest_aside, self.aside)))

    def close(self) -> None:
        """Let go of the image aside."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write_aside(self, manifest: Manifest) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(self.manifest_aside, flags, 0o600), "wb") as handle:
            handle.write(manifest.encode())
            handle.flush()
            os.fsync(handle.fileno())

    def _put_in_place(self) -> None:
        sync_folder(self.folder)
        manifest = self._manifest(self.manifest_aside)
        if manifest is not None and _size(self.aside) == manifest.file_bytes:
            os.replace(self.aside, self.path)
            sync_folder(self.folder)
        os.replace(self.manifest_aside, self.manifest_path)
        sync_folder(self.folder)
        # It is about the image that was replaced, and would be passed over.
        if os.path.lexists(marker.path_of(self.path)):
            _remove(marker.path_of(self.path))

    def _lock(self) -> None:
        while True:
            self._fd = os.open(self.aside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.close()
                raise ImageBusy(f"another process writes {self.aside}", path=self.path) from None
            if self._current():
                return
            self.close()

    def _current(self) -> bool:
        try:
            return os.stat(self.aside).st_ino == os.fstat(self._fd).st_ino
        except FileNotFoundError:
            return False

    @staticmethod
    def _manifest(path: str) -> Manifest | None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            return manifests.decode(os.read(fd, manifests.LIMIT)) if stat.S_ISREG(os.fstat(fd).st_mode) else None
        except OSError:
            return None
        finally:
            os.close(fd)


def _size(path: str) -> int | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
