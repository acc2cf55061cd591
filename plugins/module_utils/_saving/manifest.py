# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written beside an image: whose it is, and by what it can be told whole and unaltered. Pure."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._meant import means
from ansible_collections.dom0.xen.plugins.module_utils._record import Record

FORMAT = 1
# A manifest has some 600 bytes.
LIMIT = 64 * 1024

SHUT_DOWN = "shut_down"
CHECKPOINT = "checkpoint"
LEAVE_PAUSED = "leave_paused"
AFTER = (SHUT_DOWN, CHECKPOINT, LEAVE_PAUSED)

_SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")
_RELEASE = re.compile(r"\A[0-9]{1,3}\.[0-9]{1,3}\Z")
_NUMBERS = ("format", "stream_bytes", "file_bytes", "domid")
_TEXTS = ("uuid", "name", "type", "xen_version", "compression", "sha256", "saved_at", "after", "boot_id")


@dataclasses.dataclass(frozen=True)
class Manifest(Record):
    """One save. ``sha256`` is of the stream as ``xl`` wrote it, before compression; ``saved_at`` is UTC, ISO 8601.

    ``boot_id``, ``domid`` and ``cpu_time_s`` (seconds, resolution 0.1 s) are those of the copy that was saved, as it
    stood still: one that shows the same has not run since. ``xen_commandline`` is what Xen was booted with there, which
    says how much its domains were given, null where that is not known.
    """

    format: int
    uuid: str
    name: str
    type: str
    xen_version: str
    stream_bytes: int
    file_bytes: int
    compression: str
    sha256: str
    saved_at: str
    after: str
    boot_id: str
    domid: int
    cpu_time_s: float
    xen_commandline: str | None = None

    def encode(self) -> bytes:
        """Return it as a file's content."""
        return (json.dumps(self.to_result(), indent=2) + "\n").encode("utf-8")

    @property
    def release(self) -> tuple[int, int]:
        """The release of ``xen_version``."""
        major, dummy, minor = self.xen_version.partition(".")
        return int(major), int(minor)

    def means(self, domain: str) -> bool:
        """Say whether a name or UUID is that of the domain."""
        return means(domain, self.uuid, self.name)


def decode(data: bytes) -> Manifest | None:
    """Return the manifest in a file's content, None when it is none, or of a format that is not known here."""
    try:
        found: t.Any = json.loads(data.decode("utf-8"))
        manifest = Manifest.from_result(found) if isinstance(found, dict) else None
    except (ValueError, TypeError, RecursionError):
        return None
    return manifest if manifest is not None and _sound(manifest) else None


def _sound(manifest: Manifest) -> bool:
    numbers = [getattr(manifest, name) for name in _NUMBERS]
    texts = [getattr(manifest, name) for name in _TEXTS]
    return (
        all(_is_number(value) and isinstance(value, int) and value > 0 for value in numbers)
        and manifest.format == FORMAT
        and all(isinstance(value, str) and value for value in texts)
        and _is_number(manifest.cpu_time_s)
        and isinstance(manifest.xen_commandline, (str, type(None)))
        and manifest.after in AFTER
        and _SHA256.match(manifest.sha256) is not None
        and _RELEASE.match(manifest.xen_version) is not None
    )


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
