# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a host for each domain that leaves where others must make room (pure; private to the collection).

A local search over where everything is in the end; whether there is an order that leads there is asked elsewhere. What
must move anyhow can be put anywhere at no further cost; of the others as little memory as possible is to move.
"""

from __future__ import annotations

import random
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Board, Item, Layout

# How many ways to make room on a host are kept, and how many hosts are tried for it.
_SUMS, _WAYS, _HOSTS = 100, 3, 8
_DEPTH = 2

# What is moved as one: a number of items, or of a domain behind them.
Piece = int


class Puzzle:
    """Pieces and where they are put: the items of the leavers, and each domain that may make room."""

    def __init__(self, board: Board, items: t.Sequence[Item]) -> None:
        self.layout = Layout(board)
        self.free, self.vfree = self.layout.free, self.layout.vfree
        self.pieces = list(items)
        # Those that are kept together with others are moved by the exact search only.
        movers = [guest for guest in board.free_to_move if guest not in board.befriended]
        self.must = len(items)
        for guest in movers:
            ends = board.ends[guest]
            ways = tuple(host for host in board.ways[guest] if ends is None or host in ends)
            self.pieces.append(Item((guest,), board.size[guest], board.vcpus[guest], ways))
        self.home = [board.at[piece.guests[0]] for piece in self.pieces]
        self.place = list(self.home)
        self.on: list[set[Piece]] = [set() for dummy in board.hosts]
        for piece, host in enumerate(self.place):
            self.on[host].add(piece)
        self.forced = [p < self.must or self.home[p] not in item.targets for p, item in enumerate(self.pieces)]
        self.due = [piece for piece, forced in enumerate(self.forced) if forced]
        # The memory of those that are moved without having to.
        self.cost = 0
        self.log: list[tuple[Piece, int]] = []
        # How often it was looked for what could make room on a host, which is what takes the time.
        self.looks = 0

    def put(self, piece: Piece, host: int) -> None:
        """Put a piece on a host and remember where it was."""
        self.log.append((piece, self.place[piece]))
        self._move(piece, host)

    def _move(self, piece: Piece, host: int) -> None:
        if not self.forced[piece]:
            size, home = self.pieces[piece].size, self.home[piece]
            self.cost += size * ((host != home) - (self.place[piece] != home))
        self.on[self.place[piece]].discard(piece)
        for guest in self.pieces[piece].guests:
            self.layout.put(guest, host)
        self.place[piece] = host
        self.on[host].add(piece)

    def undo(self, mark: int) -> None:
        """Take back what was done since the log was so long."""
        while len(self.log) > mark:
            self._move(*self.log.pop())

    def extra(self, piece: Piece) -> int:
        """Return what it costs to move a piece away from where it is put now."""
        free = self.place[piece] != self.home[piece] or self.forced[piece]
        return 0 if free else self.pieces[piece].size

    def room(self, piece: Piece, banned: t.Container[int] = ()) -> int | None:
        """Return the host with room for a piece that is left the fullest, its own first."""
        item = self.pieces[piece]
        fitting = [h for h in item.targets if h not in banned and h != self.place[piece] and self.layout.takes(item, h)]
        if self.home[piece] in fitting:
            return self.home[piece]
        return min(fitting, key=lambda host: (self.free[host] - item.size, host)) if fitting else None

    def insert(self, piece: Piece, depth: int = _DEPTH, banned: frozenset[int] = frozenset()) -> bool:
        """Find a host for a piece, and move others for it where there is none."""
        host = self.room(piece, banned)
        if host is not None:
            self.put(piece, host)
            return True
        if depth == 0:
            return False
        item = self.pieces[piece]
        hosts = sorted(
            (host for host in item.targets if host not in banned and host != self.place[piece]),
            key=lambda host: (-self.free[host], host),
        )[:_HOSTS]
        ways = [(cost, host, away) for host in hosts for cost, away in self.evictions(piece, host)]
        for dummy, host, away in sorted(ways):
            mark = len(self.log)
            closed = banned | {host}
            # They are taken off their host one after the other; only then is there room for this one.
            if all(self.insert(other, depth - 1, closed) for other in away) and self.layout.takes(item, host):
                self.put(piece, host)
                return True
            self.undo(mark)
        return False

    def evictions(self, piece: Piece, host: int) -> list[tuple[int, tuple[Piece, ...]]]:
        """Return sets of pieces on a host without which another one would fit there, with their costs."""
        self.looks += 1
        item = self.pieces[piece]
        foes: frozenset[int] = frozenset().union(*(self.layout.board.foes[guest] for guest in item.guests))
        present = foes & self.layout.on[host]
        movable = [p for p in self.on[host] if p != piece and self.pieces[p].targets != (host,)]
        first = [p for p in movable if present & set(self.pieces[p].guests)]
        if present - {guest for p in first for guest in self.pieces[p].guests}:
            return []
        base_cost, base_size = sum(map(self.extra, first)), sum(self.pieces[p].size for p in first)
        cpus = item.vcpus - self.vfree[host] - sum(self.pieces[p].vcpus for p in first)
        need = item.size - self.free[host] - base_size
        rest = sorted((p for p in movable if p not in first), key=lambda p: (self.extra(p), -self.pieces[p].size, p))
        # By what is freed: the cheapest set.
        sums: dict[tuple[int, int], tuple[int, tuple[Piece, ...]]] = {(0, 0): (base_cost, tuple(first))}
        done: list[tuple[int, tuple[Piece, ...]]] = []
        if need <= 0 and cpus <= 0:
            return [sums[0, 0]]
        for p in rest:
            for (freed, cpu), (cost, away) in list(sums.items()):
                key = (freed + self.pieces[p].size, cpu + self.pieces[p].vcpus if cpus > 0 else 0)
                value = (cost + self.extra(p), (*away, p))
                if key[0] >= need and key[1] >= cpus:
                    done.append(value)
                elif len(sums) < _SUMS and (key not in sums or value[0] < sums[key][0]):
                    sums[key] = value
        return sorted(done, key=lambda way: (way[0], len(way[1]), way[1]))[:_WAYS]

    def improve(self) -> None:
        """Bring back whatever can go home at no cost, until nothing can."""
        changed = True
        while changed:
            changed = False
            away = [p for p in range(len(self.pieces)) if self.place[p] != self.home[p] and not self.forced[p]]
            for piece in sorted(away, key=lambda p: (-self.pieces[p].size, p)):
                mark, before, home = len(self.log), self.cost, self.home[piece]
                if self._go_home(piece, home) and self.cost < before:
                    changed = True
                else:
                    self.undo(mark)

    def _go_home(self, piece: Piece, home: int) -> bool:
        item = self.pieces[piece]
        if self.layout.takes(item, home):
            self.put(piece, home)
            return True
        for dummy, away in self.evictions(piece, home):
            mark = len(self.log)
            if all(self.insert(other, 1, frozenset({home})) for other in away) and self.layout.takes(item, home):
                self.put(piece, home)
                return True
            self.undo(mark)
        return False

    def shake(self, chance: random.Random) -> None:
        """Begin anew with one or two hosts that somebody has made room on, and keep what is no worse."""
        made_room = sorted({self.home[p] for p in range(self.must, len(self.pieces)) if self.place[p] != self.home[p]})
        if not made_room:
            return
        mark, before = len(self.log), self.cost
        hosts = set(chance.sample(made_room, min(len(made_room), chance.choice((1, 1, 2)))))
        # Another host, whose pieces may change places with those.
        hosts.add(chance.choice([host for host, is_open in enumerate(self.layout.board.open) if is_open]))
        again = [p for p in self.due if self.place[p] in hosts and self.place[p] != self.home[p]]
        moved = (p for p in range(self.must, len(self.pieces)) if self.place[p] != self.home[p] and not self.forced[p])
        back = [piece for piece in moved if self.home[piece] in hosts]
        for piece in (*again, *back):
            self.put(piece, self.home[piece])
        chance.shuffle(again)
        again.sort(key=lambda piece: -self.pieces[piece].size * (1 + 0.5 * chance.random()))
        if min(self.free[host] for host in hosts) >= 0 and all(self.insert(piece) for piece in again):
            self.improve()
            if self.cost <= before:
                return
        self.undo(mark)


def solve(board: Board, items: t.Sequence[Item], seed: int, looks: int = 0) -> tuple[list[int] | None, int, int]:
    """Return where each domain is in the end, or None, the memory that moves without having to, and the looks it took.

    The ``seed`` 0 takes the biggest first; others shuffle a little. Up to so many ``looks`` it is made better. They are
    counted, and there is no clock: equal questions have equal answers.
    """
    puzzle, chance = Puzzle(board, items), random.Random(seed)
    disorder = 0.0 if seed == 0 else 0.4

    def rank(piece: Piece) -> tuple[float, int, int]:
        item = puzzle.pieces[piece]
        return (-item.size * (1 + disorder * chance.random()), len(item.targets), piece)

    for piece in sorted(puzzle.due, key=rank):
        if not puzzle.insert(piece):
            return None, 0, puzzle.looks
    puzzle.improve()
    while puzzle.cost and puzzle.looks < looks:
        # One that moves nothing takes a look, too.
        puzzle.looks += 1
        puzzle.shake(chance)
    return list(puzzle.layout.where), puzzle.cost, puzzle.looks
