#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_facts
short_description: Ask a Xen dom0 for itself and its domains, and keep what it tells on the controller
version_added: 0.1.0
description:
  - Runs M(dom0.xen.fleet_info) on the host, once, and writes what it tells into a file on the controller, in one step.
    What it returns is small, so that hundreds of hosts can be asked at once.
  - Of a host that cannot be reached, or cannot list its domains, that is written down, and what it told before is kept
    beside it. The task fails, or the host is unreachable, as for any other module.
  - The playbook C(dom0.xen.facts) is what runs it as a rule.
options:
  processors:
    description:
      - As O(dom0.xen.fleet_info#module:processors).
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    details: The host is asked, and nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - The file has the time of asking in it. The result is C(changed) when something else in it is another than
        before, of what a plan depends on, which leaves out clocks, processor time and domids.
  platform:
    support: full
    platforms: posix
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
  - dom0.xen._fleet
  - dom0.xen._places
seealso:
  - module: dom0.xen.fleet_info
  - module: dom0.xen.fleet_known
  - plugin: dom0.xen.domains
    plugin_type: inventory
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Ask the dom0
  dom0.xen.fleet_facts:
  ignore_errors: true
  ignore_unreachable: true
"""

RETURN = r"""
path:
  description: The file on the controller.
  type: str
  returned: when the host was asked
  sample: /home/ops/.ansible/dom0-xen/facts/xen1.dom0.json
dom0:
  description: What is known of the host now, in short.
  type: dict
  returned: when the host was asked
  contains:
    name: {type: str, description: Its name in the inventory., sample: xen1}
    xen: {type: str, description: The version of Xen., sample: 4.17.7}
    domains: {type: int, description: "Number of its domains, without its own.", sample: 3}
    memory_free_mib: {type: int, description: Memory in MiB of no domain., sample: 20121}
    memory_mib: {type: int, description: Memory of the machine in MiB., sample: 32437}
    age_s: {type: float, description: "How old all this is, in seconds. V(null) when nothing is known.", sample: 0.4}
    trouble: {type: str, description: "Why it told nothing now, V(null) when it did.", sample: null}
code:
  description:
    - Stable name of the error, one of V(no_facts), V(no_domains), V(facts_not_written), V(facts_not_read).
  type: str
  returned: failure
  sample: no_domains
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_FACTS


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=FLEET_FACTS, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.fleet_facts does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
