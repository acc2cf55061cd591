#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_check
short_description: Tell to which hosts a domain, or every domain of a host, could be moved
version_added: 0.1.0
description:
  - Asks the checks that M(dom0.xen.migration_check) asks before a move, without a move.
  - With O(domain) it says whether that domain could go to O(destination), and all that speaks against it.
  - Without, it says for every domain of O(source) to which hosts it could go, and what keeps it from each host when
    there is none.
  - Each domain is taken by itself. Whether several fit into one host together is not looked at.
  - Fails when the answer is no. Nothing is changed and no host is asked.
options:
  domain:
    description:
      - Name or UUID of the domain. Empty for every domain of O(source).
    type: str
    default: ""
  source:
    description:
      - Name of the host in the inventory that has the domain or domains. It may be empty with O(domain) when all hosts
        are in O(hosts).
    type: str
    default: ""
  destination:
    description:
      - Name of the host in the inventory to which they are to go. Without O(domain) it may be empty, for any of
        O(inventory) but O(source).
    type: str
    default: ""
  hosts:
    description:
      - What M(dom0.xen.host_info) returned, by the name of the host, also where it failed or the host did not answer.
        Entries of skipped tasks are passed over.
    type: dict
    required: true
  domain_info:
    description:
      - What M(dom0.xen.domain_info) returned on the host that has the domain, for that domain or for all.
    type: dict
    default: {}
  inventory:
    description:
      - Names of all dom0s in the inventory.
    type: list
    elements: str
    required: true
  destination_address:
    description:
      - Address or name at which the source is to reach O(destination), for O(domain). It is not checked when empty.
    type: str
    default: ""
  listen_address:
    description:
      - Address that the receiver is to listen on, for O(domain). With O(network) it can be none but the address there.
    type: str
    default: ""
  allow_same_host:
    description:
      - Whether O(source) and O(destination) may be one host, for O(domain).
    type: bool
    default: false
  method:
    description:
      - How it is to be moved, as for M(dom0.xen.migration_check).
    type: str
    choices: [auto, live, suspend, cold]
    default: auto
  transport:
    description:
      - How the bytes are to travel, as for M(dom0.xen.migration_check).
    type: str
    choices: [tls, ssh, tcp]
    default: tls
  allow_plain:
    description:
      - Whether O(transport=tcp) is meant; it is refused otherwise.
    type: bool
    default: false
  allow_cold:
    description:
      - Whether V(auto) of O(method) may be V(cold) where the domain cannot move while it runs.
    type: bool
    default: false
  config_path:
    {type: str, default: "", description: "For one domain, as for M(dom0.xen.migration_check)."}
  memory_reserve_mib:
    description:
      - MiB of memory that must stay free at the destination.
    type: int
    default: 0
  dom0_memory_min_mib:
    description:
      - MiB of memory that dom0 at the destination must keep, where C(xl) may shrink it to make room (autoballoon).
    type: int
    default: 512
  waive:
    description:
      - Codes of findings that are not to count, as for M(dom0.xen.migration_check).
    type: raw
    default: []
  follow_config:
    description:
      - Whether the domain's configuration file is to go with it.
    type: bool
    default: true
  leave_paused:
    description:
      - Whether the domain is to be left paused when it has arrived.
    type: bool
    default: false
  result_path:
    description: File on the controller to which the result is written, as JSON. Empty for none.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    details: In check mode O(result_path) is not written.
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
  - dom0.xen._arrival.names
  - dom0.xen._path.network
seealso:
  - module: dom0.xen.migration_check
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Ask where the domains of xen1 could go
  dom0.xen.domain_check:
    source: xen1
    hosts: "{{ dict(asked | zip(asked | map('extract', hostvars, 'dom0_xen_host_info'))) }}"
    domain_info: "{{ hostvars['xen1'].all_domains }}"
    inventory: "{{ groups['dom0'] }}"
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
possible:
  description: Whether the answer is yes. Else the task fails.
  type: bool
  returned: always
  sample: true
source:
  description: The host that has the domain or domains, or null when no host but, at most, the destination has it.
  type: str
  returned: always
  sample: xen1
destination:
  description: The host that was asked about, or null for all others.
  type: str
  returned: always
  sample: null
waive:
  description: The codes of O(waive).
  type: list
  elements: str
  returned: always
  sample: []
findings:
  description:
    - What speaks against the question itself, or against the source whatever the domain. Same keys as
      RV(domains[].places[].findings).
  type: list
  elements: dict
  returned: always
  sample: []
domains:
  description: The domains that were asked about.
  type: list
  elements: dict
  returned: always
  contains:
    uuid: {type: str, description: "The domain's UUID, or null when nobody has it."}
    name: {type: str, description: "Its name, or what it was asked for by."}
    domid: {type: int, description: "Its number, or null when nobody has it."}
    hosts: {type: list, elements: str, description: The hosts that it could go to.}
    places:
      description: All hosts that were asked about.
      type: list
      elements: dict
      contains:
        host: {type: str, description: The host.}
        possible: {type: bool, description: Whether the domain could go there.}
        already_there: {type: bool, description: Whether it is there already.}
        method: {type: str, description: "How, V(live), V(suspend) or V(cold), or null when nothing is known."}
        path:
          {type: dict, description: "The way of the bytes, as in RV(dom0.xen.migration_check#module:plan), or null."}
        findings:
          description: Everything that was found.
          type: list
          elements: dict
          contains:
            code: {type: str, description: Stable name of the finding.}
            severity: {type: str, description: "V(error), V(warning) or V(waived)."}
            host: {type: str, description: The host that it is about.}
            message: {type: str, description: "What was found, for people."}
            remedy: {type: str, description: "What to do about it, for people."}
            details: {type: dict, description: The same in values for programs. Its keys depend on the code.}
summary:
  description: The answer for people in one line.
  type: str
  returned: always
  sample: Each of the 3 domains of xen1 could go to another host, taken by itself.
msg:
  description: The same with all findings for one domain, or with a table of domains.
  type: str
  returned: always
  sample: centos could go from xen1 to xen2 (live).
code:
  description:
    - The code of what speaks against it first.
    - V(nowhere_to_go) when there is no other host, V(question_incomplete) when options are missing.
  type: str
  returned: failure
  sample: bridge_missing
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import DOMAIN_CHECK


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=DOMAIN_CHECK, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.domain_check does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
