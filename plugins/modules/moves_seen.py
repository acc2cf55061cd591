#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: moves_seen
short_description: Tell what is being moved now
version_added: 0.1.0
description:
  - Puts together what M(dom0.xen.moves_info) has returned for all dom0s, the two sides of each session, and makes a
    table of it.
  - A host that told nothing is a warning, and hides no other one. The task fails when none told anything.
  - Changes nothing.
options:
  hosts:
    description:
      - What M(dom0.xen.moves_info) returned, by the name of the host, also where it failed or the host did not answer.
    type: dict
    required: true
  inventory:
    description:
      - The names of all dom0s. Those that are not in O(hosts) were not asked, which is a warning.
    type: list
    elements: str
    required: true
  result_path:
    description: File on the controller to which the result is written, as JSON. Empty for none.
    type: str
    default: ""
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
seealso:
  - module: dom0.xen.moves_info
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Look what is being moved
  dom0.xen.moves_info:
  register: dom0_xen_moves
  ignore_errors: true
  ignore_unreachable: true

- name: Put it together
  dom0.xen.moves_seen:
    hosts: "{{ dict(asked | zip(asked | map('extract', hostvars, 'dom0_xen_moves'))) }}"
    inventory: "{{ groups['dom0'] }}"
  register: seen
  run_once: true
  vars:
    asked: "{{ ansible_play_hosts_all }}"
"""

RETURN = r"""
format:
  description: Version of this result. A higher one may mean something else by the same key.
  type: int
  returned: always
  sample: 1
complete:
  description: Whether all dom0s of the inventory told what they have.
  type: bool
  returned: always
  sample: true
counts:
  description: Number of moves in each state.
  type: dict
  returned: always
  sample: {moving: 1, ending: 0, one_side: 0, interrupted: 0}
moves:
  description: The moves that are not over, those that need somebody last.
  type: list
  elements: dict
  returned: always
  contains:
    session: {type: str, description: Identity of the session., sample: 0123456789abcdef}
    uuid: {type: str, description: "UUID of the domain, V(null) where that is not on record."}
    name: {type: str, description: "Name of the domain, V(null) where that is not on record.", sample: centos}
    source: {type: str, description: "The host that it leaves. Empty where that is not known.", sample: xen1}
    destination: {type: str, description: "The host that it goes to. Empty where that is not known.", sample: xen2}
    state:
      description:
        - V(moving) runs on both hosts.
        - V(ending) has ended, and the guest is watched for a little longer.
        - V(one_side) is seen to run on one host only. The hosts are looked at one after the other, the other one may
          not have told anything, or the process there has died.
        - V(interrupted) is not brought to its end by any process. The playbook C(dom0.xen.settle) does that.
      type: str
      sample: moving
    phase: {type: str, description: "How far it is, as in RV(dom0.xen.migration_info#module:sessions[].phase)."}
    owner: {type: str, description: "Whose copy counts, as in RV(dom0.xen.migration_info#module:sessions[].owner)."}
    method: {type: str, description: "V(live), V(suspend) or V(cold)."}
    transport: {type: str, description: "V(tls), V(ssh) or V(tcp)."}
    bytes: {type: int, description: Bytes of the stream so far.}
    expected_bytes: {type: int, description: Bytes that it is expected to have.}
    percent: {type: float, description: "Share of these, V(null) where more than expected has been sent."}
    rate_bytes_per_s: {type: int, description: Bytes a second over about the last five seconds.}
    eta_s: {type: float, description: Seconds until the expected bytes are through at this rate.}
    elapsed_s: {type: float, description: Seconds since it began.}
    round: {type: int, description: Number of the latest round of pre-copy. The first one is 0.}
    waits_for_gate: {type: bool, description: Whether it waits for the permission of the run that moves it.}
    error: {type: str, description: "Code of what went wrong, or V(null)."}
    seen_on: {type: list, elements: str, description: The hosts that told of it.}
    alive_on: {type: list, elements: str, description: The hosts on which its process runs.}
claims:
  description: The runs that have claimed hosts, by host, as RV(dom0.xen.moves_info#module:claim).
  type: dict
  returned: always
hosts:
  description: The hosts that told what they have.
  type: list
  elements: str
  returned: always
  sample: [xen1, xen2]
silent:
  description: The hosts that told nothing, each with the reason.
  type: dict
  returned: always
  sample: {}
not_asked:
  description: The hosts of O(inventory) that were not asked.
  type: list
  elements: str
  returned: always
  sample: []
table:
  description: The same for people, lines of text.
  type: list
  elements: str
  returned: always
  sample:
    - "domain  from  to    method  phase    sent               rate        so far  owner"
    - "centos  xen1  xen2  live    round 2  45 % of 128 MiB    21.3 MiB/s  12 s    source"
code:
  description: Stable name of the error, V(nobody_answered) or V(result_not_written).
  type: str
  returned: failure
  sample: nobody_answered
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import MOVES_SEEN


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=MOVES_SEEN, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.moves_seen does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
