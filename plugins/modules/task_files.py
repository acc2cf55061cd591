#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: task_files
short_description: See that files of tasks which the caller has given can be run later
version_added: 0.1.0
description:
  - Reads files of tasks on the machine that runs Ansible, and fails with all that is wrong with them, before anything
    is touched. One that is missed at the gate is missed while the guest stands still.
  - Whether the tasks themselves work is not looked at. Of those at the gate, and those that undo them, there is a
    warning where one is for another machine and a host that cannot be reached would take the move out of the play.
options:
  files:
    description:
      - For each option that names such a file, its absolute path. An empty path is none.
    type: dict
    required: true
  gate:
    description:
      - Who holds the gate. Tasks at the gate (C(migrate_gate_tasks)) that V(engine) would not run are refused, and
        there is a warning where nothing undoes them (C(migrate_gate_undo_tasks)).
      - Empty where no move is begun.
    type: str
    choices: ["", engine, controller]
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
- name: See that the fencing can be run
  dom0.xen.task_files:
    files:
      migrate_gate_tasks: /etc/dom0/fencing.yml
      migrate_gate_undo_tasks: /etc/dom0/fencing_undo.yml
    gate: controller
"""

RETURN = r"""
code:
  description: Stable code of the error, V(task_file_invalid).
  returned: failure
  type: str
  sample: task_file_invalid
remedy:
  description: What to do about it.
  returned: failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import TASK_FILES


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=TASK_FILES, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.task_files does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
