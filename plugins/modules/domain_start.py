#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_start
short_description: Start a domain that was shut down
version_added: 0.1.0
description:
  - Starts a domain from its configuration file on the host, as the domain that it was. The file is the one with its
    UUID, or the one without a UUID that has its name, in C(/etc/xen) or C(/etc/xen/auto).
  - Whether another host has the domain is not looked at. Whoever starts one has to know that none has.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
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
  uuid:
    description: UUID of the domain.
    type: str
    required: true
  name:
    description: Name of the domain.
    type: str
    required: true
  macs:
    description: Addresses of its network cards, in their order, for a file that does not have them.
    type: list
    elements: str
    default: []
seealso:
  - module: dom0.xen.domain_shutdown
"""

EXAMPLES = r"""
- name: Start a domain
  dom0.xen.domain_start:
    uuid: dbef3e02-5c99-4441-b5fd-ac266d0e1ffe
    name: centos
"""

RETURN = r"""
config_path:
  description: The file it was started from, V(null) when it was there.
  returned: success
  type: str
  sample: /etc/xen/centos.cfg
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils import _domain_start
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import PlaceError, runtime_root
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import module_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **PLACES,
            "uuid": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "macs": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    given = module.params
    uuid, name = given["uuid"].lower(), given["name"]
    xl = Xl(module_runner(module))
    try:
        if _domain_start.is_there(xl, uuid, name):
            module.exit_json(changed=False, config_path=None)
        path = _domain_start.find(uuid, name)
        if not module.check_mode:
            if not _domain_start.start(xl, path, uuid, name, given["macs"], runtime_root(given["runtime_path"])):
                module.exit_json(changed=False, config_path=None)
            module.log(f"dom0.xen: {name} was started from {path}")
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    except OSError as exc:
        error = PlaceError(f"{name} cannot be started: {exc.strerror}", remedy="Look at the host's file systems.")
        module.fail_json(exception=exc, **error.as_result())
    module.exit_json(changed=True, config_path=path)


if __name__ == "__main__":
    main()
