#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_info
short_description: Look at a domain's copies and its migration sessions on a host
version_added: 0.1.0
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
    description: UUID of the domain. Without it the copies of the domains of all sessions found are returned.
    type: str
  session:
    description: Identity of one session; without it all sessions of the domain, or of this host, are returned.
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
  description:
    - Domains with this UUID on this host. The keys mean what they mean in RV(dom0.xen.host_info#module:host.domains).
      C(monitor) is V(lost) for one that has no process of C(xl) to handle its end, else V(kept), or null if not known.
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
      monitor: kept
sessions:
  description:
    - The status of each session that runs or was killed, then the result of each that has ended, both newest first.
      Status and result have the same keys.
    - A session of which nothing but its journal is left has no other keys than C(session), C(role), C(alive) and
      C(journal). It is found without O(uuid).
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
  contains:
    session: {type: str, returned: always, description: Identity of the session.}
    role: {type: str, returned: always, description: "The part of this host in it, V(sender) or V(receiver)."}
    alive: {type: bool, returned: always, description: Whether the process of the session still runs.}
    journal:
      description: What the session has put on record about the ownership of the domain, oldest first.
      returned: always
      type: list
      elements: dict
      sample: [{step: ready}, {step: commit}, {step: running, details: {status: 0}}]
      contains:
        step: {type: str, description: "What happened, in one word."}
        details: {type: dict, description: "More about it, where there is more. Its keys depend on the step."}
    format: {type: int, description: Version of this document. It is 1.}
    pid: {type: int, description: Process of the session on this host.}
    sequence: {type: int, description: A number that grows each time the status is written.}
    domain: {type: dict, description: "The domain, by C(uuid) and C(name)."}
    phase:
      description:
        - How far it is, in this order. V(starting), V(admitted) when the sides are connected, V(configuration) when
          the stream was seen to be of this domain, V(streaming) while memory flows, V(suspending) when the guest is
          about to be suspended, V(final_round) when it stands still, V(transferred) when the stream is complete,
          V(gate) when the destination's C(xl) is ready to run the domain, V(committed) from the commit on,
          V(finishing) when the outcome is known, V(ended).
        - A receiver goes from V(streaming) to V(transferred).
      type: str
    owner:
      description:
        - The host whose copy counts as this side knows it, V(source), V(destination), or V(unsettled) from the commit
          until the outcome is known, if it ever is. V(elsewhere) once settled, where neither of the two has it.
      type: str
    end_state:
      description: How it ended, V(moved), V(stayed), V(unsettled) or, settled, V(down), V(elsewhere). Null before.
      type: str
    watches:
      {returned: for a sender, type: bool, description: It has ended and watches for a guest that goes down late.}
    error:
      description: What went wrong, or null.
      type: dict
      contains:
        side: {type: str, description: "The side on which it happened, V(sender) or V(receiver)."}
        code: {type: str, description: Stable name of the error.}
        msg: {type: str, description: "The cause, for people."}
        host: {type: str, description: Name of the host. Null as a rule since a session knows its sides only.}
        remedy: {type: str, description: What to do about it. It may be empty.}
        details: {type: dict, description: More about it for programs. Its keys depend on the code.}
    elapsed_ms: {type: int, description: Milliseconds since the process began.}
    peak_memory_kib: {type: int, description: "The most memory that the process had resident, in KiB, or null."}
    link:
      description: The connection to the other side.
      type: dict
      contains:
        up: {type: bool, description: Whether there is a connection now.}
        losses: {type: int, description: How often one was lost before the session's end.}
    path: {type: dict, description: "One side's of RV(dom0.xen.migration_verdict#module:path), or null."}
    packing: {type: dict, description: "A sender's RV(dom0.xen.migration_verdict#module:packing), or null."}
    stderr: {type: list, elements: str, description: "The last lines of this side's C(xl), at most 20."}
    shutdown_inhibitor:
      description:
        - Whether systemd-logind holds this host's shutdown off, V(held), V(asked) or V(failed). V(absent) without it.
      type: str
    mapped:
      {type: list, elements: dict, description: "What the destination calls by another name (C(what), C(from), C(to))."}
    leave_paused: {type: bool, description: Whether the domain is left paused when it has arrived.}
    keep_domid: {type: int, description: "Number that the domain keeps at the destination, V(0) for any."}
    config_path: {type: str, returned: for a sender, description: "File that it is made of or described by, or null."}
    bytes: {type: int, description: "Bytes of the stream so far: what C(xl) wrote, or what came for a receiver."}
    expected_bytes:
      description: Bytes that the stream is expected to have, at first the guest's memory, and never less than C(bytes).
      returned: for a sender
      type: int
    rate_bytes_per_s: {returned: for a sender, type: int, description: Bytes a second over about the last five seconds.}
    dirty_bytes_per_s:
      description: How fast the guest dirtied the pages of the latest round, in bytes a second. V(0) in the first round.
      returned: for a sender
      type: int
    eta_s:
      description:
        - Seconds until the expected bytes are through at this rate. Null before 4 MiB were sent,
          and when nothing is left.
      returned: for a sender
      type: float
    round: {returned: for a sender, type: int, description: Number of the latest round. The first one is 0.}
    rounds:
      description: The rounds so far, with the keys of RV(dom0.xen.migration_verdict#module:rounds).
      returned: for a sender
      type: list
      elements: dict
    method: {returned: for a sender, type: str, description: "How it is moved, V(live), V(suspend) or V(cold)."}
    transport: {returned: for a sender, type: str, description: "How its state travels, V(tls), V(ssh) or V(tcp)."}
    permission:
      description: How far the permission to run the domain at the destination has come.
      returned: for a sender
      type: dict
      contains:
        held: {type: bool, description: C(xl) has written it on the source.}
        committed: {type: bool, description: The request to let it through has left for the destination.}
        given: {type: bool, description: The destination's C(xl) is known to have had it.}
    gate:
      description: Whose word the permission waits for, and what is on record of the caller's tasks.
      returned: for a sender
      type: dict
      contains:
        kind: {type: str, description: "V(engine), which waits for nobody, or V(controller)."}
        waits: {type: bool, description: It waits for the controller at this moment.}
        tasks_started: {type: bool, description: The caller's tasks at the gate were begun.}
        tasks_undone: {type: bool, description: They have been undone.}
    waits_for_settling: {type: bool, description: Nothing but settling can bring it to its end.}
    barred: {returned: for a receiver, type: bool, description: Whether settling has it take no commit any more.}
    began_s: {returned: for a sender, type: float, description: "Start of C(xl migrate), in seconds since 1970."}
    total_ms:
      description: Milliseconds from the start of C(xl migrate) to its end, or null.
      returned: for a sender
      type: int
    stop_ms: {returned: for a sender, type: int, description: "Milliseconds for which the guest stood still, or null."}
    stop_measured:
      description: How it was measured, as in RV(dom0.xen.migration_verdict#module:stop_measured), or null.
      returned: for a sender
      type: str
    stop_prediction: {type: dict, description: "A sender's RV(dom0.xen.migration_verdict#module:stop_prediction)."}
    timeline:
      description: The moments so far, with the keys of RV(dom0.xen.migration_verdict#module:timeline).
      returned: for a sender
      type: dict
    peer:
      description: What the receiver has told of itself. Empty before it did.
      returned: for a sender
      type: dict
      contains:
        phase: {type: str, description: Its phase.}
        owner: {type: str, description: The host whose copy counts as the receiver knows it.}
        bytes: {type: int, description: Bytes that it has written to its C(xl).}
        peak_memory_kib: {type: int, description: "The most memory that it had resident, in KiB."}
        timeline: {type: dict, description: Its moments in seconds of its own monotonic clock. Only from its last word.}
        stderr: {type: list, elements: str, description: The last lines of its C(xl). Only from its last word.}
    written_bytes:
      description: Bytes that were written to C(xl), the permission included.
      returned: for a receiver
      type: int
    domid: {returned: for a receiver, type: int, description: "Number of the copy, or null while there is none."}
    xl_status:
      description:
        - What C(xl migrate-receive) has reported. V(0) when its copy runs, V(255) when it did not get the permission,
          else the number of libxl's error without its sign. Null before.
      returned: for a receiver
      type: int
    refused_connections:
      description: Connections that were closed because they had not proved to be the sender's.
      returned: for a receiver
      type: int
    belongings:
      description:
        - The files that went with the domain. C(config) is its configuration on that host, or null. For a sender
          C(kept_as) is the name that it got when the domain had left. For a receiver C(put) are the files and links
          that were made. C(remarks) are what a person should know, each with C(code), C(msg) and C(remedy).
      type: dict
    liveness:
      description:
        - Whether the domain was seen alive after the move, or null where nobody looked.
        - C(alive) is null where nothing was seen that only a domain that runs can do. C(missing) is what was missing,
          C(unseen) what was not seen and need not be. Then C(waited_ms), C(state), C(cpu_time_s), C(devices) with the
          states of their backends (4 is connected), C(macs) with C(bridge) and C(heard), C(address), C(answered).
        - For a sender whose domain has stayed and has stood still it is as in M(dom0.xen.migration_settle).
      type: dict
    differences:
      description: What had another value on the source, as C(what), C(before), C(after). Null where nobody looked.
      returned: for a receiver
      type: list
      elements: dict
boot_id:
  description: Identity of this boot of the host. A domid is only good within one.
  returned: success
  type: str
  sample: 6a3b9c1e-7d0f-4b3c-9a53-1f2e3d4c5b6a
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.monitors import monitor_of, monitors
from ansible_collections.dom0.xen.plugins.module_utils._places import ROLES, check_session, resolve_runtime_root
from ansible_collections.dom0.xen.plugins.module_utils._procfs import boot_id, command_lines
from ansible_collections.dom0.xen.plugins.module_utils._session.found.found import sessions_of, wait_for_end
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES
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
        rows = [row for row in Xl(module_runner(module)).domains() if row.uuid in uuids]
        left = monitors(command_lines())
        copies = [{**row.to_result(), "monitor": monitor_of(row.domid, row.name, left)} for row in rows]
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    module.exit_json(changed=False, copies=copies, sessions=sessions, boot_id=boot_id())


if __name__ == "__main__":
    main()
