#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_info
short_description: Look at a domain's copies and its migration sessions on a host
description:
  - Returns every copy of a domain on this host, found by its UUID, and what the sessions of its migrations say.
  - With the answers of both hosts M(dom0.xen.migration_verdict) tells where the domain is.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.info_module
  - dom0.xen._places
attributes:
  platform:
    support: full
    platforms: posix
options:
  uuid:
    description: UUID of the domain. Without it the domains of all sessions found are returned.
    type: str
  session:
    description: Identity of one session; without it all sessions of the domain are returned.
    type: str
  wait:
    description: How long to wait for the process of O(session) to end before looking, in seconds.
    type: int
    default: 0
seealso:
  - module: dom0.xen.migration_verdict
"""

EXAMPLES = r"""
- name: Look where the domain runs
  dom0.xen.migration_info:
    uuid: 1c2d3e4f-0000-4000-8000-00000000002a
  delegate_to: xen2
  register: seen_at_destination
"""

RETURN = r"""
copies:
  description: Domains with this UUID on this host.
  returned: success
  type: list
  elements: dict
  sample:
    - domid: 3
      uuid: 1c2d3e4f-0000-4000-8000-00000000002a
      name: centos
      state: {running: false, blocked: true, paused: false, shutdown: false, crashed: false, dying: false, reason: null}
      memory_mib: 128
      vcpus: 1
      cpu_time_s: 4.2
sessions:
  description: Status or result of each session, newest first, as described in the guide on results.
  returned: success
  type: list
  elements: dict
  sample:
    - session: 0123456789abcdef
      role: receiver
      phase: ended
      owner: destination
      end_state: moved
      alive: false
boot_id:
  description: Identity of this boot of the host. A domid is only good within one.
  returned: success
  type: str
  sample: 6a3b9c1e-7d0f-4b3c-9a53-1f2e3d4c5b6a
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._argspec import PLACES
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import ROLES, check_session, resolve_runtime_root
from ansible_collections.dom0.xen.plugins.module_utils._procfs import boot_id
from ansible_collections.dom0.xen.plugins.module_utils._session.found import sessions_of, wait_for_end
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import module_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **PLACES,
            "uuid": {"type": "str"},
            "session": {"type": "str"},
            "wait": {"type": "int", "default": 0},
        },
        required_one_of=[("uuid", "session")],
        supports_check_mode=True,
    )
    session, uuid = module.params["session"], module.params["uuid"]
    journal = module.params["journal_path"]
    try:
        runtime = resolve_runtime_root(module.params["runtime_path"])
        if session is not None:
            check_session(session)
            for role in ROLES:
                wait_for_end(runtime, journal, session, role, module.params["wait"])
        sessions = sessions_of(runtime, journal, session, uuid.lower() if uuid else None)
        uuids = {uuid.lower()} if uuid else {str(item.get("domain", {}).get("uuid")) for item in sessions}
        copies = [row.to_result() for row in Xl(module_runner(module)).domains() if row.uuid in uuids]
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    module.exit_json(changed=False, copies=copies, sessions=sessions, boot_id=boot_id())


if __name__ == "__main__":
    main()
