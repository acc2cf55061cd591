#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance_plan
short_description: Say which hosts of a run are done, and what stands in the way of the others
version_added: 0.1.0
description:
  - Takes what is noted on the hosts by M(dom0.xen.host_maintenance) and how each could be emptied, and fails with
    everything that stands in the way on any of the hosts at once.
options:
  hosts:
    description: For each dom0 that was asked, its name and what M(dom0.xen.fleet_info) returned, also when it failed.
    type: dict
    required: true
  selected:
    description: The hosts that are to be maintained, or groups of them, as a list or with commas between them.
    type: raw
    required: true
  inventory:
    description: All dom0s of the inventory.
    type: list
    elements: str
    required: true
  notes:
    description: For each host, what M(dom0.xen.host_maintenance) returned.
    type: dict
    default: {}
  run:
    description: The run, in words that the same command gives again. Made from the hosts and O(tasks) when it is empty.
    type: str
    default: ""
  tasks:
    description: File on the controller with the tasks for each host. Empty for none.
    type: str
    default: ""
  release:
    description: The least release of Xen that each host has to have afterwards. Empty for any.
    type: str
    default: ""
  plans:
    description: For each host, what M(dom0.xen.evacuation_plan) returned. Without it nothing but the call is judged.
    type: dict
  unmovable:
    description: What becomes of domains that cannot leave.
    type: str
    choices: [refuse, suspend, shutdown]
    default: refuse
  anew:
    description: Whether nothing that is noted on the hosts counts.
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
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: See how far it has come
  dom0.xen.maintenance_plan:
    hosts:
      xen1: "{{ hostvars.xen1.facts }}"
      xen2: "{{ hostvars.xen2.facts }}"
    selected: xen1,xen2
    inventory: [xen1, xen2]
  register: found
"""

RETURN = r"""
selected:
  description: The hosts by their names, in the order of their turns.
  returned: success
  type: list
  elements: str
  sample: [xen1, xen2]
run:
  description: The run in words.
  returned: success
  type: str
  sample: maintain xen1,xen2 with /root/upgrade.yml
tasks:
  description: The whole path of the file with tasks.
  returned: success
  type: str
  sample: /root/upgrade.yml
done:
  description: Hosts that a run which was cut off has done.
  returned: success
  type: list
  elements: str
  sample: [xen1]
left:
  description: Hosts that are to be done.
  returned: success
  type: list
  elements: str
  sample: [xen2]
anew:
  description: O(anew).
  returned: success
  type: bool
  sample: false
already:
  description: Those of RV(left) that have been emptied.
  returned: success
  type: list
  elements: str
  sample: []
answers:
  description: O(hosts), with those open to arrivals that this run has closed.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.maintenance import MAINTENANCE_PLAN


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=MAINTENANCE_PLAN, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.maintenance_plan does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
