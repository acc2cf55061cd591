#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_plan
short_description: Plan which domains are to go where, and in which order
version_added: 0.1.0
description:
  - Makes a plan from what M(dom0.xen.fleet_facts) has kept of all dom0s, on the controller. No host is asked, or
    changed.
  - The plan says for each domain where it goes, when and why, which ones are shut down, and which cannot leave and what
    keeps them. In no moment it needs more memory than there is; both hosts hold a domain that is on its way.
  - Fails when not all that was asked for can be had, with what would help.
options:
  dom0s:
    description:
      - Names of all dom0s in the inventory. Their variables C(dom0_xen_domains), C(dom0_xen_groups) and
        C(dom0_xen_host) are the rules for their domains.
    type: list
    elements: str
    required: true
  goal:
    description:
      - V(empty) plans for O(hosts) to be empty, V(return) for the domains of O(wanted) to be where they are wanted,
        V(rebalance) for the load to be even.
    type: str
    choices: [empty, rebalance, return]
    default: empty
  hosts:
    description:
      - The dom0s that are to be emptied, or groups of the inventory. A list, or a text with commas.
    type: raw
    default: []
  wanted:
    description:
      - For O(goal=return), the name of the dom0 for each UUID.
    type: dict
    default: {}
  leave:
    description:
      - Whether to plan for the others when some find no room. They are told as those that cannot leave.
    type: bool
    default: false
  threshold_percent:
    description:
      - For O(goal=rebalance), by how much of its memory the fullest host may be fuller than the emptiest.
    type: float
    default: 10.0
  cost_percent:
    description:
      - For O(goal=rebalance), what a move must earn. It has to bring its two hosts nearer to each other by more than
        this much for each per cent of the source's memory that it sends. Between hosts of one size a move can earn 2 at
        most.
    type: float
    default: 1.0
  max_moves:
    description:
      - For O(goal=rebalance), how many moves to plan at most.
    type: int
    default: 20
  plan_path:
    description:
      - File on the controller that the plan is written to, as YAML with a table for people. Empty for none.
    type: str
    default: ""
  artifact:
    description:
      - Whether to return the plan as a text of at most 256 KiB, for C(set_stats).
    type: bool
    default: false
  expires_s:
    description:
      - For how many seconds the plan is good, 0 for ever. It is refused before if its facts hold no longer.
    type: int
    default: 86400
  max_age_s:
    description:
      - A host that was last asked more seconds ago counts as one that does not answer.
    type: int
    default: 600
attributes:
  check_mode:
    support: full
    details: In check mode O(plan_path) is not written.
  diff_mode:
    support: N/A
    details: This action does not modify state.
  idempotent:
    support: full
    details: The plan's identity and times are others each time.
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
  - dom0.xen._fleet
  - dom0.xen._planning
seealso:
  - module: dom0.xen.fleet_facts
  - module: dom0.xen.domain_check
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Plan how to empty xen1 and xen2
  dom0.xen.fleet_plan:
    dom0s: "{{ groups['dom0'] }}"
    hosts: [xen1, xen2]
    plan_path: /var/tmp/plan.yml
  run_once: true
"""

RETURN = r"""
possible:
  description: Whether the plan does all that was asked for. Else the task fails.
  type: bool
  returned: always
  sample: true
plan:
  description: The plan, without the facts that it was made from, which are in its file.
  type: dict
  returned: when there is one
  contains:
    identity: {type: str, description: Tells it from others.}
    goal: {type: str, description: As O(goal).}
    hosts: {type: list, elements: str, description: The hosts that are to be emptied.}
    planner: {type: str, description: As O(planner).}
    made_s: {type: int, description: "When it was made, in seconds since 1970."}
    expires_s: {type: int, description: "Until when it is good, in seconds since 1970, or 0."}
    moves:
      description: The moves in their order.
      type: list
      elements: dict
      contains:
        number: {type: int, description: "Its number, from 1."}
        uuid: {type: str, description: The domain's UUID.}
        name: {type: str, description: Its name.}
        source: {type: str, description: The host that it leaves.}
        destination: {type: str, description: The host that it goes to.}
        memory_mib: {type: int, description: "What it takes there, with all overhead, in MiB."}
        code:
          {type: str, description: "V(empties), V(makes_room), V(steps_aside) or V(goes_where_wanted)."}
        why: {type: str, description: "Why, and why there, for people."}
        after:
          description: Numbers of the moves that must have ended before it begins. Then it has room, whatever else runs.
          type: list
          elements: int
        method: {type: str, description: "V(live), V(suspend) or V(cold)."}
        warnings: {type: list, elements: str, description: Codes of what the checks warn of.}
    stops:
      description:
        - Domains that are shut down on their hosts when all others have left, with C(uuid), C(name) and C(host).
      type: list
      elements: dict
    blockers:
      description: Domains that cannot leave.
      type: list
      elements: dict
      contains:
        uuid: {type: str, description: The domain's UUID.}
        name: {type: str, description: Its name.}
        host: {type: str, description: The host that it stays on.}
        code:
          description: V(never_move), V(nowhere_to_go), V(no_room) or V(leftover_copy).
          type: str
        why: {type: str, description: "The same for people."}
        reasons:
          description: What keeps it from other hosts, with C(host), C(code) of the finding, and C(message).
          type: list
          elements: dict
    shortage:
      description: Why there is no way, or null.
      type: dict
      contains:
        resource: {type: str, description: "V(memory), V(vcpus), V(groups) or V(order)."}
        missing: {type: int, description: "How much more would do on any of C(hosts), in MiB or vCPUs; 0: not known."}
        hosts: {type: list, elements: str, description: The hosts.}
        each: {type: dict, description: The same for each host on which more would do.}
        proven: {type: bool, description: Whether it is proven that less does not do.}
        why: {type: str, description: "The same for people."}
    moved_mib: {type: int, description: "The memory that is moved, in MiB."}
    bound_mib: {type: int, description: "What every plan moves at least, in MiB."}
    figures:
      description:
        - For each host C(name), C(free_before_mib), C(free_after_mib), C(domains_before), C(domains_after) and
          C(reserve_mib).
      type: list
      elements: dict
    options: {type: dict, description: How the moves are to be made.}
    digest: {type: str, description: The SHA-256 of the facts that it was made from.}
    warnings: {type: list, elements: str, description: "What was left out, and why, for people."}
table:
  description: The plan for people.
  type: list
  elements: str
  returned: when there is one
  sample: ["To empty xen1: 1 move (1 GiB)."]
plan_path:
  description: The file that it was written to, or empty.
  type: str
  returned: when there is one
  sample: /var/tmp/plan.yml
artifact:
  description: The plan as a text.
  type: str
  returned: with O(artifact)
  sample: dom0.xen.plan:1:eNq...
msg:
  description: The plan in one sentence, or what is wrong.
  type: str
  returned: always
  sample: "To empty xen1: 1 move (1 GiB)."
code:
  description:
    - The code of what keeps the first domain where it is.
    - V(not_enough_memory), V(not_enough_vcpus), V(not_enough_groups) or V(not_enough_order) when there is no way.
    - V(host_not_in_inventory), V(host_without_facts), V(no_destination), V(domain_on_two_hosts),
      V(question_incomplete), V(rules_contradict), V(rules_invalid), V(plan_not_written) or V(planner_missing) when
      there is no plan.
  type: str
  returned: failure
  sample: not_enough_memory
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_PLAN


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=FLEET_PLAN, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.fleet_plan does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
