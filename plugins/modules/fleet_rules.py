#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_rules
short_description: Read the rules for domains and dom0s out of the inventory's variables
version_added: 0.1.0
description:
  - Reads the variables C(dom0_xen_domains), C(dom0_xen_groups) and C(dom0_xen_host) of all dom0s, and keeps what they
    say on the controller, beside the facts, for the inventory plugin and for plans.
  - A rule that cannot be meant, and rules that contradict each other, are an error that names variable, dom0 and cause.
    The guide to the fleet describes the variables.
options:
  dom0s:
    description:
      - The names of all dom0s in the inventory.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
  - dom0.xen._fleet
seealso:
  - module: dom0.xen.fleet_facts
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Read the rules for domains
  dom0.xen.fleet_rules:
    dom0s: "{{ groups['dom0'] }}"
  run_once: true
"""

RETURN = r"""
path:
  description: The folder on the controller.
  type: str
  returned: success
  sample: /home/ops/.ansible/dom0-xen/facts
rules:
  description: What the variables say.
  type: dict
  returned: success
  contains:
    domains:
      description: Rules for domains, which C(domain) names by name or UUID, with C(tags) and C(allowed) hosts.
      type: list
      elements: dict
      sample: [{domain: centos, tags: [db], allowed: []}]
    groups:
      description: Groups of C(domains), and of all with the tag C(tag), that are to C(keep) together or apart.
      type: list
      elements: dict
      sample: [{name: replicas, keep: apart, domains: [], tag: db}]
    hosts:
      description: A rule for each dom0.
      type: list
      elements: dict
      sample: [{host: xen1, reserve_mib: 512, weight: 1.0, closed: false, allowed: []}]
code:
  description:
    - Stable name of the error, one of V(rules_invalid), V(rules_contradict), V(facts_not_written), V(facts_not_read).
  type: str
  returned: failure
  sample: rules_contradict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_RULES


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=FLEET_RULES, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.fleet_rules does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
