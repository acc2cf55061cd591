#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_decision
short_description: Decide who owns the domain of an interrupted session
version_added: 0.1.0
description:
  - Decides from what M(dom0.xen.migration_settle) has seen on both hosts, and names the next step towards one owner.
    A step is one act on one host; then both are looked at again.
  - Without a commit on record at the destination the source owns the domain. With one there is only going forward,
    unless C(xl) reported a failure and its copy is seen gone. Where neither can be known, a person decides.
  - Nothing of the session is started while the domain is on a host that has no part in it. A domain that was shut down
    for the move, and is not there, is started again only where nobody can have started it elsewhere since.
options:
  name:
    description: Name of the domain.
    type: str
    required: true
  uuid:
    description: UUID of the domain.
    type: str
    required: true
  source:
    description: Name of the source.
    type: str
    default: ""
  destination:
    description: Name of the destination.
    type: str
    default: ""
  source_look:
    description:
      - What M(dom0.xen.migration_settle) returned for the source. Without C(side) the host counts as unreachable.
    type: dict
    default: {}
  destination_look:
    description: The same for the destination.
    type: dict
    default: {}
  hosts:
    description:
      - For each dom0 of the inventory, its name and what M(dom0.xen.host_info) returned, also when it failed. Without
        it, or where the look at one of them was skipped, it is not known whether the domain is on another one.
    type: dict
    default: {}
  gone:
    description: Hosts that a person vouches for to be off for good, or fenced from the storage.
    type: list
    elements: str
    default: []
  ran:
    description:
      - A person's word on what cannot be seen. Whether the domain has run at the destination after the commit, or on
        the source after the copy at the destination was made, or anywhere since it was shut down for the move.
    type: str
    choices: [unknown, "yes", "no"]
    default: unknown
  latest:
    description:
      - Identity of the session that a person says is the last one of the domain's, where both hosts do not agree on it.
    type: str
    default: ""
  repeat:
    description:
      - Variables that every command of RV(choices) must give again, such as C(dom0_group). Those without a value are
        left out.
    type: dict
    default: {}
  may_ask:
    description:
      - Whether RV(next) may be V(ask), where O(hosts) is not given and would matter.
    type: bool
    default: false
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
- name: Decide
  dom0.xen.migration_decision:
    name: centos
    uuid: 1c2d3e4f-0000-4000-8000-00000000002a
    source: xen1
    destination: xen2
    source_look: "{{ source_look }}"
    destination_look: "{{ destination_look }}"
    hosts:
      xen1: "{{ hostvars.xen1.facts }}"
      xen2: "{{ hostvars.xen2.facts }}"
      xen3: "{{ hostvars.xen3.facts }}"
  register: decision
"""

RETURN = r"""
next:
  description:
    - What is next. V(act) for RV(act), V(wait) to look again, V(ask) to look at all dom0s and give
      that as O(hosts), V(watch) when the session is under way on both hosts,
      V(tasks) to run the caller's tasks at the gate, V(undo) to undo them, V(done) at the end, V(human) when a person
      has to choose.
  returned: success
  type: str
  sample: act
owner:
  description: The host whose copy counts, V(source), V(destination), V(elsewhere) or V(unsettled).
  returned: success
  type: str
  sample: unsettled
end_state:
  description:
    - How it ended, V(moved), V(stayed), V(elsewhere) when somebody has put the domain on a host that has no part in
      the session, or V(down) when the domain runs nowhere and nothing is left that could go on.
    - Otherwise V(unsettled), or why a person has to decide. That is V(running_twice), V(both_have_it), V(ran_unasked),
      V(ran_perhaps), V(resumed_perhaps), V(started_perhaps), V(half_made), V(put_elsewhere), V(source_silent),
      V(destination_silent), V(both_silent), V(order_unknown) or V(no_record).
  returned: success
  type: str
  sample: unsettled
reason:
  description: Why, in a sentence.
  returned: success
  type: str
  sample: The destination cannot have run it, and never will.
step:
  description: The step, or null.
  returned: success
  type: dict
  contains:
    side: {type: str, description: "Where it is done, V(source) or V(destination)."}
    verb:
      type: str
      description:
        - V(cancel) asks the session's process to give up, V(outcome) tells the sender what became of the permission,
          V(bar) asks the receiver to take no commit any more and to keep its copy until the source's is resumed,
          V(hand_over) asks the receiver to leave its complete copy, V(destroy) destroys the copy on that host,
          V(resume) resumes the source's, V(rename_back) gives it its name back, V(roll_forward) starts the
          destination's.
    status: {type: int, description: "What an outcome says, V(0) when the destination runs the domain."}
act:
  description: The step as options of M(dom0.xen.migration_settle), and the host to run it on.
  returned: when there is a step
  type: dict
  sample: {host: xen1, role: sender, verb: resume, status: null, domid: 7}
known:
  description: What is known of each host.
  returned: success
  type: list
  elements: str
unknown:
  description: What is not known and would decide.
  returned: success
  type: str
owed:
  description:
    - That the caller's tasks after the move were not run, and what to type, for people. Empty where there are none, or
      RV(next) is not V(done).
  returned: success
  type: str
choices:
  description:
    - The commands that a person may choose from. Where C(xl) is waited for, also what may be done about each process of
      it that does not end.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import DECISION


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=DECISION, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.migration_decision does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
