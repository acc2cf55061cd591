#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: evacuation_result
short_description: Say whether hosts are empty, and what was moved
version_added: 0.1.0
description:
  - Judges by what the hosts were seen to have last. Fails unless each of them answered, has no domain but its own,
    and no interrupted migration is left.
options:
  selected:
    description: The hosts that were to be emptied.
    type: list
    elements: str
    required: true
  seen:
    description: For each of them, what M(dom0.xen.host_info) returned last.
    type: dict
    required: true
  moves:
    description: The moves of this run, as RV(dom0.xen.moves_compare#module:moves).
    type: list
    elements: dict
    default: []
  history:
    description: RV(dom0.xen.evacuation_look#module:history).
    type: dict
    default: {}
  why:
    description: Why no more was planned.
    type: str
    default: ""
  sessions:
    description: RV(dom0.xen.evacuation_look#module:sessions) of the last look, what could not be settled.
    type: list
    elements: dict
    default: []
  opened:
    description: For each host that was opened to arrivals after that, what M(dom0.xen.host_arrivals) returned.
    type: dict
    default: {}
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
- name: Require that xen1 is empty
  dom0.xen.evacuation_result:
    selected: [xen1]
    seen:
      xen1: "{{ hostvars.xen1.seen }}"
"""

RETURN = r"""
format:
  description: Version of these keys.
  returned: always
  type: int
  sample: 1
empty:
  description: Whether all hosts are empty.
  returned: always
  type: bool
  sample: true
complete:
  description: Whether all hosts are empty, and no interrupted migration is left.
  returned: always
  type: bool
  sample: true
sessions:
  description: The interrupted migrations that could not be settled.
  returned: always
  type: list
  elements: dict
hosts:
  description: The hosts.
  returned: always
  type: list
  elements: dict
  contains:
    name: {type: str, description: Its name., sample: xen1}
    answers: {type: bool, description: Whether it told its domains.}
    closed: {type: bool, description: "Whether it takes no domains, V(null) when that is not known."}
    closed_before:
      description: The mark of somebody else for which it stayed closed when it was to be opened; else V(null).
      type: dict
    empty: {type: bool, description: Whether it has no domain but its own.}
    guests:
      description:
        - The domains that it has, as RV(dom0.xen.evacuation_look#module:guests), with C(tries), how often it was tried
          in vain, and C(why).
      type: list
      elements: dict
moves:
  description: What this run has moved, as RV(dom0.xen.moves_compare#module:moves).
  returned: always
  type: list
  elements: dict
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
    moved: {type: int, description: How many moves this run has made.}
    unsettled: {type: int, description: How many interrupted migrations could not be settled.}
    not_empty:
      description: The hosts that were not seen to be empty.
      type: list
      elements: str
    left:
      description: The domains that they have, with C(name), C(uuid) and C(host).
      type: list
      elements: dict
    more: {type: int, description: How many hosts and domains are not in the lists.}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import EVACUATION_RESULT


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=EVACUATION_RESULT, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.evacuation_result does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
