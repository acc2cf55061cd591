#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_slot
short_description: Wait until not too many domains leave a dom0, or come to it, and take a slot there
version_added: 0.1.0
description:
  - Limits how many migrations a host takes part in at one time, over all runs and controllers. Whatever moves there
    counts, whether it has taken a slot or not.
  - The slot bridges the time until the session of the domain runs on the host. From then on the session itself is
    what counts, and the slot is free when its process has ended. A slot of a run that was killed before its session
    began is free after O(hold).
  - Says once for whom it waits. A host that takes as many as it may is no error until O(timeout) has passed.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
  - dom0.xen._places
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - A slot that is taken again is held for longer.
  platform:
    support: full
    platforms: posix
options:
  uuid:
    description: UUID of the domain.
    type: str
    required: true
  name:
    description: Name of the domain, to be shown.
    type: str
    default: ""
  role:
    description: V(sender) for a domain that leaves this host, V(receiver) for one that comes.
    type: str
    choices: [sender, receiver]
    required: true
  state:
    description:
      - With V(absent) a slot is given back that the run of O(token) has taken and whose session was not started.
    type: str
    choices: [present, absent]
    default: present
  limit:
    description: How many may leave, or come, at one time. V(0) is no limit.
    type: int
    default: 0
  timeout:
    description: Seconds to wait for a slot.
    type: float
    default: 3600.0
  begin_by:
    description:
      - Time on the controller, in seconds since 1970, after which no slot is taken any more, also where there is one.
        V(0) is never.
    type: float
    default: 0.0
  wait:
    description: Seconds of one run of the module on the host.
    type: float
    default: 45.0
  hold:
    description: Seconds that the session may take to begin.
    type: float
    default: 300.0
  token:
    description: Identity of the run whose claim (M(dom0.xen.host_claim)) is kept alive while it waits.
        A domain does not leave a host that another run has claimed since. Empty for none.
    type: str
    default: ""
seealso:
  - module: dom0.xen.migration_receive
  - module: dom0.xen.migration_send
"""

EXAMPLES = r"""
- name: Let at most two domains leave at one time
  dom0.xen.migration_slot:
    uuid: 2c1a7b9e-3f5d-4c65-9e1a-0123456789ab
    name: centos
    role: sender
    limit: 2
  delegate_to: xen1
"""

RETURN = r"""
taken:
  description: Whether the slot was taken.
  returned: success
  type: bool
  sample: true
holders:
  description: Who has the other slots of this kind.
  returned: success
  type: list
  elements: dict
  contains:
    uuid: {type: str, description: UUID of the domain.}
    name: {type: str, description: Name of the domain., sample: centos}
    session: {type: str, description: "Its session. V(null) when that has not begun.", sample: 0123456789abcdef}
    run: {type: str, description: The run that has taken the slot.}
waited:
  description: Seconds that were waited.
  returned: success
  type: float
  sample: 0.0
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.module_utils._marks.slots import Reservation, Slots
from ansible_collections.dom0.xen.plugins.module_utils._marks.specs import SLOT
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER, PlaceError, resolve_runtime_root


def main() -> None:
    """Run the module: one wait, of at most ``wait`` seconds."""
    module = AnsibleModule(argument_spec=dict(SLOT), supports_check_mode=True)
    given = module.params
    try:
        slots = Slots(resolve_runtime_root(given["runtime_path"]), given["journal_path"])
        if module.check_mode:
            module.exit_json(changed=False, taken=True, holders=slots.holders(given["role"]))
        if given["state"] == "absent":
            changed = slots.give_back(given["uuid"], given["role"], given["token"])
            module.exit_json(changed=changed, taken=False, holders=slots.holders(given["role"]))
        if given["token"]:
            claims.keep(given["journal_path"], given["token"])
            # Only what leaves is claimed.
            if given["role"] == SENDER:
                claims.require(given["journal_path"], given["token"], given["hold"])
        asked = Reservation(given["uuid"], given["name"], given["role"], given["token"], 0.0)
        answer = slots.wait(asked, given["limit"], given["hold"], given["wait"])
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    except OSError as exc:
        error = PlaceError(f"slots cannot be kept: {exc.strerror}", remedy="Look at the folder dom0_xen_runtime_path.")
        module.fail_json(exception=exc, **error.as_result())
    module.exit_json(changed=answer.taken, taken=answer.taken, holders=answer.holders)


if __name__ == "__main__":
    main()
