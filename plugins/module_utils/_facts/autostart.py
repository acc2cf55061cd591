# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host starts by itself when it boots, and its configuration files (private). Nothing is changed.

``xendomains`` restores every image in one folder and then starts every configuration in another whose domain does not
run, by its name alone; it looks at what a shell's ``*`` gives, so not at names that begin with a dot
(tools/hotplug/Linux/xendomains.in start; Debian's /etc/init.d/xendomains do_start_restore and do_start_auto).
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
import typing as t
import uuid

from ansible_collections.dom0.xen.plugins.module_utils._records import AutostartEntry
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import (
    CONFIG_MAX,
    IMAGE_HEAD_BYTES,
    parse_config_file,
    parse_image_identity,
)

CONFIG = "config"
IMAGE = "image"
FILE = "file"

# Debian's and SUSE's first, then Red Hat's (tools/configure.ac CONFIG_LEAF_DIR).
SETTINGS = ("/etc/default/xendomains", "/etc/sysconfig/xendomains")
AUTO = "/etc/xen/auto"
SAVE = "/var/lib/xen/save"
# Where configurations lie by custom (docs/man/xl.cfg.5.pod.in).
CONFIGS = "/etc/xen"

# A folder with more files than this is none in which a person looks after configurations.
CONFIGS_MAX = 1000
_ASIDE = re.compile(r"\A\.(?P<name>.+)\.dom0-xen-(?P<session>[0-9a-f]{16})\Z", re.DOTALL)
_FIXED = re.compile(r"\A[^$`]*\Z")
# What sessions have kept under another name: of a domain that has left, and beside a file that was there before.
_KEPT = re.compile(r"\A(?P<name>[^.].*)\.(?P<how>moved|dom0-xen)-(?P<session>[0-9a-f]{16})\Z", re.DOTALL)
# What editors and packages leave beside a file.
_LEFT = ("~", ".bak", ".old", ".orig", ".save", ".swp", ".rpmnew", ".rpmsave", ".dpkg-old", ".dpkg-new", ".dpkg-dist")


class Roots(t.NamedTuple):
    """The two folders that ``xendomains`` looks at; None where it is told to look at none."""

    auto: str | None = AUTO
    save: str | None = SAVE


def roots(settings: t.Iterable[str] | None = None) -> Roots:
    """Return the folders that this host's settings name; where there are no settings, their defaults."""
    for path in SETTINGS if settings is None else settings:
        text = read_start(path, CONFIG_MAX)
        if text is not None:
            values = _assignments(text.decode("utf-8", "replace"))
            auto, save = values.get("XENDOMAINS_AUTO", AUTO), values.get("XENDOMAINS_SAVE", SAVE)
            return Roots(auto or None, save or None)
    return Roots()


def _assignments(text: str) -> dict[str, str]:
    """Return the plain assignments of a shell file; one that has to be worked out by a shell is left out."""
    found = {}
    for line in text.splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        for word in words[1:] if words[:1] == ["export"] else words[:1]:
            key, equals, value = word.partition("=")
            if equals and _FIXED.match(value):
                found[key] = value
    return found


def aside_name(name: str, session: str) -> str:
    """Return the name under which a session keeps a file of that name where it lies, and ``xendomains`` ignores it."""
    return f".{name}.dom0-xen-{session}"


def original_path(aside: str) -> str:
    """Return where a file that was set aside belongs. Raises ValueError for one that was not."""
    folder, name = os.path.split(aside)
    match = _ASIDE.match(name)
    if match is None:
        raise ValueError(f"{aside} was not set aside by a session")
    return os.path.join(folder, match.group("name"))


def moved_name(name: str, session: str) -> str:
    """Return the name under which a session keeps the configuration of a domain that has left, where it lies."""
    return f"{plain_name(name)}.moved-{session}"


def beside_name(name: str, session: str) -> str:
    """Return the name of a configuration that came with a domain when another file had its name already."""
    return f"{name}.dom0-xen-{session}"


def plain_name(name: str) -> str:
    """Return the name without what a session has put behind it."""
    match = _KEPT.match(name)
    return match.group("name") if match else name


def is_moved(name: str) -> bool:
    """Whether a session keeps this of a domain that has left."""
    match = _KEPT.match(name)
    return match is not None and match.group("how") == "moved"


def config_folder(where: Roots) -> str:
    """Return where the configurations lie: beside the folder for autostart where that is called as by default."""
    auto = (where.auto or "").rstrip("/")
    return os.path.dirname(auto) if os.path.basename(auto) == os.path.basename(AUTO) else CONFIGS


def configs(where: Roots, moved: bool = False, links: bool = False) -> tuple[AutostartEntry, ...]:
    """Return the configurations that lie in the folder for them; with ``moved``, those of domains that have left.

    A file that names no domain, and a link, are none; with ``links`` a link to one is. Those below other folders are
    not looked at.
    """
    folder = config_folder(where)
    found = []
    for name in _names(folder)[:CONFIGS_MAX]:
        path = os.path.join(folder, name)
        if name.startswith(".") or name.endswith(_LEFT) or is_moved(name) != moved:
            continue
        if os.path.islink(path) and not links:
            continue
        identity = config_identity(path)
        if identity is not None:
            match = _KEPT.match(name)
            kept_by = match.group("session") if match else None
            found.append(AutostartEntry(path=path, kind=FILE, name=identity[0], uuid=identity[1], set_aside=kept_by))
    return tuple(found)


def entries(where: Roots) -> tuple[AutostartEntry, ...]:
    """Return everything that makes a domain at boot, images first, and what sessions have set aside.

    Files are opened only if they are regular ones, and read up to a limit. A folder that is not there has none.
    """
    found = []
    for folder, kind in ((where.save, IMAGE), (where.auto, CONFIG)):
        for name in _names(folder):
            entry = _entry(os.path.join(folder or "", name), kind)
            if entry is not None:
                found.append(entry)
    return tuple(found)


def is_of(entry: AutostartEntry, domain_uuid: str, name: str) -> bool:
    """Say whether it is that domain's and no namesake's: by its UUID, and where it gives none by its name."""
    return entry.uuid == domain_uuid or (entry.uuid is None and entry.name == name)


def _names(folder: str | None) -> list[str]:
    try:
        return sorted(os.listdir(folder)) if folder else []
    except OSError:
        return []


def _entry(path: str, kind: str) -> AutostartEntry | None:
    folder, name = os.path.split(path)
    aside = _ASIDE.match(name)
    if name.startswith(".") and aside is None:
        return None
    given = aside.group("name") if aside else name
    session = aside.group("session") if aside else None
    if kind == IMAGE:
        head = read_start(path, IMAGE_HEAD_BYTES)
        if head is None:
            return None  # neither a folder nor a link to nothing is ever restored
        identity = parse_image_identity(head) or (given, None)
    else:
        if os.path.isdir(path):
            return None
        identity = config_identity(path) or (os.path.splitext(given)[0], None)
    return AutostartEntry(path=path, kind=kind, name=identity[0], uuid=identity[1], set_aside=session)


def config_identity(path: str) -> tuple[str | None, str | None] | None:
    """Return name and UUID that a configuration file of xl gives its domain, each None where it gives none.

    None when there is no readable file, or it names no domain.
    """
    text = read_start(path, CONFIG_MAX)
    return None if text is None else identity_of(text)


def identity_of(text: bytes) -> tuple[str | None, str | None] | None:
    """Return what :func:`config_identity` does, for the contents of such a file."""
    settings = parse_config_file(text.decode("utf-8", "replace"))
    name, identity = settings.get("name"), None
    with contextlib.suppress(KeyError, ValueError):
        identity = str(uuid.UUID(settings["uuid"]))
    return (name, identity) if name or identity else None


def read_start(path: str, limit: int) -> bytes | None:
    """Return the first bytes of a regular file, or None; a FIFO or device is not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return None
    try:
        return os.read(fd, limit) if stat.S_ISREG(os.fstat(fd).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(fd)
