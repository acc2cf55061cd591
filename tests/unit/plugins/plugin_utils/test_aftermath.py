# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both sides have seen after a move becomes one result, remarks for people, and a failure where it is one."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils import _aftermath as aftermath

SESSION = "a" * 16
REMARK = {"code": "config_name_taken", "msg": "there was another file.", "remedy": "Compare them."}
ALIVE: dict[str, t.Any] = {
    "alive": True,
    "waited_ms": 12,
    "missing": [],
    "unseen": [],
    "macs": [{"mac": "00:16:3e:00:00:64", "bridge": "xenbr0", "heard": True}],
}


def side(role: str, session: str = SESSION, **fields: t.Any) -> dict[str, t.Any]:
    """What a side's session says."""
    return {"role": role, "session": session, **fields}


def told(life: dict[str, t.Any] | None, end_state: str = "moved", **fields: t.Any) -> dict[str, t.Any]:
    """The result of a move."""
    stayed = end_state == "stayed"
    receiver = side("receiver", belongings={"remarks": [REMARK]}, liveness=None if stayed else life, **fields)
    sender = side("sender", belongings={"remarks": []}, liveness=life if stayed else None)
    # On a move within one host both looks show both sides.
    look = {"sessions": [side("receiver", "b" * 16, liveness=None), sender, receiver]}
    return {"end_state": end_state, **aftermath.tell(SESSION, look, look, {}, end_state)}


def test_each_side_is_asked_for_its_own() -> None:
    """The last status that was read stands for a source that does not answer any more; another session for none."""
    result = told(ALIVE, differences=[])
    assert (result["liveness"], result["differences"]) == (ALIVE, [])
    assert result["belongings"] == {"source": {"remarks": []}, "destination": {"remarks": [REMARK]}}
    status = {"belongings": {"remarks": [REMARK]}, "packing": {"now": "zstd1"}, "stop_prediction": {"pages": 7}}
    left = aftermath.tell(SESSION, {"unreachable": True}, {"sessions": []}, status, "unreachable")
    assert left == {
        "belongings": {"source": {"remarks": [REMARK]}, "destination": None},
        "path": {"source": None, "destination": None},
        "packing": {"now": "zstd1"},
        "stop_prediction": {"pages": 7},
        "liveness": None,
        "differences": None,
        "domid": None,
    }


def test_remarks_have_host_and_remedy() -> None:
    """What the sides say themselves, and what is made of what they have seen."""
    unheard = {**ALIVE, "macs": [{**ALIVE["macs"][0], "heard": False}]}
    result = told(unheard, differences=[{"what": "weight", "before": 512, "after": 256}])
    found = aftermath.remarks(result, "xen1", "xen2")
    assert [remark["code"] for remark in found] == ["config_name_taken", "mac_not_heard", "differs"]
    assert {remark["host"] for remark in found} == {"xen2"}
    assert all(remark["remedy"] for remark in found)
    assert aftermath.line(found[2]).startswith(
        "xen2: its weight for the scheduler was 512 before, and is 256 now. Remedy"
    )
    stayed = {**result, "end_state": "stayed", "liveness": None}
    assert aftermath.remarks(stayed, "xen1", "xen2") == []


def test_its_number_is_told_and_one_that_was_not_kept_remarked() -> None:
    """That of the copy under its own name: within one host two are seen."""
    copies = [{"name": "centos--migratedaway", "domid": 3}, {"name": "centos", "domid": 9}]
    for wanted, remarked in ((0, []), (9, []), (3, ["domid_not_kept"])):
        result = {
            **aftermath.tell(SESSION, {}, {"copies": copies}, {}, "moved"),
            "end_state": "moved",
            "keep_domid": wanted,
        }
        result["belongings"] = {"source": None, "destination": None}
        assert result["domid"] == 9
        found = aftermath.remarks(result, "xen1", "xen2")
        assert [remark["code"] for remark in found] == remarked
        assert all(remark["msg"] == "its domid is 9, and was to stay 3." for remark in found)


def test_a_domain_that_nothing_would_restart_is_remarked_where_it_is() -> None:
    """Whether it has stayed or moved; a copy that is being moved, and a host that told nothing, say nothing of it."""
    kept, lost = ({"copies": [{"name": "centos", "domid": 3, "monitor": word}]} for word in ("kept", "lost"))
    assert aftermath.monitor("stayed", lost, kept) == aftermath.monitor("moved", kept, lost) == "lost"
    assert aftermath.monitor("stayed", kept, lost) == aftermath.monitor("moved", lost, kept) == "kept"
    renamed = {"copies": [{"name": "centos--migratedaway", "domid": 3, "monitor": "lost"}]}
    for end_state, look in (("running_twice", lost), ("stayed", {}), ("stayed", renamed)):
        assert aftermath.monitor(end_state, look, look) is None
    for end_state, host in (("stayed", "xen1"), ("moved", "xen2")):
        result = {**told(None, end_state), "monitor": "lost", "domain": {"name": "centos"}}
        found = [one for one in aftermath.remarks(result, "xen1", "xen2") if one["code"] == "monitor_missing"]
        assert [one["host"] for one in found] == [host]
        assert "xl shutdown -w centos" in found[0]["remedy"]
        assert aftermath.remarks({**result, "end_state": "stayed", "monitor": "kept"}, "xen1", "xen2") == []


def test_a_guest_that_stayed_and_shows_no_life_is_remarked_at_the_source() -> None:
    """The move has failed already, and says so; that its guest stands still in the resume nothing else tells."""
    silent = {**ALIVE, "alive": None, "unseen": ["nothing has grown"], "waited_ms": 15020, "signs": []}
    crashed = {**silent, "alive": False, "missing": ["the domain is shut down"], "unseen": []}
    for life, code, words in (
        (silent, "life_unproven", "nothing has grown"),
        (crashed, "stayed_not_alive", "the domain is shut down"),
    ):
        result = {**told(life, "stayed"), "domain": {"name": "centos"}}
        found = aftermath.remarks(result, "xen1", "xen2")
        assert [(one["code"], one["host"]) for one in found] == [(code, "xen1")]
        assert found[0]["msg"] == f"since it goes on there its guest has shown no sign of life in 15 s: {words}."
        assert "xl console centos" in found[0]["remedy"] and "xl destroy centos" in found[0]["remedy"]
    mute = {**crashed, "missing": ["192.0.2.7 does not answer"], "signs": ["cpu_time"]}
    (heard,) = aftermath.remarks({**told(mute, "stayed"), "domain": {"name": "centos"}}, "xen1", "xen2")
    assert "its guest goes on there (cpu_time grew)" in heard["msg"] and "destroy" not in heard["remedy"]
    for other in (ALIVE, None):
        assert aftermath.remarks({**told(other, "stayed"), "domain": {"name": "centos"}}, "xen1", "xen2") == []


def test_life_is_told_by_the_side_that_has_the_domain() -> None:
    """The receiver's is no word on a copy at the source, nor is anybody's where neither has it."""
    source, destination = (
        {"sessions": [{"role": role, "session": SESSION, "liveness": {"alive": word}}]}
        for role, word in (("sender", "here"), ("receiver", "there"))
    )
    for end_state, seen in (("stayed", "here"), ("moved", "there"), ("running_nowhere", "there")):
        assert aftermath.tell(SESSION, source, destination, {}, end_state)["liveness"] == {"alive": seen}
    assert aftermath.tell(SESSION, {}, destination, {}, "stayed")["liveness"] is None
    dead = {**ALIVE, "alive": False, "missing": ["the domain is shut down"]}
    assert aftermath.remarks({**told(dead, "running_nowhere"), "domain": {"name": "centos"}}, "xen1", "xen2") == []


def test_only_a_domain_that_moved_and_is_dead_is_a_failure() -> None:
    """One of which nothing was seen is a remark."""
    dead = {**ALIVE, "alive": False, "missing": ["the domain is paused"], "waited_ms": 15020}
    failure = aftermath.failure(told(dead), "centos", "xen2")
    assert failure is not None and failure["code"] == "moved_not_alive"
    assert failure["msg"] == "xen2: centos has moved and is not alive after 15 s: the domain is paused."
    assert aftermath.failure(told(dead, "stayed"), "centos", "xen2") is None
    for life in (ALIVE, None):
        assert aftermath.failure(told(life), "centos", "xen2") is None
    unknown = {**ALIVE, "alive": None, "unseen": ["its processor time has not come to a tenth of a second"]}
    assert aftermath.failure(told(unknown), "centos", "xen2") is None
    assert [one["code"] for one in aftermath.remarks(told(unknown), "xen1", "xen2")] == [
        "config_name_taken",
        "life_unproven",
    ]


OPENED = {"step": "opened", "details": {"after_tasks": True}}


@pytest.mark.parametrize(
    ("sender", "receiver", "run", "word"),
    [
        pytest.param([OPENED], [OPENED], "none", "owed", id="not run"),
        pytest.param([OPENED], [OPENED, {"step": "after_tasks_done"}], "none", None, id="run, the source did not hear"),
        pytest.param([], [OPENED], "none", "owed", id="the source has lost its record"),
        pytest.param([OPENED], [OPENED], "given", None, id="about to be run"),
        pytest.param([OPENED], [OPENED], "caught_up", "caught_up", id="caught up"),
        pytest.param([], [], "none", None, id="none"),
    ],
)
def test_tasks_after_the_move_are_told_where_they_are_owed(
    sender: list[dict[str, t.Any]], receiver: list[dict[str, t.Any]], run: str, word: str | None
) -> None:
    """One side that knows they were run is enough, and so is one that knows of them."""
    looks = ({"sessions": [side("sender", journal=sender)]}, {"sessions": [side("receiver", journal=receiver)]})
    assert aftermath.after(SESSION, *looks, run) == word
    assert aftermath.after(None, *looks, run) == (None if word == "owed" else word)


def test_a_run_without_the_tasks_tells_of_them() -> None:
    """With the host that has the domain, and what to type. A rehearsal, or check mode, may have been given them."""
    result = {**told(None), "domain": {"uuid": "u", "name": "centos"}, "after_tasks": "owed"}
    owed = [one for one in aftermath.remarks(result, "xen1", "xen2") if one["code"] == "after_tasks_owed"]
    assert [one["host"] for one in owed] == ["xen2"]
    assert owed[0]["msg"].endswith("are not on record as run, and this run does not run them.")
    assert "dom0.xen.settle -e domain=" in owed[0]["remedy"]
    assert "-e migrate_after_tasks=/ABSOLUTE/PATH" in owed[0]["remedy"]
