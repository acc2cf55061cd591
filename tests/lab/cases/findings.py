# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking ``dom0.xen.check`` about the lab's hosts, and holding what is told against what was provoked."""

from __future__ import annotations

import contextlib
import json
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dom0lab.guest_disk import guest_config

from .circumstances import OTHER_UUID, card_less
from .plays import Outcome
from .world import BUILD, World

CHECK = "dom0.xen.check"
SMALL_MIB = 112
# Codes, each with the host that it is about.
Found = t.AbstractSet[tuple[str, str]]
Changed = t.ContextManager[None]
Groups = Mapping[str, Mapping[str, Mapping[str, t.Any]]]
PAUSED = ("domain_paused", "xen1")
# Whatever has to do with us, or with a case; udev takes its notes of a device away when it has nothing else to do.
_OURS = (
    "find /run /var/lib /dev/shm /etc/xen -path /run/udev -prune"
    " -o '(' -path '*dom0-xen*' -o -name '*lab-*' ')' -print | sort"
)


@contextlib.contextmanager
def as_it_is(world: World) -> Iterator[None]:
    """Nothing has to be done."""
    yield


@dataclass(frozen=True)
class Provoked:
    """How hosts are changed, what is asked, and what must be found: codes with the hosts they are about.

    ``found`` are all of one kind: errors, or warnings where nothing ``forbids`` the move. ``beside`` are warnings that
    must be among what else is told. ``variables`` are others in the inventory, by host, ``drop`` those that no host
    has, and ``groups`` more hosts.
    """

    found: Found
    changed: Callable[[World], Changed] = as_it_is
    question: Mapping[str, t.Any] = field(default_factory=dict)
    forbids: bool = True
    beside: Found = frozenset()
    variables: Mapping[str, Mapping[str, t.Any]] = field(default_factory=dict)
    drop: Sequence[str] = ()
    groups: Groups = field(default_factory=dict)


def small(name: str, *lines: str, uuid: str = OTHER_UUID, **more: t.Any) -> str:
    """The configuration of a small domain without a network card, with some lines more."""
    text = card_less(guest_config(name=name, uuid=uuid, memory_mib=SMALL_MIB, **more))
    return "\n".join([text, *lines, ""])


def ours(world: World) -> dict[str, str]:
    """What lies on the hosts of the collection and of the cases."""
    return {name: host.run(_OURS).stdout for name, host in world.lab.hosts.items()}


def ask(world: World, case: Provoked) -> Outcome:
    """Ask whether a domain of xen1, the guest if no other is named, could go to xen2."""
    rest = {key: value for key, value in case.question.items() if key != "domain"}
    told = {"source": "xen1", "check_result_path": str(BUILD / world.name / "result.json"), **rest}
    changes: dict[str, t.Any] = {name: dict(variables) for name, variables in case.variables.items()}
    inventory = with_groups(world.inventory(drop=case.drop, **changes), case.groups)
    domain = str(case.question.get("domain", "centos"))
    return world.migrate(play=CHECK, domain=domain, inventory=inventory, options=["-e", json.dumps(told)])


def with_groups(inventory: Path, groups: Groups) -> Path:
    """Write more hosts into an inventory; returns it."""
    if groups:
        document = json.loads(inventory.read_text())
        for group, hosts in groups.items():
            document["all"]["children"].setdefault(group, {}).setdefault("hosts", {}).update(hosts)
        inventory.write_text(json.dumps(document))
    return inventory


def findings(outcome: Outcome) -> list[dict[str, t.Any]]:
    """All that was found, about the question and about the place."""
    places = [place for domain in outcome.result["domains"] for place in domain["places"]]
    return [finding for one in (outcome.result, *places) for finding in one["findings"]]


def of_kind(told: Sequence[Mapping[str, t.Any]], severity: str) -> set[tuple[str, str]]:
    """Codes and hosts of findings of one kind, each of which is required to have a message and a remedy."""
    wanted = [finding for finding in told if finding["severity"] == severity]
    assert all(finding["message"] and finding["remedy"] for finding in wanted)
    return {(finding["code"], finding["host"]) for finding in wanted}


def require(outcome: Outcome, case: Provoked) -> None:
    """Just what was provoked, with a message and a remedy each, on the host that it is about; nothing was changed."""
    assert outcome.result, outcome.output[-3000:]
    told = findings(outcome)
    errors, warnings = of_kind(told, "error"), of_kind(told, "warning")
    assert outcome.status == (2 if case.forbids else 0), outcome.output[-3000:]
    assert outcome.result["possible"] == (not case.forbids)
    # Warnings may have company: emulated hosts give reason for others.
    assert errors == (case.found if case.forbids else set()), outcome.message or outcome.output[-3000:]
    assert (case.beside if case.forbids else {*case.found, *case.beside}) <= warnings, outcome.output[-3000:]
    assert outcome.changed == 0, outcome.recap
