#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance_return
short_description: Say which domains come back to a dom0 after its maintenance
version_added: 0.1.0
description:
  - Takes what was noted of the host before, and where its domains are now.
options:
  hosts:
    description: For each dom0 that was asked, its name and what M(dom0.xen.fleet_info) returned, also when it failed.
    type: dict
    required: true
  host:
    description: The host.
    type: str
    required: true
  inventory:
    description: All dom0s of the inventory.
    type: list
    elements: str
    required: true
  note:
    description: RV(dom0.xen.host_maintenance#module:maintenance) of the host.
    type: dict
    required: true
  policy:
    description: V(all) that are elsewhere come back, V(none), or V(balanced), those that make free memory more even.
    type: str
    choices: [all, none, balanced]
    default: all
  leave_out:
    description: UUIDs of domains that are not tried again; they are left out of RV(wanted), and told in RV(report).
    type: list
    elements: str
    default: []
  outcomes:
    description: Moves of this run, as RV(dom0.xen.moves_compare#module:moves).
    type: list
    elements: dict
    default: []
  history:
    description: How often each domain was tried in vain, as O(dom0.xen.evacuation_look#module:history).
    type: dict
    default: {}
  blockers:
    description: What cannot be moved, as RV(dom0.xen.evacuation_plan#module:blockers) of the last plan.
    type: list
    elements: dict
    default: []
  started:
    description: What M(dom0.xen.domain_start) returned for each of RV(starts), as the results of a loop.
    type: list
    elements: dict
    default: []
  why:
    description: Why nothing could be planned. Empty where it could.
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
- name: See what comes back
  dom0.xen.maintenance_return:
    hosts:
      xen1: "{{ hostvars.xen1.facts }}"
      xen2: "{{ hostvars.xen2.facts }}"
    host: xen1
    inventory: [xen1, xen2]
    note: "{{ noted.maintenance }}"
"""

RETURN = r"""
wanted:
  description: The domains that are to be moved, as O(dom0.xen.evacuation_plan#module:wanted).
  returned: success
  type: dict
starts:
  description: The domains that were shut down and are to be started, with C(uuid), C(name) and C(macs).
  returned: success
  type: list
  elements: dict
report:
  description: What came of it so far, by this run.
  returned: success
  type: dict
  contains:
    returned:
      description: The moves to the host, as O(outcomes).
      type: list
      elements: dict
    started:
      description: The domains that were started, with C(uuid) and C(name).
      type: list
      elements: dict
    missed:
      description: The domains that are not there, with C(uuid), C(name), C(place) and C(why).
      type: list
      elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.maintenance import MAINTENANCE_RETURN


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=MAINTENANCE_RETURN, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.maintenance_return does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
