#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: moves_turn
short_description: Wait for the turn of a move among the others of its run
version_added: 0.1.0
description:
  - Waits until the moves that this one needs have ended, and while as many of this run are under way as the limits of
    M(dom0.xen.moves_prepare) let be. It costs next to nothing. What other runs do is found out at the dom0s, by
    M(dom0.xen.migration_slot).
  - Fails when a move that this one needs has failed, or when the time of the run is over.
options:
  board:
    description: What M(dom0.xen.moves_prepare) returned.
    type: path
    required: true
  number:
    description: Number of the move.
    type: int
    required: true
  state:
    description: V(begun) waits for its turn, and takes it. V(done) and V(failed) say that it has ended.
    type: str
    choices: [begun, done, failed]
    default: begun
  beat_path:
    description: A file on the host that is touched while this waits, such as that of M(dom0.xen.host_claim).
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
- name: Wait for its turn
  dom0.xen.moves_turn:
    board: "{{ prepared.board }}"
    number: 1
  delegate_to: xen1
"""

RETURN = r"""
waited:
  description: Seconds that were waited.
  returned: when it was waited for
  type: float
  sample: 0.2
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import MOVES_TURN


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=MOVES_TURN, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.moves_turn does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
