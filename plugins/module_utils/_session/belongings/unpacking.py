# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The destination's part in what goes with a domain: kept while memory flows, put in place when it runs here (private).

Nothing that is there is written over. What cannot have its own name gets one beside it, and what could not be put in
place is told. Each step may be done again, by a process that comes later (settling) too.
"""

from __future__ import annotations

import contextlib
import grp
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._durable import sync_folder
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._mapping import Names
from ansible_collections.dom0.xen.plugins.module_utils._records import AutostartEntry
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings import belongings
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.autostart import bring_back
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.belongings import (
    FREE,
    OTHER,
    SAME,
    Belongings,
    File,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.leaving import Remark, drop_same
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.config_names import unnamed
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import CONFIG_MAX

FILE = "belongings.json"


class Unpacking:
    """One session's, with its journal folder. :meth:`keep`, then :meth:`unpack` or :meth:`drop`."""

    def __init__(
        self,
        folder: str,
        session: str,
        uuid: str,
        name: str,
        where: autostart.Roots | None = None,
        names: Names | None = None,
    ) -> None:
        """``names`` are this host's, for what the files call as the source does."""
        self._names = names or Names()
        self._path = os.path.join(folder, FILE)
        self._session = session
        self._uuid, self._name = uuid, name
        self._where = autostart.roots() if where is None else where
        self._folder = autostart.config_folder(self._where)
        self._config: str | None = None
        self._put: list[str] = []
        self._remarks: list[Remark] = []

    @property
    def told(self) -> dict[str, t.Any]:
        """What the result says of it: the domain's configuration here, what was put in place, what one should know."""
        return {"config": self._config, "put": list(self._put), "remarks": list(self._remarks)}

    def keep(self, message: t.Mapping[str, t.Any]) -> str | None:
        """Keep what has come until the domain runs here; return what to answer of its configuration.

        Raises :class:`FrameError` for a message that is not about this domain.
        """
        found = belongings.read(message, self._uuid, self._name).renamed(self._names)
        self._tell_unnamed(found)
        try:
            documents.write(self._path, found.to_message(), durable=True)
        except OSError as exc:
            self._remark(
                "config_not_kept", f"{self._path} cannot be written: {exc.strerror}.", "Copy the files by hand."
            )
            return None
        return self._state(self._folder, found.config) if found.config is not None else None

    def _tell_unnamed(self, found: Belongings) -> None:
        files = (found.config, *(entry.file for entry in found.entries))
        file = next((each for each in files if each is not None), None)
        left = unnamed(file.content, self._names) if file is not None else ()
        if file is not None and left:
            names = ", ".join(f"{entry['what']} {entry['to']} (on the source {entry['from']})" for entry in left)
            self._remark(
                "config_unnamed",
                f"{file.name}, which came with {self._name}, does not name what it has here: {names}. Started from"
                " this file it may get another one, or none.",
                "Write it into the file; a bridge that is left out is the one of /etc/xen/xl.conf.",
            )

    def unpack(self) -> None:
        """The domain runs here: put in place what came with it, and what it has left here itself on an earlier move."""
        came = self._kept()
        try:
            if came.config is not None:
                self._config = self._place(self._folder, came.config)
            self._bring_back(came.config)
            for entry in came.entries:
                self._start_at_boot(entry)
            self._bring_back_autostart()
        except OSError as exc:
            self._remark(
                "config_not_written",
                f"{exc.filename or self._folder} cannot be written: {exc.strerror}.",
                f"What came with the domain is in {self._path}; copy the files from the source by hand.",
            )
            return
        self.drop()

    def drop(self) -> None:
        """Forget what has come."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _kept(self) -> Belongings:
        document = documents.read(self._path)
        with contextlib.suppress(FrameError):
            return belongings.read(document or {"entries": []}, self._uuid, self._name)
        return Belongings()

    # The configuration. ---

    def _state(self, folder: str, file: File) -> str:
        path = os.path.join(folder, file.name)
        if not os.path.lexists(path):
            return FREE
        same = autostart.read_start(path, belongings.FILE_MAX + 1) == file.content
        return SAME if same and not os.path.islink(path) else OTHER

    def _place(self, folder: str, file: File) -> str:
        """Put a file in its place, else beside what is there; return where the domain's configuration is now."""
        path = os.path.join(folder, file.name)
        if self._state(folder, file) == FREE:
            with contextlib.suppress(FileExistsError):
                self._write(path, file)
        if self._state(folder, file) == SAME:
            left = drop_same(folder, file.name, file.content)
            for other in left:
                self._remark(
                    "config_differs",
                    f"{other}, which {self._name} had here before, is not the same as what it"
                    f" has brought along: {path}.",
                    "Take over what is right for this host, and remove the other.",
                )
            return path
        beside = os.path.join(self._folder, autostart.beside_name(file.name, self._session))
        if not os.path.lexists(beside):
            self._write(beside, file)
        drop_same(self._folder, file.name, file.content)
        mine = belongings.belongs(autostart.read_start(path, CONFIG_MAX) or b"", self._uuid, self._name)
        whose = f"which is {self._name}'s too, and counts" if mine else "which is another domain's"
        self._remark(
            "config_name_taken",
            f"there was another {path}, {whose}; what came with the domain is in {beside}.",
            f"Compare the two, and keep one of them for {self._name}.",
        )
        return path if mine else beside

    def _write(self, path: str, file: File) -> None:
        """Make a file that was not there, whole and durable. Raises FileExistsError, and other OSErrors."""
        folder = os.path.dirname(path)
        temporary = os.path.join(folder, f".{file.name}.dom0-xen-{self._session}.new")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(fd, "wb") as handle:
                handle.write(file.content)
                handle.flush()
                _give(fd, file.owner)
                os.fsync(fd)
            os.link(temporary, path, follow_symlinks=False)
        finally:
            os.unlink(temporary)
        sync_folder(folder)
        self._put.append(path)

    def _bring_back(self, came: File | None) -> None:
        """Where nothing came, give the configuration that was kept when the domain left its name again."""
        away = [entry for entry in autostart.configs(self._where, moved=True) if self._is_mine(entry)]
        if came is not None or not away:
            return
        newest = max((entry.path for entry in away), key=lambda path: os.lstat(path).st_ctime_ns)
        path = os.path.join(self._folder, autostart.plain_name(os.path.basename(newest)))
        if not os.path.lexists(path):
            os.rename(newest, path)
            sync_folder(self._folder)
            self._put.append(path)
            drop_same(self._folder, os.path.basename(path), autostart.read_start(path, belongings.FILE_MAX))
        if self._leads_to_it(path):
            self._config = path

    # What starts it at boot. ---

    def _start_at_boot(self, entry: belongings.Entry) -> None:
        auto = self._where.auto
        if auto is None:
            self._remark(
                "autostart_unknown_here",
                f"this host starts nothing at boot, and the source had {entry.name}.",
                "Set XENDOMAINS_AUTO in the settings of xendomains, and make the link by hand.",
            )
            return
        path = os.path.join(auto, entry.name)
        if entry.file is not None:
            if self._state(auto, entry.file) == FREE:
                _make_folder(auto)
                self._write(path, entry.file)
            elif self._state(auto, entry.file) == OTHER:
                self._taken(path)
            return
        target = entry.link or self._config
        if target is None or (entry.link and not self._leads_to_it(entry.link)):
            self._remark(
                "autostart_leads_nowhere",
                f"{path} was not made: on the source it leads to"
                f" {entry.link or 'a file that did not come along'}, which is not {self._name}'s"
                " configuration here.",
                f"See that the file is here, and make the link in {auto} by hand.",
            )
        elif not os.path.lexists(path):
            text = target if entry.link else os.path.relpath(target, auto)
            _make_folder(auto)
            os.symlink(text, path)
            sync_folder(auto)
            self._put.append(path)
        elif _lead(path) != os.path.normpath(target):
            self._taken(path)

    def _taken(self, path: str) -> None:
        self._remark(
            "autostart_name_taken",
            f"{self._name} is not started at boot: there was another {path}.",
            "Make a link of another name to its configuration there.",
        )

    def _is_mine(self, entry: AutostartEntry) -> bool:
        return autostart.is_of(entry, self._uuid, self._name)

    def _leads_to_it(self, target: str) -> bool:
        content = autostart.read_start(target, CONFIG_MAX) if os.path.isabs(target) else None
        return content is not None and belongings.belongs(content, self._uuid, self._name)

    def _bring_back_autostart(self) -> None:
        """What sessions have set aside here comes back; where it is there again, what was aside is not needed."""
        try:
            self._put += [item.path for item in bring_back(self._uuid, self._name, self._where)]
        except Dom0XenError as exc:
            self._remark("autostart_not_back", exc.message, exc.remedy)
        for entry in autostart.entries(self._where):
            if not entry.set_aside or not self._is_mine(entry):
                continue
            if entry.kind == autostart.IMAGE:
                self._remark(
                    "image_set_aside",
                    f"{entry.path} is an older image of {self._name}, whose disks have changed since: it stays aside.",
                    "Remove it.",
                )
            elif _alike(entry.path, autostart.original_path(entry.path)):
                os.unlink(entry.path)

    def _remark(self, code: str, msg: str, remedy: str) -> None:
        remark = {"code": code, "msg": msg, "remedy": remedy}
        if remark not in self._remarks:
            self._remarks.append(remark)


def _make_folder(path: str) -> None:
    """Make the folder for autostart where it is not there: Debian's settings name one that no package brings."""
    if not os.path.isdir(path):
        os.makedirs(path, mode=0o755, exist_ok=True)
        sync_folder(os.path.dirname(path))


def _lead(path: str) -> str | None:
    """Return where a link leads, None where it is none."""
    if not os.path.islink(path):
        return None
    return os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))


def _alike(aside: str, plain: str) -> bool:
    if os.path.islink(aside) or os.path.islink(plain):
        return _lead(aside) is not None and _lead(aside) == _lead(plain)
    content = autostart.read_start(plain, belongings.FILE_MAX + 1)
    return content is not None and content == autostart.read_start(aside, belongings.FILE_MAX + 1)


def _give(fd: int, owner: belongings.Owner) -> None:
    """Give a file its mode and group; one that this host does not know is root's, whoever runs this."""
    os.fchmod(fd, owner.mode)
    with contextlib.suppress(KeyError, PermissionError):
        if owner.group:
            os.fchown(fd, -1, grp.getgrnam(owner.group).gr_gid)
