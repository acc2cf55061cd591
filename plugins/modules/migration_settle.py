#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_settle
short_description: Settle one side of an interrupted migration session
version_added: 0.1.0
description:
  - Looks at one side of a session, or does the one thing that was decided about it. The role P(dom0.xen.settle#role)
    puts the looks, the decision (M(dom0.xen.migration_decision)) and the acts of both hosts in order.
  - Where the session's process still runs, it acts through that process. Where it is gone, it takes the domain's lock,
    leaves a mark in the session's journal with each look, and refuses to act when the last mark is not of the same run,
    or of another boot of the host. So two runs that settle the same session do not mix, and what was seen before a
    restart is looked at again.
  - Each act looks at the copy again, by domid and UUID, before and after.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._claimant
  - dom0.xen._places
attributes:
  check_mode:
    support: partial
    details:
      - In check mode it looks without leaving a mark, and does not act.
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
    description: Which side of the session is meant.
    type: str
    choices: [sender, receiver]
    required: true
  uuid:
    description: UUID of the domain.
    type: str
    required: true
  name:
    description: Name of the domain, without what C(xl) appends to the name of a copy.
    type: str
    required: true
  settler:
    description: Identity of the run that settles. All its tasks for one session give the same.
    type: str
    required: true
  state:
    description:
      - V(look) returns the evidence.
      - V(act) takes the step O(verb).
      - V(tasks_done) puts on record that the caller's tasks at the gate have been run, V(undo_started) that they are
        about to be undone, V(undone) that they have been.
      - V(after_done) puts on record that the caller's tasks after the move have been run.
      - V(concluded) puts on record how the session ended, and removes what it has left in memory.
    type: str
    choices: [look, act, tasks_done, undo_started, undone, concluded, after_done]
    default: look
  verb:
    description: The step, as RV(dom0.xen.migration_decision#module:step) names it.
    type: str
    choices: [bar, cancel, outcome, hand_over, destroy, resume, rename_back, roll_forward]
  status:
    description: What the step V(outcome) tells the sender, V(0) when the destination runs the domain.
    type: int
  domid:
    description: Number of the copy that the step is about, as it was seen.
    type: int
  owner:
    description:
      - The host whose copy counts (V(source), V(destination)), or V(elsewhere) where neither does, for
        O(state=concluded).
    type: str
    choices: [source, destination, elsewhere]
  end_state:
    description: How the session ended, for O(state=concluded).
    type: str
    choices: [moved, stayed, elsewhere, down]
  wait:
    description:
      - How long to wait for a process to end, and for another run that settles the same session, in seconds.
    type: int
    default: 20
  liveness:
    description:
      - Whether to look, for O(state=concluded) at the source of a domain that has stayed and has stood still for the
        move, whether its guest goes on; see RV(liveness).
    type: bool
    default: true
  liveness_address:
    description:
      - What must answer this dom0 then, an address or name for one C(ping), V(ADDRESS:PORT) or V([ADDRESS]:PORT) for a
        TCP connection. Empty for nothing.
    type: str
    default: ""
  liveness_timeout:
    description: How long to look, in seconds, V(0) for not at all. A guest that shows a sign of life ends that at once.
    type: int
    default: 15
seealso:
  - module: dom0.xen.migration_decision
  - module: dom0.xen.migration_info
"""

EXAMPLES = r"""
- name: Look at the source's side
  dom0.xen.migration_settle:
    session: 0123456789abcdef
    role: sender
    uuid: 1c2d3e4f-0000-4000-8000-00000000002a
    name: centos
    settler: fedcba9876543210
  delegate_to: xen1
  register: source_look
"""

RETURN = r"""
side:
  description: What this host shows of the session, for M(dom0.xen.migration_decision).
  returned: with O(state=look)
  type: dict
  sample:
    known: true
    alive: false
    xl_alive: false
    left: []
    copy: suspended
    domid: 7
    name: centos--migratedaway
accepted:
  description:
    - Whether it was done, or the session's process did what it was asked for. When false, look again.
    - With O(state=undo_started) whether the tasks at the gate may be undone now.
  returned: with O(state=undo_started), and with O(state=act) when it was not done or a process was asked
  type: bool
  sample: true
msg:
  description: Why it was not done, for people.
  returned: with O(state=act), when the copy was not any more as it had been seen, or the host was started again
  type: str
  sample: the copy with domid 7 (centos) is not suspended any more.
monitor:
  description:
    - Whether C(xl)'s monitor still looks after the domain, V(kept) or V(lost). Before Xen 4.20 a suspend ends it, and
      a reboot from within the guest then leaves the domain standing until somebody starts it.
    - With O(state=concluded) as it is seen on the O(owner)'s host, null on the other one and where nothing tells.
  returned: with O(verb=resume) and O(state=concluded)
  type: str
  sample: lost
liveness:
  description:
    - Whether the guest was seen to go on after it stood still for the move, now, or by an earlier run that saw it
      alive. Null where nobody looked.
    - Its domain is listed as running, and its devices are connected, also where its kernel has stopped in the resume.
      So C(alive) is true only where something has grown since the first look, which C(signs) names, or
      O(liveness_address) answers. It is false where the domain does not run or the address does not answer, which
      C(missing) says, and null where nothing was seen, as of a guest that is idle, which C(unseen) says.
    - Also C(waited_ms), C(state), C(cpu_time_s), C(address) and C(answered).
  returned: with O(state=concluded)
  type: dict
  sample:
    alive: true
    waited_ms: 512
    missing: []
    unseen: []
    state: running
    cpu_time_s: 12.4
    address: null
    answered: null
    signs: [cpu_time, vif/0]
code:
  description: Stable name of the error.
  returned: failure
  type: str
  sample: settled_by_another
remedy:
  description: What to do about the error.
  returned: failure
  type: str
  sample: Wait until the other run has ended, then run dom0.xen.settle again.
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils import _lifeless
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.module_utils._places import (
    ROLES,
    check_session,
    resolve_runtime_root,
    runtime_root,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.observing import liveness
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import alive, conclusion, settle
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import JournalNotWritten
from ansible_collections.dom0.xen.plugins.module_utils._session.transport import ssh_door
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import CLAIMANT, PLACES
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import module_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

STATES = ("look", "act", "tasks_done", "undo_started", "undone", "concluded", "after_done")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **CLAIMANT,
            **PLACES,
            "session": {"type": "str", "required": True},
            "role": {"type": "str", "choices": list(ROLES), "required": True},
            "uuid": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "settler": {"type": "str", "required": True},
            "state": {"type": "str", "choices": list(STATES), "default": "look"},
            "verb": {"type": "str", "choices": list(settle.VERBS)},
            "status": {"type": "int"},
            "domid": {"type": "int"},
            "owner": {"type": "str", "choices": ["source", "destination", "elsewhere"]},
            "end_state": {"type": "str", "choices": ["moved", "stayed", "elsewhere", "down"]},
            "wait": {"type": "int", "default": 20},
            "liveness": {"type": "bool", "default": True},
            "liveness_address": {"type": "str", "default": ""},
            "liveness_timeout": {"type": "int", "default": 15},
        },
        required_if=[("state", "act", ["verb"]), ("state", "concluded", ["owner", "end_state"])],
        supports_check_mode=True,
    )
    params = module.params
    try:
        check_session(params["session"], params["role"])
        address = liveness.checked(params["liveness_address"])
        # Its locks lie there, and a host that was restarted since has lost the folder.
        find_root = resolve_runtime_root if module.check_mode else runtime_root
        here = Here(
            runtime_root=find_root(params["runtime_path"]),
            journal_root=params["journal_path"],
            session=params["session"],
            role=params["role"],
            uuid=params["uuid"].lower(),
            name=params["name"],
            settler=params["settler"],
        )
        with claims.kept(here.journal_root, "" if module.check_mode else params["token"]):
            result = _run(module, here, Xl(module_runner(module)), address)
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    except OSError as exc:
        module.fail_json(exception=exc, **JournalNotWritten.of(exc).as_result())
    module.exit_json(**result)


def _run(module: AnsibleModule, here: Here, xl: Xl, address: str) -> dict[str, t.Any]:
    params, check = module.params, module.check_mode
    if params["state"] == "look":
        side = settle.look(here, xl, params["wait"], mark=not check)
        return {"changed": False, "side": side.to_result()}
    if check:
        return {"changed": True}
    ssh_door.tidy(here.runtime_root, here.journal_root)
    module.log("dom0.xen {}: settling: {} {}".format(here.session, params["state"], params["verb"] or ""))
    if params["state"] == "act":
        return settle.act(here, xl, settle.Act(params["verb"], params["status"], params["domid"]), params["wait"])
    if params["state"] == "tasks_done":
        return {"changed": settle.tasks_done(here, params["wait"])}
    if params["state"] == "undo_started":
        accepted = settle.undo_started(here, params["wait"])
        return {"changed": accepted, "accepted": accepted}
    if params["state"] == "undone":
        return {"changed": settle.undone(here, params["wait"])}
    if params["state"] == "after_done":
        return {"changed": settle.after_done(here)}
    changed = conclusion.conclude(here, xl, params["owner"], params["end_state"], params["wait"])
    wanted = alive.Wanted(params["liveness"], params["liveness_timeout"], address)
    seen = alive.look(here, xl, params["owner"], wanted)
    if seen is not None and _lifeless.is_lifeless(seen):
        module.warn(f"{here.name} has stayed, and {_lifeless.message(seen)} {_lifeless.remedy(here.name, seen)}")
    return {"changed": changed, "monitor": conclusion.monitor(here, xl, params["owner"]), "liveness": seen}


if __name__ == "__main__":
    main()
