# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine-readable result, and what a person is told."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._ownership import Verdict
from ansible_collections.dom0.xen.plugins.plugin_utils._report import (
    ResultNotWritten,
    build,
    complaint,
    sentence,
    write,
)

DOMAIN = {"uuid": "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab", "name": "centos"}
MOVED = Verdict("destination", "moved", "It runs on xen2, and nothing is left on xen1.", True)
STAYED = Verdict("source", "stayed", "It runs on xen1, and nothing is left on xen2.", True)
STATUS: dict[str, t.Any] = {
    "session": "a" * 16,
    "method": "live",
    "transport": "tls",
    "bytes": 145752064,
    "rounds": [{"number": 0, "kind": "live"}],
    "total_ms": 26412,
    "stop_ms": 4580,
    "stop_measured": "source_suspended_to_destination_running",
    "timeline": {"source_suspended": 21800},
    "link": {"up": True, "losses": 3},
    "owner": "source",
    "error": None,
    "stderr": ["Migration successful."],
    "peer": {"stderr": ["migration target: Domain started successsfully."]},
}


def test_the_result_has_the_verdict_the_figures_and_both_sides_words() -> None:
    """Where the domain is comes from the verdict, never from the session's own status."""
    result = build(MOVED, STATUS, DOMAIN, "xen1", "xen2")
    assert (result["owner"], result["end_state"], result["settled"]) == ("destination", "moved", True)
    assert {key: result[key] for key in ("bytes", "rounds", "total_ms", "stop_ms", "method", "transport")} == {
        key: STATUS[key] for key in ("bytes", "rounds", "total_ms", "stop_ms", "method", "transport")
    }
    assert result["link_losses"] == 3
    assert result["xl_stderr"] == {
        "source": ["Migration successful."],
        "destination": ["migration target: Domain started successsfully."],
    }


def test_a_result_without_a_session_has_the_same_keys() -> None:
    """Whoever reads it needs no special cases."""
    assert build(STAYED, None, DOMAIN, "", "xen2").keys() == build(MOVED, STATUS, DOMAIN, "xen1", "xen2").keys()


def test_success_is_told_in_one_sentence() -> None:
    """With the figures, when there are any."""
    assert sentence(build(MOVED, STATUS, DOMAIN, "xen1", "xen2"), "centos") == (
        "centos is on xen2 (139 MiB, 26 s in all, stood still for 4.6 s). It runs on xen2, and nothing is left on xen1."
    )


def test_failure_tells_cause_remedy_and_where_the_domain_is() -> None:
    """The remedy once, also when the message of the module has it already."""
    result = build(STAYED, None, DOMAIN, "xen1", "xen2")
    error = {"msg": "xen2: port 49152 cannot be reached.", "remedy": "Open it."}
    told = "centos was not moved from xen1 to xen2: xen2: port 49152 cannot be reached. Remedy: Open it. Now: " + (
        "It runs on xen1, and nothing is left on xen2."
    )
    assert complaint(result, "centos", error) == told
    assert complaint(result, "centos", {**error, "msg": f"{error['msg']} Remedy: Open it."}) == told


def test_a_file_is_written_whole_or_not_at_all(tmp_path: pathlib.Path) -> None:
    """A reader never sees half of it, and a folder that cannot be written to is named."""
    write(str(tmp_path / "new" / "result.json"), {"end_state": "moved"})
    assert json.loads((tmp_path / "new" / "result.json").read_text()) == {"end_state": "moved"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["result.json"]
    with pytest.raises(ResultNotWritten):
        write(str(tmp_path / "new" / "result.json" / "below.json"), {})


def test_the_result_says_when_it_was() -> None:
    """A report of many moves puts them on one line of time; a session that never told gives null."""
    assert build(MOVED, {**STATUS, "began_s": 1795448672.57}, DOMAIN, "xen1", "xen2")["began_s"] == 1795448672.57
    assert build(STAYED, None, DOMAIN, "", "xen2")["began_s"] is None
