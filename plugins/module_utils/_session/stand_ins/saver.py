# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``xl migrate`` is to the sender, around ``xl save -p``: the method ``suspend`` (private to the collection).

A process of its own, which speaks the sending side of the protocol (tools/xl/xl_migrate.c migrate_domain) over the
same two pipes as ``xl``, so that the sender, its rules and whoever settles need not know the difference. Three things
are not as with ``xl``:

* header and configuration are made here, from what ``xl list -l`` says, or ``xl create -n`` of a file that is to
  describe the domain there, and are compared with those that ``xl save`` writes: the guest is suspended only when the
  destination has made its domain;
* ``xl save -p`` pauses the domain, then resumes it into the pause, looks at neither, and exits with 0
  (tools/xl/xl_saverestore.c save_domain): that it stands still is looked at before the permission is given;
* what goes back to the guest is one unpause.
"""

from __future__ import annotations

import json
import sys
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import MIGRATED_AWAY
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import forward, read_exactly, write_all
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.save_paused import SavePaused, standing_still
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.stand_in import (
    Answers,
    GivenUp,
    as_sent,
    configuration,
    connect,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import SavedOtherwise, SaveFailed
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.messages import COPY_MADE_TEXT
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._wire import header
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import BANNER, PERMISSION, READY, REPORT
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.saver import main; "
    "sys.exit(main(*sys.argv[2:]))"
)


def argv(code: str, shim_socket: str, xl: str, domid: int, uuid: str, name: str, file: str = "") -> list[str]:
    """Return the command that starts it; ``code`` is what to put first on ``sys.path``."""
    return [sys.executable, "-I", "-c", _START, code, shim_socket, xl, str(domid), uuid, name, file]


def main(shim_socket: str, xl: str, domid: str, uuid: str, name: str, file: str = "") -> int:
    """Send the domain; return the exit status that ``xl migrate`` would have: 0 when it runs at the destination."""
    stream, answers = connect(shim_socket)
    with XenStore() as store:
        tool = Xl(subprocess_runner(), xl)
        return Saver(tool, Copies(tool, store, uuid, name), int(domid), uuid, name, stream, answers, file).run()


class Saver:
    """One migration. ``stream`` is written, ``answers`` is read; both are blocking descriptors.

    ``file`` describes the domain at the destination, empty where its own configuration does.
    """

    def __init__(
        self, xl: Xl, copies: Copies, domid: int, uuid: str, name: str, stream: int, answers: int, file: str = ""
    ) -> None:
        self._xl, self._copies, self._file = xl, copies, file
        self._domid, self._uuid, self._name = domid, uuid.lower(), name
        self._stream, self._answers = stream, Answers(answers)
        self._saving = self._permitted = False

    def run(self) -> int:
        """Go through the protocol; whatever fails before the permission ends with the guest running here."""
        try:
            self._send()
            self._permit()
        except (Dom0XenError, GivenUp, OSError) as exc:
            _say(f"{exc}")
            if not self._permitted:
                self._go_on()
            return 1
        return self._report()

    def _send(self) -> None:
        self._answers.expect(BANNER)
        running = self._running()
        config = as_sent(self._xl.understood(self._file)) if self._file else running
        write_all(self._stream, header.encode(json.dumps(config).encode("utf-8")))
        self._answers.expect(COPY_MADE_TEXT)
        if self._running() != running:
            # The guest has not been touched yet; and of a file what xl save writes says nothing of this.
            raise self._changed()
        save = SavePaused(self._xl, self._domid, self._file)
        try:
            save.start(sys.stderr.fileno())
            self._saving = True
            self._compare(save.source, config)
            forward(save.source, self._stream)
        finally:
            save.end()
            save.close()
        if save.status:
            raise SaveFailed(f"xl save ended with status {save.status}")

    def _running(self) -> dict[str, t.Any]:
        return configuration(self._xl, self._domid, self._uuid, self._name)

    def _compare(self, saved: int, config: t.Mapping[str, t.Any]) -> None:
        head = header.XlHeader.decode(_saved(saved, header.HEADER.size))
        data = _saved(saved, head.optional_data_length)
        length = header.decode_config_length(data[: header.LENGTH.size], head)
        text = header.decode_config(data[header.LENGTH.size :][:length])
        try:
            written = as_sent(json.loads(text.decode("utf-8")))
            same = _comparable(written) == _comparable(config) if self._file else written == config
        except ValueError:
            same = False
        if not same:
            raise self._changed()

    def _changed(self) -> SavedOtherwise:
        return SavedOtherwise(f"the configuration of {self._name} changed while the destination made its domain")

    def _permit(self) -> None:
        self._stands_still()
        self._answers.expect(READY)
        self._xl.rename(self._domid, self._name + MIGRATED_AWAY)
        # Until now it had its own name, and whoever unpaused it by that had seconds, or minutes, to do so.
        self._stands_still()
        write_all(self._stream, PERMISSION)
        self._permitted = True

    def _stands_still(self) -> None:
        standing_still(self._xl, self._domid, self._uuid, self._name)

    def _report(self) -> int:
        """Do what the destination's report says; without one the copy is left as it is, for whoever settles."""
        try:
            self._answers.expect(REPORT)
            status = self._answers.read(1)[0]
            if status == 0:
                self._stands_still()
                self._xl.destroy(self._domid)
                return 0
            self._answers.expect(PERMISSION)
        except (Dom0XenError, GivenUp, OSError) as exc:
            _say(f"{exc}; the domain is left as it is")
            return 1
        _say(f"the destination could not start the domain (status {status})")
        self._go_on()
        return 1

    def _go_on(self) -> None:
        """Let the guest run here again, if it stands still because of us."""
        if not self._saving:
            return
        try:
            self._copies.go_on(self._domid)
        except Dom0XenError as exc:
            _say(f"the domain does not go on here: {exc}")


def _comparable(config: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a file's configuration without what xl.conf puts in for xl create, and not for xl save.

    That are masks for affinity (tools/xl/xl_vmcontrol.c create_domain), for which the destination has its own.
    """
    build = {key: value for key, value in (config.get("b_info") or {}).items() if key != "vcpu_hard_affinity"}
    return {**config, "b_info": build}


def _saved(source: int, size: int) -> bytes:
    data = read_exactly(source, size)
    if len(data) < size:
        raise SaveFailed("xl save ended before it had written the configuration")
    return data


def _say(text: str) -> None:
    sys.stderr.write(f"suspend and stream: {text}\n")
    sys.stderr.flush()
