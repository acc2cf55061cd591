# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples for the gate do what they say, with what stands for an array, for a change board and for DRBD."""

from __future__ import annotations

import http.server
import json
import pathlib
import shutil
import sys
import threading
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.reader import Reader
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, ROOT, User, where

pytestmark = pytest.mark.timeout(600)

EXAMPLES = ROOT / "examples" / "gate"


@pytest.fixture
def site(tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Two hosts with a drbdadm that only says how it was called, the guest on xen1."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable)
    for host in site.hosts.values():
        (host.paths.bin / "drbdadm").write_text(f'#!/bin/sh\necho "$@" >>{host.paths.root}/drbdadm.log\n')
        (host.paths.bin / "drbdadm").chmod(0o755)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield site
    site.down()


class Service:
    """Answers over HTTP with the status and the document that are left, the last one for good; keeps what was asked."""

    def __init__(self, *answers: tuple[int, t.Any]) -> None:
        self.asked: list[str] = []
        left = list(answers)
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self) -> None:
                asked.append(f"{self.command} {self.path}")
                status, document = left.pop(0) if len(left) > 1 else left[0]
                body = b"" if document is None else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_DELETE = _answer

            def log_message(self, *dummy: t.Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


Serve = t.Callable[..., Service]


@pytest.fixture
def serve() -> t.Iterator[Serve]:
    """Return a function that makes a service."""
    made: list[Service] = []

    def serve(*answers: tuple[int, t.Any]) -> Service:
        made.append(Service(*answers))
        return made[-1]

    yield serve
    for service in made:
        service.close()


def drbdadm(site: Site) -> dict[str, list[str]]:
    """Return how it was called on each host since the last time."""
    called = {}
    for name, host in site.hosts.items():
        log = pathlib.Path(host.paths.root, "drbdadm.log")
        called[name] = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
    return called


def asking(**values: object) -> list[str]:
    """Return the options of a move whose gate the controller holds."""
    return [f"-e{name}={value}" for name, value in {"migrate_gate": "controller", **values}.items()]


FENCED: dict[str, object] = {
    "migrate_before_tasks": EXAMPLES / "drbd_before.yml",
    "migrate_after_tasks": EXAMPLES / "drbd_after.yml",
    "migrate_gate_tasks": EXAMPLES / "fencing.yml",
    "migrate_gate_undo_tasks": EXAMPLES / "fencing_undo.yml",
    "drbd_resource": "r0",
    "gate_volume": "vol1",
    # Nobody is root by way of sudo here.
    "ansible_become": "false",
}


def test_a_source_that_is_not_fenced_keeps_its_guest(user: User, serve: Serve) -> None:
    """The array says no: the access is given back, DRBD has one primary again, and the guest runs on."""
    array = serve((500, None), (204, None))
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), *asking(**FENCED, gate_array=array.url))
    log = move.communicate(timeout=LIMIT_S)[0]
    assert move.returncode == 2 and where(user.site) == "xen1", log[-4000:]
    assert array.asked == ["DELETE /volumes/vol1/access/xen1", "PUT /volumes/vol1/access/xen1"], log[-4000:]
    assert drbdadm(user.site) == {"xen1": [], "xen2": ["primary r0", "secondary r0"]}


def test_fencing_and_drbd_go_with_the_domain(reader: Reader, serve: Serve) -> None:
    """Both are primary before the move, the source loses its access at the gate, and then is secondary.

    Typed as the guide has it, with the examples where it has them.
    """
    array = serve((204, None))
    shutil.copytree(EXAMPLES, reader.folder / "srv" / "gate", dirs_exist_ok=True)
    drbd = {name: value for name, value in FENCED.items() if not name.startswith("migrate_gate")}
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2 -e migrate_gate=controller"
        " -e migrate_gate_tasks=/srv/gate/fencing.yml -e migrate_gate_undo_tasks=/srv/gate/fencing_undo.yml",
        *(f"-e{name}={value}" for name, value in {**drbd, "gate_array": array.url}.items()),
    )
    assert where(reader.site) == "xen2"
    assert array.asked == ["DELETE /volumes/vol1/access/xen1"]
    assert drbdadm(reader.site) == {"xen1": ["secondary r0"], "xen2": ["primary r0"]}


def test_the_guest_waits_for_the_approval(user: User, serve: Serve) -> None:
    """It is asked for again until it is there; the change is found by the domain's UUID."""
    board = serve((200, {"approved": False}), (200, {"approved": True}))
    tasks = {"migrate_gate_tasks": EXAMPLES / "approval.yml", "gate_changes": board.url, "gate_change": "c7"}
    user.move("xen2", *asking(**tasks))
    assert where(user.site) == "xen2"
    assert board.asked == [f"GET /changes/c7/approvals/{GUEST}"] * 2


def test_the_guest_goes_on_when_the_approval_is_refused(user: User, tmp_path: pathlib.Path) -> None:
    """At once, since there is a file that undoes nothing: nobody has to be asked whether something is to be undone."""
    refusal = tmp_path / "refusal.yml"
    refusal.write_text("- ansible.builtin.fail:\n    msg: not this week\n")
    tasks = asking(migrate_gate_tasks=refusal, migrate_gate_undo_tasks=EXAMPLES / "approval_undo.yml")
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *tasks)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2 and "refused at the gate on xen1: not this week" in log, log[-4000:]
    assert user.result["owner"] == "source", log[-4000:]
    assert where(user.site) == "xen1"
