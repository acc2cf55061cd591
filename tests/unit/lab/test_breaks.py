# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of faults on real Xen, and what makes the campaign fail."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import typing as t
from pathlib import Path

import pytest
from breaks import __main__ as campaign
from breaks.hands import packed
from breaks.listing import CONTROLLER, MOMENTS, PLAYBOOK, SIGNS, chosen, faults
from breaks.verdict import Verdict, conclude
from dom0lab import Observation
from proof import playbook

ALL = faults()
STATUS, SENT, RECEIVED = "run/x.sender/status.json", "lib/x.sender/journal", "lib/x.receiver/journal"
DOCUMENTS = {
    "memory": (STATUS, '{"phase":"streaming","gate":{"waits":false}}'),
    "gate": (STATUS, '{"phase":"gate","gate":{"waits":true}}'),
    "commit": (RECEIVED, '{"number":3,"step":"commit"}'),
    "report": (SENT, '{"number":5,"step":"reported_running"}'),
}
ANOTHER = {
    "memory": '{"phase":"final_round"}',
    "gate": '{"phase":"gate","gate":{"waits":false}}',
    "commit": '{"number":2,"step":"ready"}',
    "report": '{"number":4,"step":"commit_requested"}',
}


def test_each_fault_is_listed_once_and_each_moment_has_some() -> None:
    """A campaign cannot shrink without anybody noticing."""
    names = [str(fault) for fault in ALL]
    assert len(names) == len(set(names)) >= campaign.LEAST
    assert {fault.moment for fault in ALL} == set(MOMENTS) == set(SIGNS)


def test_a_guest_may_be_gone_only_with_the_one_host_that_had_it() -> None:
    """Nothing else is excused: a copy that is the last good one must not be destroyed, nor another one started anew."""
    assert {str(fault) for fault in ALL if fault.takes_the_guest} == {
        *("power-source@memory", "power-source@suspend"),
        *("power-destination@commit", "power-destination@report"),
    }


def test_a_kill_of_the_controller_needs_one_and_some_others_have_one() -> None:
    """What kills ansible-playbook cannot do without it; the others that go its way are still on the list."""
    through = {str(fault) for fault in ALL if fault.playbook}
    assert set(PLAYBOOK) < through
    assert {str(fault) for fault in ALL if fault.host == CONTROLLER} == through - set(PLAYBOOK)


def test_a_host_answers_with_nothing_but_what_is_packed_for_it(tmp_path: Path) -> None:
    """The code runs from its own folder without this checkout, one request after the other; a broken one costs one."""
    with tarfile.open(fileobj=io.BytesIO(packed())) as archive:
        archive.extractall(tmp_path, filter="data")
    places = {"runtime": str(tmp_path / "run"), "journal": str(tmp_path / "lib")}
    requests = [
        {"do": "sh", "line": "echo here; exit 3"},
        {"do": "py", "text": "if __name__ == '__main__': print(2 + 3)"},
        {"do": "seen", **places},
        {"do": "say", "session": "0" * 16, "role": "sender", "command": "permit", **places},
        {"do": "unknown", **places},
        {"do": "seen", **places},
    ]
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "agent.py")],
        input="".join(json.dumps(one) + "\n" for one in requests), capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0] == {"status": 3, "stdout": "here\n", "stderr": ""}
    assert answers[1] == {"status": 0, "stdout": "5\n", "stderr": ""}
    assert answers[2] == answers[5] == {"sessions": []}
    assert answers[3]["error"]["code"] == "session_silent"
    assert answers[4]["error"]["code"] == "broken"


def test_names_and_a_limit_choose() -> None:
    """Some faults can be repeated by their name."""
    assert [str(fault) for fault in chosen(ALL, ["kill-sender@gate"], None)] == ["kill-sender@gate"]
    assert len(chosen(ALL, [], 3)) == 3


@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment not in ("start", "suspend")])
def test_a_sign_is_found_in_what_it_is_for_and_in_nothing_else(moment: str, tmp_path: Path) -> None:
    """The moment is seen in the words that the daemons write, and not in those of another moment."""
    where, document = DOCUMENTS[moment]
    command = SIGNS[moment].replace("/run/dom0-xen", f"{tmp_path}/run").replace("/var/lib/dom0-xen", f"{tmp_path}/lib")
    file = tmp_path / where
    file.parent.mkdir(parents=True)
    file.write_text(ANOTHER[moment] + "\n")
    assert subprocess.run(["timeout", "1", "bash", "-c", command], check=False).returncode == 124
    with subprocess.Popen(["timeout", "10", "bash", "-c", command]) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1)
        with file.open("a") as handle:
            handle.write(document + "\n")
        assert waiting.wait() == 0


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict("x", reached=True, lost=True),
        Verdict("x", reached=True, running_twice=True),
        Verdict("x", reached=True, left_unsettled=True),
        Verdict("x", reached=True, guest_changed=True),
        Verdict("x", reached=True, touched_before_banner=True),
        Verdict("x", reached=True, error="LabError"),
        Verdict("x"),
    ],
)
def test_one_bad_verdict_fails_the_campaign(verdict: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with one fault, a moment that never came included, is seen in the exit status."""
    monkeypatch.setattr(campaign, "RESULT", tmp_path / "lab.json")
    good = Verdict("y", reached=True)
    assert campaign.write([good], 69, 1.0, 1)
    assert not campaign.write([good, verdict], 69, 1.0, 1)


def test_a_campaign_that_was_stopped_early_is_not_ok(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names some faults, or a limit, asks for no more than these; all others need as many as were promised."""
    monkeypatch.setattr(campaign, "RESULT", tmp_path / "lab.json")
    good = [Verdict(str(number), reached=True) for number in range(campaign.LEAST)]
    assert campaign.least([], None) == campaign.LEAST
    assert campaign.least(["kill"], None) == campaign.least([], 3) == 1
    assert campaign.write(good, 69, 1.0, campaign.LEAST)
    assert not campaign.write(good[1:], 69, 1.0, campaign.LEAST)
    checks = json.loads(campaign.RESULT.read_text())["checks"]
    assert [check["name"] for check in checks if not check["ok"]] == ["runs"]


def test_a_campaign_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has passed on this code counts; what went wrong, and what other code has passed, does not."""
    monkeypatch.setattr(campaign, "RESULT", tmp_path / "lab.json")
    monkeypatch.setattr(playbook, "tried", lambda: "this")
    assert campaign.earlier() == ([], 0.0)
    good, bad = Verdict("x", reached=True, seconds=9.0), Verdict("y", reached=True, lost=True)
    campaign.write([good, bad], 69, 20.0, 1)
    assert campaign.earlier() == ([good], 20.0)
    monkeypatch.setattr(playbook, "tried", lambda: "another")
    assert campaign.earlier() == ([], 0.0)


def test_code_that_is_not_committed_has_passed_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether it is the code that a campaign before was about."""
    monkeypatch.setattr(campaign, "RESULT", tmp_path / "lab.json")
    monkeypatch.setattr(playbook, "ROOT", tmp_path)
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@y", "-C", str(tmp_path))
    for folder in playbook.TRIED:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").touch()
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True)
    named = playbook.tried()
    assert len(named.split()) == len(playbook.TRIED)
    campaign.write([Verdict("x", reached=True)], 69, 20.0, 1)
    assert len(campaign.earlier()[0]) == 1
    (tmp_path / "roles" / "file").write_text("changed")
    assert playbook.tried() == ""
    campaign.write([Verdict("x", reached=True)], 69, 20.0, 1)
    assert campaign.earlier() == ([], 0.0)


@pytest.mark.parametrize("arguments", [["kill-sendr@gate"], ["kill-sender@gate", "nosuch"], ["--limit", "0"]])
def test_a_fault_that_is_not_listed_is_no_success(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the finger must not end as a campaign in which everything was well."""
    monkeypatch.setattr(sys, "argv", ["breaks", *arguments])
    with pytest.raises(SystemExit) as ended:
        campaign.main()
    assert ended.value.code == 2
    assert "fault" in capsys.readouterr().err


def seen(**more: t.Any) -> Observation:
    """What was seen from outside of one guest that never noticed anything."""
    numbers = dict.fromkeys(("gap_ms", "usual_ms", "asked", "answered", "lost", "double_answers", "duration_ms"), 0)
    whole = dict.fromkeys(("boot_id_unchanged", "counter_never_fell", "memory_verified"), True)
    return Observation(**{**numbers, **whole, "boots": 1, "before": {}, "after": {}, **more})


def concluded(fault: str, observed: Observation, **found: list[str]) -> Verdict:
    """The verdict on a fault that was settled, after which these copies are there."""
    verdict = Verdict(fault, reached=True, settle_status=0)
    conclude(next(one for one in ALL if str(one) == fault), verdict, found, observed)
    return verdict


GONE_WITH_ITS_HOST = "power-destination@commit"
ANEW = seen(boot_id_unchanged=False, counter_never_fell=False, boots=2)


@pytest.mark.parametrize("fault", ["kill-sender@gate", GONE_WITH_ITS_HOST])
def test_one_copy_that_runs_unharmed_is_well(fault: str) -> None:
    """Wherever it is."""
    assert concluded(fault, seen(), xen1=["-b----"], xen2=[]).well
    assert concluded(fault, seen(), xen1=[], xen2=["r-----"]).well


def test_a_guest_that_went_with_its_host_may_be_gone_or_started_anew() -> None:
    """And no other one may."""
    silent = seen(memory_verified=False)
    assert concluded(GONE_WITH_ITS_HOST, silent, xen1=[], xen2=[]).well
    assert concluded(GONE_WITH_ITS_HOST, ANEW, xen1=["-b----"], xen2=[]).well
    assert concluded("kill-sender@gate", silent, xen1=[], xen2=[]).lost
    assert concluded("kill-sender@gate", ANEW, xen1=["-b----"], xen2=[]).guest_changed


@pytest.mark.parametrize(
    "observed",
    [
        seen(counter_never_fell=False),  # the copy that had been left behind goes on, over what the other has written
        seen(boot_id_unchanged=False, counter_never_fell=False, boots=3),
        seen(boot_id_unchanged=False, counter_never_fell=False, boots=2, memory_verified=False),
        seen(memory_verified=False),
        seen(double_answers=1),
    ],
)
def test_what_is_there_is_excused_nothing(observed: Observation) -> None:
    """That a guest may be gone is no leave to damage it, to turn it back, or to run it twice."""
    assert not concluded(GONE_WITH_ITS_HOST, observed, xen1=["-b----"], xen2=[]).well


@pytest.mark.parametrize("fault", ["kill-sender@gate", GONE_WITH_ITS_HOST])
@pytest.mark.parametrize(
    "found",
    [
        {"xen1": ["-b----"], "xen2": ["--p---"]},
        {"xen1": ["-b----", "---s--"], "xen2": []},
        {"xen1": ["--p---"], "xen2": []},
        {"xen1": [], "xen2": ["----c-"]},
    ],
)
def test_two_copies_or_one_that_stands_still_are_not_settled(fault: str, found: dict[str, list[str]]) -> None:
    """Two with one UUID on one host are two; and a paused one is nobody's end."""
    assert concluded(fault, seen(), **found).left_unsettled
