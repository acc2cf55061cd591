# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move as it was seen, a line of JSON for each look: what graphs are made of afterwards (private)."""

from __future__ import annotations

import datetime
import json
import os
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._progress import figure

Status = t.Mapping[str, t.Any]

# Of the sender's status, as RV(dom0.xen.migration_info#module:sessions) describes them.
FIGURES = (
    *("round", "bytes", "expected_bytes", "rate_bytes_per_s", "dirty_bytes_per_s", "eta_s", "elapsed_ms"),
    *("total_ms", "stop_ms"),
)
WORDS = ("session", "phase", "owner", "end_state")


class ProgressRecord:
    """Appends to one file on the controller; without a path it does nothing.

    ``at`` is the controller's clock. ``stalled_s`` is for how many seconds no byte has been added, as far as was seen.
    """

    def __init__(self, path: str, source: str, destination: str) -> None:
        self._path, self._source, self._destination = path, source, destination
        self._seen: tuple[object, object] = (None, None)
        self._bytes: float | None = None
        self._grown = 0.0

    def take(self, status: Status, now: float, unix_s: float) -> None:
        """Write a line about a status that has not been seen yet; ``now`` is monotonic. Raises :class:`OSError`."""
        seen = (status.get("sequence"), status.get("phase"))
        if not self._path or (seen[0] is not None and seen == self._seen):
            return
        self._seen = seen
        sent = figure(status, "bytes")
        if self._bytes is None or sent != self._bytes:
            self._bytes, self._grown = sent, now
        self._append(unix_s, {**line(status), "stalled_s": round(now - self._grown, 1)})

    def silent(self, seconds: float, unix_s: float) -> None:
        """Write that the source has not answered for so long. Raises :class:`OSError`."""
        if self._path:
            self._append(unix_s, {"unanswered_s": round(seconds, 1)})

    def _append(self, unix_s: float, told: dict[str, t.Any]) -> None:
        at = datetime.datetime.fromtimestamp(unix_s, datetime.UTC).isoformat(timespec="milliseconds")
        text = json.dumps({"at": at, "source": self._source, "destination": self._destination, **told})
        # A pipe that nobody reads, or not quickly enough, must not hold up who watches a guest that stands still.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(self._path, flags, 0o644), "wb") as file:
            # In one write, since several moves may share the file.
            file.write(f"{text}\n".encode())


def line(status: Status) -> dict[str, t.Any]:
    """Return what is kept of a status (pure): null where it has none, or none that can be one."""
    domain = status.get("domain")
    link = status.get("link")
    about = domain if isinstance(domain, dict) else {}
    words = {key: value if isinstance(value := status.get(key), str) else None for key in WORDS}
    return {
        "domain": about.get("name"),
        "uuid": about.get("uuid"),
        **words,
        **{key: figure(status, key) for key in FIGURES},
        "link_up": link.get("up") if isinstance(link, dict) else None,
        "link_losses": link.get("losses") if isinstance(link, dict) else None,
    }
