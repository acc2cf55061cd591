# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting a domain that was shut down, from its configuration file (private to the collection)."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.config_files import ConfigFiles, read_config
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.config_file import completed
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl


class NoConfigurationFile(Dom0XenError):
    """There is no file, or more than one, that the domain could be started from."""

    code = "no_configuration_file"
    remedy = "Start it by hand, with xl create and its configuration file."


class NameTaken(Dom0XenError):
    """Another domain has the name."""

    code = "name_taken"
    remedy = "Rename that one, or start this one under another name by hand."


def is_there(xl: Xl, uuid: str, name: str) -> bool:
    """Whether the host has the domain, under whatever name. Raises NameTaken, and what ``xl`` raises."""
    rows = xl.domains()
    if any(row.uuid == uuid for row in rows):
        return True
    other = next((row for row in rows if row.name == name), None)
    if other is not None:
        raise NameTaken(f"a domain {other.uuid} has the name {name}")
    return False


def find(uuid: str, name: str, files: ConfigFiles | None = None) -> str:
    """Return the path of the file that makes the domain. Raises NoConfigurationFile."""
    found = [file.path for file in (files or ConfigFiles()).of(uuid, name, {})]
    if len(found) != 1:
        what = f"more than one file for it: {', '.join(found)}" if found else "no configuration file for it"
        raise NoConfigurationFile(f"{name} cannot be started: the host has {what}")
    return found[0]


def start(xl: Xl, path: str, uuid: str, name: str, macs: t.Sequence[str], runtime: str) -> bool:
    """Start it from this file as the domain that it was: its UUID, its name, its cards' addresses.

    Returns whether it was started, not when it has come meanwhile. Raises NoConfigurationFile, DomainBusy when a
    session has it, NameTaken, what ``xl`` raises, and OSError.
    """
    text = read_config(path)
    if text is None:
        raise NoConfigurationFile(f"{name} cannot be started: {path} is no configuration file that can be read")
    lock = DomainLock(runtime, uuid, RECEIVER)
    try:
        if is_there(xl, uuid, name):
            return False
        config = {"nics": [{"mac": mac} for mac in macs]} if macs else {}
        try:
            whole = completed(text, config, uuid, name, goes_off=False)
        except ValueError as exc:
            raise NoConfigurationFile(f"{name} cannot be started from {path}: {exc}") from exc
        # It may hold passwords, and is nobody's but root's.
        fd, made = tempfile.mkstemp(prefix="start-", suffix=".cfg", dir=runtime)
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(whole)
            xl.create(made)
            return True
        finally:
            os.unlink(made)
    finally:
        with contextlib.suppress(OSError):
            lock.release()
