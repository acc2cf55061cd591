# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl migrate`` with a command of ours as its transport (tools/xl/xl_migrate.c migrate_domain)."""

from __future__ import annotations

import json
import time

from .bench import BANNER, GO, READY, REPORT, Bench, Step, send, step
from .sites import GUEST

AWAY = f"{GUEST}--migratedaway"
LIST = step("run", argv=["xl", "list", "-v"])
TO_GATE: list[Step] = [
    send(BANNER),
    step("header"),
    step("stream"),
    step("silence", seconds=0.5),
    LIST,
    send(READY),
    step("read", bytes=len(GO)),
]


def resume_by_save(bench: Bench, name: str) -> None:
    """Resume a suspended domain without ``xl resume``: save it to nowhere, and acknowledge in the guest's place."""
    domid = bench.domains(bench.source)[name].domid
    path = f"/local/domain/{domid}/control/shutdown"
    asked = f'[ "$(xenstore-read {path})" = suspend ]'
    watcher = f"for i in $(seq 600); do {asked} && exec xenstore-write {path} ''; sleep 0.1; done"
    started = time.monotonic()
    done = bench.source.run("sh", "-c", f"({watcher}) & xl save -c {name} /dev/null; r=$?; wait; exit $r")
    assert done.status == 0, done.stderr
    assert time.monotonic() - started < 45


def test_nothing_before_the_banner_then_header_and_configuration(bench: Bench) -> None:
    """xl waits for the banner; then 48 bytes, then JSON with a NUL; a reader that stops there harms nobody."""
    played = bench.migrate(step("silence", seconds=0.5), send(BANNER), step("header"))
    header = played.of("header")[0]
    assert played.of("silence")[0]["silent"]
    assert bytes.fromhex(header["magic"]) == b"Xen saved domain, xl format\n \0 \r"
    assert (header["order"], header["mandatory"], header["optional"]) == (0x01020304, 3, 0)
    assert header["length"] == header["config_length"] + 4
    assert header["config"].endswith("}\n\0")
    config = json.loads(header["config"].rstrip("\0"))
    assert config["c_info"]["name"] == GUEST
    assert config["c_info"]["uuid"] == bench.domains(bench.source)[GUEST].uuid
    assert "domid" not in config["c_info"]
    assert config["b_info"]["target_memkb"] <= config["b_info"]["max_memkb"]
    assert (played.status, bench.runs(bench.source)) == (1, True)


def test_success(bench: Bench) -> None:
    """Stream, silence, rename, permission of exactly 44 bytes; after status 0 the source destroys its copy."""
    played = bench.migrate(*TO_GATE, LIST, step("silence", seconds=0.5), send(REPORT + b"\0"), step("rest"))
    assert played.error is None
    before, after = [done["output"] for done in played.of("run")]
    assert f"{GUEST} " in before and "---ss-" in before
    assert f"{AWAY} " in after and "---ss-" in after
    assert all(done["silent"] for done in played.of("silence"))
    assert (played.sent(), played.of("rest")[0]["bytes"]) == (GO, 0)
    lines = [line for line in played.stderr.splitlines() if line.startswith(("migration sender", "Migration"))]
    assert lines == [
        "migration sender: Target has acknowledged transfer.",
        "migration sender: Giving target permission to start.",
        "migration sender: Target reports successful startup.",
        "Migration successful.",
    ]
    assert (played.status, bench.domains(bench.source)) == (0, {})


def test_stream(bench: Bench) -> None:
    """Headers, order of records, and rounds: all memory first, at most five live rounds and a final one."""
    played = bench.migrate(send(BANNER), step("header"), step("stream"))
    stream = played.of("stream")[0]
    assert (stream["ident"], stream["version"], stream["options"]) == (0x4C6962786C466D74, 2, 0)
    assert (stream["libxc_version"], stream["guest"], stream["page_shift"]) == (3, 2, 12)
    tail = ["libxc 0x8", "libxc 0x9", "libxc 0xa", "libxc 0x0", "libxl 0"]
    assert stream["records"] == ["libxl 1", "libxc 0x11", "libxc 0x12", "libxc 0x10", "pages", *tail]
    rounds = stream["rounds"]
    config = json.loads(played.of("header")[0]["config"].rstrip("\0"))
    assert rounds[0]["data"] >= config["b_info"]["target_memkb"] // 4
    assert rounds[0]["entries"] >= 0xFF000
    assert 2 <= len(rounds) <= 6
    assert all(found["entries"] < rounds[0]["entries"] // 2 for found in rounds[1:])


def test_refused_by_the_destination(bench: Bench) -> None:
    """Report, a status other than 0 and the domain given back: renamed back, resumed, exit 1."""
    played = bench.migrate(*TO_GATE, send(REPORT + b"\x01" + GO), step("rest"))
    assert "migration sender: Target reports startup failure (status code 1)." in played.stderr
    assert "migration sender: Resumed OK." in played.stderr
    assert "Migration failed due to problems at target." in played.stderr
    assert (played.status, set(bench.domains(bench.source))) == (1, {GUEST})
    assert bench.runs(bench.source)


def test_wrong_banner(bench: Bench) -> None:
    """Noise in front of the banner: exit 1, nothing sent, guest untouched."""
    played = bench.migrate(send(b"Welcome to xen2\n" + BANNER), step("rest"))
    assert "migration receiver stream contained unexpected data instead of banner" in played.stderr
    assert (played.status, played.of("rest")[0]["bytes"]) == (1, 0)
    assert bench.runs(bench.source)


def test_transport_ends_before_the_banner(bench: Bench) -> None:
    """No banner at all: exit 1, guest untouched."""
    played = bench.migrate()
    assert "file/stream truncated reading banner from migration receiver stream" in played.stderr
    assert (played.status, bench.runs(bench.source)) == (1, True)


def test_wrong_ready(bench: Bench) -> None:
    """34 other bytes: resumed under its name."""
    played = bench.migrate(send(BANNER), step("header"), step("stream"), send(b"x" * len(READY)), step("rest"))
    assert "migration receiver stream contained unexpected data instead of ready message" in played.stderr
    assert "Migration failed, resuming at sender." in played.stderr
    assert (played.status, played.of("rest")[0]["bytes"]) == (1, 0)
    assert bench.runs(bench.source)


def test_no_ready(bench: Bench) -> None:
    """The transport ends after the stream: resumed under its name."""
    played = bench.migrate(send(BANNER), step("header"), step("stream"))
    assert "file/stream truncated reading ready message from migration receiver stream" in played.stderr
    assert "Migration failed, resuming at sender." in played.stderr
    assert (played.status, set(bench.domains(bench.source))) == (1, {GUEST})
    assert bench.runs(bench.source)


def test_transport_killed_in_mid_stream(bench: Bench) -> None:
    """The helper dies of the broken pipe; the resume is refused, as the guest was never suspended; it runs on."""
    played = bench.migrate(send(BANNER), step("header"), step("take", bytes=bench.site.middle), step("kill", whom="me"))
    assert "died due to fatal signal Broken pipe" in played.stderr
    assert "migration sender: libxl_domain_suspend failed (rc=-3)" in played.stderr
    assert "Migration failed, resuming at sender." in played.stderr
    assert "xc_domain_resume failed: Invalid argument" in played.stderr
    assert (played.status, bench.runs(bench.source)) == (1, True)


def test_helper_terminated_in_mid_stream(bench: Bench) -> None:
    """SIGTERM to the save helper while memory flows is the clean abort: never suspended, no resume tried."""
    played = bench.migrate(
        send(BANNER),
        step("header"),
        step("take", bytes=bench.site.middle),
        step("terminate_helper"),
        step("wait", seconds=0.2),
    )
    helpers = played.of("terminate_helper")[0]["helpers"]
    domid = bench.domains(bench.source)[GUEST].domid
    assert len(helpers) == 1
    words = helpers[0].split()
    assert (words[0].rsplit("/", 1)[1], words[1]) == ("libxl-save-helper", "--save-domain")
    assert words[2].isdigit() and words[3].isdigit() and words[4] == str(domid)
    assert "migration sender: libxl_domain_suspend failed (rc=-8)" in played.stderr
    assert "Migration failed, failed to suspend at sender." in played.stderr
    assert "resuming at sender" not in played.stderr
    assert (played.status, bench.runs(bench.source)) == (1, True)


def test_no_report_leaves_the_domain_suspended_and_save_resumes_it(bench: Bench) -> None:
    """The transport ends at the gate: suspended under the other name. ``xl save -c`` resumes it, with our help."""
    played = bench.migrate(*TO_GATE)
    assert "** Migration failed during final handshake **" in played.stderr
    assert (played.status, bench.state(bench.source, AWAY)) == (1, "---ss-")
    assert bench.domains(bench.source)[AWAY].reason == "2"
    assert bench.source.run("xl", "unpause", AWAY).status == 0
    assert bench.state(bench.source, AWAY) == "---ss-"
    assert bench.source.run("xl", "rename", AWAY, GUEST).status == 0
    resume_by_save(bench, GUEST)
    assert bench.runs(bench.source)


def test_killed_at_the_gate_leaves_the_domain_suspended(bench: Bench) -> None:
    """SIGKILL to xl while we hold the permission: nobody resumes the guest."""
    played = bench.migrate(*TO_GATE, step("kill", whom="parent"), step("wait", seconds=0.2))
    assert played.status != 0
    assert bench.state(bench.source, AWAY) == "---ss-"


def test_other_name_taken(bench: Bench) -> None:
    """A left-over ``--migratedaway``: found after ready; resumed under its name, no permission written."""
    bench.create(bench.source, AWAY, uuid="11111111-2222-3333-4444-555555555555", paused=True)
    played = bench.migrate(send(BANNER), step("header"), step("stream"), send(READY), step("rest"))
    assert f'Domain with name "{AWAY}" already exists.' in played.stderr
    assert "Migration failed, resuming at sender." in played.stderr
    assert (played.status, played.of("rest")[0]["bytes"]) == (1, 0)
    assert bench.runs(bench.source)


def test_guest_that_does_not_acknowledge(bench: Bench) -> None:
    """A paused guest cannot acknowledge: after the time-out the request is withdrawn, and nothing is resumed."""
    domid = bench.domains(bench.source)[GUEST].domid
    assert bench.source.run("xl", "pause", GUEST).status == 0
    played = bench.migrate(send(BANNER), step("header"), step("rest"))
    assert "guest didn't acknowledge suspend, cancelling request" in played.stderr
    assert "saving domain: domain did not respond to suspend request" in played.stderr
    assert "Migration failed, failed to suspend at sender." in played.stderr
    assert bench.read(bench.source, f"/local/domain/{domid}/control/shutdown") == ""
    assert (played.status, bench.state(bench.source)) == (1, "--p---")
    assert bench.source.run("xl", "unpause", GUEST).status == 0
    assert bench.runs(bench.source)


def test_unknown_domain(bench: Bench) -> None:
    """A name and a number nobody has: exit 1 before the transport is started."""
    for domain, text in (
        ("nobody", "nobody is an invalid domain identifier (rc=-6)"),
        ("4711", "unable to retrieve domain configuration"),
    ):
        played = bench.migrate(domain=domain)
        assert text in played.stderr
        assert (played.status, played.error) == (1, "no result: the player was killed")


def test_both_ends(bench: Bench) -> None:
    """Two real ends: the guest is on the destination and nowhere else."""
    sender, receiver = bench.both()
    assert (sender.status, receiver.status) == (0, 0)
    said = [line.rstrip("0123456789.") for line in receiver.stderr.splitlines() if line.startswith("xc: ")]
    assert said == [
        "xc: info: Found x86 HVM domain from Xen ",
        "xc: info: Restoring domain",
        "xc: info: Restore successful",
        "xc: info: XenStore: mfn 0xfeffc, dom 0, evt ",
        "xc: info: Console: mfn 0xfefff, dom 0, evt ",
    ]
    assert bench.domains(bench.source) == {}
    assert set(bench.domains(bench.destination)) == {GUEST}
    assert bench.runs(bench.destination)
