# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Xen's own checker of streams and the module that describes them find the same files sound."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .world import ON_HOST, World

PLAY = Path(__file__).parent / "playbooks" / "streams.yml"
SAVED = "/var/lib/lab-saved"
PROGRAM = "/run/lab-streams.py"
# Xen's checker looks at a million frame numbers one by one, and in an emulated host that takes half a minute.
WAIT_S = 2700

SOUND = {"whole", "permission", "shorter context"}
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
    **STRICTER,
}


def wanted_code(way: str) -> str | None:
    """What the module is to say about a file that was broken so."""
    if way in SOUND:
        return None
    return "stream_truncated" if way.startswith("cut ") else CODES[way]


@pytest.mark.timeout(3000)
def test_agrees_with_xens_own_checker(home: World) -> None:
    """The saved guest as it is, and broken in some thirty ways: what Xen finds sound is sound, and nothing else is."""
    home.stale = True  # saving the guest takes its monitor away
    host = home.source
    verifier = host.run("ls /usr/lib/xen*/bin/verify-stream-v2").stdout.split()[0]
    host.run(["xl", "save", "-c", "centos", SAVED])
    host.run(f"cat > {PROGRAM}", stdin=(ON_HOST / "streams.py").read_text())
    try:
        answers = ask(home, verifier)
    finally:
        host.run(f"rm -f {SAVED} {SAVED}.part {SAVED}.tail {SAVED}.undo {PROGRAM}")
    sound = {way for way, (xen, dummy) in answers.items() if xen["sound"]}
    assert sound == SOUND | set(STRICTER), {way: xen["said"] for way, (xen, dummy) in answers.items()}
    told = {way: (ours["problem"] or {}).get("code") for way, (dummy, ours) in answers.items()}
    assert told == {way: wanted_code(way) for way in answers}
    assert not any(ours["complete"] for way, (dummy, ours) in answers.items() if way.startswith("cut "))
    whole = answers["whole"][1]
    assert whole["complete"] and not whole["permission"] and answers["permission"][1]["permission"]
    assert (whole["identity"]["uuid"], whole["identity"]["name"]) == (home.lab.guest.uuid, "centos")
    assert [seen["kind"] for seen in whole["rounds"]] == ["final"]
    assert 0 < whole["memory"]["zero_share"] < 1


def ask(home: World, verifier: str) -> dict[str, tuple[dict[str, t.Any], dict[str, t.Any]]]:
    """What Xen and the module say, by the way in which the file was broken."""
    outcome = home.start(play=str(PLAY), program=PROGRAM, saved=SAVED, verifier=verifier).wait(WAIT_S)
    assert outcome.status == 0, outcome.output[-3000:]
    ways = outcome.result
    assert {way for way in ways if not way.startswith("cut ")} == SOUND | set(CODES)
    return {way: (answer["xen"], answer["ours"]) for way, answer in ways.items()}
