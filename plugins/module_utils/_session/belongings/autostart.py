# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping the source from making a second copy of the domain at its next boot (private to the collection).

What makes the domain at boot (:mod:`_facts.autostart`) gets a name that begins with a dot, in the folder where it lies:
``xendomains`` does not see it there, one rename does it on any file system, a relative link keeps its meaning, and
nothing of the host's own is in a folder of ours that is removed one day. What is to be renamed is on the disk before
the first rename, so that it can be undone after a power loss at any moment.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._durable import sync_folder
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents

FILE = "autostart.json"

# States of the record: renames may have been done; they stay done for good; they have been undone.
ASIDE = "aside"
KEPT = "kept"
BACK = "back"


class AutostartUnmovable(Dom0XenError):
    """A file that makes the domain when the host boots could not be set aside, or not put back."""

    code = "autostart"
    remedy = "Look at the files that are named; the folder must be writable and the names free."


class Renamed(t.NamedTuple):
    """One file: where the host looks for it, and where it is kept meanwhile."""

    path: str
    aside: str


class Autostart:
    """What makes one domain at boot, for one session. ``folder`` is the session's journal folder.

    Call :meth:`prepare` while memory flows, :meth:`set_aside` before the commit request, then :meth:`finish` or
    :meth:`put_back`. Each may be called again, by another process too, after having been cut off at any point.
    """

    def __init__(self, folder: str, session: str, where: autostart.Roots | None = None) -> None:
        self._folder = folder
        self._session = session
        self._where = autostart.roots() if where is None else where
        self._seen: t.Sequence[object] | None = None
        self.state, self.renamed = recorded(folder)

    def prepare(self, uuid: str, name: str) -> tuple[Renamed, ...]:
        """Find what has to be set aside and record it; nothing is renamed yet.

        Nothing is written where there is nothing. Raises :class:`AutostartUnmovable`.
        """
        seen = self._changed()
        # Where the file of an earlier call is away already, what lies there now is another one.
        known = {item.path for item in self.renamed if not os.path.lexists(item.aside)}
        taken = {item.aside for item in self.renamed}
        new = []
        for entry in autostart.entries(self._where):
            if entry.set_aside is None and entry.makes(uuid, name) and entry.path not in known:
                if not os.access(os.path.dirname(entry.path), os.W_OK):
                    raise AutostartUnmovable(f"{entry.path} cannot be renamed where it lies", path=entry.path)
                aside = self._free_name(entry.path, taken)
                taken.add(aside)
                new.append(Renamed(entry.path, aside))
        if new:
            self._record(ASIDE, (*self.renamed, *new))
        self._seen = seen
        return self.renamed

    def set_aside(self, uuid: str, name: str) -> tuple[Renamed, ...]:
        """Take everything out of force; when this returns it is on the disk. Raises :class:`AutostartUnmovable`.

        After :meth:`prepare` this looks at two folders, and does nothing else where nothing has to be set aside.
        """
        if self._seen is None or self._seen != self._changed():
            self.prepare(uuid, name)
        if self.state == ASIDE:
            _rename([(item.path, item.aside) for item in self.renamed])
            self._seen = self._changed()
        return self.renamed

    def put_back(self) -> tuple[Renamed, ...]:
        """Put everything in force again; return what stays aside, since something new lies in its place.

        Nothing is done when nothing was set aside, or after :meth:`finish`. Raises :class:`AutostartUnmovable`.
        """
        if self.state == ASIDE:
            _rename([(item.aside, item.path) for item in reversed(self.renamed)])
            self._record(BACK, tuple(item for item in self.renamed if os.path.lexists(item.aside)))
        return self.renamed if self.state == BACK else ()

    def finish(self) -> None:
        """Say that the domain lives elsewhere, so that nothing of this is put back any more."""
        if self.state == ASIDE:
            self._record(KEPT, self.renamed)

    def _free_name(self, path: str, taken: t.Container[str]) -> str:
        folder, name = os.path.split(path)
        number = 1
        while True:
            given = name if number == 1 else f"{name}-{number}"
            aside = os.path.join(folder, autostart.aside_name(given, self._session))
            if aside not in taken and not os.path.lexists(aside):
                return aside
            number += 1

    def _record(self, state: str, renamed: tuple[Renamed, ...]) -> None:
        document = {"format": 1, "state": state, "renamed": [list(item) for item in renamed]}
        path = os.path.join(self._folder, FILE)
        try:
            documents.write(path, document, durable=True)
        except OSError as exc:
            raise AutostartUnmovable(f"{path} cannot be written: {exc.strerror}", path=path) from exc
        self.state, self.renamed = state, renamed

    def _changed(self) -> list[object]:
        """Return what is another one when a file has come to one of the folders, or was replaced."""
        found: list[object] = []
        for folder in self._where:
            try:
                found.append((os.stat(folder or "").st_mtime_ns, sorted(os.listdir(folder))))
            except OSError:
                found.append(None)
        return found


def recorded(folder: str) -> tuple[str | None, tuple[Renamed, ...]]:
    """Return the state and the renames that a session's journal folder records; (None, ()) when there are none."""
    document = documents.read(os.path.join(folder, FILE))
    if document is None:
        return None, ()
    return document.get("state"), tuple(Renamed(*item) for item in document.get("renamed", ()))


def bring_back(uuid: str, name: str, where: autostart.Roots | None = None) -> tuple[Renamed, ...]:
    """Put in force again what earlier sessions have set aside of a domain that lives on this host again.

    Where something new lies in its place, that stays. So do images: the domain has run since, and its old memory would
    meet newer disks. Returns what was renamed. Raises :class:`AutostartUnmovable`.
    """
    away = [entry for entry in autostart.entries(autostart.roots() if where is None else where) if entry.set_aside]
    mine = [entry.path for entry in away if entry.kind == autostart.CONFIG and autostart.is_of(entry, uuid, name)]
    pairs = [(path, autostart.original_path(path)) for path in mine]
    return tuple(Renamed(path, aside) for aside, path in _rename(pairs))


def _rename(pairs: t.Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Rename what is there, never over something; then make all folders durable, whoever did the renames."""
    folders: dict[str, None] = {}
    done = []
    for old, new in pairs:
        folders[os.path.dirname(old)] = None
        if os.path.lexists(old) and not os.path.lexists(new) and _try(os.rename, old, new):
            done.append((old, new))
    for folder in folders:
        _try(sync_folder, folder)
    return done


def _try(function: t.Callable[..., None], *paths: str) -> bool:
    try:
        function(*paths)
    except FileNotFoundError:
        return False  # somebody has removed it meanwhile: then it makes nothing any more
    except OSError as exc:
        raise AutostartUnmovable(f"{paths[0]} cannot be renamed: {exc.strerror}", path=paths[0]) from exc
    return True
