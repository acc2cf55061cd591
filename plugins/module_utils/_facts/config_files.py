# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the configuration file of a domain on this host (private to the collection). Nothing is changed."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tempfile
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._facts.autostart import Roots, config_identity, read_start
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import ConfigFile
from ansible_collections.dom0.xen.plugins.module_utils._facts.masking import mask, mask_text
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.config_file import completed, differences
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import CONFIG_MAX

# A path, and the name and the UUID that the file gives.
Found = t.Tuple[str, t.Tuple[t.Optional[str], t.Optional[str]]]
# What xl makes of the file of this path (Xl.understood).
Understood = t.Callable[[str], t.Mapping[str, t.Any]]
# How many lines of xl about a file that it does not take are told.
_LINES = 4


class ConfigFiles:
    """The configuration files of this host, looked through once, when the first domain is asked for."""

    def __init__(self, where: Roots | None = None) -> None:
        self._where = where
        self._found: list[Found] | None = None

    def of(
        self,
        uuid: str,
        name: str,
        config: t.Mapping[str, t.Any],
        given: str = "",
        understood: Understood | None = None,
    ) -> tuple[ConfigFile, ...]:
        """Return the files that would make the domain: the one that is ``given``, or all that are found.

        Those that have its UUID, or, where there are none, those without a UUID that have its name. Two with one
        content are one. ``config`` is what the domain runs with. ``understood`` says what xl makes of the given one,
        and of one that differs from what runs.
        """
        if given:
            found = [(given, config_identity(given) or (None, None))] if read_config(given) is not None else []
        else:
            found = self._named(uuid, name)
        made: dict[str, ConfigFile] = {}
        for path, (own_name, own_uuid) in found:
            text = read_config(path)
            if text is not None:
                file = ConfigFile(path, own_name, own_uuid, differences(text, config))
                if understood is not None and (given or file.differs):
                    file = _read_by_xl(file, text, (config, uuid, name), understood)
                made.setdefault(text, file)
        return tuple(made.values())

    def _named(self, uuid: str, name: str) -> list[Found]:
        if self._found is None:
            self._found = list(_identities(autostart.roots() if self._where is None else self._where))
        by_uuid = [each for each in self._found if each[1][1] == uuid]
        return by_uuid or [each for each in self._found if each[1] == (name, None)]


def digest(text: str) -> str:
    """Return what tells a configuration file's content from another one."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _read_by_xl(
    file: ConfigFile, text: str, domain: tuple[t.Mapping[str, t.Any], str, str], understood: Understood
) -> ConfigFile:
    """Return it with what xl makes of its text, made complete for the domain, or with why xl makes nothing of it."""
    file = dataclasses.replace(file, digest=digest(text))
    path = ""
    try:
        # In a file of its own, as xl reads regular files only; it may hold passwords, and is nobody's but root's.
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="dom0-xen-", suffix=".cfg") as made:
            path = made.name
            made.write(completed(text, *domain, goes_off=False))
            made.flush()
            return dataclasses.replace(file, config=mask(understood(path)))
    except (OSError, ValueError) as exc:
        return dataclasses.replace(file, problem=str(exc))
    except Dom0XenError as exc:
        said = str(exc.details.get("stderr") or exc.message).strip().splitlines()
        return dataclasses.replace(file, problem=mask_text("; ".join(said[-_LINES:]).replace(path, file.path)))


def read_config(path: str) -> str | None:
    """Return the text of a configuration file; None where there is none, or one that no person wrote."""
    data = read_start(path, CONFIG_MAX + 1)
    if data is None or len(data) > CONFIG_MAX or b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _identities(where: Roots) -> t.Iterator[Found]:
    """Yield each file that names a domain, links followed, with what it names it; none that a session has kept."""
    at_boot = [each for each in autostart.entries(where) if each.kind == autostart.CONFIG]
    lying = [each for each in autostart.configs(where, links=True) if _is_ours(each.path)]
    seen = set()
    for each in (*lying, *at_boot):
        path = os.path.realpath(each.path)
        if each.set_aside is None and path not in seen and not autostart.is_moved(os.path.basename(path)):
            seen.add(path)
            yield path, (each.name, each.uuid)


def _is_ours(path: str) -> bool:
    """Whether it lies there itself, or is a link to what nobody but its owner, root as a rule, can have written.

    People keep configurations elsewhere, and link them from here. But ``xl`` runs what is named in one as root, and who
    can write below another folder need not be who administrates the host.
    """
    if not os.path.islink(path):
        return True
    try:
        leads = os.stat(path)
    except OSError:
        return False
    return leads.st_uid in (0, os.geteuid()) and not leads.st_mode & 0o022
