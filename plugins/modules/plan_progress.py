#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan_progress
short_description: Read a plan, and say how far it has come
version_added: 0.1.0
description:
  - Reads a plan, and compares what it was made from with what the dom0s tell now. Fails when that does not hold any
    more, and says what has changed. What its own moves have changed is no change.
  - A plan that says that there is no way is refused too.
  - Where moves of its domains were interrupted, these are to be settled first, and nothing is compared yet.
options:
  path:
    description: The file on the controller. Either this or O(plan) is given.
    type: str
    default: ""
  plan:
    description: The plan itself, as it is handed on from one job to the next.
    type: str
    default: ""
  hosts:
    description: For each dom0 that was asked, its name and what M(dom0.xen.fleet_info) returned, also when it failed.
    type: dict
    required: true
  settled:
    description: Whether it is compared though there are interrupted sessions, since settling was tried.
    type: bool
    default: false
  asked:
    description:
      - How the moves would be made. The plan is refused where that is not how it was made.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The host that the moves leave which are made so. Empty for all.
        type: str
        default: ""
      method:
        description: As O(dom0.xen.fleet_plan#module:method).
        type: str
        choices: [auto, live, suspend, cold]
        default: auto
      transport:
        description: As O(dom0.xen.fleet_plan#module:transport).
        type: str
        choices: [tls, ssh, tcp]
        default: tls
      allow_plain:
        description: As O(dom0.xen.fleet_plan#module:allow_plain).
        type: bool
        default: false
      allow_cold:
        description: As O(dom0.xen.fleet_plan#module:allow_cold).
        type: bool
        default: false
      memory_reserve_mib:
        description: As O(dom0.xen.fleet_plan#module:memory_reserve_mib).
        type: int
        default: 0
      dom0_memory_min_mib:
        description: As O(dom0.xen.fleet_plan#module:dom0_memory_min_mib).
        type: int
        default: 512
      waive:
        description: As O(dom0.xen.fleet_plan#module:waive).
        type: raw
        default: []
      follow_config:
        description: As O(dom0.xen.fleet_plan#module:follow_config).
        type: bool
        default: true
      network:
        description: As O(dom0.xen.fleet_plan#module:network).
        type: raw
        default: []
      map_bridges:
        description: As O(dom0.xen.fleet_plan#module:map_bridges).
        type: dict
        default: {}
      map_disks:
        description: As O(dom0.xen.fleet_plan#module:map_disks).
        type: dict
        default: {}
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
- name: See how far the plan has come
  dom0.xen.plan_progress:
    path: /srv/plans/night.yml
    hosts:
      xen1: "{{ hostvars.xen1.facts }}"
      xen2: "{{ hostvars.xen2.facts }}"
  register: plan
"""

RETURN = r"""
identity:
  description: What tells the plan from others.
  returned: success
  type: str
goal:
  description: What it is for.
  returned: success
  type: str
  sample: empty
hosts:
  description: The hosts that it empties.
  returned: success
  type: list
  elements: str
moves:
  description: All its moves, as O(dom0.xen.moves_prepare#module:moves).
  returned: success
  type: list
  elements: dict
stops:
  description: The domains that it shuts down, with C(uuid), C(name) and C(host).
  returned: success
  type: list
  elements: dict
blockers:
  description: The domains that stay, with C(uuid), C(name), C(host), C(code) and C(why).
  returned: success
  type: list
  elements: dict
done:
  description: The numbers of the moves that are done.
  returned: success
  type: list
  elements: int
sessions:
  description: What is to be settled first, as RV(dom0.xen.migration_interrupted#module:sessions).
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import PLAN_PROGRESS


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=PLAN_PROGRESS, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.plan_progress does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
