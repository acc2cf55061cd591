# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``xl migrate-receive`` is to the receiver, for a domain that is shut down: the method ``cold`` (private).

A process of its own, which speaks the receiving side of the protocol (tools/xl/xl_migrate.c migrate_receive) on its
standard input and output. The file that came with the domain is made complete, looked at by this host's xl, and put on
the disk: that it is there says that the guest may be shut down. When the end of the stream has come, the domain is
made, paused; it is started when the permission has.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.brought import DiskFileMissing, require_files
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import CONFIG
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import write_all
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.stand_in import Answers, GivenUp
from ansible_collections.dom0.xen.plugins.module_utils._session.stream import bare_stream
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import AnotherDomain, CopyChanged, NoRoom
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.config_file import completed
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import parse_autoballoon
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import patient_runner, subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import (
    BANNER,
    PERMISSION,
    PERMISSION_NOT_RECEIVED,
    READY,
    REPORT,
)
from ansible_collections.dom0.xen.plugins.module_utils._wire.header import config_identity
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.starter import main; "
    "sys.exit(main(*sys.argv[2:]))"
)
SAYS = "migration target: "
XL_CONF = "/etc/xen/xl.conf"
# What the status byte says of a copy that does not start: libxl's generic error, ERROR_FAIL.
_FAILED = 3

# What its exit status means, beside 0 and 1.
ENDS: dict[int, type[Dom0XenError]] = {3: DiskFileMissing}


def argv(code: str, xl: str, uuid: str, name: str, memory_max_kib: int, folder: str) -> list[str]:
    """Return the command that starts it; ``code`` is what to put first on ``sys.path``."""
    return [sys.executable, "-I", "-c", _START, code, xl, uuid, name, str(memory_max_kib), folder]


def main(xl: str, uuid: str, name: str, memory_max_kib: str, folder: str) -> int:
    """Receive the domain; return the exit status that ``xl migrate-receive`` would have, or one of ``ENDS``."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    with XenStore() as store:
        tool = Xl(subprocess_runner(), xl)
        copies = Copies(tool, store, uuid, name)
        return Starter(tool, copies, uuid, name, int(memory_max_kib), os.path.join(folder, CONFIG), 0, 1).run()


class Starter:
    """One migration; ``source`` is read, ``target`` is written, ``path`` is where the configuration file is kept."""

    def __init__(
        self, xl: Xl, copies: Copies, uuid: str, name: str, memory_max_kib: int, path: str, source: int, target: int
    ) -> None:
        self._xl, self._copies = xl, copies
        self._uuid, self._name, self._memory = uuid.lower(), name, memory_max_kib
        self._path, self._input, self._target = path, Answers(source), target
        self._domid: int | None = None
        self._others: frozenset[int] | None = None

    def run(self) -> int:
        """Go through the protocol."""
        try:
            write_all(self._target, BANNER)
            self._prepare()
            if self._input.read(len(bare_stream.BODY)) != bare_stream.BODY:
                raise AnotherDomain("what came is no stream of a domain that is shut down")
            self._make()
            write_all(self._target, READY)
        except (Dom0XenError, GivenUp, OSError) as exc:
            _say(f"{exc}")
            left = self._drop()
            return next((status for status, kind in ENDS.items() if isinstance(exc, kind)), left)
        status = self._start()
        try:
            write_all(self._target, REPORT + bytes([status]))
            if status == 0:
                return 0
            if self._drop() == 0:
                write_all(self._target, PERMISSION)
                return 0
        except OSError as exc:
            _say(f"{exc}")
        return 1

    def _prepare(self) -> None:
        config, data = bare_stream.read_head(self._input.read)
        found = config_identity(config)
        if (found.uuid, found.name) != (self._uuid, self._name):
            raise AnotherDomain(f"{found.name} ({found.uuid}) came in place of {self._name} ({self._uuid})")
        try:
            text = completed(data.decode("utf-8"), json.loads(config), self._uuid, self._name + INCOMING)
        except ValueError as exc:
            raise AnotherDomain(f"the configuration file that came cannot be used: {exc}") from exc
        looked_at = f"{self._path}.looked_at"
        documents.write_text(looked_at, text)
        # What this host's xl reads out of it counts, not what we do.
        arrives = json.dumps(self._xl.understood(looked_at)).encode("utf-8")
        understood = config_identity(arrives)
        if (understood.uuid, understood.name) != (self._uuid, self._name + INCOMING):
            raise AnotherDomain(f"xl reads {understood.name} ({understood.uuid}) out of the file that came")
        memory = max(understood.memory_max_kib, understood.memory_target_kib)
        if memory > self._memory:
            raise AnotherDomain(f"the file says {memory} KiB of memory, this session allows {self._memory}")
        require_files(arrives, ())
        self._require_room(understood.memory_target_kib)
        if self._all():
            raise CopyChanged(f"{self._name} is on this host already")
        documents.write_text(self._path, text)
        os.unlink(looked_at)

    def _require_room(self, needed: int) -> None:
        info = self._xl.info()
        try:
            with open(XL_CONF, encoding="utf-8", errors="replace") as handle:
                conf = handle.read()
        except OSError:
            conf = ""
        free = info.free_memory_mib * 1024
        if free < needed and not parse_autoballoon(conf, info.commandline):
            raise NoRoom(f"{self._name} needs {needed} KiB of memory, and {free} KiB are free")

    def _make(self) -> None:
        self._others = frozenset(row.domid for row in self._all())
        if self._others:
            raise CopyChanged(f"{self._name} was started on this host in the meantime")
        # It may wait for xl's lock for as long as another's arrival takes, and is not killed when this is given up.
        self._xl.create(self._path, paused=True, run=patient_runner())
        rows = self._rows()
        if len(rows) != 1 or not rows[0].state.paused:
            raise CopyChanged(f"{len(rows)} copies of {self._name} are here after xl create")
        self._domid = rows[0].domid
        if select.select([self._input.source], [], [], 0)[0]:
            raise GivenUp("the migration was given up while xl made the domain")
        if len(self._all()) > 1:
            raise CopyChanged(f"{self._name} was started on this host in the meantime")

    def _start(self) -> int:
        """Wait for the permission, then start the domain under its own name; return the status to report."""
        try:
            if self._input.read(len(PERMISSION)) != PERMISSION:
                return PERMISSION_NOT_RECEIVED
        except (GivenUp, OSError) as exc:
            _say(f"{exc}")
            return PERMISSION_NOT_RECEIVED
        try:
            if self._domid is not None:
                self._copies.roll_forward(self._domid)
        except Dom0XenError as exc:
            _say(f"the domain does not start: {exc}")
            return 0 if any(row.state.alive and not row.state.paused for row in self._seen()) else _FAILED
        _say("Domain started successsfully.")
        return 0

    def _drop(self) -> int:
        """Destroy what was made and never ran; return 0 when nothing is left."""
        try:
            for row in self._rows():
                _say("Failure, destroying our copy.")
                self._copies.destroy(row.domid)
        except Dom0XenError as exc:
            _say(f"the copy is left: {exc}")
            return 1
        return 0 if self._domid is not None else 1

    def _rows(self) -> list[DomainRow]:
        """Return what was made here; what was here before, or has another name, is somebody else's."""
        others, own = self._others, self._name + INCOMING
        rows = [] if others is None else [row for row in self._all() if row.domid not in others]
        return [row for row in rows if row.domid == self._domid or row.name == own]

    def _all(self) -> list[DomainRow]:
        return [row for row in self._xl.domains() if row.uuid == self._uuid]

    def _seen(self) -> list[DomainRow]:
        try:
            return self._rows()
        except Dom0XenError:
            return []


def _say(text: t.Any) -> None:
    sys.stderr.write(f"{SAYS}{text}\n")
    sys.stderr.flush()
