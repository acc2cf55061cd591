#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_shutdown
short_description: Have a domain shut down, and wait until it is gone
version_added: 0.1.0
description:
  - Asks the guest to shut down, as C(xl shutdown -F) does, and waits until the host has the domain no more.
  - A domain that a session moves, that another C(xl) works on, that a cluster manager looks after, or that does not
    run, is refused before it is asked. So is a copy that a migration makes at this moment, or has left.
  - Nothing is ever destroyed. The module fails when the guest has not shut down in time; it may do so later.
  - What starts the domain at boot stays as it is.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._claimant
  - dom0.xen._places
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
options:
  domain:
    description: Name or UUID of the domain. A domid is refused, since it means another domain after each start.
    type: str
    required: true
  timeout:
    description: Seconds that the guest may take.
    type: float
    default: 300.0
seealso:
  - module: dom0.xen.domain_save
"""

EXAMPLES = r"""
- name: Shut a domain down
  dom0.xen.domain_shutdown:
    domain: centos
    timeout: 600
"""

RETURN = r"""
domain:
  description: The domain that was there, V(null) when there was none.
  returned: success
  type: dict
  contains:
    uuid: {type: str, description: Its UUID.}
    name: {type: str, description: Its name., sample: centos}
code:
  description: Stable name of the error.
  returned: failure
  type: str
  sample: not_shut_down
duration_s:
  description: Seconds that it took.
  returned: success
  type: float
  sample: 12.5
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._domain_shutdown import find, require_free, shut_down
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.domain import domain_facts
from ansible_collections.dom0.xen.plugins.module_utils._facts.host import host_facts
from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.module_utils._places import runtime_root
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import CLAIMANT, PLACES
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import module_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **CLAIMANT,
            **PLACES,
            "domain": {"type": "str", "required": True},
            "timeout": {"type": "float", "default": 300.0},
        },
        supports_check_mode=True,
    )
    xl = Xl(module_runner(module))
    try:
        found = find(xl, module.params["domain"])
        told = {"uuid": found.uuid, "name": found.name} if found else None
        took = 0.0
        if found is not None:
            host = host_facts(module_runner(module), module.params["runtime_path"], module.params["journal_path"])
            known = domain_facts(module_runner(module), found.uuid)[0]
            require_free(host, found, known[0] if known else None)
        if found is not None and not module.check_mode:
            runtime = runtime_root(module.params["runtime_path"])
            with claims.held(module.params["journal_path"], module.params["token"]):
                took = shut_down(xl, module_runner(module), found, runtime, module.params["timeout"])
            module.log(f"dom0.xen: {found.name} was shut down")
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    module.exit_json(changed=found is not None, domain=told, duration_s=round(took, 1))


if __name__ == "__main__":
    main()
