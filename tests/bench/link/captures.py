# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams captured from real Xen, as the double's ``xl`` replays them."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._wire import events, records
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import RoundTracker

PIECE = 1 << 20
_LAST = (records.LIBXC, records.LIBXC_END)


@dataclasses.dataclass(frozen=True)
class Capture:
    """A captured stream: its name, the file, and the file that tells the double which bytes to replay."""

    name: str
    path: pathlib.Path
    description: pathlib.Path
    size: int


def prepare(name: str, path: pathlib.Path, folder: pathlib.Path) -> Capture:
    """Find where the libxc stream of a capture begins, where its guest was suspended, and where it ends.

    A file that ends in ``.zst`` is unpacked into ``folder`` first. Raises a ``StreamError`` for one that is no stream.
    """
    if path.suffix == ".zst":
        raw = folder / path.stem
        if not raw.exists():
            part = raw.with_suffix(".part")
            subprocess.run(["zstd", "-q", "-d", "-f", str(path), "-o", str(part)], check=True)
            part.rename(raw)
        path = raw
    begin, suspend, end = _places(path)
    description = folder / f"{name}.json"
    document = {"path": str(path), "begin": begin, "suspend": suspend, "end": end}
    description.write_text(json.dumps(document))
    return Capture(name, path, description, end - begin)


def _places(path: pathlib.Path) -> tuple[int, int, int]:
    parser, rounds = StreamParser(), RoundTracker()
    begin = suspend = end = -1
    number = 0
    with path.open("rb") as file:
        while data := file.read(PIECE):
            for event in parser.feed(data).events:
                rounds.update((event,), parser.position, 0.0)
                if isinstance(event, events.StreamBegin):
                    begin = suspend = event.position
                elif isinstance(event, events.PageData) and len(rounds.rounds) > number:
                    number, suspend = len(rounds.rounds), event.position
                elif isinstance(event, events.Record) and (event.layer, event.type) == _LAST:
                    end = event.position + records.RECORD.size
    if begin < 0 or end < 0:
        raise SystemExit(f"{path} holds no whole stream")
    return begin, suspend, end


def known(folders: t.Iterable[pathlib.Path]) -> dict[str, pathlib.Path]:
    """Return the captures in these folders, by name."""
    found: dict[str, pathlib.Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.bin*")):
            found[path.name.partition(".")[0]] = path
    return found
