# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search this host's disk for secrets: files that changed since argument 1 (seconds), for any key (the expression that
is argument 2), and for the words that follow.

Payloads of Ansible's modules are opened: a key that was a module's option would be in one.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator

PLACES = ("/root", "/home", "/tmp", "/var", "/etc", "/opt", "/srv", "/usr/local")  # noqa: S108
LARGEST = 16 * 2**20
BASE64 = re.compile(rb"[A-Za-z0-9+/]{400,}={0,2}")

since = float(sys.argv[1])
key = re.compile(sys.argv[2].encode())
marks = [word.encode() for word in sys.argv[3:]]


def files(top: str) -> Iterator[str]:
    """Regular files below a folder, on its own file system, that changed since."""
    disk = os.stat("/").st_dev
    for folder, names, entries in os.walk(top):
        if os.lstat(folder).st_dev != disk:
            names.clear()
            continue
        for entry in entries:
            path = os.path.join(folder, entry)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if status.st_ctime >= since and not os.path.islink(path) and status.st_size <= LARGEST:
                yield path


def layers(data: bytes) -> Iterator[bytes]:
    """The data, what is in base64 in it, and what is in a zip in that."""
    yield data
    for text in BASE64.findall(data):
        try:
            inner = base64.b64decode(text)
        except binascii.Error:
            continue
        yield inner
        if zipfile.is_zipfile(io.BytesIO(inner)):
            with zipfile.ZipFile(io.BytesIO(inner)) as archive:
                for name in archive.namelist():
                    yield archive.read(name)


found: dict[str, list[str]] = {}
searched = []
for place in PLACES:
    for path in files(place):
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            continue
        searched.append(path)
        hits = {mark.decode() for layer in layers(content) for mark in [*key.findall(layer), *marks] if mark in layer}
        if hits:
            found[path] = sorted(hits)
print(json.dumps({"found": found, "searched": searched}))
