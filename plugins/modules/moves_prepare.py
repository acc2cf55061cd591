#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: moves_prepare
short_description: Say what of a plan is done, what is under way, and what is left to do
version_added: 0.1.0
description:
  - Takes the moves of a plan and the facts of the dom0s as they are now. A move whose domain is at its end is done,
    also when another run has made it. One that a session makes at this moment is under way, and is to be watched.
  - Fails when the plan does not hold any more, such as for a domain that is on a host which the plan knows nothing of.
  - Where moves of these domains were interrupted, RV(sessions) tells them, and nothing is refused. They are to be
    settled first, and then this is to be asked again.
  - Makes a file on the controller at which the moves of this run meet; see M(dom0.xen.moves_turn).
options:
  moves:
    description:
      - The moves in their order, each with C(number), C(guest) (the domain's UUID), C(name), C(source), C(destination),
        and C(after), the numbers of those that must have ended before it begins.
    type: list
    elements: dict
    required: true
  hosts:
    description: For each dom0 that was asked, its name and what M(dom0.xen.host_info) returned, also when it failed.
    type: dict
    required: true
  departures:
    description: How many domains may leave a host at one time, by host. V(0), or no entry, is no limit.
    type: dict
    default: {}
  arrivals:
    description: How many domains may come to a host at one time, by host.
    type: dict
    default: {}
  parallel:
    description: How many moves of this run may be under way at one time. V(0) is no limit.
    type: int
    default: 0
  deadline:
    description: Seconds from now after which no further move begins. V(0) is never.
    type: float
    default: 0.0
  rows:
    description: Whether each domain has a row in the recap of the run, or only each dom0.
    type: str
    choices: [domains, hosts]
    default: domains
  leave_out:
    description: UUIDs of domains that are not moved; nor are those moved that need one of these to go first.
    type: list
    elements: str
    default: []
  plan:
    description: The file of the plan, to be named.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
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
- name: See what is left to do
  dom0.xen.moves_prepare:
    moves:
      - number: 1
        guest: 1c2d3e4f-0000-4000-8000-00000000002a
        name: centos
        source: xen1
        destination: xen2
    hosts:
      xen1: "{{ hostvars.xen1.facts }}"
      xen2: "{{ hostvars.xen2.facts }}"
  register: prepared
"""

RETURN = r"""
steps:
  description: All moves.
  returned: success
  type: list
  elements: dict
  contains:
    number: {type: int, description: Its number., sample: 1}
    uuid: {type: str, description: UUID of the domain.}
    name: {type: str, description: Name of the domain., sample: centos}
    source: {type: str, description: Where it leaves., sample: xen1}
    destination: {type: str, description: Where it goes., sample: xen2}
    after: {type: list, elements: int, description: The moves that must have ended before.}
    host: {type: str, description: Its name in the inventory., sample: centos@xen1}
    state: {type: str, description: "V(to_do), V(under_way) or V(done).", sample: to_do}
to_do:
  description: Those of them that are not done.
  returned: success
  type: list
  elements: dict
sessions:
  description: Interrupted sessions of these domains, as RV(dom0.xen.migration_interrupted#module:sessions).
  returned: success
  type: list
  elements: dict
msg:
  description: The same for people.
  returned: always
  type: str
board:
  description: The folder on the controller at which the moves meet.
  returned: success
  type: str
begin_by:
  description:
    - Time on the controller, in seconds since 1970, after which no further move begins, for
      O(dom0.xen.migration_slot#module:begin_by). V(0) is never.
  returned: success
  type: float
  sample: 1700000000.0
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import MOVES_PREPARE


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=MOVES_PREPARE, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.moves_prepare does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
