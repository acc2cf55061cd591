#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_report
short_description: Write the report of a run over many moves
version_added: 0.1.0
description:
  - Makes one HTML page on the controller, and the same as JSON, of what the moves of a run have left. The page needs
    nothing else and has no script, so that it can be kept with a change ticket and read without a network.
  - It tells what was moved when, from where to where, how, how long each domain stood still, where it was seen
    afterwards, what was refused and why, what the plan found in the way, and the memory of the hosts before and after.
  - Each attempt to move a domain is one row. What was planned and has left no result is a row, too.
  - The charts are drawn by matplotlib. Where that is missing on the controller the report has none, and says so
    (RV(charts_missing)).
  - Times of moves are those of the source's clock, put right by how far it was off when M(dom0.xen.host_info) asked.
options:
  path:
    description:
      - File on the controller for the page. The JSON is written beside it, with C(.json) in place of C(.html).
      - The folder is made. Each file is replaced in one step, and everybody may read it.
    type: str
    required: true
  state:
    description:
      - With V(tried) nothing is written; the task fails where O(path) could not be. Use it before the first move.
    type: str
    choices: [present, tried]
    default: present
  title:
    {type: str, default: Moves of Xen domains, description: Heading of the page.}
  selected:
    description: What the caller had selected, for the heading, such as C(hosts) and C(domains), each a text or a list.
    type: dict
    default: {}
  by:
    description:
      - Who has started the run. When it is empty, the user and the job in AWX, else the controller's user and name.
    type: str
    default: ""
  reference:
    {type: str, default: "", description: "What the run belongs to, such as the number of a change ticket."}
  began_s:
    description:
      - When the run began, in seconds since 1970. Without it, when the first host of O(hosts_before) was asked, else
        when the first move began.
    type: float
  ended_s:
    {type: float, description: "When the run ended, in seconds since 1970. Without it, now."}
  planned:
    description:
      - The moves that were planned, each as one of RV(dom0.xen.migration_plan#module:moves), with C(domain), C(uuid),
        C(source), C(destination) and C(host).
      - C(host) is the host that stands for the move in this run. What the role P(dom0.xen.migrate#role) has left there,
        its result or what the check refused, is taken from there, and need not be in O(results) or O(refused).
    type: list
    elements: dict
    default: []
  results:
    description:
      - What each move has left, as M(dom0.xen.migration_verdict) returned it (the role's C(migrate_result)), or what
        C(migrate_result_path) was written with. Empty ones are passed over.
      - C(adopted) may be added to one that an earlier run had begun. Otherwise that is told by its times.
    type: list
    elements: dict
    default: []
  refused:
    description:
      - The moves that were refused. Each is named as in O(planned); it has what M(dom0.xen.migration_check) returned
        as C(check), or by itself C(findings), or C(code), C(msg) and C(remedy). Checks that refused nothing are
        passed over.
      - C(treatment) says what was done with the domain, such as V(skip).
    type: list
    elements: dict
    default: []
  outcomes:
    description:
      - What moves have left by the C(host) that stands for each, where one list has all of it. A value is as in
        O(results), or the result of the task that failed, such as that of M(dom0.xen.migration_check).
    type: dict
    default: {}
  rounds:
    description:
      - For a run of several rounds, in each of which a domain that is tried again is called the same. Each has
        C(planned) and C(outcomes), as O(planned) and O(outcomes).
    type: list
    elements: dict
    default: []
  blockers:
    description:
      - What the plan found in the way, each with C(code), C(host), C(domain) (or C(name)), C(message) (or C(why)),
        C(remedy), and C(reasons) with C(host) and C(message) of each other host.
    type: list
    elements: dict
    default: []
  hosts_before:
    description: What M(dom0.xen.host_info) returned before the first move, by the name of the host, also failures.
    type: dict
    default: {}
  hosts_after:
    {type: dict, default: {}, description: The same after the last move.}
  charts:
    description: Whether charts are drawn.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    details:
      - No file is written.
  diff_mode:
    support: N/A
    details: This action does not modify state.
  idempotent:
    support: full
    details: A report is no state of anything; it is never a change.
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
requirements:
  - matplotlib >= 3.9 on the controller, for charts
seealso:
  - module: dom0.xen.migration_verdict
  - module: dom0.xen.host_info
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: See that the report can be written, before anything is moved
  dom0.xen.fleet_report:
    path: /var/tmp/evacuation.html
    state: tried

# In a play on localhost, after the moves. What each has left is taken from the host that stands for it.
- name: Write the report
  dom0.xen.fleet_report:
    path: /var/tmp/evacuation.html
    title: Emptying of xen1
    reference: CHG-4711
    selected:
      hosts: [xen1]
    planned: "{{ plan.moves }}"
    refused: "{{ plan.left_out }}"
    blockers: "{{ plan.blockers }}"
    hosts_before: "{{ dict(dom0s | zip(dom0s | map('extract', hostvars, 'dom0_xen_host_info'))) }}"
    hosts_after: "{{ dict(dom0s | zip(dom0s | map('extract', hostvars, 'dom0_xen_host_info_after'))) }}"
  vars:
    dom0s: "{{ groups['dom0'] }}"

- name: Write a report of rounds of moves whose outcomes were kept by the hosts that stood for them
  dom0.xen.fleet_report:
    path: /var/tmp/evacuation.html
    planned: "{{ plan.moves }}"
    outcomes: "{{ kept | combine }}"
  vars:
    kept: "{{ groups['dom0_moves'] | map('extract', hostvars, 'dom0_move_results') }}"

- name: Write a report of moves whose results are in files
  dom0.xen.fleet_report:
    path: /var/tmp/moves.html
    results: "{{ query('ansible.builtin.file', *files) | map('from_json') }}"
  vars:
    files: "{{ query('ansible.builtin.fileglob', '/var/tmp/moves/*.json') }}"
"""

RETURN = r"""
summary:
  description: The outcome for people in one line.
  type: str
  returned: when O(state=present)
  sample: "30 moves: 29 moved, 1 refused. 1 needs somebody to look at it."
totals:
  description:
    - Sums over the moves, as in the JSON. What an earlier run had already ended is in C(moves) and C(counts) only.
  type: dict
  returned: when O(state=present)
  contains:
    moves: {type: int, description: Number of moves.}
    counts:
      description:
        - Number of moves by outcome, V(moved), V(already_there), V(stayed), V(refused), V(uncertain), V(not_done).
      type: dict
      sample: {moved: 29, already_there: 0, stayed: 0, refused: 1, uncertain: 0, not_done: 0}
    adopted: {type: int, description: Moves that an earlier run had begun.}
    attention: {type: int, description: Moves that somebody must look at.}
    bytes: {type: int, description: Bytes of all streams.}
    total_ms: {type: int, description: "Milliseconds of all moves together, which may be longer than the run."}
    stop_ms: {type: int, description: "Milliseconds for which domains stood still, all together."}
    stop_longest_ms: {type: int, description: "The longest of these, or null."}
    stop_longest_name: {type: str, description: "The domain that it was, or null."}
html_path: {type: str, returned: always, description: The page., sample: /var/tmp/evacuation.html}
json_path: {type: str, returned: always, description: The JSON., sample: /var/tmp/evacuation.json}
charts: {type: bool, returned: when O(state=present), sample: true, description: Whether the page has charts.}
charts_missing:
  {type: str, returned: when O(state=present), sample: "", description: "Why it has none, and the remedy, or empty."}
msg:
  description: RV(summary), and where the report is.
  type: str
  returned: always
  sample: "1 move: 1 moved. Nothing is left to do. The report is in /var/tmp/a.html and /var/tmp/a.json."
code:
  {type: str, returned: failure, sample: result_not_written, description: Stable name of the error.}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_REPORT


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=FLEET_REPORT, supports_check_mode=True)
    module.fail_json(msg="The action plugin dom0.xen.fleet_report does the work; this module cannot be run by itself.")


if __name__ == "__main__":
    main()
