# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Xen's own checker of streams and the module that describes them find the same files sound."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from dom0lab.guest_disk import GuestSpec
from proof.share import NO_QEMU

from .world import ON_HOST, World

PLAY = Path(__file__).parent / "playbooks" / "streams.yml"
SAVED = "/var/lib/lab-saved"
PROGRAM = "/run/lab-streams.py"
CAPTURE = "/run/lab-capture.py"
START_S = 900
Answers = dict[str, tuple[dict[str, t.Any], dict[str, t.Any]]]
# Xen's checker looks at a million frame numbers one by one, and in an emulated host that takes half a minute.
WAIT_S = 2700

SOUND = {"whole", "permission", "shorter context", "another vcpu"}
# Xen's checker compares a number with a text where it runs with Python 3, and finds what QEMU kept in XenStore unsound.
LAXER = {"store data"}
# The module's notes name these: it looks at what verify-stream-v2 passes over, or does not read at all.
STRICTER = {
    "configuration": "stream_bad_config",
    "half a permission": "stream_truncated",
    "something behind": "stream_bad_permission",
}
CODES = {
    "xl magic": "stream_bad_magic",
    "libxl ident": "stream_bad_magic",
    "libxl version": "stream_unsupported_header",
    "libxc marker": "stream_bad_magic",
    "libxc version": "stream_unsupported_header",
    "guest type": "stream_unsupported_header",
    "unknown record": "stream_unknown_record",
    "unknown optional record": "stream_unknown_record",
    "policy length": "stream_record_length",
    "page data length": "stream_page_data_arithmetic",
    "page data count": "stream_page_data_arithmetic",
    "page data reserved": "stream_page_data_entry",
    "page data type": "stream_page_data_entry",
    "page data frame": "stream_page_data_entry",
    "tsc reserved": "stream_record_content",
    "parameters count": "stream_record_length",
    "padding": "stream_record_padding",
    "PV width": "stream_record_content",
    "PV levels": "stream_record_content",
    "PV reserved": "stream_record_content",
    "frames length": "stream_record_length",
    "shared info length": "stream_record_length",
    "vcpu reserved": "stream_record_content",
    "emulator id": "stream_record_content",
    "emulator length": "stream_record_length",
    "unknown libxl record": "stream_unknown_record",
    **STRICTER,
}


def wanted_code(way: str) -> str | None:
    """What the module is to say about a file that was broken so."""
    if way in SOUND | LAXER:
        return None
    return "stream_truncated" if way.startswith("cut ") else CODES[way]


@pytest.mark.timeout(3000)
def test_agrees_with_xens_own_checker(home: World) -> None:
    """The saved guest as it is, and broken in some thirty ways: what Xen finds sound is sound, and nothing else is."""
    home.stale = True  # saving the guest takes its monitor away
    home.source.run(["xl", "save", "-c", "centos", SAVED])
    answers = ask(home, "pvh")
    whole = agreed(home, answers)
    assert set(STRICTER) <= answers.keys() and answers["permission"][1]["permission"]
    assert [seen["kind"] for seen in whole["rounds"]] == ["final"]
    assert 0 < whole["memory"]["zero_share"] < 1


@pytest.mark.timeout(3000)
def test_agrees_about_what_xl_migrate_sends(home: World) -> None:
    """The guest runs on while its memory is captured: there are several rounds, and pages that come again."""
    home.stale = True
    home.source.run(f"cat > {CAPTURE}", stdin=(ON_HOST / "capture.py").read_text())
    transport = f"exec python3 -I {CAPTURE} {SAVED}"
    done = home.source.run(["xl", "migrate", "-s", "", "centos", transport], check=False, timeout=WAIT_S)
    assert done.returncode != 0 and "resuming at sender" in done.stderr, done.stderr
    answers = ask(home, "live")
    whole = agreed(home, answers)
    assert answers["permission"][1]["permission"]
    kinds = [seen["kind"] for seen in whole["rounds"]]
    assert len(kinds) > 1 and kinds[-1] == "final" and "final" not in kinds[:-1]
    assert home.lab.guest.ask(verify=True)["memory_verified"]


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("kind", ["pv", "hvm"])
def test_agrees_about_guests_of_other_kinds(world: World, kind: str) -> None:
    """A PV domain has records of its own, and one with a device model has that behind it."""
    if kind == "hvm" and world.lab.share is None:
        pytest.skip(NO_QEMU)
    world.stale = True
    world.lab.reset()
    world.lab.guest.stop()
    spec = GuestSpec(type=kind, memory_mib=192 if kind == "hvm" else 128)
    world.lab.guest.start(world.source, spec, timeout=START_S)
    world.source.run(["xl", "save", "-c", "centos", SAVED], timeout=WAIT_S)
    whole = agreed(world, ask(world, kind))
    assert whole["identity"]["type"] == kind


def agreed(world: World, answers: Answers) -> dict[str, t.Any]:
    """Require that both find the same files sound, with the exceptions that are known; returns what is said of it."""
    sound = {way for way, (xen, dummy) in answers.items() if xen["sound"]}
    wanted = answers.keys() & (SOUND | set(STRICTER))
    assert sound == wanted, {way: xen["said"] for way, (xen, dummy) in answers.items()}
    told = {way: (ours["problem"] or {}).get("code") for way, (dummy, ours) in answers.items()}
    assert told == {way: wanted_code(way) for way in answers}
    for way, (dummy, ours) in answers.items():
        assert not (ours["complete"] and way.startswith("cut "))
        assert ours["complete"] or way not in SOUND | LAXER
    whole = answers["whole"][1]
    assert not whole["permission"]
    assert (whole["identity"]["uuid"], whole["identity"]["name"]) == (world.lab.guest.uuid, "centos")
    return whole


def ask(world: World, kind: str) -> Answers:
    """What Xen and the module say of the file, by the way in which it was broken; it is gone then."""
    host = world.source
    verifier = host.run("ls /usr/lib/xen*/bin/verify-stream-v2").stdout.split()[0]
    host.run(f"cat > {PROGRAM}", stdin=(ON_HOST / "streams.py").read_text())
    try:
        outcome = world.start(play=str(PLAY), program=PROGRAM, saved=SAVED, verifier=verifier, kind=kind).wait(WAIT_S)
    finally:
        host.run(f"rm -f {SAVED} {SAVED}.part {SAVED}.tail {SAVED}.undo {PROGRAM} {CAPTURE}")
    assert outcome.status == 0, outcome.output[-3000:]
    ways = outcome.result
    assert {way for way in ways if not way.startswith("cut ")} <= SOUND | LAXER | set(CODES)
    return {way: (answer["xen"], answer["ours"]) for way, answer in ways.items()}
