# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The question in numbers, and where everything is at some moment (pure; private to the collection)."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands as commands
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import (
    APART,
    KINDS,
    NEVER_MOVE,
    NOWHERE,
    TOGETHER,
    Blocker,
    Guest,
    NoDestination,
    Question,
    QuestionWrong,
    Stop,
)

# More vCPUs than anything has, for a host without a limit.
_ANY = 1 << 40


@dataclasses.dataclass(frozen=True)
class Item:
    """Domains that leave a host that is emptied and go to one and the same host, mostly a single one."""

    guests: tuple[int, ...]
    size: int
    vcpus: int
    targets: tuple[int, ...]


class Board:
    """Hosts and domains by number. Nothing here changes once it is made.

    ``leavers`` are the domains that leave the hosts that are to be emptied, ``free_to_move`` those elsewhere that may
    make room, ``ways`` the hosts that a domain may arrive at, ``ends`` those on which it may be in the end.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.hosts = tuple(host.name for host in question.hosts)
        self.number = {name: number for number, name in enumerate(self.hosts)}
        self.guests: tuple[Guest, ...] = question.guests
        _objections(question, self.number)
        empty = set(question.empty)
        self.empty = frozenset(self.number[name] for name in empty)
        self.open = tuple(host.receives and host.name not in empty for host in question.hosts)
        self.free = [host.free_mib - host.reserve_mib for host in question.hosts]
        self.vfree = [_ANY if host.vcpus_free is None else host.vcpus_free for host in question.hosts]
        self.weight = [host.weight for host in question.hosts]
        self.at = [self.number[guest.host] for guest in self.guests]
        self.size = [guest.size_mib for guest in self.guests]
        self.vcpus = [guest.vcpus for guest in self.guests]
        if any(guest.host in empty and not guest.stop for guest in self.guests) and not any(self.open):
            names = ", ".join(sorted(empty))
            raise NoDestination(f"{names} are to be emptied, and no host is left that could receive.")
        self.stops: list[Stop] = []
        self.blockers: list[Blocker] = []
        self.leavers: list[int] = []
        self.free_to_move: list[int] = []
        self.ways: list[tuple[int, ...]] = []
        self.ends: list[frozenset[int] | None] = []
        for index, guest in enumerate(self.guests):
            self._sort(index, guest)
        by_id = {guest.id: index for index, guest in enumerate(self.guests)}
        self.foes: list[frozenset[int]] = [frozenset()] * len(self.guests)
        self.friends: list[tuple[int, ...]] = []
        for group in question.groups:
            members = [by_id[member] for member in group.members if member in by_id]
            if group.kind == APART:
                for member in members:
                    self.foes[member] |= frozenset(members) - {member}
            else:
                self.friends.append(tuple(member for member in members if not self._stays(member)))
        self.befriended = frozenset(member for group in self.friends for member in group)

    def _sort(self, index: int, guest: Guest) -> None:
        """Tell what becomes of a domain."""
        here = self.at[index]
        named = [self.number[name] for name in guest.targets if name in self.number]
        if self.open[here] and here not in named:
            named.append(here)
        ways = tuple(sorted({host for host in named if self.open[host]}))
        wanted = frozenset(self.number[name] for name in guest.wanted if name in self.number)
        self.ends.append(wanted or None)
        if guest.stop or not guest.movable:
            ways = ()
        elif here in self.empty and guest.wanted:
            ways = tuple(host for host in ways if host in wanted)
        self.ways.append(ways)
        if here not in self.empty:
            if ways and ways != (here,):
                self.free_to_move.append(index)
            if guest.wanted and here not in wanted and not wanted & set(ways):
                why = f"it cannot go to where it is wanted, {', '.join(guest.wanted)}."
                self.blockers.append(Blocker(guest.id, guest.name, guest.host, NOWHERE, why))
                self.ends[index] = None
        elif guest.stop:
            self.stops.append(Stop(guest.id, guest.name, guest.host))
        elif not guest.movable:
            self.blockers.append(Blocker(guest.id, guest.name, guest.host, NEVER_MOVE, "it is never to be moved."))
        elif not ways:
            why = "there is no host that it could go to."
            self.blockers.append(Blocker(guest.id, guest.name, guest.host, NOWHERE, why))
        else:
            self.leavers.append(index)

    def _stays(self, index: int) -> bool:
        """Whether a domain stays on a host that is emptied, shut down or as a blocker."""
        return self.at[index] in self.empty and index not in self.leavers

    @property
    def misplaced(self) -> list[int]:
        """Those elsewhere that are wanted on another host."""
        return [guest for guest in self.free_to_move if not self.is_home(guest, self.at[guest])]

    @property
    def bound(self) -> int:
        """The memory that every plan moves."""
        return sum(self.size[guest] for guest in [*self.leavers, *self.misplaced])

    def is_home(self, guest: int, host: int) -> bool:
        """Say whether a domain may be on a host in the end, as far as it is wanted somewhere."""
        ends = self.ends[guest]
        return ends is None or host in ends

    def settled(self, where: t.Sequence[int], leavers: bool = True) -> bool:
        """Say whether all is as it is to be in the end; without ``leavers`` those are not looked at."""
        if any(not self.is_home(guest, where[guest]) for guest in self.free_to_move):
            return False
        if leavers and any(where[guest] in self.empty for guest in self.leavers):
            return False
        for group in self.friends:
            looked_at = group if leavers else [guest for guest in group if self.at[guest] not in self.empty]
            moved = any(where[guest] != self.at[guest] or self.at[guest] in self.empty for guest in group)
            if moved and len({where[guest] for guest in looked_at}) > 1:
                return False
        return True

    def items(self, where: t.Sequence[int]) -> list[Item] | None:
        """Return the leavers as they are to be placed while the others are ``where`` they are; None: it cannot be."""
        left, found = list(self.leavers), []
        while left:
            members, queue = set(), [left[0]]
            ways = set(self.ways[left[0]])
            while queue:
                guest = queue.pop()
                members.add(guest)
                ways &= set(self.ways[guest])
                for group in self.friends:
                    if guest in group:
                        others = set(group) - members
                        queue.extend(other for other in others if self.at[other] in self.empty)
                        ways.intersection_update(*([where[o]] for o in others if self.at[o] not in self.empty))
            if not ways or any(self.foes[guest] & members for guest in members):
                return None
            left = [guest for guest in left if guest not in members]
            together = tuple(sorted(members))
            size, vcpus = sum(self.size[guest] for guest in together), sum(self.vcpus[guest] for guest in together)
            found.append(Item(together, size, vcpus, tuple(sorted(ways))))
        return found


class Layout:
    """Where each domain is, and what is free on each host."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.where = list(board.at)
        self.free = list(board.free)
        self.vfree = list(board.vfree)
        self.on: list[set[int]] = [set() for dummy in board.hosts]
        for guest, host in enumerate(board.at):
            self.on[host].add(guest)

    def fits(self, guest: int, host: int) -> bool:
        """Say whether a domain could arrive at a host now."""
        board = self.board
        if board.size[guest] > self.free[host] or board.vcpus[guest] > self.vfree[host]:
            return False
        return not board.foes[guest] or not board.foes[guest] & self.on[host]

    def takes(self, item: Item, host: int) -> bool:
        """Say whether all domains of an item could arrive at a host now."""
        if item.size > self.free[host] or item.vcpus > self.vfree[host]:
            return False
        return not any(self.board.foes[guest] & self.on[host] for guest in item.guests)

    def put(self, guest: int, host: int) -> None:
        """Have a domain on another host, whether it fits or not."""
        board, old = self.board, self.where[guest]
        self.free[old] += board.size[guest]
        self.vfree[old] += board.vcpus[guest]
        self.on[old].discard(guest)
        self.free[host] -= board.size[guest]
        self.vfree[host] -= board.vcpus[guest]
        self.on[host].add(guest)
        self.where[guest] = host


def _objections(question: Question, number: t.Mapping[str, int]) -> None:
    """Raise for a question that cannot be meant."""
    ids = collections.Counter(guest.id for guest in question.guests)
    for guest in question.guests:
        if ids[guest.id] > 1:
            places = sorted(other.host for other in question.guests if other.id == guest.id)
            raise QuestionWrong(
                f"{guest.name} ({guest.id}) is on more than one host: {', '.join(places)}.",
                remedy=f"Settle first who has it: {commands.playbook('audit')}",
            )
        if guest.host not in number:
            raise QuestionWrong(f"{guest.name} is on {guest.host}, of which nothing is known.")
    for name in question.empty:
        if name not in number:
            raise QuestionWrong(f"{name} is to be emptied, and nothing is known of it.")
    for group in question.groups:
        if group.kind not in KINDS:
            raise QuestionWrong(f"the group {group.name} is to be kept {group.kind}.", remedy=f"One of {KINDS}.")
    names = {guest.id: guest.name for guest in question.guests}
    for one in question.groups:
        for other in question.groups:
            both = sorted(names[guest] for guest in set(one.members) & set(other.members) if guest in names)
            if one.kind == TOGETHER and other.kind == APART and len(both) > 1:
                raise QuestionWrong(
                    f"{', '.join(both)} are to be kept together ({one.name}) and apart ({other.name}).",
                    remedy="Take them out of one of the two groups.",
                )
