#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance_back
short_description: Wait until a dom0 is back from its maintenance
version_added: 0.1.0
description:
  - Asks the host until it answers, has been booted anew, and has Xen, its release and its bridges, or until the time is
    over; then it fails with what is lacking.
options:
  release:
    description: The least release of Xen that it has to have. Empty for any.
    type: str
    default: ""
  bridges:
    description: Bridges that it has to have.
    type: list
    elements: str
    default: []
  boot_before:
    description: Boot that has to be over. Empty where it need not have been booted anew.
    type: str
    default: ""
  timeout:
    description: Seconds that it may take.
    type: float
    default: 1200.0
  interval:
    description: Seconds between two looks.
    type: float
    default: 5.0
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
  - dom0.xen._places
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Wait until it is back
  dom0.xen.maintenance_back:
    release: "4.17"
    timeout: 900
"""

RETURN = r"""
waited_s:
  description: Seconds that it took.
  returned: success
  type: float
  sample: 187.2
xen:
  description: Its release of Xen.
  returned: success
  type: str
  sample: 4.17.3
boot_id:
  description: Its boot.
  returned: success
  type: str
  sample: 6d3a1b2c-5c99-4441-b5fd-ac266d0e1ffe
host:
  description: As RV(dom0.xen.host_info#module:host).
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.maintenance import MAINTENANCE_BACK


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=MAINTENANCE_BACK, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.maintenance_back does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
