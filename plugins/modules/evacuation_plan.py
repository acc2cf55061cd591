#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: evacuation_plan
short_description: Plan how hosts are emptied
version_added: 0.1.0
description:
  - Plans which domain of the hosts goes where and in which order, from the facts of all dom0s, the rules of the
    inventory (C(dom0_xen_domains), C(dom0_xen_groups), C(dom0_xen_host)) and the checks that a move begins with.
  - Fails when there is no way, or a domain could not leave, and tells everything that stands in the way at once.
options:
  hosts:
    description: For each dom0 that was asked, its name and what M(dom0.xen.fleet_info) returned, also when it failed.
    type: dict
    required: true
  empty:
    description: The hosts that are to be emptied.
    type: list
    elements: str
    required: true
  wanted:
    description: For the UUID of each domain that is to come back to a host, that host. O(empty) has none then.
    type: dict
    default: {}
  leave:
    description: Whether domains that cannot leave are left, and the others planned for.
    type: bool
    default: false
  leave_out:
    description:
      - UUIDs of domains about which something else has to be done first. That they cannot leave is no reason to refuse.
    type: list
    elements: str
    default: []
  make_room:
    description:
      - Whether domains of other hosts may be moved where there is no way unless they make room. Otherwise it is told
        that there would be one.
    type: bool
    default: false
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
  - dom0.xen._planning
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Plan how xen1 is emptied
  dom0.xen.evacuation_plan:
    hosts:
      xen1: "{{ hostvars.xen1.facts }}"
      xen2: "{{ hostvars.xen2.facts }}"
    empty: [xen1]
  register: planned
"""

RETURN = r"""
moves:
  description: The moves in their order, as O(dom0.xen.moves_prepare#module:moves).
  returned: success, and when it is refused
  type: list
  elements: dict
stops:
  description: The domains that are shut down when all others have left, with C(uuid), C(name) and C(host).
  returned: success, and when it is refused
  type: list
  elements: dict
blockers:
  description: The domains that stay, with C(uuid), C(name), C(host), C(code), C(why) and C(reasons).
  returned: success, and when it is refused
  type: list
  elements: dict
unmovable:
  description: RV(blockers) without the copies that migrations make or have left, which are nobody's to suspend or
    shut down.
  returned: success, and when it is refused
  type: list
  elements: dict
possible:
  description: Whether the hosts would be empty in the end.
  returned: success, and when it is refused
  type: bool
table:
  description: The plan for people, in lines.
  returned: success, and when it is refused
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import EVACUATION_PLAN


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=EVACUATION_PLAN, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.evacuation_plan does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
