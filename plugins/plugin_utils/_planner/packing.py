# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a host for each domain that leaves, while the others stay where they are (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Item, Layout

# By item, in the order of the items.
Places = list[int] | None

# So many steps a search may take before it gives up.
_STEPS = 20000


def spread(layout: Layout, items: t.Sequence[Item]) -> Places:
    """Fill the hosts evenly by what is free and by their weights; the layout is changed where all find a place."""
    weight = layout.board.weight

    def choice(item: Item, host: int) -> float:
        return -weight[host] * (layout.free[host] - item.size)

    return _greedy(layout, items, choice)


def tight(layout: Layout, items: t.Sequence[Item]) -> Places:
    """Fill each host as full as can be; the layout is changed where all find a place."""
    return _greedy(layout, items, lambda item, host: layout.free[host] - item.size)


def _greedy(layout: Layout, items: t.Sequence[Item], choice: t.Callable[[Item, int], float]) -> Places:
    places = [-1] * len(items)
    for index in sorted(range(len(items)), key=lambda i: (-items[i].size, len(items[i].targets), items[i].guests)):
        item = items[index]
        fitting = [host for host in item.targets if layout.takes(item, host)]
        if not fitting:
            _back(layout, items, places)
            return None
        places[index] = min((choice(item, host), host) for host in fitting)[1]
        put(layout, item, places[index])
    return places


def put(layout: Layout, item: Item, host: int) -> None:
    """Have all domains of an item on a host."""
    for guest in item.guests:
        layout.put(guest, host)


def take_back(layout: Layout, item: Item) -> None:
    """Have all domains of an item where they are in the beginning."""
    for guest in item.guests:
        layout.put(guest, layout.board.at[guest])


def _back(layout: Layout, items: t.Sequence[Item], places: t.Sequence[int]) -> None:
    for item, host in zip(items, places, strict=True):
        if host >= 0:
            take_back(layout, item)


def search(layout: Layout, items: t.Sequence[Item], steps: int = _STEPS) -> tuple[Places, bool]:
    """Look for a place for each by trying all. Return it, and whether all was tried; the layout is changed as above."""
    places = [-1] * len(items)
    left = [steps]

    def go(open_items: list[int]) -> bool:
        if not open_items:
            return True
        left[0] -= 1
        if left[0] < 0:
            return False
        fitting = {
            index: [host for host in items[index].targets if layout.takes(items[index], host)] for index in open_items
        }
        # The one with the fewest choices first, the bigger one of two.
        index = min(open_items, key=lambda i: (len(fitting[i]), -items[i].size, i))
        rest = [other for other in open_items if other != index]
        for host in sorted(fitting[index], key=lambda host: (layout.free[host], host)):
            put(layout, items[index], host)
            places[index] = host
            if go(rest):
                return True
            take_back(layout, items[index])
            places[index] = -1
        return False

    found = go(list(range(len(items))))
    return (places if found else None), left[0] >= 0
