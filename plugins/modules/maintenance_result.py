#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance_result
short_description: Say what came of the maintenance of hosts
version_added: 0.1.0
description:
  - Makes a table of what came of each host, and fails unless all are done.
options:
  selected:
    description: The hosts, in the order of their turns.
    type: list
    elements: str
    required: true
  reports:
    description: For each host C(state), C(why), C(closed), C(xen), C(moved), C(returned), C(started) and C(missed).
    type: dict
    required: true
  result_path:
    description: File on the controller for the result, as JSON. Empty for none.
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
- name: Tell what came of it
  dom0.xen.maintenance_result:
    selected: [xen1, xen2]
    reports: "{{ reports }}"
"""

RETURN = r"""
done:
  description: Whether all are done.
  returned: always
  type: bool
  sample: true
hosts:
  description: What came of each.
  returned: always
  type: list
  elements: dict
table:
  description: The same for people, in lines.
  returned: always
  type: list
  elements: str
moves_table:
  description: The moves of this run for people, in lines, with method, times and owner. None without a move.
  returned: always
  type: list
  elements: str
artifact:
  description:
    - For C(set_stats), which hands it on to the next node of a workflow. Its lists have at most 50 entries.
  returned: always
  type: dict
  contains:
    complete: {type: bool, description: As RV(done).}
    moved: {type: int, description: How many domains this run has moved away.}
    returned: {type: int, description: How many it has brought back.}
    started: {type: int, description: How many it has started that were shut down for it.}
    done: {type: list, elements: str, description: The hosts that are done.}
    not_done: {type: list, elements: dict, description: "The other hosts, with C(name) and C(state)."}
    closed: {type: list, elements: str, description: The hosts that are closed to arrivals.}
    missed:
      description: The domains that a host had and did not get back, with C(name), C(uuid) and C(host).
      type: list
      elements: dict
    more: {type: int, description: How many entries the lists leave out.}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.maintenance import MAINTENANCE_RESULT


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=MAINTENANCE_RESULT, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.maintenance_result does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
