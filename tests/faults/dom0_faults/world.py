# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts of the double whose sessions have points in them, a guest, and a way to start a move."""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import shlex
import subprocess
import sys
import threading
import time
import typing as t

from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import Credentials, make_credentials

from . import storage
from .courses import ENGINE, REFUSING, SHUTDOWN_S, Course
from .names import DESTINATION, SOURCE
from .proxy import Proxy

if t.TYPE_CHECKING:
    from .truth import PowerLoss

_INSIDE = pathlib.Path(__file__).resolve().parent / "inside"
ROOT = pathlib.Path(__file__).resolve().parents[3]
NAME, UUID = GuestConfig.name, GuestConfig.uuid
_CODE = str(ROOT / "build" / "collections")
_MEMORY_MIB = 4
# Longer than tasks take, shorter than a run that nothing happens in.
_GATE_S = 3.0
_STARTING_S = 15.0
# How long xl takes to ask a guest, and to clear away what has shut down, beside other runs.
_GOING_S = 1.5
SHORT = {"link_timeout": 1.5}
SENDER = {"connect_timeout": 3.0, "stop_link_timeout": 1.2, "ready_timeout": 3.0, "progress_interval": 1.0}
RECEIVER = {"admission_timeout": 4.0, "banner_timeout": 6.0}


class World:
    """One small site for one fault. Not to be used again."""

    def __init__(
        self, state: pathlib.Path, course: Course, credentials: tuple[Credentials, Credentials] | None = None
    ) -> None:
        self.state = state
        self.course = course
        self.storage = state / "storage"
        self.session = secrets.token_hex(8)
        self.proxy: Proxy | None = None
        self.controllers: list[subprocess.Popen[bytes]] = []
        self.settlers: list[subprocess.Popen[bytes]] = []
        self.off: set[str] = set()
        self.gone: set[str] = set()
        self.power_losses: list[PowerLoss] = []
        self.banner_at_ns: int | None = None
        self.answers: dict[str, t.Any] = {}
        self._timers: list[threading.Timer] = []
        self._credentials = credentials or (make_credentials("sender"), make_credentials("receiver"))
        state.mkdir(parents=True)
        python = state / "python"
        self._script(python, "module.py", "")
        self._script(state / "daemon", "daemon.py", "-I ")
        self.site = Site(state / "site")
        self.site.up([SOURCE, DESTINATION], str(python), suspend_timeout_s=1.0, xendomains=True)
        behaviour = {"working_set": 20, **course.guest}
        guest = GuestConfig(memory_mib=_MEMORY_MIB, compact=True, untouched=0.0, behaviour=behaviour)
        self.domid = self.host(SOURCE).start_guest(guest)
        self._config = self.host(SOURCE).autostart(guest).resolve()

    def _script(self, path: pathlib.Path, target: str, option: str) -> None:
        exports = f"export DOM0_FAULTS_DAEMON={shlex.quote(str(self.state / 'daemon'))}\n"
        exports += f"export DOM0_FAULTS_PYTHON={shlex.quote(sys.executable)}\n"
        command = f'exec {shlex.quote(sys.executable)} {option}{shlex.quote(str(_INSIDE / target))} "$@"'
        path.write_text(f"#!/bin/sh\n{exports}{command}\n")
        path.chmod(0o755)

    def host(self, name: str) -> Host:
        """Return a host."""
        return self.site[name]

    def powered(self, name: str) -> bool:
        """Tell whether a host has power."""
        return name not in self.off

    def runtime(self, name: str) -> str:
        """Return the folder of sessions in memory."""
        return str(self.host(name).paths.run.resolve() / "dom0-xen")

    def journal(self, name: str) -> str:
        """Return the folder of journals."""
        return str(self.host(name).paths.lib / "dom0-xen")

    def later(self, seconds: float, what: t.Callable[[], None]) -> None:
        """Do something in a while, if this site is still there then."""
        self._timers.append(threading.Timer(seconds, what))
        self._timers[-1].daemon = True
        self._timers[-1].start()

    def move(self) -> None:
        """Start receiver and sender as the role does; what goes wrong with that is in :attr:`answers`."""
        gate, way = self.course.gate, {"method": self.course.method, "leave_paused": self.course.leave_paused}
        common = {"uuid": UUID, "name": NAME, **way, **SHORT}
        held: dict[str, t.Any] = {"gate_held": gate != ENGINE, "gate_timeout": _GATE_S}
        held.update(max_stop_ms=self.course.max_stop_ms, rehearse=self.course.rehearse)
        if self.course.starts_anew:
            held.update(config_path=str(self._config), shutdown_timeout=SHUTDOWN_S)
        receiver = {"memory_max_kib": (_MEMORY_MIB + 64) * 1024, "listen_address": "127.0.0.1", **RECEIVER}
        first = 20000 + (os.getpid() * 7) % 20000
        answer = self._start("receiver", {**common, **receiver, "port_first": first, "port_last": first + 4000})
        if not answer.get("banner_verified"):
            return
        self.banner_at_ns = time.monotonic_ns()
        self.proxy = Proxy(int(answer["port"]))
        sender = {"memory_kib": _MEMORY_MIB * 1024, "destination_address": "127.0.0.1", "port": self.proxy.port}
        answer = self._start("sender", {**common, **sender, **SENDER, **held})
        if gate != ENGINE and "pid" in answer:
            self._hold_gate(gate == REFUSING)

    def let_shut_down(self) -> None:
        """Wait until a guest that was asked to shut down has had the time that it takes for that."""
        asked = max(self.host(SOURCE).passed("shutdown.start"), default=0) / 1e9
        takes = float(t.cast(float, self.course.guest.get("shutdown_s", 0.0)))
        time.sleep(max(0.0, asked + takes + _GOING_S - time.monotonic()) if asked else 0.0)

    def _hold_gate(self, refuse: bool) -> None:
        storage.hand(self.storage, SOURCE)
        document = {"code": _CODE, "runtime": self.runtime(SOURCE), "session": self.session, "refuse": refuse}
        process = self._spawn(SOURCE, "gatekeeper.py")
        if process.stdin is not None:
            process.stdin.write(json.dumps({**document, "storage": str(self.storage)}).encode())
            process.stdin.close()

    def _start(self, role: str, settings: dict[str, t.Any]) -> dict[str, t.Any]:
        name = SOURCE if role == "sender" else DESTINATION
        if name in self.off:
            return {}
        other = DESTINATION if name == SOURCE else SOURCE
        mine, peer = self._credentials if role == "sender" else self._credentials[::-1]
        document = {
            **{"role": role, "session": self.session, "code": _CODE},
            **{"runtime": self.runtime(name), "journal": self.journal(name), "timeout": _STARTING_S},
            **{"key": mine.key.decode(), "certificate": mine.certificate},
            "settings": {
                **settings,
                "peer_host": other,
                "peer_certificate": peer.certificate,
            },
        }
        process = self._spawn(name, "starter.py")
        try:
            output, errors = process.communicate(json.dumps(document).encode(), timeout=_STARTING_S + 10)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
        answer: dict[str, t.Any] = json.loads(output) if output.strip() else {}
        self.answers[role] = answer or {"stderr": errors.decode(errors="replace")[-2000:]}
        return answer

    def _spawn(self, name: str, script: str) -> subprocess.Popen[bytes]:
        """Start what a run of Ansible has on a host."""
        host = self.host(name)
        process = host.spawn(
            str(host.paths.bin / "python3"),
            str(_INSIDE / script),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.controllers.append(process)
        return process

    def close(self) -> None:
        """End everything, at once."""
        for timer in self._timers:
            timer.cancel()
        if self.proxy is not None:
            self.proxy.close()
        for process in (*self.controllers, *self.settlers):
            if process.poll() is None:
                process.kill()
                process.wait()
        self.site.down(ends_s=0.0)
