# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes with a domain, as a message: its configuration file, and what starts it at boot (pure; private).

The peer is pinned, and what it sends is still read as if it were anybody's: names without folders, sizes with a limit,
and files that configure this session's domain and no other, that only root may change, and that Xen does not read.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._mapping import Names
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.config_names import in_file

Message = t.Dict[str, t.Any]

KIND = "belongings"
SEEN = "belongings_seen"

# What the destination says of the configuration: there is nothing by its name, the same file, or another one.
FREE = "free"
SAME = "same"
OTHER = "other"

# A frame holds 256 KiB, and what is in it is a third longer than it was.
FILE_MAX = 64 * 1024
ALL_MAX = 128 * 1024
ENTRIES_MAX = 16

_NAME = re.compile(r"\A[^./\x00-\x1f\x7f][^/\x00-\x1f\x7f]{0,199}\Z")
ACCOUNT = re.compile(r"\A[A-Za-z0-9_.][A-Za-z0-9_.-]{0,63}\Z")
_LINK = re.compile(r"\A[^\x00-\x1f\x7f]{1,1000}\Z")
# What Xen's own programs read in that folder, whatever domain it may name (tools/xl/xl.c, tools/ocaml/xenstored).
_XENS = frozenset({"xl.conf", "oxenstored.conf", "cpupool"})
# Whoever may write a file says what root starts.
_MODE = 0o755


@dataclass(frozen=True)
class Owner:
    """Who may do what with a file, which is root's; so is one with an empty group."""

    mode: int
    group: str = ""


@dataclass(frozen=True)
class File:
    """A configuration file: its own name, without the folder, and what is in it."""

    name: str
    content: bytes
    owner: Owner


@dataclass(frozen=True)
class Entry:
    """What starts the domain at boot: a file, or a link to its configuration (``link`` is empty) or elsewhere."""

    name: str
    link: str = ""
    file: File | None = None


@dataclass(frozen=True)
class Belongings:
    """All that goes with the domain; ``config`` is None where none was found, or more than one."""

    config: File | None = None
    entries: tuple[Entry, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(len(file.content) for file in (self.config, *(entry.file for entry in self.entries)) if file)

    def renamed(self, names: Names) -> Belongings:
        """Return it with the destination's names in its files; one that would become too large is left as it is."""

        def changed(file: File | None) -> File | None:
            content = in_file(file.content, names) if file is not None else b""
            return replace(file, content=content) if file is not None and len(content) <= FILE_MAX else file

        found = Belongings(
            changed(self.config), tuple(replace(entry, file=changed(entry.file)) for entry in self.entries)
        )
        return found if found.size <= ALL_MAX else self

    def to_message(self) -> Message:
        """Return it as a message."""
        return {
            "type": KIND,
            "config": _file_document(self.config),
            "entries": [
                {"name": entry.name, "link": entry.link, "file": _file_document(entry.file)} for entry in self.entries
            ],
        }


def belongs(content: bytes, uuid: str, name: str) -> bool:
    """Whether a configuration is the domain's: by its UUID, and where it gives none by its name."""
    identity = autostart.identity_of(content)
    if identity is None:
        return False
    return identity[1] == uuid if identity[1] is not None else identity[0] == name


def read(message: t.Mapping[str, t.Any], uuid: str, name: str) -> Belongings:
    """Return what a message carries, for this domain. Raises :class:`FrameError` for anything else."""
    given = message.get("entries")
    if not isinstance(given, list) or len(given) > ENTRIES_MAX:
        raise FrameError("belongings without a short list of entries")
    entries = tuple(_entry(document, uuid, name) for document in given)
    found = Belongings(_file(message.get("config"), uuid, name), entries)
    if found.size > ALL_MAX:
        raise FrameError(f"belongings of {found.size} bytes are over the limit of {ALL_MAX}")
    return found


def seen(state: str | None) -> Message:
    """Return the destination's answer: FREE, SAME, OTHER, or None where it will not take the configuration."""
    return {"type": SEEN, "config": state}


def read_seen(message: t.Mapping[str, t.Any]) -> str | None:
    """Return what the destination has said. Raises :class:`FrameError` for anything else."""
    state = message.get("config")
    if state not in (FREE, SAME, OTHER, None):
        raise FrameError("an answer about belongings that is none")
    return t.cast("str | None", state)


def _file_document(file: File | None) -> Message | None:
    if file is None:
        return None
    owner = {"mode": file.owner.mode, "group": file.owner.group}
    return {"name": file.name, "content": base64.b64encode(file.content).decode("ascii"), **owner}


def _entry(document: t.Any, uuid: str, name: str) -> Entry:
    if not isinstance(document, dict):
        raise FrameError("an entry that is no object")
    link = document.get("link", "")
    if link and not _is_path(_LINK, link):
        raise FrameError("an entry that leads nowhere")
    return Entry(_name(document.get("name")), link, _file(document.get("file"), uuid, name))


def _file(document: t.Any, uuid: str, name: str) -> File | None:
    if document is None:
        return None
    if not isinstance(document, dict) or not isinstance(document.get("content"), str):
        raise FrameError("a file that is no object with its content")
    if len(document["content"]) > FILE_MAX * 4 // 3 + 4:
        raise FrameError("a file over the limit")
    try:
        content = base64.b64decode(document["content"], validate=True)
    except (binascii.Error, ValueError) as exc:
        raise FrameError("a file whose content cannot be read") from exc
    if len(content) > FILE_MAX or not belongs(content, uuid, name):
        raise FrameError("a file that is not this domain's configuration")
    return File(_name(document.get("name")), content, _owner(document))


def _owner(document: Message) -> Owner:
    mode, group = document.get("mode"), document.get("group", "")
    if not isinstance(mode, int) or isinstance(mode, bool) or not 0 <= mode <= 0o777:
        raise FrameError("a file with a mode that is none")
    if group != "" and not _matches(ACCOUNT, group):
        raise FrameError("a file of nobody")
    return Owner(mode & _MODE, group)


def _name(given: t.Any) -> str:
    if not _is_path(_NAME, given) or autostart.plain_name(given) != given or given in _XENS:
        raise FrameError("a file with a name that is none")
    return str(given)


def _matches(pattern: re.Pattern[str], given: t.Any) -> bool:
    return isinstance(given, str) and pattern.match(given) is not None


def _is_path(pattern: re.Pattern[str], given: t.Any) -> bool:
    """Whether it matches, and a file can be called so here: JSON has texts that no file system has."""
    try:
        return _matches(pattern, given) and bool(os.fsencode(given))
    except UnicodeEncodeError:
        return False
