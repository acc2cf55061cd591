# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other names of disks and bridges in a domain's configuration file, and not a byte of anything else changed (pure;
private to the collection).

Only in the lists that name them. What looks like one elsewhere is the guest's own, such as ``root="/dev/sda1"``.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._mapping import BRIDGE, DISK, Entry, Names
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import CONFIG_TOKEN

# Which list has which names, and where in its texts they are whole words.
_LISTS: t.Mapping[str, tuple[str, str]] = {
    "disk": (DISK, r"(?<![^\s'\",:=])(?:%s)(?![^\s'\",])"),
    "vif": (BRIDGE, r"(?<=\bbridge=)(?:%s)(?![^\s'\",])"),
}


def in_file(content: bytes, names: Names) -> bytes:
    """Return a configuration file of ``xl`` with the destination's names where it has the source's."""
    text, kept, pieces = _letters(content), 0, []
    for begin, end, key in _texts(text):
        what, pattern = _LISTS[key]
        known = {_letters(old.encode("utf-8")): _letters(new.encode("utf-8")) for old, new in names.of(what).items()}
        if known:
            # All at once: two names may change places.
            pieces += [text[kept:begin], _changed(text[begin:end], pattern, known)]
            kept = end
    return "".join((*pieces, text[kept:])).encode("latin-1")


def unnamed(content: bytes, names: Names) -> tuple[Entry, ...]:
    """Return those names of the destination's that a file does not have; whoever starts it may get another one."""
    text = _letters(content)
    texts = [(*_LISTS[key], text[begin:end]) for begin, end, key in _texts(text)]

    def has(what: str, name: str) -> bool:
        word = [_letters(name.encode("utf-8"))]
        return any(kind == what and _any(pattern, word).search(each) for kind, pattern, each in texts)

    return tuple(entry for entry in names.entries() if not has(entry["what"], entry["to"]))


def _changed(text: str, pattern: str, known: t.Mapping[str, str]) -> str:
    return _any(pattern, known).sub(lambda found: known[found.group()], text)


def _any(pattern: str, words: t.Iterable[str]) -> re.Pattern[str]:
    # A byte of a letter is no blank.
    return re.compile(pattern % "|".join(map(re.escape, words)), re.ASCII)


def _letters(content: bytes) -> str:
    """Return a letter for each byte: what it is encoded in is the file's affair."""
    return content.decode("latin-1")


def _texts(text: str) -> t.Iterator[tuple[int, int, str]]:
    """Yield begin and end of each text in a list that has names, quotes included, with the list's key."""
    before = ["\n", "\n", "\n"]
    key, depth = "", 0
    for found in CONFIG_TOKEN.finditer(text):
        token = found.group()
        if token.startswith("#"):
            continue
        if token == "[":
            depth += 1
            if depth == 1:
                key = before[-2] if before[-1] in ("=", "+=") and before[-3] in "\n;" else ""
        elif token == "]":
            depth = max(0, depth - 1)
        elif depth == 1 and key in _LISTS and token[0] in "\"'":
            yield found.start(), found.end(), key
        before = [*before[-2:], token]
