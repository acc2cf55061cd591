# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl info``, ``list``, ``vm-list``, ``domid``, ``domname``, ``vcpu-list``, ``sched-credit2`` (tools/xl/xl_info.c,
xl_vcpu.c, xl_sched.c).
"""

from __future__ import annotations

import os

from ..machine.domain import Json
from . import log
from .session import Session
from .yajl import dump

_REASONS = "-rscwS"


def information(session: Session, wanted: str | None) -> None:
    """Print ``xl info``, or the value of one line of it."""
    settings, memory = session.settings, session.machine.call("info")
    kernel = os.uname()
    lines: list[tuple[str, object]] = [
        ("host", session.paths.name),
        ("release", kernel.release),
        ("version", kernel.version),
        ("machine", kernel.machine),
        ("nr_cpus", settings.cpus),
        ("max_cpu_id", settings.cpus - 1),
        ("nr_nodes", 1),
        ("cores_per_socket", 1),
        ("threads_per_core", 1),
        ("cpu_mhz", f"{settings.cpu_khz // 1000}.{settings.cpu_khz % 1000:03d}"),
        ("hw_caps", settings.hw_caps),
        ("virt_caps", settings.virt_caps),
        ("total_memory", settings.memory_mib),
        ("free_memory", memory["free_kib"] // 1024),
        ("sharing_freed_memory", 0),
        ("sharing_used_memory", 0),
        ("outstanding_claims", 0),
        ("free_cpus", 0),
        ("xen_major", settings.xen_major),
        ("xen_minor", settings.xen_minor),
        ("xen_extra", settings.xen_extra),
        ("xen_version", settings.xen_version),
        ("xen_caps", settings.xen_caps),
        ("xen_scheduler", "credit2"),
        ("xen_pagesize", 4096),
        ("platform_params", "virt_start=0xffff800000000000"),
        ("xen_changeset", ""),
        ("xen_commandline", settings.xen_commandline),
        ("cc_compiler", "x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0"),
        ("cc_compile_by", "pkg-xen-devel"),
        ("cc_compile_domain", "lists.alioth.debian.org"),
        ("cc_compile_date", "Sat Jan 31 16:06:20 UTC 2026"),
        ("build_id", "0123456789abcdef0123456789abcdef01234567"),
        ("xend_config_format", 4),
    ]
    if wanted is None:
        log.out("".join(f"{name:<23}: {value}\n" for name, value in lines))
        return
    log.out("".join(f"{value}\n" for name, value in lines if name == wanted))


def _state(info: Json) -> str:
    reason = _REASONS[info["reason"]] if info["shutdown"] else "-"
    flags = [("r", "running"), ("b", "blocked"), ("p", "paused"), ("s", "shutdown")]
    letters = "".join(letter if info[name] else "-" for letter, name in flags)
    return letters + reason + ("d" if info["dying"] else "-")


def table(session: Session, domains: list[Json], verbose: bool) -> None:
    """Print domains as a table."""
    text = "Name                                        ID   Mem VCPUs\tState\tTime(s)"
    text += "   UUID                            Reason-Code\tSecurity Label" if verbose else ""
    for info in domains:
        text += (
            f"\n{info['name'] or '(null)':<40} {info['domid']:5d} {info['memory_kib'] // 1024:5d} {info['vcpus']:5d}"
            f"     {_state(info)}  {info['cpu_time_ns'] / 1e9:8.1f}"
        )
        if verbose:
            reason = format(info["reason"], "x") if info["shutdown"] else "-"
            text += f" {info['uuid']} {reason:>8} {'-':>16}"
    log.out(text + "\n")


def details(session: Session, domains: list[Json]) -> None:
    """Print configurations as a JSON array; domains without one are left out."""
    found = []
    for info in domains:
        config = _dom0(session, info) if info["domid"] == 0 else _configuration(session, info)
        if config is not None:
            found.append({"domid": info["domid"], "config": config})
    log.out(dump(found) + "\n")


def _configuration(session: Session, info: Json) -> Json | None:
    """Return a domain's configuration; of one that is being torn down libxl has none (libxl__userdata_destroyall)."""
    return None if info["dying"] else session.configuration(info["domid"])


def _dom0(session: Session, info: Json) -> Json:
    """Return what xen-init-dom0 leaves for dom0."""
    return {
        "c_info": {"type": "pv", "name": "Domain-0"},
        "b_info": {
            "max_memkb": info["memory_kib"],
            "target_memkb": info["memory_kib"] - 1,
            "sched_params": {"sched": "credit2", "weight": 256, "cap": 0},
            "type.pv": {},
            "arch_arm": {},
            "arch_x86": {},
        },
    }


def vm_list(session: Session) -> None:
    """Print UUIDs, numbers and names."""
    text = "UUID                                  ID    name\n"
    for info in session.domains():
        text += f"{info['uuid']}  {info['domid']}    {info['name'] or '(null)':<30}\n"
    log.out(text)


def domid(session: Session, name: str) -> None:
    """Print a domain's number."""
    for info in session.domains():
        if info["name"] == name:
            log.out(f"{info['domid']}\n")
            return
    session.fail(f"Can't get domid of domain name '{name}', maybe this domain does not exist.")


def domname(session: Session, text: str) -> None:
    """Print a domain's name."""
    if not text[:1].isdigit():
        session.fail("Invalid domain id.\n")
    name = session.name(int(text))
    if name is None:
        session.fail(f"Can't get domain name of domain id '{text}', maybe this domain does not exist.")
    log.out(f"{name}\n")


def vcpus(session: Session, domids: list[int]) -> None:
    """Print virtual processors and what they may run on."""
    text = f"{'Name':<32} {'ID':>5} {'VCPU':>5} {'CPU':>5} {'State':>5} {'Time(s)':>9} Affinity (Hard / Soft)\n"
    for info in session.domains():
        if domids and info["domid"] not in domids:
            continue
        state = ("r" if info["running"] else "-") + ("b" if info["blocked"] else "-") + "-"
        for number in range(info["vcpus"]):
            text += f"{info['name'] or '(null)':<32} {info['domid']:5d} {number:5d}{0:5d}   {state} "
            text += f"{info['cpu_time_ns'] / info['vcpus'] / 1e9:9.1f}  {_bitmap(session, info['pinned'])} / all\n"
    log.out(text)


def _bitmap(session: Session, processors: list[int] | None) -> str:
    """Return a set of processors as xl_utils.c print_bitmap does."""
    every = set(range(session.settings.cpus))
    left = sorted(every if processors is None else every & set(processors))
    if set(left) == every:
        return "all"
    runs: list[list[int]] = []
    for number in left:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs) or "none"


def share(session: Session, domid: int) -> None:
    """Print weight and cap of one domain."""
    config = session.configuration(domid)
    if config is None:
        session.fail("libxl_domain_sched_params_get failed.")
    params = config["b_info"].get("sched_params", {})
    weight, cap = params.get("weight", 256), params.get("cap", 0)
    log.out(
        f"{'Name':<33} {'ID':>4} {'Weight':>6} {'Cap':>4}\n{session.name(domid):<33} {domid:4d} {weight:6d} {cap:4d}\n"
    )
