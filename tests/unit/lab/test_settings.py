# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever asks for a lab gets the one that was asked for, or none: figures of other hosts would be false."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from dom0lab import Lab, LabError, control
from dom0lab.image import RELEASES
from dom0lab.start import WITH_QEMU, Settings, require_kind
from proof import cases

THREE = Settings(releases=("bullseye", "bookworm", "trixie"))


def about(settings: Settings) -> dict[str, object]:
    """What the lab with these settings writes of itself, after a way through its file."""
    document: dict[str, object] = json.loads(json.dumps({"kind": settings.kind}))
    return document


@pytest.mark.parametrize("settings", [Settings(), WITH_QEMU, THREE])
def test_the_same_lab_is_taken(settings: Settings, tmp_path: Path) -> None:
    """A lab that is up spares minutes."""
    require_kind(about(settings), settings, tmp_path)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Settings(releases=("trixie", "trixie")), "releases"),
        (Settings(memory_mib=3000), "memory_mib 2048 where 3000"),
        (THREE, "2 hosts where 3 are wanted"),
        (Settings(hvm=True), "qemu"),
        (Settings(share=True), "shared_folder"),
        (Settings(cold=True), "booted anew"),
    ],
)
def test_another_one_is_refused_with_the_way_out(wanted: Settings, told: str, tmp_path: Path) -> None:
    """All that differs is told at once, and the command that takes the lab down."""
    with pytest.raises(LabError, match=told) as caught:
        require_kind(about(Settings()), wanted, tmp_path)
    assert str(tmp_path) in str(caught.value) and "lab down" in str(caught.value)


def test_every_setting_counts() -> None:
    """One that is added and forgotten here would be taken for any other."""
    assert len(Settings().kind) == len(dataclasses.fields(Settings)) - 1  # "cold" is about how it comes up


def test_a_lab_that_nothing_is_known_of_is_refused(tmp_path: Path) -> None:
    """An older version wrote down nothing but the releases."""
    with pytest.raises(LabError, match="memory_mib not known where 2048 is wanted"):
        require_kind({"releases": ["bookworm", "bookworm"]}, Settings(), tmp_path)


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lab of two hosts that is up, with nothing in it."""
    monkeypatch.setenv("DOM0_XEN_LAB_STATE", str(tmp_path))
    keeper = control.start(tmp_path, {"xen1": ["sleep", "1000"], "xen2": ["sleep", "1000"]})
    yield tmp_path
    control.down(tmp_path)
    os.close(keeper)


def test_a_refused_lab_is_not_touched(up: Path) -> None:
    """It may be in the middle of somebody's work: no reset, and its hosts are not stopped."""
    hosts = [{"name": name, "address": "10.77.0.9", "ssh_port": 9} for name in ("xen1", "xen2")]
    (up / "lab.json").write_text(json.dumps({**about(Settings()), "hosts": hosts, "times": {}}))
    before = control.ask(up, "start", host="xen1")["hosts"]
    for wanted in (THREE, WITH_QEMU):
        with pytest.raises(LabError, match="another lab is up"):
            Lab.up(wanted)
    assert control.ask(up, "status")["hosts"] == before


def test_a_lab_that_has_not_told_of_itself_is_refused(up: Path) -> None:
    """It is being brought up, or its starter died on the way."""
    with pytest.raises(LabError, match="nothing is known of it"):
        Lab.up()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("qemu", [False, True])
def test_the_cases_run_on_two_hosts_of_one_release(release: str, qemu: bool) -> None:
    """And on what they need beside it, which is the same for all."""
    asked = cases.parser().parse_known_args(["--release", release, "-k", "live", *(["--qemu"] if qemu else [])])
    assert asked[1] == ["-k", "live"]
    chosen = cases.settings(asked[0].release, asked[0].qemu)
    assert chosen.releases == (release, release)
    assert dataclasses.replace(chosen, releases=Settings().releases) == (WITH_QEMU if qemu else Settings())


def test_two_releases_or_one_that_is_not_known_are_no_lab_for_the_cases(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is brought up for them, and the names that are known are told."""
    assert cases.parser().parse_known_args([])[0].release == "bookworm"
    for asked in ("bookworm,trixie", "buster"):
        with pytest.raises(SystemExit):
            cases.parser().parse_known_args(["--release", asked])
        told = capsys.readouterr().err
        assert all(name in told for name in RELEASES)
