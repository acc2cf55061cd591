#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_watch
short_description: Watch a migration and tell how far it is
version_added: 0.1.0
description:
  - Reads the status that the sender of a session writes on the source, with a plain C(cat) through the connection of
    the task, and shows a line about it until the migration has ended. No module runs on the host.
  - A line tells the round of pre-copy, the bytes sent, the rate, the rate at which the guest dirties its memory, and
    an estimate of the time left.
  - Watching changes nothing, but for what O(gate_tasks) asks for. Ending it, or killing the controller, does not end
    the migration.
  - The session itself calls to look, as O(dom0.xen.migration_send#module:progress_interval) says; at once at its end
    and when the gate waits for the controller, and not while the guest stands still, when each process that is started
    on the source takes time from it. Where it cannot be waited for, O(interval) is the time between two looks.
  - A host that cannot be reached is said once and tried again until O(silence_timeout) has passed.
options:
  status_path:
    description:
      - The status file of the session on the host, as RV(dom0.xen.migration_send#module:status_path) names it.
    type: path
    required: true
  result_path:
    description:
      - The file that takes its place when the session has ended, as RV(dom0.xen.migration_send#module:result_path)
        names it.
    type: path
    required: true
  pid:
    description:
      - Process of the session. The status names it too; telling it lets the watch see a process that ended before
        its first status.
    type: int
  source:
    description:
      - Name of the source, to be shown.
    type: str
    required: true
  destination:
    description:
      - Name of the destination, to be shown.
    type: str
    required: true
  until:
    description:
      - With V(ended) watch to the end of the session.
      - With V(gate) watch until all is ready to run at the destination, or the session has gone beyond that.
    type: str
    default: ended
    choices: [gate, ended]
  gate:
    description:
      - Who decides at the gate, as O(dom0.xen.migration_send#module:gate). With V(controller) the gate is reached when
        the permission waits there.
    type: str
    choices: [engine, controller]
    default: engine
  gate_tasks:
    description:
      - Whether the caller has tasks to run at the gate, for O(until=gate) and O(gate=controller). That they begin is
        then put on record in the look that finds the gate reached, as V(started) of
        O(dom0.xen.migration_gate#module:state) does, and the gate counts as reached when it is.
      - When the sender does not let them begin, since the migration is given up or the permission was given meanwhile,
        the watch goes on to what becomes of that.
    type: bool
    default: false
  interval:
    description:
      - Seconds between two looks at a session that does not call, at least 1. On a move longer than 20 intervals it is
        5 % of the time gone by, at most 60 seconds.
    type: float
    default: 5.0
  timeout:
    description:
      - Seconds to watch. The task then fails with RV(continues=true), the migration goes on, and running the same
        command again adopts it.
    type: float
    default: 14400.0
  silence_timeout:
    description:
      - Seconds after which a status that does not change, or does not appear, ends the watch with RV(ending=silent)
        or RV(ending=missing).
      - Time in which the host cannot be reached does not count for that. After as long without an answer the task fails
        with RV(continues=true), and nothing is stopped.
    type: float
    default: 300.0
  beat_path:
    description:
      - A file on the host that is touched at each look, if it is there, such as that of M(dom0.xen.host_claim).
    type: str
    default: ""
  progress_path:
    description:
      - A file on the controller to which each look adds a line of JSON. Empty for none.
      - It has C(at) by the controller's clock, C(domain), C(uuid), C(source), C(destination) and C(session); C(phase),
        C(round), C(bytes) and C(expected_bytes), C(rate_bytes_per_s), C(dirty_bytes_per_s), C(eta_s) and
        C(elapsed_ms); C(stalled_s), for how long no byte was added; C(link_up), and how often it was lost
        (C(link_losses)); and at the end C(owner), C(end_state), C(total_ms) and C(stop_ms). While the source does not
        answer it has C(unanswered_s) in place of what it would have told.
      - When it cannot be written, that is warned of once, and the migration goes on.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    details:
      - There is nothing to watch in check mode, so the task is skipped.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - That the tasks begin is accepted again where it is on record already.
notes:
  - An ssh connection that was opened before this task does not notice by itself that the host has lost its power. Add
    C(-o ServerAliveInterval=10) to C(ansible_ssh_common_args) so that it does.
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
seealso:
  - module: dom0.xen.migration_send
  - module: dom0.xen.migration_verdict
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Watch the migration
  dom0.xen.migration_watch:
    status_path: "{{ sender.status_path }}"
    result_path: "{{ sender.result_path }}"
    pid: "{{ sender.pid }}"
    source: xen1
    destination: xen2
  delegate_to: xen1
  register: watched
"""

RETURN = r"""
ending:
  description:
    - Why the watch ended.
    - V(ended) when the session has ended. That alone is no success, RV(status) says how it ended.
    - V(gate) when it has come as far as O(until) asks.
    - V(unsettled) when nothing but a look at both hosts can bring the session to its end.
    - V(gone) when the process has gone without a last word, V(silent) when its status did not change for
      O(silence_timeout),
      V(missing) when there never was a status.
  type: str
  returned: success
  sample: ended
owner:
  description:
    - The host whose copy counts, as the sender sees it, one of V(source), V(destination), V(unsettled).
    - It is V(unsettled) whenever the last word of the session was not heard.
  type: str
  returned: success
  sample: destination
tasks_begun:
  description:
    - Whether it is on record by this look that the caller's tasks at the gate begin, for O(gate_tasks).
    - With O(gate_tasks) and V(false) for RV(ending=gate) the permission was given by another run, and nothing is to be
      done at the gate.
  type: bool
  returned: success
  sample: false
status:
  description:
    - The last status that was read, or null. Its keys are those of a sender in
      RV(dom0.xen.migration_info#module:sessions), without C(alive) and C(journal).
  type: dict
  returned: success, and when the watch was given up
  sample:
    phase: ended
    owner: destination
    end_state: moved
    bytes: 145752064
continues:
  description: True when the watch was given up and the migration goes on.
  type: bool
  returned: when the time for watching was over, or the host was out of reach for too long
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import WATCH


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=WATCH, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.migration_watch does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
