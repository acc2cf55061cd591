#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_cancel
short_description: Ask the process of one migration session to give up
version_added: 0.1.0
description:
  - Asks the sender or the receiver of a session to give up, and waits for its end. It obeys only while the domain
    cannot possibly run at the destination yet; the domain then stays on the source, and the destination keeps nothing.
  - Once the permission to run the domain was asked for, the session goes on to its end whatever is asked. The module
    then returns at once.
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
  session:
    description: Identity of the session.
    type: str
    required: true
  role:
    description: Which side of the session runs on this host.
    type: str
    choices: [sender, receiver]
    required: true
  timeout:
    description: How long to wait for the end of the process, in seconds.
    type: int
    default: 150
"""

EXAMPLES = r"""
- name: Give the migration up
  dom0.xen.migration_cancel:
    session: 0123456789abcdef
    role: sender
  delegate_to: xen1
"""

RETURN = r"""
cancelled:
  description: Whether the process was there and has ended.
  returned: success
  type: bool
  sample: true
phase:
  description: How far the session was, or V(null) when nothing is known of it.
  returned: success
  type: str
  sample: ended
owner:
  description: The host whose copy of the domain counts (V(source), V(destination), V(unsettled)), or V(null).
  returned: success
  type: str
  sample: source
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import (
    ROLES,
    check_session,
    resolve_runtime_root,
    session_folder,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.found.found import (
    ask_to_stop,
    process_of,
    status_of,
    wait_for_end,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.transport import ssh_door
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **PLACES,
            "session": {"type": "str", "required": True},
            "role": {"type": "str", "choices": list(ROLES), "required": True},
            "timeout": {"type": "int", "default": 150},
        },
        supports_check_mode=True,
    )
    session, role = module.params["session"], module.params["role"]
    journal = module.params["journal_path"]
    try:
        check_session(session, role)
        runtime = resolve_runtime_root(module.params["runtime_path"])
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    folder = session_folder(runtime, session, role)
    document = status_of(runtime, journal, session, role)
    there = document is not None and process_of(document, folder) is not None
    ended = True
    if there and not module.check_mode and document is not None:
        ended = ask_to_stop(document, folder) and wait_for_end(
            runtime, journal, session, role, module.params["timeout"]
        )
        document = status_of(runtime, journal, session, role)
    if not module.check_mode:
        # A receiver that was killed could not take its own away.
        ssh_door.tidy(runtime, journal)
    module.exit_json(
        changed=there,
        cancelled=there and ended,
        phase=(document or {}).get("phase"),
        owner=(document or {}).get("owner"),
    )


if __name__ == "__main__":
    main()
