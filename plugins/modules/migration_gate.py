#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_gate
short_description: Speak with the sender of a migration that waits at the gate
version_added: 0.1.0
description:
  - At the gate the domain stands still on the source, and is complete and paused at the destination. With
    O(dom0.xen.migration_send#module:gate=controller) the permission to run it there waits for this module.
  - Permit, refuse, and the gate's time limit are put in order by the sender alone. Fails when the sender did not
    accept the word, and says how far it is.
  - The order of the calls is that of the role P(dom0.xen.migrate#role).
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._places
attributes:
  check_mode:
    support: none
    details:
      - There is no gate to wait at in check mode.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - A word that the sender has taken already is accepted again.
  platform:
    support: full
    platforms: posix
options:
  session:
    description: Identity of the session.
    type: str
    required: true
  state:
    description:
      - V(started) puts on record that the caller's tasks at the gate begin. From then on the source does not run the
        domain again before V(undone) was said, whatever happens.
      - V(permitted) lets the destination run the domain.
      - V(refused) gives the migration up. The domain goes on on the source, at once if no tasks were begun, otherwise
        once they are undone.
      - V(undo_started) puts on record that what the tasks have done is about to be undone. No permission is taken
        after it.
      - V(undone) puts on record that it has been undone.
    type: str
    choices: [started, permitted, refused, undo_started, undone]
    required: true
  reason:
    description: Why the permission is refused, for people.
    type: str
    default: ""
  timeout:
    description: How long to wait for the sender's answer, in seconds.
    type: int
    default: 30
seealso:
  - module: dom0.xen.migration_send
  - module: dom0.xen.migration_settle
"""

EXAMPLES = r"""
- name: Let the destination run the domain
  dom0.xen.migration_gate:
    session: 0123456789abcdef
    state: permitted
  delegate_to: xen1
"""

RETURN = r"""
phase:
  description: How far the session is, as in RV(dom0.xen.migration_info#module:sessions).
  returned: success
  type: str
  sample: committed
owner:
  description: The host whose copy counts, V(source), V(destination) or V(unsettled).
  returned: success
  type: str
  sample: unsettled
code:
  description: Stable name of the error.
  returned: failure
  type: str
  sample: gate_closed
remedy:
  description: What to do about the error.
  returned: failure
  type: str
  sample: Run dom0.xen.settle for the domain.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._argspec import PLACES
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import (
    SENDER,
    check_session,
    resolve_runtime_root,
    session_folder,
)
from ansible_collections.dom0.xen.plugins.module_utils._session import control

COMMANDS = {
    "started": control.GATE_START,
    "permitted": control.PERMIT,
    "refused": control.REFUSE,
    "undo_started": control.UNDO_START,
    "undone": control.UNDONE,
}


class GateClosed(Dom0XenError):
    """The sender did not take the word."""

    code = "gate_closed"
    remedy = "Look at the session's error; run dom0.xen.settle for the domain if it does not end by itself."


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **PLACES,
            "session": {"type": "str", "required": True},
            "state": {"type": "str", "choices": list(COMMANDS), "required": True},
            "reason": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 30},
        },
    )
    params = module.params
    try:
        check_session(params["session"])
        folder = session_folder(resolve_runtime_root(params["runtime_path"]), params["session"], SENDER)
        request = {"command": COMMANDS[params["state"]], "reason": params["reason"]}
        answer = control.ask(folder, request, params["timeout"])
        if not answer.get("accepted"):
            raise _closed(params["state"], answer)
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    module.log("dom0.xen {}: gate: {}".format(params["session"], params["state"]))
    module.exit_json(changed=True, phase=answer["phase"], owner=answer["owner"])


def _closed(state: str, answer: control.Document) -> GateClosed:
    error = answer.get("error") or {}
    phase, owner = answer.get("phase"), answer.get("owner")
    cause = f": {error['msg']}" if error.get("msg") else ""
    return GateClosed(
        f"the sender did not accept {state!r} in its phase {phase!r}{cause}", phase=phase, owner=owner, error=error
    )


if __name__ == "__main__":
    main()
