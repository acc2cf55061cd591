# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict is about what both hosts showed; its message names the cause, the host and the remedy."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import UUID, row

pytestmark = pytest.mark.timeout(300)

HERE: dict[str, t.Any] = {"copies": [row().to_result()]}
NOWHERE: dict[str, t.Any] = {"copies": []}
AWAY: dict[str, t.Any] = {"copies": [row("centos--migratedaway", shutdown=True, reason="suspend").to_result()]}


def verdict(at_source: dict[str, t.Any], at_destination: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    """Return the task."""
    arguments = {
        "domain": {"uuid": UUID, "name": "centos"},
        "source": "xen1",
        "destination": "xen2",
        "source_info": at_source,
        "destination_info": at_destination,
        **options,
    }
    return {"name": "Judge", "dom0.xen.migration_verdict": arguments, "ignore_errors": True}


def judge(playbook: Playbook, **tasks: dict[str, t.Any]) -> dict[str, t.Any]:
    """Run the tasks; return their results by name."""
    named = [{**task, "register": name} for name, task in tasks.items()]
    together = "{" + ", ".join(f"'{name}': {name}" for name in tasks) + "}"
    return playbook.run(*named, register=together).results


def test_only_a_domain_at_the_destination_and_nowhere_else_is_a_success(playbook: Playbook) -> None:
    """A status that says so, or a source that does not answer, is not enough."""
    said = {"end_state": "moved", "owner": "destination"}
    found = judge(
        playbook,
        moved=verdict(NOWHERE, HERE),
        stayed=verdict(HERE, NOWHERE, status=said),
        twice=verdict(HERE, HERE, status=said),
        nowhere=verdict(AWAY, NOWHERE, status=said),
        left_over=verdict(AWAY, HERE, status=said),
        unreachable=verdict({"unreachable": True, "msg": "no route"}, HERE, status=said),
        unknown_source=verdict(NOWHERE, HERE, source=""),
        same_host=verdict(HERE, HERE, destination="xen1", same_host=True, status=said),
    )
    assert {name: bool(result.get("failed")) for name, result in found.items()} == {
        "moved": False,
        "stayed": True,
        "twice": True,
        "nowhere": True,
        "left_over": True,
        "unreachable": True,
        "unknown_source": False,
        "same_host": False,
    }
    assert {name: result["owner"] for name, result in found.items() if result["owner"] != "destination"} == {
        "stayed": "source",
        "twice": "unsettled",
        "nowhere": "unsettled",
        "unreachable": "unsettled",
    }


def test_a_domain_that_moves_between_two_looks_does_not_run_twice(playbook: Playbook) -> None:
    """Of the copies that were seen one is gone by now: whoever stopped the other would stop the only one.

    A source that did not answer for a while was not told to give up, and its move goes on.
    """
    sender = {"role": "sender", "session": "a" * 16, "alive": True, "phase": "streaming"}
    found = judge(
        playbook,
        moves=verdict({**HERE, "sessions": [sender]}, HERE),
        ended=verdict({**HERE, "sessions": [{**sender, "phase": "ended"}]}, HERE),
        gone=verdict({**HERE, "sessions": [{**sender, "alive": False}]}, HERE),
        one_host=verdict({"copies": [row().to_result(), row(domid=9).to_result()], "sessions": [sender]}, NOWHERE),
    )
    assert {name: result["end_state"] for name, result in found.items()} == {
        "moves": "unsettled",
        "ended": "running_twice",
        "gone": "running_twice",
        "one_host": "running_twice",
    }
    assert all(result["failed"] for result in found.values())
    assert "Stop one copy now" not in found["moves"]["msg"] and "Look again" in found["moves"]["msg"]


def test_a_copy_that_was_to_be_left_paused_counts_when_a_session_says_so(playbook: Playbook) -> None:
    """The sender's last word, or what settling has written into a result; and not the wish alone."""
    paused: dict[str, t.Any] = {"copies": [row(paused=True).to_result()]}
    moved = {"end_state": "moved", "leave_paused": True}
    found = judge(
        playbook,
        said=verdict(NOWHERE, paused, status={**moved, "stop_ms": 5, "mapped": [{"what": "bridge"}]}),
        settled=verdict(NOWHERE, {**paused, "sessions": [{"role": "receiver", **moved}]}),
        known=verdict(NOWHERE, paused, leave_paused=True),
        not_moved=verdict(NOWHERE, paused, status={**moved, "end_state": "unsettled"}),
        not_wanted=verdict(NOWHERE, paused, status={"end_state": "moved"}),
        left_over=verdict(AWAY, paused, status=moved),
        same_host=verdict(paused, {**paused, "sessions": [moved]}, destination="xen1", same_host=True),
        same_host_wanted=verdict(paused, paused, destination="xen1", same_host=True, leave_paused=True),
    )
    assert {name for name, result in found.items() if result.get("failed")} == {
        "not_moved",
        "not_wanted",
        "left_over",
        "same_host_wanted",
    }
    assert found["said"]["stop_ms"] is None and found["said"]["mapped"] == [{"what": "bridge"}]
    assert "It is paused on xen2, as was asked for" in found["said"]["msg"]


def test_a_rehearsal_is_a_success_only_where_it_has_come_to_its_end(playbook: Playbook) -> None:
    """And where one was asked for: a run that has taken over the watch of one wanted the domain to be moved."""
    said = {"end_state": "stayed", "error": {"code": "rehearsed", "msg": "it was a rehearsal", "side": "sender"}}
    cancelled = {**said, "error": {"code": "cancelled", "msg": "it was cancelled", "side": "sender"}}
    found = judge(
        playbook,
        rehearsed=verdict(HERE, NOWHERE, status=said, rehearse=True),
        not_asked_for=verdict(HERE, NOWHERE, status=said),
        cancelled=verdict(HERE, NOWHERE, status=cancelled, rehearse=True),
        left_over=verdict(HERE, HERE, status=said, rehearse=True),
        not_seen=verdict(HERE, {"unreachable": True, "msg": "no route"}, status=said, rehearse=True),
        failed=verdict(HERE, NOWHERE, status=said, rehearse=True, error={"failed": True, "msg": "no"}),
    )
    assert {name for name, result in found.items() if not result.get("failed")} == {"rehearsed"}
    assert {name for name, result in found.items() if result["rehearsed"]} == {"rehearsed"}
    assert found["rehearsed"]["error"] is None and found["rehearsed"]["end_state"] == "stayed"
    assert "The move of centos from xen1 to xen2 was rehearsed" in found["rehearsed"]["msg"]


def test_what_was_asked_for_is_told_where_the_source_has_lost_its_status(playbook: Playbook) -> None:
    """Its host lost power: what settling has written there says no more than how it ended."""
    mapped = [{"what": "bridge", "from": "xenbr0", "to": "br-lan"}]
    told = {"role": "receiver", "session": "a" * 16, "leave_paused": True, "mapped": mapped, "keep_domid": 3}
    paused = {"copies": [row(paused=True).to_result()], "sessions": [{**told, "end_state": "moved"}]}
    found = judge(
        playbook,
        lost=verdict(NOWHERE, paused, status={"session": "a" * 16, "end_state": "moved"}),
        kept=verdict(NOWHERE, paused, status={"session": "a" * 16, "mapped": [], "keep_domid": 0}),
        other=verdict(NOWHERE, HERE, status={"session": "b" * 16}),
    )
    assert [(one["mapped"], one["keep_domid"]) for one in found.values()] == [(mapped, 3), ([], 0), ([], 0)]
    assert [one["leave_paused"] for one in found.values()] == [True, True, False]


def test_the_message_has_cause_host_and_remedy(playbook: Playbook) -> None:
    """Whoever found the error: the session on either side, a module, or the watch."""
    lost = {"code": "link_expired", "msg": "the link has been down for 5 s.", "host": None, "remedy": "Mend it."}
    failed = {"msg": "no such banner", "code": "banner_wrong", "remedy": "Look at xl.", "failed": True}
    refused = {"failed": True, "msg": "the destination was not given the permission."}
    found = judge(
        playbook,
        sender=verdict(HERE, NOWHERE, status={"error": {**lost, "side": "sender"}}, error=refused),
        receiver=verdict(HERE, NOWHERE, status={"error": {**lost, "side": "receiver"}}, error=refused),
        module=verdict(HERE, NOWHERE, error=failed, error_host="xen2"),
        gone=verdict(HERE, NOWHERE, status={"phase": "streaming", "error": None}, ending="gone", error=refused),
    )
    assert {name: (result["error"]["host"], result["code"]) for name, result in found.items()} == {
        "sender": ("xen1", "link_expired"),
        "receiver": ("xen2", "link_expired"),
        "module": ("xen2", "banner_wrong"),
        "gone": ("xen1", "sender_gone"),
    }
    now = "Now: It runs on xen1, and nothing is left on xen2."
    head = "centos was not moved from xen1 to xen2:"
    assert found["receiver"]["msg"] == f"{head} xen2: the link has been down for 5 s. Remedy: Mend it. {now}"
    assert found["module"]["msg"] == f"{head} xen2: no such banner. Remedy: Look at xl. {now}"
    assert found["gone"]["msg"].startswith(
        f"{head} xen1: the sender's process ended without leaving a result. Remedy: "
    )


def test_a_second_look_counts_after_an_objection_and_not_after_an_error(playbook: Playbook) -> None:
    """A copy that was just being destroyed is gone a moment later; what failed before stays a failure."""
    objection = {"failed": True, "end_state": "moved", "settled": False, "error": None, "msg": "still has a copy"}
    found = judge(
        playbook,
        again=verdict(NOWHERE, HERE, error=objection),
        failed=verdict(NOWHERE, HERE, error={"failed": True, "msg": "a module failed", "code": "x"}),
    )
    assert not found["again"].get("failed")
    assert found["failed"]["failed"]


def test_the_result_is_written_whatever_it_is(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """Programs read failures, too."""
    judge(playbook, stayed=verdict(HERE, NOWHERE, result_path=str(tmp_path / "out" / "result.json")))
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["owner"], result["end_state"], result["format"]) == ("source", "stayed", 1)
