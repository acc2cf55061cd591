# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source's part in what goes with a domain: found while memory flows, set aside when the domain has left (private).

What starts the domain at boot is taken out of force by :mod:`autostart`, before the commit. The configuration file is
left alone until the destination is known to run the domain, and then gets another name where it lies.
"""

from __future__ import annotations

import contextlib
import grp
import hashlib
import os
import stat
import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._durable import sync_folder
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings import belongings
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.belongings import Belongings, Entry, File
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents

FILE = "leaving.json"

Remark = t.Dict[str, str]


class Leaving:
    """One session's, with its journal folder. :meth:`gather` once, :meth:`answered`, then :meth:`finish`, any often.

    A process that comes later (settling) goes on from the record in the folder.
    """

    def __init__(self, folder: str, session: str, uuid: str, name: str, where: autostart.Roots | None = None) -> None:
        self._path = os.path.join(folder, FILE)
        self._session = session
        self._uuid, self._name = uuid, name
        self._where = autostart.roots() if where is None else where
        self._record = documents.read(self._path) or {}
        self._kept_as: str | None = None
        self._remarks: list[Remark] = []

    @property
    def told(self) -> dict[str, t.Any]:
        """What the result says of it: the file, where it is kept now, and what a person should know."""
        return {"config": self._record.get("config"), "kept_as": self._kept_as, "remarks": list(self._remarks)}

    def gather(self, described_by: str = "") -> Belongings:
        """Return what goes with the domain, before anything is set aside. Raises OSError.

        Where a file is ``described_by`` the caller for the destination, or is what the domain is started from there,
        that one goes, under the name of the domain's own: which is set aside all the same, as the domain is not there
        any more.
        """
        own, path = self._config(described_by)
        file = self._in_place_of(own, path, described_by)
        if file is not None and file is not own and not (autostart.identity_of(file.content) or ("", ""))[1]:
            self._remark_without_uuid(described_by)
        entries: list[Entry] = []
        size = len(file.content) if file else 0
        for entry in autostart.entries(self._where):
            if entry.kind != autostart.CONFIG or entry.set_aside or not entry.makes(self._uuid, self._name):
                continue
            found = self._entry(entry.path, (path, described_by))
            if found is not None and found.file is not None and file is not None and file is not own:
                found = replace(found, file=replace(found.file, content=file.content))
            size += len(found.file.content) if found and found.file else 0
            if found is not None and len(entries) < belongings.ENTRIES_MAX and size <= belongings.ALL_MAX:
                entries.append(found)
        gathered = Belongings(file, tuple(entries))
        try:
            belongings.read(gathered.to_message(), self._uuid, self._name)
        except FrameError as exc:
            self._remark(
                "config_odd",
                f"what configures {self._name} does not go with it: {exc.message}.",
                "Copy the files by hand.",
            )
            return Belongings()
        if path is not None and own is not None and file is not None:
            try:
                record = {"format": 1, "config": path, "digest": _digest(own.content), "seen": None}
                self._write({**record, "another_went": file is not own})
            except OSError as exc:
                problem = f"{self._path} cannot be written: {exc.strerror}; {path} does not go with {self._name}."
                self._remark("config_not_kept", problem, "Make room there, and copy the file by hand.")
                return Belongings()
        return gathered

    def apart(self, path: str) -> str:
        """Return the path of a file; empty where that is what starts the domain at boot, and goes as that."""
        entries = autostart.entries(self._where) if path else ()
        at_boot = {os.path.realpath(each.path) for each in entries if each.kind == autostart.CONFIG}
        return "" if os.path.realpath(path) in at_boot else path

    def answered(self, state: str | None) -> None:
        """Take the destination's word, on record for whoever settles."""
        if self._record:
            with contextlib.suppress(OSError):
                self._write({**self._record, "seen": state})

    def finish(self) -> None:
        """The destination runs the domain: give the file another name, if the destination has taken it.

        Where both hosts have had the same file it stays: it may be one file, or belong to whoever configures both.
        """
        path, state = self._record.get("config"), self._record.get("seen")
        # What the destination has had is then the same as the one that has gone, and that is not this one.
        taken = state == belongings.SAME and self._record.get("another_went")
        if not path or not (taken or state in (belongings.FREE, belongings.OTHER)):
            return
        folder, name = os.path.split(path)
        aside = os.path.join(folder, autostart.moved_name(name, self._session))
        content = autostart.read_start(path, belongings.FILE_MAX + 1)
        if os.path.lexists(aside):
            self._kept_as = aside
        elif content is not None and _digest(content) != self._record.get("digest"):
            self._remark(
                "config_changed",
                f"{path} was changed during the move: it stays, and what went along is older.",
                "Bring the two together, and remove it here.",
            )
        elif content is not None:
            try:
                os.rename(path, aside)
                sync_folder(folder)
                self._kept_as = aside
            except OSError as exc:
                self._remark(
                    "config_left",
                    f"{path} could not be given another name: {exc.strerror}.",
                    f"The domain is not here any more: move the file to {aside}.",
                )
        self._drop_same(aside)

    def drop(self) -> None:
        """The domain stays: forget it."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _drop_same(self, aside: str) -> None:
        """Remove what earlier sessions have kept under the same plain name, with the same contents."""
        folder, kept = os.path.split(aside)
        drop_same(folder, autostart.plain_name(kept), autostart.read_start(aside, belongings.FILE_MAX), (aside,))

    def _in_place_of(self, own: File | None, path: str | None, described_by: str) -> File | None:
        """Return the file that goes: the domain's ``own``, or the one that it is described by at the destination."""
        if not described_by or (path is not None and os.path.realpath(path) == os.path.realpath(described_by)):
            return own
        given = self._read(described_by)
        return replace(given, name=own.name) if given is not None and own is not None else given

    def _config(self, preferred: str = "") -> tuple[File | None, str | None]:
        """Return the domain's configuration and its path; (None, None) with a remark where it cannot be told.

        Of several between which nothing else decides the ``preferred`` one is it.
        """
        candidates = [each for each in autostart.configs(self._where) if each.makes(self._uuid, self._name)]
        for each in candidates:
            if each.uuid not in (None, self._uuid):
                self._remark(
                    "config_other_uuid",
                    f"{each.path} names {each.name}, with the UUID {each.uuid}: it does"
                    " not go with the domain, whose UUID is another one.",
                    "If it is the domain's all the same, correct the UUID in it.",
                )
        mine = [each.path for each in candidates if each.uuid in (None, self._uuid)]
        path = self._choose(mine, [each.path for each in candidates if each.uuid == self._uuid], preferred)
        file = self._read(path) if path is not None else None
        if file is None:
            return None, None
        if path not in [each.path for each in candidates if each.uuid == self._uuid]:
            self._remark_without_uuid(path)
        return file, path

    def _remark_without_uuid(self, path: str | None) -> None:
        self._remark(
            "config_without_uuid",
            f"{path} gives no uuid: when it is started from this file it gets another"
            " one each time, and counts as another domain.",
            f'Add the line: uuid = "{self._uuid}".',
        )

    def _choose(self, mine: list[str], certain: list[str], preferred: str) -> str | None:
        """Return the one that counts: what is started at boot, else by UUID, else named like the domain, else alone."""
        started = {self._lead(entry.path) for entry in autostart.entries(self._where) if not entry.set_aside}
        usual = [os.path.join(autostart.config_folder(self._where), self._name + end) for end in ("", ".cfg")]
        plain = [path for path in mine if autostart.plain_name(path) == path]
        for few in (
            [path for path in mine if path in started],
            certain,
            [path for path in mine if path in usual],
            plain,
            mine,
            [path for path in mine if path == preferred],
        ):
            if len(few) == 1:
                return few[0]
        if mine:
            self._remark(
                "config_ambiguous",
                f"{', '.join(mine)} all configure {self._name}: none goes with it.",
                "Keep one of them there, and copy it to the host that the domain is on now.",
            )
        return None

    def _read(self, path: str) -> File | None:
        content = autostart.read_start(path, belongings.FILE_MAX + 1)
        if content is None or len(content) > belongings.FILE_MAX:
            self._remark(
                "config_too_large",
                f"{path} has more than {belongings.FILE_MAX // 1024} KiB, or cannot be read:"
                " it does not go with the domain.",
                "Copy it by hand.",
            )
            return None
        name = autostart.plain_name(os.path.basename(path))
        return File(name, content, _owner(os.stat(path)))

    def _lead(self, path: str) -> str:
        """Return where an entry leads, without following more than one link."""
        if not os.path.islink(path):
            return path
        return os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))

    def _entry(self, path: str, configs: t.Container[str | None]) -> Entry | None:
        name = os.path.basename(path)
        if not os.path.islink(path):
            file = self._read(path)
            certain = file is not None and belongings.belongs(file.content, self._uuid, self._name)
            return Entry(name, file=file) if certain else None
        leads = self._lead(path)
        return Entry(name) if leads in configs else Entry(name, link=leads)

    def _write(self, record: dict[str, t.Any]) -> None:
        documents.write(self._path, record, durable=True)
        self._record = record

    def _remark(self, code: str, msg: str, remedy: str) -> None:
        remark = {"code": code, "msg": msg, "remedy": remedy}
        if remark not in self._remarks:
            self._remarks.append(remark)


def drop_same(folder: str, plain: str, content: bytes | None, but: t.Container[str] = ()) -> tuple[str, ...]:
    """Remove what sessions have kept of a file, where its contents are these; return what is left of it."""
    left = []
    for name in sorted(os.listdir(folder)) if content is not None and os.path.isdir(folder) else ():
        path = os.path.join(folder, name)
        if path in but or not autostart.is_moved(name) or autostart.plain_name(name) != plain:
            continue
        if autostart.read_start(path, belongings.FILE_MAX + 1) == content:
            with contextlib.suppress(OSError):
                os.unlink(path)
        else:
            left.append(path)
    return tuple(left)


def _owner(found: os.stat_result) -> belongings.Owner:
    group = ""
    with contextlib.suppress(KeyError):
        group = grp.getgrgid(found.st_gid).gr_name
    return belongings.Owner(stat.S_IMODE(found.st_mode) & 0o777, group if belongings.ACCOUNT.match(group) else "")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
