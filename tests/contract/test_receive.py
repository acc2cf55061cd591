# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl migrate-receive``: what it says, when, and what it leaves (tools/xl/xl_migrate.c migrate_receive)."""

from __future__ import annotations

from .bench import BANNER, GO, READY, REPORT, Bench, Step, send, step
from .sites import GUEST

INCOMING = f"{GUEST}--incoming"
LIST = step("run", argv=["xl", "list", "-v"])


def up_to_ready(saved: str) -> list[Step]:
    """Steps from the banner to the ready message."""
    return [step("read", bytes=len(BANNER)), step("send_file", path=saved), step("read", bytes=len(READY))]


def test_banner_comes_first_and_alone(empty: Bench) -> None:
    """54 bytes without NUL, then silence until the header; an early end leaves nothing."""
    played = empty.receive(
        step("read", bytes=len(BANNER)), step("silence", seconds=0.5), step("close", what="send"), step("rest")
    )
    assert played.sent() == BANNER
    assert played.of("silence")[0]["silent"]
    assert (played.of("rest")[0]["bytes"], played.status) == (0, 1)
    assert "migration target: Ready to receive domain." in played.stderr
    assert "truncated reading header from <incoming migration stream>" in played.stderr
    assert empty.domains(empty.source) == {}


def test_success(empty: Bench, saved: str) -> None:
    """Ready, permission, report and status 0; the copy waits paused under its temporary name."""
    played = empty.receive(
        *up_to_ready(saved),
        LIST,
        step("silence", seconds=0.5),
        send(GO),
        step("read", bytes=len(REPORT) + 1),
        step("rest"),
    )
    assert played.error is None
    assert [played.sent(1), played.sent(2)] == [READY, REPORT + b"\0"]
    assert played.of("silence")[0]["silent"]
    assert INCOMING in played.of("run")[0]["output"]
    assert "--p---" in played.of("run")[0]["output"]
    assert (played.of("rest")[0]["bytes"], played.status) == (0, 0)
    lines = [line for line in played.stderr.splitlines() if line.startswith("migration target:")]
    assert lines == [
        "migration target: Ready to receive domain.",
        "migration target: Transfer complete, requesting permission to start domain.",
        "migration target: Got permission, starting domain.",
        "migration target: Domain started successsfully.",
    ]
    assert set(empty.domains(empty.source)) == {GUEST}
    assert empty.runs(empty.source)


def test_nodes_of_a_waiting_copy(empty: Bench, saved: str) -> None:
    """XenStore while the copy waits for permission: names, UUID, memory, devices."""
    path = step(
        "run",
        argv=[
            "sh",
            "-c",
            f"xenstore-ls -f | grep -v /local/domain/0/ | grep -e {INCOMING} -e /vm -e memory -e vif -e type",
        ],
    )
    domid = step("run", argv=["xl", "domid", INCOMING])
    played = empty.receive(*up_to_ready(saved), path, domid, step("close", what="send"), step("rest"))
    number = played.of("run")[1]["output"].strip()
    nodes = dict(line.split(" = ", 1) for line in played.of("run")[0]["output"].splitlines() if " = " in line)
    nodes = {key.strip(): value.split("  ")[0].strip().strip('"') for key, value in nodes.items()}
    base = f"/local/domain/{number}"
    vm = nodes[f"{base}/vm"]
    assert nodes[f"{base}/name"] == nodes[f"{vm}/name"] == INCOMING
    assert vm == f"/vm/{nodes[f'{vm}/uuid']}"
    assert nodes[f"{base}/memory/target"] == nodes[f"{base}/memory/static-max"]
    assert nodes[f"/libxl/{number}/type"] == "pvh"
    assert nodes[f"{base}/device/vif/0/state"] == "1"


def test_paused_on_request(empty: Bench, saved: str) -> None:
    """``-p`` renames and reports success, but leaves the copy paused; it has not run."""
    played = empty.receive(
        *up_to_ready(saved), send(GO), step("read", bytes=len(REPORT) + 1), step("rest"), options=["-p"]
    )
    assert (played.sent(), played.status) == (REPORT + b"\0", 0)
    row = empty.domains(empty.source)[GUEST]
    assert (row.state, row.time) == ("--p---", 0.0)


def refused(played_bytes: bytes) -> bool:
    """Tell whether bytes are the report, 0xFF, and the domain given back."""
    return played_bytes == REPORT + b"\xff" + GO


def test_no_permission_gives_the_domain_back(empty: Bench, saved: str) -> None:
    """Closing only its input at the gate: report 0xFF, copy destroyed, domain given back, status 0."""
    played = empty.receive(*up_to_ready(saved), step("close", what="send"), step("rest"))
    assert refused(bytes.fromhex(played.of("rest")[0]["hex"]))
    assert played.status == 0
    for line in ("Failure, destroying our copy.", "Cleanup OK, granting sender permission to resume."):
        assert f"migration target: {line}" in played.stderr
    assert empty.domains(empty.source) == {}


def test_wrong_permission_gives_the_domain_back(empty: Bench, saved: str) -> None:
    """44 other bytes are no permission."""
    played = empty.receive(*up_to_ready(saved), send(b"x" * len(GO)), step("rest"))
    assert refused(bytes.fromhex(played.of("rest")[0]["hex"]))
    assert "migration stream contained unexpected data instead of GO message" in played.stderr
    assert (played.status, empty.domains(empty.source)) == (0, {})


def test_both_pipes_closed_leaves_the_copy(empty: Bench, saved: str) -> None:
    """Without a reader it exits before it destroys: the complete copy stays, paused, and can be rolled forward."""
    played = empty.receive(
        *up_to_ready(saved), step("close", what="receive"), step("close", what="send"), step("wait_exit", seconds=60)
    )
    assert played.status == 1
    assert empty.state(empty.source, INCOMING) == "--p---"
    assert empty.source.run("xl", "rename", INCOMING, GUEST).status == 0
    assert empty.source.run("xl", "unpause", GUEST).status == 0
    assert empty.runs(empty.source)


def test_killed_at_the_gate_leaves_the_copy(empty: Bench, saved: str) -> None:
    """SIGKILL after ready: the copy stays paused under its temporary name."""
    played = empty.receive(*up_to_ready(saved), step("kill", whom="command"), step("wait_exit", seconds=60))
    assert played.status == -9
    assert empty.state(empty.source, INCOMING) == "--p---"


def test_end_in_mid_stream(empty: Bench, saved: str) -> None:
    """A stream that ends early: exit 1, not a word on its output, copy destroyed."""
    part = step("send_file", path=saved, bytes=empty.site.middle)
    played = empty.receive(step("read", bytes=len(BANNER)), part, step("close", what="send"), step("rest"))
    assert (played.of("rest")[0]["bytes"], played.status) == (0, 1)
    assert "migration target: Domain creation failed (code -3)." in played.stderr
    assert empty.domains(empty.source) == {}


def test_bad_magic(empty: Bench) -> None:
    """Something else than xl's header: exit 1 before a domain is made."""
    played = empty.receive(
        step("read", bytes=len(BANNER)), send(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" * 4), step("rest")
    )
    assert (played.of("rest")[0]["bytes"], played.status) == (0, 1)
    assert "File has wrong magic number - corrupt or for a different tool?" in played.stderr
    assert "migration target: Domain creation failed (code -6)." in played.stderr


def test_name_taken(empty: Bench, saved: str) -> None:
    """A domain of the same name is found only after permission: status 6, copy destroyed, domain given back."""
    empty.create(empty.source, GUEST, paused=True)
    played = empty.receive(*up_to_ready(saved), send(GO), step("rest"))
    assert bytes.fromhex(played.of("rest")[0]["hex"]) == REPORT + b"\x06" + GO
    assert f'Domain with name "{GUEST}" already exists.' in played.stderr
    assert played.status == 0
    assert {name: row.state for name, row in empty.domains(empty.source).items()} == {GUEST: "--p---"}


def test_temporary_name_taken(empty: Bench, saved: str) -> None:
    """A left-over ``--incoming``: refused as soon as the configuration is read; the left-over stays."""
    empty.create(empty.source, INCOMING, paused=True)
    played = empty.receive(step("read", bytes=len(BANNER)), step("send_file", path=saved, bytes=500_000), step("rest"))
    assert played.status == 1
    assert f'Domain with name "{INCOMING}" already exists.' in played.stderr
    assert "migration target: Domain creation failed (code -3)." in played.stderr
    assert set(empty.domains(empty.source)) == {INCOMING}
