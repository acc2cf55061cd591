# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xen-cpuid -p`` is found, asked and read; where it is not to be had nothing is known, and nothing is wrong."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._toolstack import xen_cpuid
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import XlTimeout
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import CommandResult
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xen_cpuid import XenCpuid, find, parse_policies

DATA = pathlib.Path(__file__).resolve().parents[3] / "data" / "xl" / "4.17"
# The policies of captured guests, as the program prints them.
PVH, PV = ((DATA / name).read_text() for name in ("xen-cpuid-pvh", "xen-cpuid-pv"))
SYSTEM = "Xen reports there are maximum 120 leaves and 2 MSRs\n" + "".join(
    text.replace("Domain 1 ", f"{name} ")
    for name, text in (("Raw", PVH), ("Host", PVH), ("PV Max", PV), ("HVM Max", PVH), ("PV Default", PV))
)
SHOWN = Policy(
    vendor="AuthenticAMD",
    features=("178bfbfd", "80202001", "2193fbfd", "00000001", *["00000000"] * 4, "00100000", *["00000000"] * 2)
    + ("00000004", *["00000000"] * 7),
    max_leaf=13,
    max_subleaf=0,
    max_extended_leaf=0x80000021,
    platform_info=1 << 31,
)


def executable(path: pathlib.Path) -> pathlib.Path:
    """Make a program that does nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture(name="found")
def fixture_found(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A machine that has the program on its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return executable(tmp_path / "bin" / "xen-cpuid")


def test_policy_of_a_guest(found: pathlib.Path) -> None:
    """As captured from Xen 4.17."""
    asked: list[t.Sequence[str]] = []

    def run(argv: t.Sequence[str]) -> CommandResult:
        asked.append(argv)
        return CommandResult(0, PVH, "")

    assert XenCpuid(run).domain(1) == SHOWN
    assert XenCpuid(run).domain(2) is None
    assert asked[0] == [str(found), "-p", "1"]


@pytest.mark.parametrize(("release", "subleaf"), [((4, 17), 0), ((4, 15), 0), ((4, 14), None)])
@pytest.mark.usefixtures("found")
def test_policies_of_a_host(release: tuple[int, int], subleaf: int | None) -> None:
    """By name; Xen 4.14 does not compare the highest subleaf of leaf 7."""
    policies = XenCpuid(lambda argv: CommandResult(0, SYSTEM, "")).system(release)
    assert list(policies) == ["pv_max", "hvm_max", "pv_default"]
    assert policies["hvm_max"].features == SHOWN.features
    assert policies["hvm_max"].max_subleaf == policies["pv_max"].max_subleaf == subleaf
    assert policies["pv_default"].max_subleaf == 0 and policies["pv_max"].platform_info == 0


def test_without_pv() -> None:
    """A Xen that was built without support for PV says so in the policy's place."""
    text = SYSTEM.replace(PV.replace("Domain 1 ", "PV Max "), "PV Max policy not supported by Xen\n")
    assert list(parse_policies(text)) == ["Raw", "Host", "HVM Max", "PV Default"]


def _late(argv: t.Sequence[str]) -> CommandResult:
    raise XlTimeout("it did not end", cmd=argv, rc=-1, stderr="")


def _gone(argv: t.Sequence[str]) -> CommandResult:
    raise FileNotFoundError(argv[0])


@pytest.mark.parametrize("run", [lambda argv: CommandResult(1, SYSTEM, "xc_interface_open"), _late, _gone])
@pytest.mark.usefixtures("found")
def test_a_program_that_fails(run: t.Any) -> None:
    """It is as if it were not there."""
    assert XenCpuid(run).system((4, 17)) == {} and XenCpuid(run).domain(1) is None


def test_a_machine_without_it(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is run."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(xen_cpuid, "SYSTEM_PATH", "/nonexistent")
    assert XenCpuid(_late, str(tmp_path)).domain(1) is None


def test_where_debian_has_it(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each release that is installed: the one of the Xen that runs is taken."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(xen_cpuid, "SYSTEM_PATH", "/nonexistent")
    for release in ("4.14", "4.17"):
        executable(tmp_path / f"usr/lib/xen-{release}/bin/xen-cpuid")
    assert find(str(tmp_path)) is None
    for part, number in (("major", "4"), ("minor", "17")):
        path = tmp_path / "sys/hypervisor/version" / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n")
    assert find(str(tmp_path)) == str(tmp_path / "usr/lib/xen-4.17/bin/xen-cpuid")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Domain 1 policy: 51 leaves, 2 MSRs\n",
        PVH.replace("000000ce -> ", "000000ce -> x"),
        PVH.replace("2 MSRs", "3 MSRs"),
        PVH.replace("51 leaves", "3 leaves"),
        PVH.replace("  00000000:ffffffff", "  0000000:ffffffff"),
        PVH[: PVH.index("  0000010a")],
        "\n" * (1 << 19) + PVH,
    ],
)
def test_what_is_not_whole_is_not_taken(text: str) -> None:
    """Half a policy would let through what the other half forbids."""
    assert parse_policies(text) == {}


def test_one_that_is_cut_off_leaves_the_others() -> None:
    """Each stands for itself."""
    assert "HVM Max" in parse_policies(SYSTEM) and "PV Default" not in parse_policies(SYSTEM[:-20])
    assert list(parse_policies(SYSTEM[:-20])) == ["Raw", "Host", "PV Max", "HVM Max"]


_LINES = st.sampled_from([*SYSTEM.splitlines(), "", "xen-cpuid: error", "  00000000:ffffffff -> 0000000d"])


@given(st.lists(_LINES | st.text(max_size=80), max_size=60))
def test_any_lines(lines: list[str]) -> None:
    """Whatever is printed gives policies or none, and never an error."""
    for name, each in parse_policies("\n".join(lines)).items():
        assert name in ("Raw", "Host", "PV Max", "HVM Max", "PV Default")
        assert len(each.features) == 19 and all(len(word) == 8 for word in each.features)
