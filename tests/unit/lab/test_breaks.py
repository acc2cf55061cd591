# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of faults on real Xen, and what makes the campaign fail."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from breaks import __main__ as campaign
from breaks.attempt import Verdict
from breaks.listing import MOMENTS, SIGNS, chosen, faults

ALL = faults()
DOCUMENTS = {
    "memory": '{"phase":"streaming"}',
    "suspend": '{"phase":"final_round"}',
    "gate": '{"gate":{"waits":true}}',
    "commit": '{"number":3,"step":"commit"}',
    "report": '{"number":5,"step":"reported_running"}',
}


def test_each_fault_is_listed_once_and_each_moment_has_some() -> None:
    """A campaign cannot shrink without anybody noticing."""
    names = [str(fault) for fault in ALL]
    assert len(names) == len(set(names)) >= campaign.LEAST
    assert {fault.moment for fault in ALL} == set(MOMENTS) == set(SIGNS)


def test_names_and_a_limit_choose() -> None:
    """Some faults can be repeated by their name."""
    assert [str(fault) for fault in chosen(ALL, ["kill-sender@gate"], None)] == ["kill-sender@gate"]
    assert len(chosen(ALL, [], 3)) == 3


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_sign_is_found_in_what_it_is_for_and_in_nothing_else(moment: str, tmp_path: Path) -> None:
    """The moment is seen in the words that the daemons write, and not in those of another moment."""
    for name, document in DOCUMENTS.items():
        (tmp_path / "document").write_text(document + "\n")
        line = SIGNS[moment].rpartition(" ")[0] + f" {tmp_path}/document"
        assert (subprocess.run(line, shell=True, check=False).returncode == 0) is (name == moment)


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict("x", reached=True, lost=True),
        Verdict("x", reached=True, running_twice=True),
        Verdict("x", reached=True, left_unsettled=True),
        Verdict("x", reached=True, guest_changed=True),
        Verdict("x", reached=True, error="LabError"),
        Verdict("x"),
    ],
)
def test_one_bad_verdict_fails_the_campaign(verdict: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with one fault, a moment that never came included, is seen in the exit status."""
    monkeypatch.setattr(campaign, "RESULT", tmp_path / "lab.json")
    good = Verdict("y", reached=True)
    assert campaign.write([good], 69, 1.0)
    assert not campaign.write([good, verdict], 69, 1.0)
