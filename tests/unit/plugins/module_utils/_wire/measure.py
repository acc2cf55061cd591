# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a captured stream contains, as JSON: once by our parser, once by a plain walk, which must agree.

    python measure.py STREAM...                    print the figures of each (raw, .xz or .gz)
    python measure.py STREAM --fixture data/NAME   write NAME.xz and NAME.json for test_golden.py

A fixture keeps every byte except the content of pages, so that it is small and tells nothing of what was in the
memory of the guest.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import struct
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.dom0.xen.plugins.module_utils._wire import events, header
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import RoundTracker

CHUNK = 1 << 18
Figures = dict[str, t.Any]


def chunks(path: Path) -> t.Iterator[bytes]:
    """Read a stream, compressed or not."""
    openers: dict[str, t.Any] = {".xz": lzma.open, ".gz": gzip.open}
    with openers.get(path.suffix, open)(path, "rb") as stream:
        while True:
            chunk: bytes = stream.read(CHUNK)
            if not chunk:
                return
            yield chunk


def measure(data: t.Iterable[bytes]) -> Figures:
    """The figures by our parser; raises StreamError for what is not a whole stream."""
    parser, tracker = StreamParser(), RoundTracker()
    names: list[str] = []
    page_data = 0
    for chunk in data:
        found = parser.feed(chunk).events
        tracker.update(found, parser.position, 0.0)
        for event in found:
            if isinstance(event, events.PageData):
                page_data += 1
                if names[-1] != "PAGE_DATA":
                    names.append("PAGE_DATA")
            elif isinstance(event, events.Record):
                names.append(event.name)
    parser.finish()
    identity = header.config_identity(parser.config or b"")
    return {
        "bytes": parser.position,
        "stream_bytes": parser.stream_end,
        "permission": parser.phase == "permission",
        "name": identity.name,
        "type": identity.type,
        "memory_max_kib": identity.memory_max_kib,
        "guest_type": parser.guest_type,
        "xen_version": list(parser.xen_version or ()),
        "records": names,
        "page_data": page_data,
        "entries": tracker.entries,
        "pages": tracker.pages,
        "page_data_bytes": tracker.size,
        "distinct": tracker.distinct,
        "again": tracker.again,
        "rounds": [[each.kind, each.entries, each.pages, each.size, each.again] for each in tracker.rounds],
    }


def walk(data: bytes) -> Figures:
    """The same figures by the shortest code there is, which holds everything in memory."""
    place = 48 + struct.unpack_from("<I", data, 44)[0] + 16 + 8 + 40
    seen: set[int] = set()
    page_data = entries = pages = size = 0
    while True:
        kind, length = struct.unpack_from("<II", data, place)
        if kind == 0:
            break
        if kind == 1:
            count = struct.unpack_from("<I", data, place + 8)[0]
            array = struct.unpack_from(f"<{count}Q", data, place + 16)
            page_data += 1
            entries += count
            pages += sum(1 for entry in array if entry >> 60 < 13)
            size += 8 + length
            seen.update(entry & (1 << 52) - 1 for entry in array)
        place += 8 + (length + 7) // 8 * 8
    return {
        "page_data": page_data,
        "entries": entries,
        "pages": pages,
        "page_data_bytes": size,
        "distinct": len(seen),
        "again": entries - len(seen),
    }


def blank(data: bytes) -> bytes:
    """The same stream with empty pages."""
    changed = bytearray(data)
    parser = StreamParser()
    for event in parser.feed(data).events:
        if isinstance(event, events.PageData):
            end = event.position + event.size
            changed[end - 4096 * event.pages : end] = bytes(4096 * event.pages)
    return bytes(changed)


def main() -> int:
    """Measure the streams named on the command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("stream", nargs="+", type=Path)
    arguments.add_argument("--fixture", type=Path, help="write a fixture of this one stream")
    chosen = arguments.parse_args()
    agree = True
    for path in chosen.stream:
        data = b"".join(chunks(path))
        pieces = [data[begin : begin + CHUNK] for begin in range(0, len(data), CHUNK)]
        begun = time.perf_counter()
        figures = measure(pieces)
        milliseconds = (time.perf_counter() - begun) * 1000
        plain = walk(data)
        same = plain == {key: figures[key] for key in plain}
        agree &= same
        result = {"path": str(path), "walk_agrees": same, "milliseconds": round(milliseconds, 1), **figures}
        sys.stdout.write(json.dumps(result) + "\n")
    if chosen.fixture:
        empty = blank(b"".join(chunks(chosen.stream[0])))
        chosen.fixture.with_suffix(".json").write_text(json.dumps(measure([empty]), indent=1) + "\n")
        chosen.fixture.with_suffix(".xz").write_bytes(lzma.compress(empty, preset=9))
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
