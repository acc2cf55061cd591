# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions for the planner, made by chance from a seed, and the answer to the small ones by trying everything."""

from __future__ import annotations

import heapq
import random

from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import (
    APART,
    TOGETHER,
    Group,
    Guest,
    Host,
    Question,
)

_SIZES = (512, 1024, 1024, 2048, 2048, 3072, 4096, 8192)


def small(seed: int) -> Question:
    """At most four hosts and seven domains, mostly with little room."""
    chance = random.Random(seed)
    count = chance.choice((2, 3, 3, 4, 4, 4))
    names = [f"xen{number}" for number in range(1, count + 1)]
    empty = set(names[: chance.choice((0, 1, 1, 1, 1, 2)) if count > 2 else 1])
    hosts = tuple(
        Host(
            name,
            512 * chance.choice((0, 1, 1, 2, 2, 3, 4, 5, 6)),
            chance.choice((None, None, None, None, 1, 2, 4)),
            receives=chance.random() < 0.95,
        )
        for name in names
    )
    guests = []
    for number in range(chance.choice((1, 3, 4, 5, 6, 7, 7, 7))):
        host = chance.choice(names)
        others = [name for name in names if name != host]
        targets = tuple(name for name in others if chance.random() < 0.85)
        guests.append(
            Guest(
                f"id{number}",
                f"d{number}",
                host,
                512 * chance.choice((1, 1, 2, 2, 3, 4, 6)),
                chance.choice((1, 1, 2)),
                targets,
                movable=chance.random() < 0.95,
                last=chance.random() < 0.1,
                stop=chance.random() < 0.05,
                # Somebody who brings domains back, or has two change places.
                wanted=(chance.choice(others),) if not empty and chance.random() < 0.6 else (),
            )
        )
    groups: list[Group] = []
    for kind in (APART, TOGETHER):
        if chance.random() < 0.25 and len(guests) > 1:
            members = chance.sample([guest.id for guest in guests], min(len(guests), chance.choice((2, 2, 3))))
            if kind == TOGETHER and any(len(set(members) & set(group.members)) > 1 for group in groups):
                continue
            groups.append(Group(kind, kind, tuple(members)))
    return Question(hosts, tuple(guests), tuple(sorted(empty)), tuple(groups))


def fleet(seed: int, hosts: int = 100, domains: int = 1000, empty: int = 5, filled: float = 0.9) -> Question:
    """A fleet whose hosts that stay are filled up to this share once the others are empty.

    At 0.98 and more somebody has to make room: what is free is scattered.
    """
    chance = random.Random(seed)
    names = [f"xen{number:03}" for number in range(1, hosts + 1)]
    placed = [(f"id{number:04}", chance.choice(names), chance.choice(_SIZES)) for number in range(domains)]
    gone = set(names[:empty])
    used = {name: sum(size for dummy, host, size in placed if host == name) for name in names}
    leaving = sum(used[name] for name in gone)
    staying = sum(used[name] for name in names if name not in gone)
    spare = (staying + leaving) / filled - staying
    shares = {name: chance.uniform(0.5, 1.5) for name in names if name not in gone}
    total = sum(shares.values())
    made = []
    for name in names:
        free = 4096 if name in gone else int(spare * shares[name] / total) // 256 * 256
        made.append(Host(name, free, 64))
    guests = []
    for ident, host, size in placed:
        # Bridges, storage and processors leave a domain most of the hosts.
        others = [name for name in names if name != host]
        targets = tuple(others if chance.random() < 0.7 else chance.sample(others, max(1, len(others) * 2 // 3)))
        guests.append(Guest(ident, f"d{ident[2:]}", host, size, chance.choice((1, 2, 2, 4)), targets))
    return Question(tuple(made), tuple(guests), tuple(sorted(gone)))


def cheapest(question: Question) -> int | None:
    """Return the memory that has to be moved, by trying every order of moves; None when there is no order."""
    guests, empty = question.guests, set(question.empty)
    hosts = {host.name: host for host in question.hosts}
    receiving = {host.name for host in question.hosts if host.receives} - empty
    sizes = {guest.id: guest.size_mib for guest in guests}
    apart = [set(group.members) for group in question.groups if group.kind == APART]
    ways = []
    for guest in guests:
        may = (set(guest.targets) | {guest.host}) & receiving
        ways.append(may if guest.movable and not guest.stop else set())
    leaving = {i for i, guest in enumerate(guests) if guest.host in empty and ways[i]}
    stay = {guest.id for i, guest in enumerate(guests) if guest.host in empty and i not in leaving}
    bound = {i for i, guest in enumerate(guests) if guest.wanted and set(guest.wanted) & (ways[i] | {guest.host})}
    start = tuple(guest.host for guest in guests)

    def there(state: tuple[str, ...]) -> bool:
        if any(state[i] in empty for i in leaving) or any(state[i] not in guests[i].wanted for i in bound):
            return False
        for group in question.groups:
            members = [i for i, guest in enumerate(guests) if guest.id in group.members and guest.id not in stay]
            moved = any(state[i] != start[i] for i in members)
            if group.kind == TOGETHER and moved and len({state[i] for i in members}) > 1:
                return False
        return True

    queue, best = [(0, start)], {start: 0}
    while queue:
        spent, state = heapq.heappop(queue)
        if spent > best[state]:
            continue
        if there(state):
            return spent
        for i, guest in enumerate(guests):
            for host in ways[i] - {state[i]}:
                here = [g for g, place in zip(guests, state, strict=True) if place == host]
                first = [g for g in guests if g.host == host]
                free = hosts[host].free_mib + sum(g.size_mib for g in first) - sum(g.size_mib for g in here)
                cpus = hosts[host].vcpus_free
                if cpus is not None:
                    cpus += sum(g.vcpus for g in first) - sum(g.vcpus for g in here)
                if guest.size_mib > free or (cpus is not None and guest.vcpus > cpus):
                    continue
                if any(guest.id in group and {g.id for g in here} & group for group in apart):
                    continue
                following = (*state[:i], host, *state[i + 1 :])
                if spent + sizes[guest.id] < best.get(following, 1 << 60):
                    best[following] = spent + sizes[guest.id]
                    heapq.heappush(queue, (best[following], following))
    return None
