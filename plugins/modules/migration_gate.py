#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_gate
short_description: Speak with the sender of a migration that waits at the gate
version_added: 0.1.0
description:
  - At the gate the domain stands still on the source, and is complete and paused at the destination. With
    O(dom0.xen.migration_send#module:gate=controller) the permission to run it there waits for this module.
  - Permit, refuse, and the gate's time limit are put in order by the sender alone. Fails when the sender did not
    accept the word, and says how far it is.
  - One script says it, through the connection of the task; no module runs on the host, since the domain stands still
    meanwhile.
  - The order of the calls is that of the role P(dom0.xen.migrate#role). There M(dom0.xen.migration_watch) says
    V(started) when it comes to the gate.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
  - dom0.xen._places
attributes:
  check_mode:
    support: none
    details:
      - There is no gate to wait at in check mode.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - A word that the sender has taken already is accepted again.
  platform:
    support: full
    platforms: posix
options:
  session:
    description: Identity of the session.
    type: str
    required: true
  state:
    description:
      - V(started) puts on record that the caller's tasks at the gate begin. From then on the source does not run the
        domain again before V(undone) was said, whatever happens.
      - V(permitted) lets the destination run the domain.
      - V(refused) gives the migration up. The domain goes on on the source, at once if no tasks were begun, otherwise
        once they are undone.
      - V(undo_started) puts on record that what the tasks have done is about to be undone. No permission is taken
        after it.
      - V(undone) puts on record that it has been undone.
    type: str
    choices: [started, permitted, refused, undo_started, undone]
    required: true
  reason:
    description: Why the permission is refused, for people. The first 1024 characters are kept.
    type: str
    default: ""
  timeout:
    description: How long to wait for the sender's answer, in seconds.
    type: int
    default: 30
seealso:
  - module: dom0.xen.migration_send
  - module: dom0.xen.migration_watch
  - module: dom0.xen.migration_settle
"""

EXAMPLES = r"""
- name: Let the destination run the domain
  dom0.xen.migration_gate:
    session: 0123456789abcdef
    state: permitted
  delegate_to: xen1
"""

RETURN = r"""
phase:
  description: How far the session is, as in RV(dom0.xen.migration_info#module:sessions).
  returned: success
  type: str
  sample: committed
owner:
  description: The host whose copy counts, V(source), V(destination) or V(unsettled).
  returned: success
  type: str
  sample: unsettled
code:
  description: Stable name of the error.
  returned: failure
  type: str
  sample: gate_closed
remedy:
  description: What to do about the error.
  returned: failure
  type: str
  sample: Run dom0.xen.settle for the domain.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import GATE


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=GATE)
    module.fail_json(
        msg="The action plugin dom0.xen.migration_gate does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
