#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_known
short_description: Tell what is known of all dom0s, and since when
version_added: 0.1.0
description:
  - Reads what M(dom0.xen.fleet_facts) and M(dom0.xen.fleet_rules) have written, and makes a table of it.
  - Warns of hosts that did not tell anything, that a limit left out, or that the inventory does not have any more, of
    files that are not as they were written, of domains that more than one host told of, and of rules for domains that
    are not there.
  - Changes nothing.
options:
  dom0s:
    description:
      - The names of all dom0s in the inventory.
    type: list
    elements: str
    required: true
  answers:
    description:
      - What M(dom0.xen.fleet_facts) returned in this run, by the name of the host. When none of these hosts has told
        anything, the task fails.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: This action does not modify state.
  idempotent:
    support: full
    details: This action does not modify state.
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
- name: Tell what is known of the dom0s
  dom0.xen.fleet_known:
    dom0s: "{{ groups['dom0'] }}"
  register: known
  run_once: true

- name: Show it
  ansible.builtin.debug:
    msg: "{{ known.table }}"
  run_once: true
"""

RETURN = r"""
dom0s:
  description: What is known of each dom0, as RV(dom0.xen.fleet_facts#module:dom0).
  type: list
  elements: dict
  returned: always
  sample: [{name: xen1, xen: 4.17.7, domains: 3, memory_free_mib: 20121, memory_mib: 32437, age_s: 2.5, trouble: null}]
table:
  description: The same for people, lines of text with a title first.
  type: list
  elements: str
  returned: always
  sample:
    - "dom0  Xen     domains  memory free  of        told"
    - "xen1  4.17.7  3        900 MiB      2047 MiB  2 s ago"
silent:
  description: The hosts of O(answers) that told nothing.
  type: list
  elements: str
  returned: always
  sample: []
digest:
  description: SHA-256 over what a plan depends on. It has no clocks in it, and changes when the fleet does.
  type: str
  returned: success
  sample: 3f786850e387550fdab836ed7e6dc881de23001b3f786850e387550fdab836ed
path:
  description: The folder on the controller.
  type: str
  returned: always
  sample: /home/ops/.ansible/dom0-xen/facts
code:
  description:
    - Stable name of the error, one of V(nobody_answered), V(rules_contradict), V(facts_not_read).
  type: str
  returned: failure
  sample: nobody_answered
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_KNOWN


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=FLEET_KNOWN, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.fleet_known does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
