# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look over a host's shoulder until standard input ends: keys, command lines, environments, resident memory.

The keys that are seen in a session's folder are reported, so that the test knows what to search for.
"""

from __future__ import annotations

import glob
import json
import os
import select
import sys
import time

KEYS = ("/run/dom0-xen/*/key.pem", "/dev/shm/dom0-xen/*/key.pem")  # noqa: S108
# What every such key looks like: its PEM header, and the beginning of an ECDSA key on P-256 in PKCS #8.
MARKS = (b"PRIVATE KEY", b"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEH")
DAEMON = b"_session.daemon"
# A look takes long on an emulated host; most of the time is left to those that are looked at.
SHORTEST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 1.5
REST = 6

known = {name for name in os.listdir("/proc") if name.isdigit()}
keys: dict[str, str] = {}
shown: set[str] = set()
peaks: dict[str, int] = {}
looks = 0


def read(path: str) -> bytes:
    """The file, or nothing: processes end."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def look() -> None:
    for pattern in KEYS:
        for path in glob.glob(pattern):
            text = read(path).decode(errors="replace")
            if "END" in text:
                keys[path] = text
    marks = [*MARKS, *(text.splitlines()[1].encode() for text in keys.values())]
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or pid in known:
            continue
        line = read(f"/proc/{pid}/cmdline")
        seen = line + read(f"/proc/{pid}/environ")
        if any(mark in seen for mark in marks):
            shown.add(line.replace(b"\0", b" ").decode(errors="replace")[:500])
        if DAEMON in line and b"systemd-run" not in line:
            note_memory(pid, "receiver" if b"\0receiver\0" in line else "sender")


def note_memory(pid: str, role: str) -> None:
    for row in read(f"/proc/{pid}/status").decode().splitlines():
        if row.startswith("VmHWM:"):
            peaks[role] = max(peaks.get(role, 0), int(row.split()[1]))


pause = SHORTEST_PAUSE_S
while not select.select([sys.stdin], [], [], pause)[0]:
    began = time.monotonic()
    look()
    looks += 1
    pause = min(max(SHORTEST_PAUSE_S, REST * (time.monotonic() - began)), LONGEST_PAUSE_S)
print(json.dumps({"keys": keys, "shown": sorted(shown), "peak_kib": peaks, "looks": looks}))
