# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same through ``ansible-playbook``: dom0.xen.migrate with a fault, then dom0.xen.settle, or migrate once more."""

from __future__ import annotations

import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import time

from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import RAN_PERHAPS, STARTED_PERHAPS

from .courses import SHUTDOWN_S
from .names import DESTINATION
from .proxy import Proxy
from .rounds import Settled
from .world import NAME, ROOT, World

LIMIT_S = 150.0
# The receiver listens on one address, the sender is told another: between them is our network.
_LISTENS, _TOLD = "127.0.0.1", "127.0.0.2"


def move(world: World) -> None:
    """Run dom0.xen.migrate until it ends, by itself or by a fault."""
    port = _free_port()
    world.proxy = Proxy(port, (_TOLD, port))
    values = {
        "destination": DESTINATION,
        "migrate_listen_address": _LISTENS,
        "migrate_destination_address": _TOLD,
        "migrate_port_range": f"{port}-{port}",
        "migrate_link_timeout": 2,
        "migrate_stop_link_timeout": 2,
        "migrate_ready_timeout": 3,
        "migrate_connect_timeout": 4,
        "migrate_admission_timeout": 15,
        "migrate_banner_timeout": 8,
        "migrate_progress_interval": 1,
        "migrate_watch_timeout": 20,
        "migrate_silence_timeout": 10,
        "migrate_memory_reserve_mib": 0,
    }
    if world.course.another_way:
        values.update(migrate_method=world.course.method, migrate_leave_paused=world.course.leave_paused)
    if world.course.starts_anew:
        values.update(migrate_shutdown_timeout=int(SHUTDOWN_S))
    world.answers["playbook"] = _play(world, "dom0.xen.migrate", values)


def settle(world: World, again: bool, ran: bool | None = None) -> Settled:
    """Run dom0.xen.settle, or dom0.xen.migrate ``again``, and read what it reports; ``ran`` is a person's word."""
    if again:
        move(world)
        status, text = world.answers["playbook"]
        return Settled(True, DESTINATION, "moved", text) if status == 0 else _asking(None, text)
    word = {} if ran is None else {"settle_ran": "yes" if ran else "no"}
    status, text = _play(world, "dom0.xen.settle", {"settle_wait": 6, **word})
    return Settled(text=text) if status == 0 else _asking(False, text)


def _asking(settled: bool | None, text: str) -> Settled:
    """Return what a run has reported that failed: it may have asked a person."""
    for asks in (STARTED_PERHAPS, RAN_PERHAPS):
        if f"End state: {asks}" in text:
            return Settled(False, end_state=asks, text=text)
    return Settled(settled, text=text)


def _play(world: World, name: str, values: dict[str, object]) -> tuple[int, str]:
    variables = world.state / "variables.json"
    variables.write_text(json.dumps({"domain": NAME, **values}))
    tool = pathlib.Path(sys.executable).with_name("ansible-playbook")
    command = [str(tool), "-i", str(world.site.inventory), name, "-e", f"@{variables}"]
    log = world.state / f"playbook{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=_environment(world), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            cwd=world.state, start_new_session=True,
        )  # fmt: skip
        world.controllers.append(process)
        try:
            status = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            status = process.wait()
    said = log.read_text(errors="replace")
    question = said[max(0, said.find("End state: ")) :][:600] if "End state: " in said else ""
    return status, f" {name} ended with {status}: {question}{said[-1500:]}"


def _environment(world: World) -> dict[str, str]:
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
        "ANSIBLE_HOME": str(world.state / "home"),
        "ANSIBLE_REMOTE_TEMP": str(world.state / "tmp"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }


def _free_port() -> int:
    while True:
        port = random.randrange(49152, 60999)
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind((_LISTENS, port))
                other.bind((_TOLD, port))
            except OSError:
                continue
        return port
