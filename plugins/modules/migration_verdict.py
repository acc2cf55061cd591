#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_verdict
short_description: Tell where a domain is after a migration
version_added: 0.1.0
description:
  - Judges from what M(dom0.xen.migration_info) has seen on both hosts, by UUID, which host owns the domain. Exit codes
    and the words of the session decide nothing.
  - Fails unless it runs (or is paused, if that was asked for) at the destination, only there, with its name, and alive.
  - Gives the figures of the session, which are the sender's as M(dom0.xen.migration_info) describes them, and the last
    lines that both C(xl) have written.
options:
  domain:
    description: The domain.
    type: dict
    required: true
    suboptions:
      uuid: {description: Its UUID., type: str, required: true}
      name: {description: Its name., type: str, required: true}
  source:
    description:
      - Name of the source. Empty when the domain was found at the destination and nobody knows where it came from.
    type: str
    default: ""
  destination:
    description: Name of the destination.
    type: str
    required: true
  source_info:
    description:
      - What M(dom0.xen.migration_info) returned for the source. Without C(copies) the host counts as unreachable.
    type: dict
    default: {}
  destination_info: {type: dict, default: {}, description: The same for the destination.}
  status: {type: dict, default: {}, description: "The sender's last status, as from M(dom0.xen.migration_watch)."}
  ending:
    description:
      - Why the watch ended, as M(dom0.xen.migration_watch) returned it. When the session's last word was not heard,
        that is the error to be told.
    type: str
    default: ""
  same_host: {type: bool, default: false, description: Whether source and destination are one host.}
  error:
    description:
      - The result of a task that has failed before. The verdict then fails with it, and adds where the domain is.
    type: dict
    default: {}
  error_host: {type: str, default: "", description: "The host of that task, when the result does not name it."}
  method_reason: {type: str, default: "", description: Why the method of the session was chosen. Empty for not known.}
  findings:
    {type: list, elements: dict, default: [], description: "RV(dom0.xen.migration_check#module:accepted) of this run."}
  leave_paused:
    {type: bool, default: false, description: "That a paused copy has arrived, whether or not a session says so."}
  after_tasks:
    {type: str, choices: [none, given, caught_up], default: none, description: "Whether this run has tasks for after the
      move, V(given), and has run what an earlier run still owed of them, V(caught_up)."}
  rehearse: {type: bool, default: false, description: That a rehearsal which has ended as one is a success.}
  result_path:
    description: File on the controller to which the result is written, as JSON. Empty for none.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: This action does not modify state.
  idempotent:
    support: full
    details: This action does not modify state.
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
seealso:
  - module: dom0.xen.migration_info
  - module: dom0.xen.migration_watch
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Tell where the domain is
  dom0.xen.migration_verdict:
    domain:
      uuid: 1c2d3e4f-0000-4000-8000-00000000002a
      name: centos
    source: xen1
    destination: xen2
    source_info: "{{ seen_at_source }}"
    destination_info: "{{ seen_at_destination }}"
    status: "{{ watched.status }}"
  register: verdict
"""

RETURN = r"""
owner:
  {type: str, returned: always, sample: destination, description: "The host whose copy counts, one of V(source),
      V(destination), V(unsettled)."}
end_state:
  {type: str, returned: always, sample: moved, description: "How the move ended, one of V(moved), V(stayed),
      V(running_twice), V(running_nowhere), V(unreachable), V(unsettled)."}
reason:
  {type: str, returned: always, description: "What was seen, for people.", sample: "It runs on xen2, and nothing is
      left on xen1."}
settled:
  {type: bool, returned: always, sample: true, description: Whether nothing is left for a human or for the next run.}
domain: {type: dict, returned: always, description: The domain., sample: {uuid: 1c2d3e4f-0000-4000-8000-00000000002a}}
source: {type: str, returned: always, description: "Name of the source, or null.", sample: xen1}
destination: {type: str, returned: always, description: Name of the destination., sample: xen2}
format:
  {type: int, returned: always, sample: 1, description: "Version of this result. A higher one may mean something else by
      the same key."}
session: {type: str, returned: always, sample: 0123456789abcdef, description: "Identity of the session, or null."}
method: {type: str, returned: always, description: "How the domain was moved, or null.", sample: live}
method_reason: {type: str, returned: always, description: "Why so, or null.", sample: nothing speaks against it}
transport: {type: str, returned: always, description: "How its state travelled, or null.", sample: tls}
bytes:
  {type: int, returned: always, sample: 167925074, description: "Bytes of the stream as C(xl) wrote it, or null."}
rounds:
  description: The rounds of pre-copy and the last one, in which the guest stood still. At most the last 256.
  type: list
  elements: dict
  returned: always
  sample:
    - {number: 0, kind: live, entries: 1044480, pages: 32784, bytes: 142655424, started_ms: 441, duration_ms: 15608,
       dirty_pages_per_s: null}
    - {number: 1, kind: final, entries: 496, pages: 495, bytes: 2031504, started_ms: 25207, duration_ms: 376,
       dirty_pages_per_s: 902.8}
  contains:
    number: {type: int, description: "Number of the round. The first one is 0."}
    kind: {type: str, description: "V(live) while the guest ran, V(final) for the last one."}
    entries: {type: int, description: "Page numbers in its records, also of holes, which have no contents."}
    pages: {type: int, description: "Pages that were sent with their contents, 4 KiB each."}
    bytes: {type: int, description: "Bytes of its records, with page numbers and headers."}
    started_ms: {type: int, description: "When it began, in milliseconds since the first byte of the stream."}
    duration_ms: {type: int, description: "Milliseconds from its first byte to its last, as the sender read them."}
    dirty_pages_per_s:
      type: float
      description:
        - How fast the guest dirtied what this round sends, in pages a second. That is RV(rounds[].pages)
          over the time since the round before began. Null for the first round, and where no time passed.
began_s:
  {type: float, returned: always, sample: 1795448672.57, description: "When C(xl migrate) was started, in seconds since
      1970 by the source's clock, or null."}
total_ms:
  {type: int, returned: always, description: "Milliseconds from start to end of C(xl migrate), or null.", sample: 34117}
stop_ms:
  {type: int, returned: always, description: "Milliseconds for which the guest stood still, as RV(stop_measured) says,
      or null (RV(leave_paused)).", sample: 3674}
stop_measured:
  description:
    - Between which two moments RV(stop_ms) was measured, or null. It begins when a watch on the source's XenStore
      (C(@releaseDomain)) tells that the guest has suspended.
    - With V(source_suspended_to_destination_running) it ends when the destination's C(xl) reports that its copy runs.
      The link tells how far the two hosts' clocks are apart.
    - With V(source_suspended_to_report), when that moment cannot be placed on the source's clock, it ends when the
      report that the copy runs is on the source's disk.
    - With V(shutdown_asked_to_destination_running) and V(shutdown_asked_to_report), of a domain that is shut down for
      the move, it begins when it is on the source's disk that the guest is asked to. At its end the guest has to boot.
  type: str
  returned: always
  sample: source_suspended_to_destination_running
stop_prediction:
  {type: dict, returned: always, description: "For how long the guest was expected to stand still, as far as was known
      before it was suspended (C(predicted_ms)), and how far off that was (C(off_ms)). C(base_ms) is what passes beside
      the last round, of at most C(pages) at C(rate_bytes_per_s). C(budget_ms) was allowed. C(predicted_total_ms) is
      what a move that was rehearsed would take in all. Null if not told."}
rehearsed: {type: bool, returned: always, description: Whether it was a rehearsal that came to its end., sample: false}
link_losses:
  {type: int, returned: always, description: "How often the connection between the hosts was lost, or null.", sample: 0}
peak_memory_kib:
  description: The most memory that each side's process of the session had resident, in KiB or null, without C(xl).
  type: dict
  returned: always
  sample: {source: 27156, destination: 25324}
timeline:
  description:
    - Moments in milliseconds since C(xl migrate) was started, as far as they came. Null without a session.
    - Those that begin with C(destination_) were taken there, and are here once the receiver's last word has arrived and
      the clocks could be compared. After a failure there may be more, named after the records of its journal.
  type: dict
  returned: always
  sample: {suspend_requested: 26472, source_suspended: 26742, destination_running: 30416, xl_exited: 34117}
  contains:
    stream: {type: int, description: "The first bytes of the stream came from C(xl)."}
    suspend_requested: {type: int, description: "The guest was asked to suspend (C(control/shutdown) in XenStore)."}
    suspend_acknowledged: {type: int, description: "The guest agreed to suspend."}
    source_suspended: {type: int, description: "The guest stood still (XenStore's watch C(@releaseDomain))."}
    journal_shutting_down: {type: int, description: "That the guest is asked to shut down was on the source's disk."}
    stream_ended: {type: int, description: "The end of the stream was read from C(xl)."}
    journal_ready: {type: int, description: "The source knew that the destination has the whole domain."}
    permission_held: {type: int, description: "The sender had the permission that C(xl) wrote, and held it."}
    journal_commit_requested: {type: int, description: "The commit request was on the source's disk."}
    journal_reported_running: {type: int, description: "The report that the domain runs was on the source's disk."}
    xl_exited: {type: int, description: "C(xl migrate) had ended."}
    destination_journal_admitted: {type: int, description: "The sender was admitted. As a rule negative."}
    destination_journal_domain_authorised: {type: int, description: "The stream was seen to be of this domain."}
    destination_stream_ended: {type: int, description: "The end of the stream had arrived."}
    destination_ready: {type: int, description: "C(xl) had the whole domain and asked for the permission."}
    destination_journal_ready: {type: int, description: "That C(xl) asked was written to the journal."}
    destination_journal_commit: {type: int, description: "The commit was on the destination's disk."}
    destination_named: {type: int, description: "The copy had the domain's own name."}
    destination_running: {type: int, description: "C(xl) reported that its copy runs."}
    destination_journal_running: {type: int, description: "That report was on the destination's disk."}
error:
  description: What went wrong first, or null.
  type: dict
  returned: always
  sample: null
  contains:
    code: {type: str, description: Stable name of the error., sample: link_expired}
    side: {type: str, description: "V(sender) or V(receiver), when the session told it."}
    host: {type: str, description: "The host on which it happened, or null.", sample: xen2}
    msg: {type: str, description: "The cause, with its host.", sample: "xen1: the link has been down for 30 s"}
    remedy: {type: str, description: What to do about it.}
    details: {type: dict, description: More about it for programs. Its keys depend on the code.}
packing:
  {type: dict, returned: always, description: "How the stream was packed: bytes of it by way of packing (C(by)), bytes
      sent (C(way_bytes)), the network's MB/s, and what each way leaves and would move a second. Null if not told."}
findings:
  {type: list, elements: dict, returned: always, description: "O(findings), empty when this run only watched."}
belongings:
  {type: dict, returned: always, description: "Files that went along, by side, as in M(dom0.xen.migration_info)."}
path:
  description:
    - What has carried the bytes, for C(source) and C(destination), each null where it has not told. For V(ssh) it is
      about the connection to sshd; within one host C(interface) is C(lo).
  type: dict
  returned: always
  sample:
    source:
      planned_interface: eth1
      connections: [{local: 10.20.0.1, peer: 10.20.0.2, interface: eth1, count: 1}]
      bytes: 167925074
      counters: {eth1: {rx_bytes: 812345, tx_bytes: 176143201}}
      shown: true
    destination: null
  contains:
    planned_interface: {type: str, description: "The interface that the plan named, or null."}
    connections: {type: list, elements: dict, description: "Addresses of both ends, this one's interface, how many."}
    bytes: {type: int, description: "What the link has carried: used there for the source, received there."}
    counters: {type: dict, description: "What these interfaces, and others that carried as much, counted, or null."}
    shown: {type: bool, description: "Whether those of the connections have counted as much as C(bytes), or null."}
liveness: {type: dict, returned: always, description: "Whether it was seen alive, as in M(dom0.xen.migration_info)."}
differences: {type: list, elements: dict, returned: always, description: "What is not as it was, as there, or null."}
monitor: {type: str, returned: always, sample: kept, description: "Whether C(xl) handles its end, as there, or null."}
remarks:
  {type: list, elements: dict, returned: always, description: "What a person should know about the domain,
      each with C(code), C(host), C(msg) and C(remedy). They are told as warnings."}
after_tasks:
  {type: str, returned: always, sample: null, description: "V(caught_up) where this run has run the tasks after the move
      that an earlier one still owed, V(owed) where they still are, else null."}
mapped: {type: list, elements: dict, returned: always, description: "What the destination calls by another name."}
leave_paused:
  {type: bool, returned: always, description: "Whether the domain was to be left paused at the destination."}
keep_domid: {type: int, returned: always, description: "The number (domid) that it was to keep, V(0) for any."}
config_path: {type: str, returned: always, description: "The source's file it is made of or described by, or null."}
domid: {type: int, returned: always, description: "The number that it has at the destination, or null."}
xl_stderr:
  description: The last lines of C(xl migrate) on the source, and of C(xl migrate-receive) on the destination.
  type: dict
  returned: always
  sample: {source: [Migration successful.], destination: ["migration target: Domain started successsfully."]}
msg:
  description: One sentence about the move when it succeeded, else the first error and where the domain is now.
  type: str
  returned: always
  sample: centos is on xen2 (160 MiB, 34 s in all, stood still for 3.7 s). It runs on xen2, and nothing is left on xen1.
code:
  description: Stable name of the first error, V(moved_not_alive) for a domain that is not, or else RV(end_state).
  type: str
  returned: failure
  sample: running_nowhere
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import VERDICT


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=VERDICT, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.migration_verdict does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
