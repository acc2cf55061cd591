# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs to report about, as the tasks of a playbook leave them."""

from __future__ import annotations

import datetime
import typing as t
import uuid

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.building import Left, build, run_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import Report

Document = dict[str, t.Any]

BEGAN = 1795448672.0
ZONE = datetime.timezone(datetime.timedelta(hours=1))
EVIL = "<script>alert(1)</script>"


def uuid_of(number: int) -> str:
    """Return the UUID of a domain."""
    return str(uuid.UUID(int=0x2C1A7B9E_3F5D_4C65_9E1A_000000000000 + number))


def planned(number: int, name: str, source: str = "xen1", destination: str = "xen2") -> Document:
    """Return a move as ``migration_plan`` plans it."""
    found = uuid_of(number)
    return {
        "host": f"{name}@{source}",
        "domain": found,
        "uuid": found,
        "source": source,
        "destination": destination,
    }


def result(number: int, name: str, after_s: float, lasts_s: float = 43.0, **other: t.Any) -> Document:
    """Return the result of a move that began ``after_s`` seconds after the run, as ``migration_verdict`` gives it."""
    total, stop = round(lasts_s * 1000), round(lasts_s * 140)
    return {
        "format": 1,
        "domain": {"uuid": uuid_of(number), "name": name},
        "source": "xen1",
        "destination": "xen2",
        "owner": "destination",
        "end_state": "moved",
        "reason": "It runs on xen2, and nothing is left on xen1.",
        "settled": True,
        "session": f"{number:016x}",
        "method": "live",
        "transport": "tls",
        "bytes": round(lasts_s * 25e6),
        "rounds": [],
        "began_s": BEGAN + after_s,
        "total_ms": total,
        "stop_ms": stop,
        "stop_measured": "source_suspended_to_destination_running",
        "timeline": {"stream": 5, "source_suspended": total - stop - 200, "destination_running": total - 200},
        "mapped": [],
        "leave_paused": False,
        "link_losses": 0,
        "error": None,
        "findings": [],
        "remarks": [],
        **other,
    }


def failed(number: int, name: str, after_s: float, **other: t.Any) -> Document:
    """Return the result of a move that was given up."""
    error = {
        "code": "link_expired",
        "host": "xen1",
        "msg": "xen1: the link to the destination has been down for 30 s",
        "remedy": "See that xen2 answers on port 49152, then run the same command again.",
    }
    stayed = {"owner": "source", "end_state": "stayed", "stop_ms": None, "error": error}
    reason = "It runs on xen1, and nothing is left on xen2."
    return result(number, name, after_s, 31.0, **{**stayed, "reason": reason, **other})


def refusal(move: Document, *findings: Document, **other: t.Any) -> Document:
    """Return a move with what ``migration_check`` found against it."""
    found = findings or (
        {
            "code": "not_enough_memory",
            "severity": "error",
            "host": move["destination"],
            "message": "its 8 GiB do not fit into the 6.2 GiB that are free.",
            "remedy": "Free 1.8 GiB there, or choose another host.",
        },
    )
    check = {"failed": True, "action": "refuse", "code": found[0]["code"], "msg": "…", "findings": list(found)}
    return {**move, "check": check, **other}


def host_info(free_mib: int, domains: t.Sequence[int], at: float = BEGAN, clock: float = 0.0) -> Document:
    """Return what ``host_info`` returns of a host whose clock is ahead by ``clock`` seconds."""
    rows = [{"domid": 0, "memory_mib": 2048}]
    rows += [{"domid": number, "memory_mib": size} for number, size in enumerate(domains, 1)]
    facts = {"memory_mib": 2048 + free_mib + sum(domains), "free_memory_mib": free_mib, "dom0_memory_mib": 2048}
    times = {"asked_s": at, "clock_s": at + 0.4 + clock, "answered_s": at + 1}
    return {"changed": False, "host": {**facts, **times, "domains": rows}}


def evening() -> Left:
    """Return what the emptying of a host of 30 domains has left: most went well; of everything else there is one."""
    names = [f"web-{number:02}" for number in range(1, 15)] + [f"db{number}.example.org" for number in range(1, 10)]
    names += ["customer-0815-production-warehouse-frontend-blue-eu-central-1", "$cash$", EVIL, "größe-数据库"]
    moves = [planned(number, name, destination=f"xen{2 + number % 3}") for number, name in enumerate(names)]
    results = [
        result(
            number,
            name,
            4 + number // 3 * 41 + number % 3 * 7,
            20 + number % 5 * 9,
            destination=moves[number]["destination"],
        )
        for number, name in enumerate(names)
    ]
    results[2].update(remarks=[_NOT_HEARD], findings=[_SMALLER])
    results[0].update(began_s=BEGAN - 65, total_ms=97_000)
    results[5].update(leave_paused=True, stop_ms=None)
    lost = failed(100, "mail", 130)
    twice = failed(101, "ldap", 190, owner="unsettled", end_state="running_twice", settled=False)
    twice.update(reason="The domain runs on xen1 AND on xen2. Stop one copy now.", error=None)
    big, never = planned(102, "warehouse"), planned(103, "never-heard-of")
    moves += [planned(100, "mail"), planned(101, "ldap"), big, never]
    blockers = [
        {"code": "never_move", "host": "xen1", "domain": "licence-server", "message": "it has the tag never_move."},
        {"code": "host_unreachable", "host": "xen4", "message": "it does not answer.", "remedy": "See that it is on."},
    ]
    before = {
        "xen1": host_info(4096, [2048] * 30),
        "xen2": host_info(60_000, [4096] * 3),
        "xen3": host_info(40_000, [1024] * 5),
        "rack-7-shelf-12-a-very-long-host-name.example.org": host_info(30_000, []),
        "xen4": {"unreachable": True, "msg": "Failed to connect to the host via ssh: No route to host"},
    }
    after = {**before, "xen1": host_info(60_000, [2048] * 3), "xen2": host_info(42_000, [4096] * 3 + [2048] * 9)}
    return Left(moves, [*results, lost, twice], [refusal(big, treatment="skip")], blockers, before, after)


def report(left: Left, lasts_s: float = 460.0, **other: t.Any) -> Report:
    """Return the report of a run."""
    told = {"title": "Emptying of xen1", "by": "anna at ops1", "reference": "CHG-4711", **other}
    selected = {"hosts": ["xen1"], "domains": "all"}
    return build(run_of(**told, selected=selected, began_s=BEGAN, now=BEGAN + lasts_s, left=left), left)


_NOT_HEARD = {
    "code": "mac_not_heard",
    "host": "xen2",
    "msg": "xenbr0 has not heard 00:16:3e:00:00:01: switches may still send its packets elsewhere.",
    "remedy": "Let the guest send something, such as a ping.",
}
_SMALLER = {
    "code": "mtu_smaller",
    "severity": "warning",
    "host": "xen2",
    "message": "xenbr0 has an MTU of 1500 there and of 9000 here.",
    "remedy": "Give both the same.",
}
