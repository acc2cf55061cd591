# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image and its manifest, read and compared (private to the collection).

The manifest says how long the image is and what its stream hashes to. Whoever feeds ``xl`` from it hashes the very
bytes that ``xl`` gets, so nothing that changes between two looks at the file goes unseen.
"""

from __future__ import annotations

import hashlib
import os
import stat
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._image.describe import Describer
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description
from ansible_collections.dom0.xen.plugins.module_utils._image.errors import FileMissing, NotAFile
from ansible_collections.dom0.xen.plugins.module_utils._image.opening import opened
from ansible_collections.dom0.xen.plugins.module_utils._restoring.errors import (
    ImageAltered,
    ImageTruncated,
    ManifestMissing,
)
from ansible_collections.dom0.xen.plugins.module_utils._saving import manifest as manifests
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import Manifest
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import READ_BYTES
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import StreamError


@dataclass(frozen=True)
class Source:
    """An image at ``path`` with its manifest; ``zstd`` is where that program is, if it is."""

    path: str
    manifest: Manifest
    zstd: str | None

    def pieces(self) -> t.Iterator[bytes]:
        """Yield the stream, decompressed. Raises ImageAltered and ImageTruncated, and what ``opened`` raises."""
        with opened(self.path, self.zstd) as image:
            self._require_size(image.size)
            if image.compression != self.manifest.compression:
                _altered(self.path, f"it is compressed otherwise ({image.compression}) than its manifest says")
            try:
                while True:
                    data = image.read(READ_BYTES)
                    if not data:
                        return
                    yield data
            except StreamError as exc:
                _altered(self.path, exc.message)

    def look(self, whole: bool) -> Description:
        """Read the image and compare it with its manifest; unless ``whole`` only up to what tells whose it is.

        Raises as :meth:`pieces` does.
        """
        reading = Reading(self)
        for data in self.pieces():
            reading.take(data)
            if not whole and reading.tells:
                break
        else:
            reading.finish()
        return reading.require_identity()

    def _require_size(self, size: int) -> None:
        wanted = self.manifest.file_bytes
        if size < wanted:
            text = f"{self.path} is truncated: it has {size} bytes, and {wanted} when it was saved"
            raise ImageTruncated(text, path=self.path, size=size, wanted=wanted)
        if size > wanted:
            _altered(self.path, f"it has {size} bytes, and {wanted} when it was saved")


class Reading:
    """Takes the stream of a source piece by piece; :meth:`finish` says whether it was the whole and right one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._describer, self._digest, self._size = Describer(pages=False), hashlib.sha256(), 0

    def take(self, data: bytes) -> None:
        """Take the next bytes."""
        self._describer.feed(data)
        self._digest.update(data)
        self._size += len(data)

    @property
    def tells(self) -> bool:
        """Whether it is known by now whose image it is, of which Xen, and what processor its guest was shown.

        Or that this will never be known.
        """
        seen = self._describer.describe("", self._size, "")
        return (seen.xen_version is not None and self._describer.introduced) or self._describer.over

    def finish(self) -> None:
        """See that it is what was saved, to its last byte. Raises ImageAltered."""
        self._describer.finish()
        manifest, seen = self._source.manifest, self._describer.describe("", self._size, "")
        digest = self._digest.hexdigest()
        if (digest, self._size) != (manifest.sha256, manifest.stream_bytes):
            where = f": {seen.problem.message}" if seen.problem else ""
            _altered(self._source.path, f"its SHA-256 is not the one in its manifest{where}")
        if seen.problem is not None or not seen.complete or seen.stream_bytes != self._size:
            _altered(
                self._source.path,
                seen.problem.message if seen.problem else "its stream has no end, or goes on behind it",
            )

    def require_identity(self) -> Description:
        """Return what is known; see that it is what the manifest says. Raises ImageAltered."""
        manifest, seen = self._source.manifest, self._describer.describe(self._source.path, self._size, "")
        if seen.problem is not None or seen.identity is None or seen.config is None or seen.xen_version is None:
            _altered(self._source.path, seen.problem.message if seen.problem else "it does not tell whose it is")
        told = (seen.identity.uuid, seen.identity.name, seen.identity.type, seen.xen_version)
        if told != (manifest.uuid, manifest.name, manifest.type, manifest.xen_version):
            name, uuid = seen.identity.name, seen.identity.uuid
            text = f"it holds {name} (UUID {uuid}, {told[2]}, Xen {told[3]}), and its manifest says {manifest.name}"
            _altered(self._source.path, f"{text} (UUID {manifest.uuid}, {manifest.type}, Xen {manifest.xen_version})")
        return seen


def source(path: str, zstd: str | None) -> Source:
    """Return an image with its manifest. Raises FileMissing, NotAFile, or ManifestMissing."""
    for each in (path, path + ".json"):
        try:
            found = os.stat(each)
        except OSError as exc:
            kind = FileMissing if each == path else ManifestMissing
            what = each if each == path else f"{path} has no manifest: {each}"
            raise kind(f"{what} cannot be found: {exc.strerror}", path=each) from exc
        if not stat.S_ISREG(found.st_mode):
            raise NotAFile(f"{each} is not a regular file", path=each)
    manifest = manifests.decode(_content(path + ".json"))
    if manifest is None:
        raise ManifestMissing(f"{path}.json is no manifest that is understood here", path=f"{path}.json")
    return Source(path, manifest, zstd)


def _altered(path: str, why: str) -> t.NoReturn:
    raise ImageAltered(f"{path} was altered since it was saved: {why}", path=path)


def _content(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(fd, manifests.LIMIT)
        finally:
            os.close(fd)
    except OSError as exc:
        raise ManifestMissing(f"{path} cannot be read: {exc.strerror}", path=path) from exc
