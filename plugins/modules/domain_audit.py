#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_audit
short_description: Tell which domains of all dom0s run twice, stand still, or are left over
version_added: 0.1.0
description:
  - Judges what M(dom0.xen.host_info) has returned for all dom0s together. Domains are compared by UUID.
  - Finds domains that run twice, copies that a migration has left, domains that stand still and that nobody will
    resume, sessions that have ended without a result, domains without a process that handles their end, and what
    would start a second copy at the next boot of a host.
  - A host that does not answer is an error, since any domain may run there as well.
  - What a migration explains that is under way is told and is no fault.
  - Changes nothing.
options:
  hosts:
    description:
      - What M(dom0.xen.host_info) returned, by the name of the host, also where it failed or the host did not answer.
    type: dict
    required: true
  hosts_again:
    description:
      - The same for hosts that were looked at a second time, as RV(look_again) of a first run says. These replace the
        first ones. Entries of skipped tasks are passed over.
    type: dict
    default: {}
  inventory:
    description:
      - The names of all dom0s. Those that are not in O(hosts) were not asked, which is a warning.
    type: list
    elements: str
    required: true
  fail_on:
    description:
      - The least severe finding that makes the task fail. With V(never) it does not fail.
    type: str
    default: error
    choices: [error, warning, never]
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
  - module: dom0.xen.host_info
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Look at the dom0
  dom0.xen.host_info:
  register: dom0_xen_host_info
  ignore_errors: true
  ignore_unreachable: true

- name: Judge the domains of all dom0s together
  dom0.xen.domain_audit:
    hosts: "{{ dict(asked | zip(asked | map('extract', hostvars, 'dom0_xen_host_info'))) }}"
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
clean:
  description: Whether all dom0s told their domains, and there is neither an error nor a warning.
  type: bool
  returned: always
  sample: false
complete:
  description: Whether all dom0s of the inventory told their domains.
  type: bool
  returned: always
  sample: true
counts:
  description: Number of findings of each severity.
  type: dict
  returned: always
  sample: {error: 1, warning: 0, info: 0}
hosts:
  description: The hosts that were asked.
  type: list
  elements: str
  returned: always
  sample: [xen1, xen2]
silent:
  description: The hosts of the inventory whose domains are not known, asked or not.
  type: list
  elements: str
  returned: always
  sample: []
domains:
  description: Number of domains on all hosts, without the hosts' own.
  type: int
  returned: always
  sample: 12
findings:
  description: What was found, the most severe first.
  type: list
  elements: dict
  returned: always
  contains:
    code:
      description:
        - What it is, in one word. Next to the codes of the problems of M(dom0.xen.host_info) there are
          V(running_twice), V(seen_on_both), V(second_copy), V(incoming_left), V(migratedaway_left), V(suspended),
          V(never_run), V(paused), V(move_under_way), V(others_at_work), V(session_dead), V(session_unsettled),
          V(session_waits), V(after_tasks_owed), V(monitor_missing), V(monitor_unknown), V(autostart_elsewhere),
          V(autostart_set_aside), V(host_unreachable), V(host_without_facts), V(host_not_asked), V(host_twice).
      type: str
      sample: running_twice
    severity:
      description: One of V(error), V(warning), V(info).
      type: str
      sample: error
    hosts:
      description: The hosts it is about.
      type: list
      elements: str
      sample: [xen1, xen2]
    domain:
      description: The domain. V(null) when it is about none, or about one that is not known.
      type: dict
      contains:
        uuid: {type: str, description: "Its UUID, V(null) where only its name is known."}
        name: {type: str, description: Its own name.}
    message:
      description: What was found, for people.
      type: str
      sample: "centos runs on xen1 (centos, domid 3, running) and on xen2 (centos, domid 5, running): two copies."
    remedy:
      description: What to do about it, for people. Empty where nothing is to be done.
      type: str
      sample: "Stop all of them at once: on xen1: xl pause 3; on xen2: xl pause 5."
    copies:
      description: The copies of the domain that it is about.
      type: list
      elements: dict
      contains:
        host: {type: str, description: The host.}
        domid: {type: int, description: "The copy's number there."}
        uuid: {type: str, description: "The domain's UUID."}
        name: {type: str, description: What the copy is called.}
        state: {type: str, description: "One of V(running), V(paused), V(suspended), V(shut_down)."}
        cpu_time_s: {type: float, description: "Processor time that it has used on this host, in seconds."}
look_again:
  description:
    - Hosts that something was found on that is an error or a warning. Hosts are not looked at in the same moment, so a
      domain that moved meanwhile looks as if it ran twice; a second look at these hosts tells.
  type: list
  elements: str
  returned: always
  sample: [xen1, xen2]
passed:
  description: Whether nothing was found that O(fail_on) asks for, and the result was written. Else the task fails.
  type: bool
  returned: always
  sample: true
summary:
  description: The result for people in one line.
  type: str
  returned: always
  sample: "2 hosts, 12 domains: nothing wrong."
msg:
  description: The same, with a line for each finding and for its remedy.
  type: str
  returned: always
  sample: "2 hosts, 12 domains: nothing wrong."
code:
  description: The code of the most severe finding.
  type: str
  returned: failure
  sample: running_twice
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import AUDIT


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=AUDIT, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.domain_audit does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
