#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: option_names
short_description: Warn of options that nothing has
version_added: 0.1.0
description:
  - Ansible takes any variable. An option of this collection that is mistyped with C(-e) would be left out without a
    word, so every playbook of the collection warns of names that look like its options and are none.
  - Only what is given with C(-e), or as an extra variable in AWX, is looked at.
options: {}
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
- name: Warn of options that nothing has
  dom0.xen.option_names:
"""

RETURN = r"""#"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.option_names does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
