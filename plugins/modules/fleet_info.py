#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: Tell in one run what a Xen dom0 is, and all of its domains with their configuration
version_added: 0.1.0
description:
  - Returns what M(dom0.xen.host_info) and M(dom0.xen.domain_info) return together, from one run on the host. The
    playbook C(dom0.xen.facts) runs it on each dom0.
  - What is missing on the host is listed in C(problems) of RV(host), not a failure.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
  - dom0.xen._attributes.info_module
  - dom0.xen._places
options:
  processors:
    description:
      - Whether to ask C(xen-cpuid -p) what processor each domain was shown, which takes a process for each. Of a host
        with more than 256 domains it is not asked.
    type: bool
    default: true
attributes:
  async:
    support: full
  platform:
    support: full
    platforms: posix
seealso:
  - module: dom0.xen.host_info
  - module: dom0.xen.domain_info
"""

EXAMPLES = r"""
- name: Gather the facts of a dom0 and of its domains
  dom0.xen.fleet_info:
  register: dom0

- name: Show how much memory the domains may take
  ansible.builtin.debug:
    msg: "{{ dom0.domains | map(attribute='memory_max_kib') | sum // 1024 }} MiB"
"""

RETURN = r"""
host:
  description: What is known of the host, as RV(dom0.xen.host_info#module:host).
  returned: always
  type: dict
  sample: {hostname: xen1, memory_mib: 32437, free_memory_mib: 20121, bridges: [xenbr0], problems: []}
domains:
  description:
    - All domains but the host's own, as RV(dom0.xen.domain_info#module:domains) for a domain that was not named.
      RV(dom0.xen.domain_info#module:domains[].cpu_policy) is there as well with O(processors).
  returned: always
  type: list
  elements: dict
  sample: [{domid: 3, uuid: 2c1a7b9e-3f5d-4c65-9e1a-0123456789ab, name: centos, memory_mib: 128, type: pvh}]
"""

import dataclasses
import json

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.domain import guest_facts
from ansible_collections.dom0.xen.plugins.module_utils._facts.host import host_facts
from ansible_collections.dom0.xen.plugins.module_utils._facts.problems import add_problem
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import module_runner

# A domain takes some 10 KiB, and the controller holds the answers of all hosts.
LARGEST_BYTES = 16 * 1024 * 1024


class TooMuch(Dom0XenError):
    """The domains' facts are larger than the controller takes."""

    code = "facts_too_large"
    remedy = "Find the domain whose configuration is that large: xl list -l"


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(
        argument_spec=dict(PLACES, processors={"type": "bool", "default": True}), supports_check_mode=True
    )
    run = module_runner(module)
    try:
        host = host_facts(run, module.params["runtime_path"], module.params["journal_path"])
        domains, in_the_way = guest_facts(run, host.domains, module.params["processors"])
        problems = list(host.problems)
        for problem in in_the_way:
            add_problem(problems, problem)
        result = [domain.to_result() for domain in domains]
        size = len(json.dumps(result))
        if size > LARGEST_BYTES:
            raise TooMuch(f"the facts of {len(result)} domains have {size} bytes, more than {LARGEST_BYTES}.")
    except Dom0XenError as exc:
        module.fail_json(**exc.as_result())
    host = dataclasses.replace(host, problems=tuple(problems))
    module.exit_json(changed=False, host=host.to_result(), domains=result)


if __name__ == "__main__":
    main()
