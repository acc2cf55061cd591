#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: moves_compare
short_description: Compare the moves that were planned with those that were done
version_added: 0.1.0
description:
  - Fails unless each move was done, by this run or before it. So a run in which nothing happened never ends well.
  - Fails also when the plan leaves domains where they are, unless that is allowed.
options:
  moves:
    description: RV(dom0.xen.moves_prepare#module:steps).
    type: list
    elements: dict
    required: true
  results:
    description: For each move that has ended, by its name in the inventory, what the role C(migrate) has registered.
    type: dict
    default: {}
  stops:
    description: RV(dom0.xen.plan_progress#module:stops), what the plan leaves to be shut down.
    type: list
    elements: dict
    default: []
  blockers:
    description: RV(dom0.xen.plan_progress#module:blockers), what stays.
    type: list
    elements: dict
    default: []
  leave:
    description: Whether what is in O(stops) and O(blockers) is told only.
    type: bool
    default: false
  result_path:
    description: File on the controller for what is returned, as JSON.
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
- name: Compare
  dom0.xen.moves_compare:
    moves: "{{ prepared.steps }}"
    results: "{{ results }}"
"""

RETURN = r"""
planned:
  description: How many moves were planned.
  returned: always
  type: int
  sample: 4
done:
  description: How many of them are done.
  returned: always
  type: int
  sample: 4
left:
  description: What of the plan is left to people, a sentence for each domain.
  returned: always
  type: list
  elements: str
complete:
  description: Whether all moves are done, and nothing is left unless that is allowed.
  returned: always
  type: bool
  sample: true
moves:
  description: The moves.
  returned: always
  type: list
  elements: dict
  contains:
    number: {type: int, description: Its number., sample: 1}
    uuid: {type: str, description: UUID of the domain.}
    name: {type: str, description: Name of the domain., sample: centos}
    source: {type: str, description: Where it left., sample: xen1}
    destination: {type: str, description: Where it was to go., sample: xen2}
    done: {type: bool, description: Whether it is there.}
    changed: {type: bool, description: Whether this run has moved it.}
    code: {type: str, description: Why it is not there., sample: not_enough_memory}
    why: {type: str, description: The same for people.}
    method: {type: str, description: "How this run has moved it, empty where it has not.", sample: live}
    owner:
      description: The host whose copy counts after this run's move, as RV(dom0.xen.migration_verdict#module:owner).
      type: str
      sample: destination
    total_ms: {type: float, description: "Milliseconds that this run's move took, or V(null)."}
    stop_ms: {type: float, description: "Milliseconds for which the guest stood still, or V(null)."}
table:
  description: The moves for people, in lines, with method, times and owner. None without a move.
  returned: always
  type: list
  elements: str
artifact:
  description:
    - For C(set_stats), which hands it on to the next node of a workflow. Its lists have at most 50 entries.
  returned: always
  type: dict
  contains:
    complete: {type: bool, description: As RV(complete).}
    planned: {type: int, description: As RV(planned).}
    done: {type: int, description: As RV(done).}
    moved: {type: int, description: How many of them this run has made.}
    stays: {type: int, description: How many domains the plan itself leaves where they are.}
    not_done:
      description: The moves that were not done, with C(name), C(uuid), C(source), C(destination) and C(code).
      type: list
      elements: dict
    more: {type: int, description: How many moves that were not done are not in the list.}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import MOVES_COMPARE


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=MOVES_COMPARE, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.moves_compare does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
