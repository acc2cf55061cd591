# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What xl printed on real hosts is read back exactly, and anything else is refused rather than guessed."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainState
from ansible_collections.dom0.xen.plugins.module_utils._toolstack import errors, parse

DATA = pathlib.Path(__file__).resolve().parents[3] / "data" / "xl" / "4.17"
TITLE = "Name                                        ID   Mem VCPUs\tState\tTime(s)"
VERBOSE = TITLE + "   UUID                            Reason-Code\tSecurity Label"
UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"


def _line(name: str, state: str = "-b----", reason: str = "-", domid: int = 3, seconds: float = 1.5) -> str:
    """Print a domain as tools/xl/xl_info.c list_domains does."""
    return f"{name:<40} {domid:5d} {128:5d} {1:5d}     {state}  {seconds:8.1f} {UUID} {reason:>8} {'-':>16}"


def test_info_of_a_real_host() -> None:
    """Version, abilities and memory as the lab's Xen 4.17.7 gave them."""
    info = parse.parse_info((DATA / "info").read_text())
    assert (info.version, info.major, info.minor, info.extra) == ("4.17.7", 4, 17, ".7")
    assert info.virt_caps == ("pv", "hvm", "hap", "gnttab-v1", "gnttab-v2")
    assert "hvm-3.0-x86_64" in info.caps
    assert "dom0_mem=1024M" in info.commandline
    assert info.fields["host"]
    assert 0 < info.free_memory_mib < info.total_memory_mib
    assert info.cpus == 1


@pytest.mark.parametrize("missing", ["xen_major", "virt_caps", "free_memory", "nr_cpus"])
def test_info_without_a_field_is_refused(missing: str) -> None:
    """A check must not go on with a memory of 0 or no abilities because a line was not there."""
    text = (DATA / "info").read_text()
    cut = "\n".join(line for line in text.splitlines() if not line.startswith(missing))
    with pytest.raises(errors.OutputNotUnderstood, match=missing):
        parse.parse_info(cut)


def test_list_of_a_real_host() -> None:
    """The same domains with and without -v, the UUIDs only with it."""
    verbose = parse.parse_domains((DATA / "list-v").read_text())
    plain = parse.parse_domains((DATA / "list").read_text())
    assert [(row.domid, row.name, row.memory_mib) for row in verbose] == [
        (row.domid, row.name, row.memory_mib) for row in plain
    ]
    assert verbose[0].name == "Domain-0" and verbose[0].domid == 0 and verbose[0].state.running
    assert verbose[1].name == "centos" and len(verbose[1].uuid) == 36 and verbose[1].state.alive
    assert plain[1].uuid == ""


def test_paused_domain_of_a_real_host() -> None:
    """Paused shows in its column and in no other."""
    row = parse.parse_domains((DATA / "list-v-paused").read_text())[1]
    assert row.state == DomainState(paused=True) and row.name == "centos"


@pytest.mark.parametrize(
    "name",
    ["centos", "centos--incoming", "a b", "web 1 2 3", "x" * 60, "17", "-b----", "Name"],
)
def test_any_name_is_read(name: str) -> None:
    """Nothing forbids blanks, digits, or names longer than their column."""
    (row,) = parse.parse_domains(f"{VERBOSE}\n{_line(name)}\n")
    assert (row.name, row.domid, row.uuid, row.cpu_time_s) == (name, 3, UUID, 1.5)


def test_domain_without_a_name() -> None:
    """A domain that is being torn down has lost its name; xl prints (null)."""
    (row,) = parse.parse_domains(f"{VERBOSE}\n{_line('(null)', '--ps-d', '0')}\n")
    assert row.name == "" and row.state.dying and row.state.paused


STATES = [
    ("r-----", "-", DomainState(running=True)),
    ("-b----", "-", DomainState(blocked=True)),
    ("------", "-", DomainState()),
    ("--p---", "-", DomainState(paused=True)),
    ("---s--", "0", DomainState(shutdown=True, reason="poweroff")),
    ("---sr-", "1", DomainState(shutdown=True, reason="reboot")),
    ("---ss-", "2", DomainState(shutdown=True, reason="suspend")),
    ("---sc-", "3", DomainState(shutdown=True, crashed=True, reason="crash")),
    ("---sw-", "4", DomainState(shutdown=True, reason="watchdog")),
    ("---sS-", "5", DomainState(shutdown=True, reason="soft_reset")),
    ("---s?-", "ff", DomainState(shutdown=True, reason="unknown")),
    ("--ps-d", "0", DomainState(paused=True, shutdown=True, dying=True, reason="poweroff")),
]


@pytest.mark.parametrize(("letters", "code", "state"), STATES)
def test_states(letters: str, code: str, state: DomainState) -> None:
    """Letters and reason codes of list_domains; with and without the code of -v they mean the same."""
    assert parse.parse_state(letters, code) == state
    assert parse.parse_state(letters) == state


def test_only_a_suspended_domain_is_suspended() -> None:
    """Taking a powered-off copy for a suspended one would resume a disk that has moved on."""
    suspended = [letters for letters, code, dummy in STATES if parse.parse_state(letters, code).suspended]
    assert suspended == ["---ss-"]


@pytest.mark.parametrize("text", ["", "xl: command not found\n", f"{VERBOSE}\nhalf a line   3  128\n"])
def test_table_that_is_no_table_is_refused(text: str) -> None:
    """A domain that is overlooked could be started twice."""
    with pytest.raises(errors.OutputNotUnderstood):
        parse.parse_domains(text)


def test_configurations_of_a_real_host() -> None:
    """xl list -l names the domains that xl can migrate, with what it would send."""
    found = {entry.domid: entry.config for entry in parse.parse_configurations((DATA / "list-l").read_text())}
    row = parse.parse_domains((DATA / "list-v").read_text())[1]
    config = found[row.domid]
    assert config["c_info"]["uuid"] == row.uuid and config["c_info"]["name"] == "centos"
    assert config["c_info"]["type"] == "pvh"
    assert config["b_info"]["max_memkb"] >= config["b_info"]["target_memkb"] > 0
    assert config["nics"][0]["bridge"]


def test_no_configuration_is_an_empty_answer() -> None:
    """A domain that libxl knows nothing of gives an empty array and exit status 0."""
    assert parse.parse_configurations("[\n\n]\n") == ()


@pytest.mark.parametrize("text", ["(domain\n    (domid 3)\n)", "[{}]", '{"domid": 3}', "", "[1]"])
def test_configuration_in_another_format_is_refused(text: str) -> None:
    """xl.conf can ask for sxp, which nobody should mistake for an empty answer."""
    with pytest.raises(errors.OutputNotUnderstood):
        parse.parse_configurations(text)


@pytest.mark.parametrize(
    ("conf", "commandline", "expected"),
    [
        ("", "dom0_mem=1024M,max:1024M", False),
        ("", "placeholder dom0_mem=2G", False),
        ("", "dom0_mem=min:1G,max:50%", False),
        ("", "loglvl=all", True),
        ("", "xdom0_mem=1G", True),
        ('autoballoon="on"', "dom0_mem=1024M", True),
        ("autoballoon=1", "dom0_mem=1024M", True),
        ('autoballoon="off"', "", False),
        ("autoballoon=0", "", False),
        ('autoballoon = "auto"', "dom0_mem=1024M", False),
        ('#autoballoon="off"', "", True),
        ('autoballoon="on"\nautoballoon="off"', "", False),
    ],
)
def test_autoballoon(conf: str, commandline: str, expected: bool) -> None:
    """As tools/xl/xl.c decides it; a wrong answer lets a move begin that has no memory."""
    assert parse.parse_autoballoon(conf, commandline) is expected


VCPUS = "Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)"


def test_vcpus_are_read_as_xl_prints_them() -> None:
    """As tools/xl/xl_vcpu.c print_vcpuinfo: names with spaces and digits, one that is offline, bitmaps of all kinds."""
    lines = [
        f"{'web 3':<32} {12:5d} {0:5d}{5:5d}   -b- {1234.5:9.1f}  all / all",
        f"{'web 3':<32} {12:5d} {1:5d}{0:5d}   r-- {0.0:9.1f}  0-1,3 / none",
        f"{'web 3':<32} {12:5d} {2:5d}{'-':>5}   --p {0.1:9.1f}  2 / all",
    ]
    assert parse.parse_vcpus("\n".join([VCPUS, *lines, ""])) == (
        parse.Vcpu(0, True, 1234.5, "all", "all"),
        parse.Vcpu(1, True, 0.0, "0-1,3", "none"),
        parse.Vcpu(2, False, 0.1, "2", "all"),
    )
    assert parse.parse_vcpus(VCPUS + "\n") == ()


@pytest.mark.parametrize("text", ["", "nothing\n", VCPUS + "\nanything\n", VCPUS + "\nweb 1 0 0 any cpu\n"])
def test_what_is_no_table_of_vcpus_is_refused(text: str) -> None:
    """Rather than guessed."""
    with pytest.raises(errors.OutputNotUnderstood):
        parse.parse_vcpus(text)


def test_a_share_is_read_as_xl_prints_it() -> None:
    """As tools/xl/xl_sched.c sched_credit2_domain_output."""
    head = "Name                                ID Weight  Cap"
    assert parse.parse_share(f"{head}\n{'web 3':<33} {12:4d} {512:6d} {50:4d}\n") == parse.Share(512, 50)
    for text in ("", head, f"{head}\n"):
        with pytest.raises(errors.OutputNotUnderstood):
            parse.parse_share(text)
