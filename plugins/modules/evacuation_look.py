#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: evacuation_look
short_description: Say what is left on hosts that are to be emptied
version_added: 0.1.0
description:
  - Takes the facts of all dom0s as they are now, and says which domains are left, what has to be settled first, which
    moves are under way, and which domains are not tried again.
options:
  hosts:
    description: For each dom0 that was asked, its name and what M(dom0.xen.host_info) returned, also when it failed.
    type: dict
    required: true
  empty:
    description: The hosts that are to be emptied, or groups of them, as a list or with commas between them.
    type: raw
    required: true
  inventory:
    description: All dom0s of the inventory.
    type: list
    elements: str
    required: true
  outcomes:
    description: RV(dom0.xen.moves_compare#module:moves) of the round before.
    type: list
    elements: dict
    default: []
  history:
    description: RV(history) of the round before.
    type: dict
    default: {}
  retries:
    description: How often a domain is tried again whose move failed for a cause that may be otherwise the next time.
    type: int
    default: 2
  tried:
    description:
      - Sessions that were tried to be settled in this run. One of them that is still there was tried in vain, and keeps
        its own domain only.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    details:
      - Moves are planned though there are sessions and moves under way, whose domains are in RV(leave_out) then.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state.
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: See what is left
  dom0.xen.evacuation_look:
    hosts:
      xen1: "{{ hostvars.xen1.facts }}"
      xen2: "{{ hostvars.xen2.facts }}"
    empty: [xen1]
    inventory: [xen1, xen2]
  register: found
"""

RETURN = r"""
selected:
  description: The hosts that are to be emptied, by their names.
  returned: success
  type: list
  elements: str
  sample: [xen1]
empty:
  description: Whether the hosts answered, have no domain but their own, and will have none from a move under way.
  returned: success
  type: bool
  sample: false
guests:
  description: The domains that they have, copies that are left of a move among them.
  returned: success
  type: list
  elements: dict
  contains:
    uuid: {type: str, description: UUID of the domain.}
    name: {type: str, description: Name of the domain., sample: centos}
    host: {type: str, description: The host., sample: xen1}
    domid: {type: int, description: Its number there., sample: 3}
    state: {type: str, description: Its state., sample: running}
silent:
  description: The hosts of O(empty) whose domains are not known.
  returned: success
  type: list
  elements: str
sessions:
  description: What is to be settled first, as RV(dom0.xen.migration_interrupted#module:sessions).
  returned: success
  type: list
  elements: dict
moves:
  description: What is under way, as O(dom0.xen.moves_prepare#module:moves).
  returned: success
  type: list
  elements: dict
waiting:
  description: Names of domains that are being moved while the other host does not answer.
  returned: success
  type: list
  elements: str
wait:
  description: Seconds to wait before the next look, for the sake of these.
  returned: success
  type: int
history:
  description: For each domain that was tried in vain, how often, and why the last time.
  returned: success
  type: dict
given_up:
  description: UUIDs of those that are not tried again.
  returned: success
  type: list
  elements: str
busy:
  description: UUIDs of the domains of RV(sessions), RV(moves) and RV(waiting).
  returned: success
  type: list
  elements: str
leave_out:
  description: UUIDs of domains that are not planned for now.
  returned: success
  type: list
  elements: str
first:
  description: Whether something is to be settled or watched before moves are planned.
  returned: success
  type: bool
pending:
  description: Whether the next look may find more to do, even if nothing is moved until then.
  returned: success
  type: bool
plan:
  description: Whether moves are to be planned now.
  returned: success
  type: bool
over:
  description: Whether there is nothing left to try.
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import EVACUATION_LOOK


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=EVACUATION_LOOK, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.evacuation_look does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
