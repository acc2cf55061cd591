#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_plan
short_description: Find the host of a domain and name its move
version_added: 0.1.0
description:
  - Finds the dom0 that has a domain, among the facts that M(dom0.xen.host_info) has gathered from all of them, and
    returns the
    move as a host for C(ansible.builtin.add_host).
  - A domain that is being moved at this moment is found through its session, whatever its copies are called
    meanwhile.
  - Whether the move is possible is not asked here. M(dom0.xen.migration_check) tells everything that speaks against
    it at once.
  - Warns of settings of Ansible that are far off for so many dom0s, such as C(forks), all of them in one warning.
  - When no dom0 that could be asked has the domain and others could not be asked, this fails and tells why, for each.
options:
  domain:
    description:
      - Name or UUID of the domain.
    type: str
    required: true
  source:
    description:
      - The dom0 that the domain is on, when the caller has named it. A copy there goes before all others.
    type: str
    default: ""
  destination:
    description:
      - The dom0 that the domain is to be moved to.
    type: str
    required: true
  hosts:
    description:
      - For each dom0 that was asked, its name and what M(dom0.xen.host_info) returned, also when it failed.
    type: dict
    required: true
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
- name: Plan the move
  dom0.xen.migration_plan:
    domain: centos
    destination: xen2
    hosts:
      xen1: "{{ hostvars.xen1.facts }}"
      xen2: "{{ hostvars.xen2.facts }}"
  register: planned
"""

RETURN = r"""
moves:
  description: The moves, for now exactly one.
  type: list
  elements: dict
  returned: success
  sample:
    - host: centos@xen1
      domain: 1c2d3e4f-0000-4000-8000-00000000002a
      uuid: 1c2d3e4f-0000-4000-8000-00000000002a
      source: xen1
      destination: xen2
  contains:
    host:
      description: Name for the move as a host of the inventory. No other host has it.
      type: str
      sample: centos@xen1
    domain:
      description: UUID of the domain, or what the caller called it when no host has it.
      type: str
      sample: 1c2d3e4f-0000-4000-8000-00000000002a
    uuid:
      description: UUID of the domain, or null.
      type: str
      sample: 1c2d3e4f-0000-4000-8000-00000000002a
    source:
      description:
        - The dom0 that the domain is on.
        - When the domain is at the destination already, the one that it came from, or an empty text when nobody
          remembers.
      type: str
      sample: xen1
    destination:
      description: The dom0 that the domain is to be moved to.
      type: str
      sample: xen2
code:
  description:
    - Stable name of the error, one of V(domain_ambiguous), V(domain_on_several_hosts), V(domain_not_looked_for),
      V(move_name_taken).
  type: str
  returned: failure
  sample: domain_ambiguous
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import PLAN


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=PLAN, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.migration_plan does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
