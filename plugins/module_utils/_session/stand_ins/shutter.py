# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``xl migrate`` is to the sender, for a domain that is shut down: the method ``cold`` (private).

A process of its own, as :mod:`saver`, which speaks the sending side of the protocol (tools/xl/xl_migrate.c
migrate_domain). Behind the configuration in the header, where xl skips what it does not know, the file goes along that
the domain is made from. The stream itself is empty, and its end says that the domain is down.

* The guest is asked only after the sender's word, which comes when that is on record and the destination is prepared.
* What somebody has taken in hand meanwhile is left to them: it neither goes on nor is started again.
* Before the permission whatever fails ends with the guest running here: as it did, or started again.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.config_files import read_config
from ansible_collections.dom0.xen.plugins.module_utils._session.copies import late_shutdown
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import Being, Downfall, taken_in_hand
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import write_all
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.stand_in import (
    Answers,
    GivenUp,
    configuration,
    connect,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.stream import bare_stream
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import (
    CopyChanged,
    GuestCameBack,
    GuestCrashed,
    GuestIgnoresShutdown,
    GuestLingers,
    NoConfiguration,
    TakenAway,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.messages import COPY_MADE_TEXT
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.config_file import completed
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import spawn, subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import BANNER, PERMISSION, READY, REPORT
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.shutter import main; "
    "sys.exit(main(*sys.argv[2:]))"
)
SAYS = "shut down and start there: "
_LOOK_INTERVAL = 0.4
_ASK_INTERVAL = 10.0
# How long a process that was killed is waited for.
_KILLED_S = 5.0

# What its exit status means, beside 0 and 1.
ENDS: dict[int, type[Dom0XenError]] = {
    3: GuestIgnoresShutdown,
    4: GuestCameBack,
    5: GuestCrashed,
    6: TakenAway,
    7: GuestLingers,
}


def argv(code: str, shim_socket: str, xl: str, domid: int, uuid: str, name: str, *more: str) -> list[str]:
    """Return the command that starts it; ``more``: the configuration file, the journal folder, the time limit."""
    return [sys.executable, "-I", "-c", _START, code, shim_socket, xl, str(domid), uuid, name, *more]


def main(shim_socket: str, xl: str, domid: str, uuid: str, name: str, config: str, folder: str, limit: str) -> int:
    """Move the domain; return the exit status that ``xl migrate`` would have: 0 when it runs at the destination."""
    stream, answers = connect(shim_socket)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    with XenStore() as store:
        tool = Xl(subprocess_runner(), xl)
        down = Downfall(tool, uuid, name, int(domid), folder)
        return Shutter(tool, store, down, int(domid), uuid, name, config, float(limit), stream, answers).run()


class Shutter:
    """One migration. ``stream`` is written, ``answers`` is read; both are blocking descriptors."""

    def __init__(
        self,
        xl: Xl,
        store: XenStore,
        down: Downfall,
        domid: int,
        uuid: str,
        name: str,
        config: str,
        limit: float,
        stream: int,
        answers: int,
    ) -> None:
        self._xl, self._store, self._downfall = xl, store, down
        self._domid, self._uuid, self._name = domid, uuid.lower(), name
        self._config, self._limit, self._folder = config, limit, os.path.dirname(down.path)
        self._stream, self._answers = stream, Answers(answers)
        self._deadline = self._ask_again = 0.0
        self._asking: subprocess.Popen[bytes] | None = None
        self._asked = self._permitted = False
        self._being = Being.HERE

    def run(self) -> int:
        """Go through the protocol; whatever fails before the permission ends with the guest running here."""
        try:
            self._begin()
            self._shut_down()
            write_all(self._stream, bare_stream.BODY)
            self._permit()
        except (Dom0XenError, GivenUp, OSError) as exc:
            _say(f"{exc}")
            if not self._permitted:
                self._go_back(waits=not isinstance(exc, tuple(ENDS.values())))
            return next((status for status, kind in ENDS.items() if isinstance(exc, kind)), 1)
        return self._report()

    def _begin(self) -> None:
        self._answers.expect(BANNER)
        config = configuration(self._xl, self._domid, self._uuid, self._name)
        text = read_config(self._config)
        if text is None:
            raise NoConfiguration(f"{self._config} is no configuration file that can be read")
        try:
            own = completed(text, config, self._uuid, self._name)
        except ValueError as exc:
            raise NoConfiguration(str(exc)) from exc
        # From here the domain can be started again, whatever becomes of the file.
        documents.write_text(self._downfall.path, own)
        understood = self._xl.understood(self._downfall.path).get("c_info") or {}
        if (str(understood.get("uuid")).lower(), understood.get("name")) != (self._uuid, self._name):
            raise NoConfiguration(f"xl reads another domain out of {self._config}")
        write_all(self._stream, bare_stream.head(json.dumps(config).encode("utf-8"), text.encode("utf-8")))

    def _shut_down(self) -> None:
        self._answers.expect(COPY_MADE_TEXT)
        # It may be gone, and its monitor with it, before it is looked at.
        log = self._downfall.attend()
        late_shutdown.is_asked(self._domid, self._folder, log)
        self._asked, self._deadline = True, time.monotonic() + self._limit
        while True:
            self._ask()
            if select.select([self._answers.source], [], [], _LOOK_INTERVAL)[0]:
                raise GivenUp("the migration was given up")
            if self._is_down():
                return
            if time.monotonic() > self._deadline:
                raise self._too_long()

    def _too_long(self) -> Dom0XenError:
        if self._being in (Being.ZOMBIE, Being.LEAVING):
            # What a backend holds on to may be a write that is on its way, and must not come after those made there.
            return GuestLingers(f"{self._name} has shut down, and its domain is not gone after {self._limit:g} s")
        return GuestIgnoresShutdown(f"{self._name} has not shut down within {self._limit:g} s")

    def _is_down(self) -> bool:
        being, row = self._downfall.look()
        self._being = being
        if being is Being.HERE and row is not None and row.domid != self._domid:
            how = f"in place of shutting down; its domid is {row.domid}"
            if self._downfall.crashed_before:
                raise GuestCrashed(f"{self._name} has crashed, and was started again, {how}")
            raise GuestCameBack(f"{self._name} has rebooted {how}")
        if being is Being.CRASHED:
            raise GuestCrashed(f"{self._name} has crashed in place of shutting down")
        if being is Being.TAKEN or taken_in_hand(row, self._domid, self._name):
            raise TakenAway(f"somebody destroys, saves or moves {self._name}, or has, in place of its shutting down")
        return being is Being.DOWN

    def _ask(self) -> None:
        """Run ``xl shutdown``, and again when the guest has not agreed: it may have been starting up."""
        again = self._asking is not None and self._asking.poll() and time.monotonic() > self._ask_again
        if self._asking is None or again:
            self._ask_again = time.monotonic() + _ASK_INTERVAL
            argv = self._xl.shutdown_argv(self._domid)
            null = subprocess.DEVNULL
            self._asking = spawn(argv, stdin=null, stdout=sys.stderr.fileno(), stderr=sys.stderr.fileno())

    def _permit(self) -> None:
        self._answers.expect(READY)
        if self._downfall.look()[0] is not Being.DOWN:
            raise CopyChanged(f"{self._name} was started here in the meantime")
        write_all(self._stream, PERMISSION)
        self._permitted = True

    def _report(self) -> int:
        """Do what the destination's report says; without one nothing is done, for whoever settles."""
        try:
            self._answers.expect(REPORT)
            status = self._answers.read(1)[0]
            if status == 0:
                return 0
            self._answers.expect(PERMISSION)
        except (Dom0XenError, GivenUp, OSError) as exc:
            _say(f"{exc}; the domain is left shut down")
            return 1
        _say(f"the destination could not start the domain (status {status})")
        self._start()
        return 1

    def _go_back(self, waits: bool) -> None:
        """Have the guest run here; with ``waits`` one that is about to shut down is waited for, to be started again."""
        if not self._asked:
            return
        try:
            while True:
                being, row = self._downfall.look()
                if being is not Being.HERE:
                    self._start()
                    return
                back = row is not None and row.domid != self._domid
                if back or self._take_back() or not waits or time.monotonic() > self._deadline:
                    return
                time.sleep(_LOOK_INTERVAL)
        except Dom0XenError as exc:
            _say(f"{exc}")

    def _take_back(self) -> bool:
        """Take the request back if the guest has not seen it; return whether that was so."""
        if self._asking is not None and self._asking.poll() is None:
            self._asking.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                # The kernel may hold on to it.
                self._asking.wait(_KILLED_S)
        return late_shutdown.take_back(self._store, self._domid, self._uuid, self._folder)

    def _start(self) -> None:
        try:
            self._downfall.start()
        except Dom0XenError as exc:
            _say(f"the domain could not be started again: {exc}")


def _say(text: str) -> None:
    sys.stderr.write(f"{SAYS}{text}\n")
    sys.stderr.flush()
