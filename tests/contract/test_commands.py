# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the other commands of xl print and return (tools/xl/xl_info.c, xl_vmcontrol.c, xl_saverestore.c)."""

from __future__ import annotations

import json
import re

from .bench import Bench
from .sites import GUEST

_INFO = [
    "host", "release", "version", "machine", "nr_cpus", "max_cpu_id", "nr_nodes", "cores_per_socket",
    "threads_per_core", "cpu_mhz", "hw_caps", "virt_caps", "total_memory", "free_memory", "sharing_freed_memory",
    "sharing_used_memory", "outstanding_claims", "free_cpus", "xen_major", "xen_minor", "xen_extra", "xen_version",
    "xen_caps", "xen_scheduler", "xen_pagesize", "platform_params", "xen_changeset", "xen_commandline", "cc_compiler",
    "cc_compile_by", "cc_compile_domain", "cc_compile_date", "build_id", "xend_config_format",
]  # fmt: skip


def test_info(bench: Bench) -> None:
    """``xl info``: its lines in order, with the colon at the same column."""
    done = bench.source.run("xl", "info")
    lines = done.stdout.splitlines()
    assert [line[:23].strip() for line in lines] == _INFO
    assert {line[23:25].strip() for line in lines} == {":"}
    values = {line[:23].strip(): line[25:] for line in lines}
    assert bench.source.run("xl", "info", "xen_version").stdout.strip() == values["xen_version"]
    assert values["xen_version"] == f"{values['xen_major']}.{values['xen_minor']}{values['xen_extra']}"
    assert int(values["free_memory"]) < int(values["total_memory"])


def test_list(bench: Bench) -> None:
    """Headings, columns and dom0's own line."""
    plain = bench.source.run("xl", "list").stdout.splitlines()
    verbose = bench.source.run("xl", "list", "-v").stdout.splitlines()
    head = "Name                                        ID   Mem VCPUs\tState\tTime(s)"
    assert plain[0] == head
    assert verbose[0] == head + "   UUID                            Reason-Code\tSecurity Label"
    assert verbose[1].startswith("Domain-0                                     0  ")
    assert "00000000-0000-0000-0000-000000000000        -                -" in verbose[1]
    assert plain[2].split()[0] == verbose[2].split()[0] == GUEST
    only = bench.source.run("xl", "list", GUEST).stdout.splitlines()
    assert [line.split()[0] for line in only] == ["Name", GUEST]


_CPUID = 'exec "$(command -v xen-cpuid || ls /usr/lib/xen-*/bin/xen-cpuid | head -n 1)" -p'
_POLICY = re.compile(
    r"(?P<name>[^\n]+) policy: (?P<leaves>\d+) leaves, (?P<registers>\d+) MSRs\n CPUID:\n"
    r"  leaf     subleaf  -> eax      ebx      ecx      edx     \n"
    r"(?P<answers>(?:  [0-9a-f]{8}:[0-9a-f]{8} -> [0-9a-f]{8}(?::[0-9a-f]{8}){3}\n)+) MSRs:\n"
    r"  index    -> value           \n(?P<values>(?:  [0-9a-f]{8} -> [0-9a-f]{16}\n)+)"
)


def test_processors(bench: Bench) -> None:
    """``xen-cpuid -p``: what Xen shows domains at most and by default, and what it has shown one, in one form."""
    first, dummy, rest = bench.source.run("sh", "-c", _CPUID).stdout.partition("\n")
    assert re.fullmatch(r"Xen reports there are maximum \d+ leaves and 2 MSRs", first)
    found = list(_POLICY.finditer(rest))
    assert "".join(each[0] for each in found) == rest
    names = [each["name"] for each in found]
    assert names == ["Raw", "Host", "PV Max", "HVM Max", "PV Default", "HVM Default"]
    domid = bench.domains(bench.source)[GUEST].domid
    guest = _POLICY.fullmatch(bench.source.run("sh", "-c", f"{_CPUID} {domid}").stdout)
    assert guest is not None and guest["name"] == f"Domain {domid}"
    for each in (*found, guest):
        assert each["answers"].startswith("  00000000:ffffffff -> ")
        assert each["answers"].count("\n") <= int(each["leaves"])
        assert each["values"].count("\n") == int(each["registers"]) == 2
        assert "  000000ce -> " in each["values"] and "  0000010a -> " in each["values"]
    gone = bench.source.run("sh", "-c", f"{_CPUID} 31999")
    assert gone.status == 1 and "No such process" in gone.stderr and "policy" not in gone.stdout


def test_monitor(bench: Bench) -> None:
    """What makes a domain stays: its output is the domain's log, which names domid and process (do_daemonize)."""
    script = (
        "for p in /proc/[0-9]*; do l=$(readlink $p/fd/1) || continue; case $l in */xl-*.log*) "
        'echo "$l|$(tr "\\0" "|" < $p/cmdline)|$(grep "\\[pid ${p#/proc/}\\]" $p/fd/1 | tail -n 1)";; esac; done'
    )
    domid = bench.domains(bench.source)[GUEST].domid
    lines = [line.split("|") for line in bench.source.run("sh", "-c", script).stdout.splitlines()]
    # On a machine with several doubles there may be more of them.
    mine = next(line for line in lines if f"Waiting for domain {GUEST}" in line[-1] and f"(domid {domid})" in line[-1])
    assert mine[0].rpartition("/")[2].startswith(f"xl-{GUEST}")
    assert mine[1].rpartition("/")[2] == "xl"
    assert mine[2] in ("create", "restore", "migrate-receive")


def test_list_long(bench: Bench) -> None:
    """``-l`` is an array, also for one domain; defaults are left out; dom0 has an entry of its own."""
    found = json.loads(bench.source.run("xl", "list", "-l", GUEST).stdout)
    row = bench.domains(bench.source)[GUEST]
    assert [entry["domid"] for entry in found] == [row.domid]
    config = found[0]["config"]
    assert (config["c_info"]["name"], config["c_info"]["uuid"], config["c_info"]["type"]) == (GUEST, row.uuid, "pvh")
    assert config["b_info"]["max_memkb"] // 1024 == row.memory
    assert "type.pvh" in config["b_info"]
    assert list(config["c_info"])[:4] == ["type", "name", "domid", "uuid"]
    assert config["c_info"]["domid"] == 0xFFFFFFFF
    assert config["nics"][0]["bridge"] == "xenbr0"
    assert not {"disks", "pcidevs", "vtpms", "usbdevs"} & set(config)
    everything = json.loads(bench.source.run("xl", "list", "-l").stdout)
    assert [entry["domid"] for entry in everything] == [0, row.domid]
    assert everything[0]["config"]["c_info"]["name"] == "Domain-0"
    assert "uuid" not in everything[0]["config"]["c_info"] or everything[0]["config"]["c_info"]["uuid"].startswith(
        "0000"
    )


def test_vcpu_list(bench: Bench) -> None:
    """Headings, columns, and both affinities of a guest that nobody has pinned."""
    domid = bench.domains(bench.source)[GUEST].domid
    head, *rows = bench.source.run("xl", "vcpu-list", GUEST).stdout.splitlines()
    assert head == "Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)"
    assert rows
    for number, line in enumerate(rows):
        assert (line[:32].strip(), int(line[32:38]), int(line[38:44])) == (GUEST, domid, number)
        assert line[52:55].strip("rb-") == line[56:65].strip(".0123456789 ") == ""
        assert line[65:] == "  all / all"


def test_share(bench: Bench) -> None:
    """Weight and cap of a guest as they are by default."""
    assert bench.source.run("xl", "info", "xen_scheduler").stdout == "credit2\n"
    domid = bench.domains(bench.source)[GUEST].domid
    lines = bench.source.run("xl", "sched-credit2", "-d", GUEST).stdout.splitlines()
    assert lines == [
        "Name                                ID Weight  Cap",
        f"{GUEST:<33} {domid:4d} {256:6d} {0:4d}",
    ]


def test_create_that_makes_nothing(bench: Bench) -> None:
    """``create -n`` prints what xl reads out of a file, by itself; of two settings of one key the last counts."""
    uuid = "99999999-3f5d-4c65-9e1a-0123456789ab"
    before = bench.domains(bench.source)
    path = bench.put(
        bench.source, "other.cfg", f'{bench.site.config("other", None)}\nuuid="{uuid}"\nname="o--incoming"\n'
    )
    done = bench.source.run("xl", "create", "-q", "-n", path)
    assert done.status == 0, done.stderr
    config = json.loads(done.stdout)
    assert (config["c_info"]["name"], config["c_info"]["uuid"], config["c_info"]["type"]) == (
        "o--incoming",
        uuid,
        "pvh",
    )
    assert config["b_info"]["max_memkb"] == config["b_info"]["target_memkb"] > 0
    assert set(bench.domains(bench.source)) == set(before)


def test_unknown_domain(bench: Bench) -> None:
    """Each command's words and status for a domain nobody has."""
    cases = {
        ("list", "nobody"): (1, "nobody is an invalid domain identifier (rc=-6)"),
        ("list", "4711"): (1, "Error: Domain '4711' does not exist."),
        ("domid", "nobody"): (1, "Can't get domid of domain name 'nobody', maybe this domain does not exist."),
        ("domname", "4711"): (1, "Can't get domain name of domain id '4711', maybe this domain does not exist."),
        ("rename", "nobody", "other"): (1, "nobody is an invalid domain identifier (rc=-6)"),
        ("destroy", "nobody"): (1, "nobody is an invalid domain identifier (rc=-6)"),
        ("destroy", "4711"): (1, "destroy failed (rc=-21)"),
        ("pause", "nobody"): (1, "nobody is an invalid domain identifier (rc=-6)"),
    }
    for words, (status, text) in cases.items():
        done = bench.source.run("xl", *words)
        assert (words, done.status) == (words, status)
        assert text in done.stderr, (words, done.stderr)


def test_pauses_nest(bench: Bench) -> None:
    """Two pauses need two unpauses; one too many is an error that xl does not return."""
    for command, state in (
        ("pause", "--p---"),
        ("pause", "--p---"),
        ("unpause", "--p---"),
        ("unpause", None),
        ("unpause", None),
    ):
        assert bench.source.run("xl", command, GUEST).status == 0
        assert state is None or bench.state(bench.source) == state
    assert bench.runs(bench.source)


def test_rename_taken(bench: Bench) -> None:
    """A name that exists is refused."""
    done = bench.source.run("xl", "rename", GUEST, "Domain-0")
    assert done.status == 1
    assert 'Domain with name "Domain-0" already exists.' in done.stderr
    assert f"Can't rename domain '{GUEST}'." in done.stderr


def test_names_follow_a_rename(bench: Bench) -> None:
    """A rename changes both nodes that hold the name; UUID and domid stay."""
    row = bench.domains(bench.source)[GUEST]
    assert bench.source.run("xl", "rename", GUEST, "other").status == 0
    other = bench.domains(bench.source)["other"]
    assert (other.domid, other.uuid) == (row.domid, row.uuid)
    assert bench.read(bench.source, f"/local/domain/{row.domid}/name") == "other"
    assert bench.read(bench.source, f"/vm/{row.uuid}/name") == "other"
    assert bench.source.run("xl", "rename", str(row.domid), GUEST).status == 0


def test_save_and_leave_paused(bench: Bench) -> None:
    """``save -p``: afterwards paused and resumed, not suspended; unpause lets it run on."""
    done = bench.source.run("xl", "save", "-p", GUEST, "/dev/null")
    assert (done.status, bench.state(bench.source)) == (0, "--p---")
    assert bench.source.run("xl", "rename", GUEST, f"{GUEST}--migratedaway").status == 0
    assert bench.source.run("xl", "rename", f"{GUEST}--migratedaway", GUEST).status == 0
    assert bench.source.run("xl", "unpause", GUEST).status == 0
    assert bench.runs(bench.source)


def test_save_and_restore(bench: Bench) -> None:
    """A saved domain is gone; restored it has its name at once, and with ``-p`` has not run."""
    path = f"{bench.source.folder}/once.save"
    uuid = bench.domains(bench.source)[GUEST].uuid
    assert bench.source.run("xl", "save", GUEST, path).status == 0
    assert bench.domains(bench.source) == {}
    assert bench.source.run("xl", "restore", "-p", path).status == 0
    row = bench.domains(bench.source)[GUEST]
    assert (row.state, row.time, row.uuid) == ("--p---", 0.0, uuid)
    assert bench.source.run("xl", "unpause", GUEST).status == 0
    assert bench.runs(bench.source)
    bench.source.run("rm", path)


def test_save_and_go_on(bench: Bench) -> None:
    """``save -c``: afterwards it runs on, the same domain under the same name."""
    before = bench.domains(bench.source)[GUEST]
    assert bench.source.run("xl", "save", "-c", GUEST, "/dev/null").status == 0
    after = bench.domains(bench.source)[GUEST]
    assert (after.domid, after.uuid) == (before.domid, before.uuid)
    assert bench.runs(bench.source)


def test_second_copy_takes_the_nodes_of_the_uuid(bench: Bench) -> None:
    """Destroying a second copy with the same UUID removes /vm/UUID, which the first still uses."""
    row = bench.domains(bench.source)[GUEST]
    bench.create(bench.source, f"{GUEST}--incoming", paused=True)
    twin = bench.domains(bench.source)[f"{GUEST}--incoming"]
    assert twin.uuid == row.uuid
    assert bench.read(bench.source, f"/vm/{row.uuid}/name") == f"{GUEST}--incoming"
    assert bench.source.run("xl", "destroy", str(twin.domid)).status == 0
    assert bench.read(bench.source, f"/vm/{row.uuid}/name") is None
    assert bench.read(bench.source, f"/local/domain/{row.domid}/vm") == f"/vm/{row.uuid}"
    assert bench.runs(bench.source)
    bench.clear(bench.source)
