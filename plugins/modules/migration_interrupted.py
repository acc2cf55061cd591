#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_interrupted
short_description: Find the migration sessions that did not come to an end
version_added: 0.1.0
description:
  - Finds the interrupted sessions among the facts that M(dom0.xen.host_info) has gathered from all dom0s.
  - A session that runs on both of its hosts is under way, and one that has ended on each of them with an owner is
    over. Neither is returned.
  - Those that are over, and whose caller's tasks after the move are not on record as run, are returned beside them.
  - Where there is none, it is told what there is instead, and whether a domain of that name is known at all.
options:
  domain:
    description: Name or UUID of the domain. Empty for all domains.
    type: str
    default: ""
  hosts:
    description: For each dom0 that was asked, its name and what M(dom0.xen.host_info) returned, also when it failed.
    type: dict
    required: true
  repeat:
    description: Variables that every command in C(msg) of RV(owed) must give again, such as C(dom0_group).
    type: dict
    default: {}
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
- name: Find what was interrupted
  dom0.xen.migration_interrupted:
    domain: centos
    hosts:
      xen1: "{{ hostvars.xen1.facts }}"
      xen2: "{{ hostvars.xen2.facts }}"
  register: found
"""

RETURN = r"""
sessions:
  description: The interrupted sessions.
  returned: success
  type: list
  elements: dict
  sample:
    - session: 0123456789abcdef
      uuid: 1c2d3e4f-0000-4000-8000-00000000002a
      name: centos
      source: xen1
      destination: xen2
  contains:
    session: {type: str, description: Identity of the session.}
    uuid: {type: str, description: UUID of the domain.}
    name: {type: str, description: Name of the domain.}
    source: {type: str, description: "The source, or an empty text when nobody knows it."}
    destination: {type: str, description: "The destination, or an empty text when nobody knows it."}
owed:
  description:
    - The sessions that are over, and whose caller's tasks after the move (C(migrate_after_tasks)) were not run, or not
      to their end, by the run that began them.
    - Each has the keys of RV(sessions), and the C(owner) as the hosts show it now, V(source), V(destination),
      V(elsewhere) where it is on a host that has no part in the session, or V(unsettled) where nobody knows. C(msg)
      says what is owed, and what to type.
  returned: success
  type: list
  elements: dict
  sample:
    - session: 0123456789abcdef
      uuid: 1c2d3e4f-0000-4000-8000-00000000002a
      name: centos
      source: xen1
      destination: xen2
      owner: destination
      msg: "centos: the tasks that come after its move from xen1 to xen2 (migrate_after_tasks) are not on record as run"
known:
  description:
    - Whether a domain or a session of that name or UUID is on any host that answered, or none was asked for.
    - Always false where no host answered.
  returned: when RV(sessions) is empty
  type: bool
  sample: true
msg:
  description: What there is in the place of an interrupted migration, in words.
  returned: when RV(sessions) is empty
  type: str
  sample: "Nothing to settle: no migration of centos was interrupted. centos is running on xen1."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import INTERRUPTED


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=INTERRUPTED, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.migration_interrupted does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
