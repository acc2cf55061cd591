# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options about the way that the bytes of a move take."""

from __future__ import annotations


class ModuleDocFragment:
    """Networks, addresses and interfaces."""

    # For the two sides of a session.
    DOCUMENTATION = r"""
options:
  planned_interface:
    description:
      - The interface of this host that is to carry the bytes, as C(plan.path) of
        RV(dom0.xen.migration_check#module:plan). It is told in the status beside the one that has carried them.
      - Empty where it is not known.
    type: str
    default: ""
"""

    # For the checks.
    NETWORK = r"""
options:
  network:
    description:
      - Networks with the length of their prefix, such as V(10.20.0.0/24) or V(fd00:20::/64), as a list or as a text
        with commas between them. The bytes travel over the first of them that both hosts have an address in. Where a
        host has several there, it is the one of O(asked_address) or O(host_addresses), else the first that it lists.
      - When it is empty, the source connects to O(destination_address).
    type: raw
    default: []
  asked_address:
    description:
      - The address of the destination that was asked for in this move. With O(network) it must be an address that the
        destination has in one of the networks.
    type: str
    default: ""
  host_addresses:
    description:
      - What the inventory has as the addresses of C(source) and C(destination) for moves (C(dom0_xen_address)). With
        O(network) they must be addresses that the hosts have in one of the networks, but for the destination's where
        O(asked_address) is given.
      - Without O(network) the source comes from its own, if it has it, where both hosts have one and O(asked_address)
        is empty.
    type: dict
    default: {}
"""
