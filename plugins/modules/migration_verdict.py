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
  - Judges from what M(dom0.xen.migration_info) has seen on both hosts, by UUID, which host owns the domain. Exit
    codes and the words
    of the session decide nothing.
  - Fails unless the domain runs at the destination, and only there, under its own name.
  - Gives the figures of the session, and the last lines that both C(xl) have written.
options:
  domain:
    description:
      - The domain.
    type: dict
    required: true
    suboptions:
      uuid:
        description:
          - Its UUID.
        type: str
        required: true
      name:
        description:
          - Its name.
        type: str
        required: true
  source:
    description:
      - Name of the source. Empty when the domain was found at the destination and nobody knows where it came from.
    type: str
    default: ""
  destination:
    description:
      - Name of the destination.
    type: str
    required: true
  source_info:
    description:
      - What M(dom0.xen.migration_info) returned for the source. Without C(copies) the host counts as unreachable.
    type: dict
    default: {}
  destination_info:
    description:
      - What M(dom0.xen.migration_info) returned for the destination. Without C(copies) the host counts as
        unreachable.
    type: dict
    default: {}
  status:
    description:
      - The last status of the sender, as M(dom0.xen.migration_watch) returned it.
    type: dict
    default: {}
  ending:
    description:
      - Why the watch ended, as M(dom0.xen.migration_watch) returned it. When the session's last word was not heard,
        that is the
        error to be told.
    type: str
    default: ""
  same_host:
    description:
      - Whether source and destination are one host.
    type: bool
    default: false
  error:
    description:
      - The result of a task that has failed before. The verdict then fails with it, and adds where the domain is.
    type: dict
    default: {}
  error_host:
    description:
      - The host of that task, when the result does not name it.
    type: str
    default: ""
  result_path:
    description:
      - File on the controller to which the result is written, as JSON. Empty for none.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state.
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
  description: The host whose copy counts, one of V(source), V(destination), V(unsettled).
  type: str
  returned: always
  sample: destination
end_state:
  description:
    - How the move ended, one of V(moved), V(stayed), V(running_twice), V(running_nowhere), V(unreachable),
      V(unsettled).
  type: str
  returned: always
  sample: moved
reason:
  description: What was seen, for people.
  type: str
  returned: always
  sample: It runs on xen2, and nothing is left on xen1.
settled:
  description: Whether nothing is left for a human or for the next run.
  type: bool
  returned: always
  sample: true
domain:
  description: The domain.
  type: dict
  returned: always
  sample: {uuid: 1c2d3e4f-0000-4000-8000-00000000002a, name: centos}
source:
  description: Name of the source, or null.
  type: str
  returned: always
  sample: xen1
destination:
  description: Name of the destination.
  type: str
  returned: always
  sample: xen2
format:
  description: Version of this result. A higher one may mean something else by the same key.
  type: int
  returned: always
  sample: 1
session:
  description: Identity of the session, or null.
  type: str
  returned: always
  sample: 0123456789abcdef
method:
  description: How the domain was moved, or null.
  type: str
  returned: always
  sample: live
transport:
  description: How its state travelled, or null.
  type: str
  returned: always
  sample: tls
bytes:
  description: Bytes of the stream, or null.
  type: int
  returned: always
  sample: 145752064
rounds:
  description: The rounds of pre-copy and the last one, in which the guest stood still.
  type: list
  elements: dict
  returned: always
  sample:
    - number: 0
      kind: live
      entries: 32768
      pages: 32768
      bytes: 134479872
      started_ms: 0
      duration_ms: 6200
      dirty_pages_per_s: 120.5
total_ms:
  description: Milliseconds from the start of C(xl migrate) to its end, or null.
  type: int
  returned: always
  sample: 26412
stop_ms:
  description: Milliseconds for which the guest stood still, or null.
  type: int
  returned: always
  sample: 4580
stop_measured:
  description:
    - Between which two moments RV(stop_ms) was measured, V(source_suspended_to_destination_running) by watches on
      the XenStore of
      both hosts, V(source_suspended_to_report) by the source alone, or null.
  type: str
  returned: always
  sample: source_suspended_to_destination_running
peak_memory_kib:
  description: The most memory that sender and receiver have used, in KiB, or null.
  type: dict
  returned: always
  sample: {source: 31500, destination: 30800}
timeline:
  description: Moments in milliseconds since C(xl migrate) was started, or null.
  type: dict
  returned: always
  sample: {source_suspended: 21800, destination_running: 26380}
error:
  description: What went wrong first, or null.
  type: dict
  returned: always
  sample: null
  contains:
    code:
      description: Stable name of the error.
      type: str
      sample: link_expired
    host:
      description: The host on which it happened.
      type: str
      sample: xen2
    msg:
      description: The cause, for people, with the host before it.
      type: str
      sample: "xen1: the link to the destination has been down for 30 s"
    remedy:
      description: What to do about it.
      type: str
      sample: See that the hosts reach each other, and start the migration again.
xl_stderr:
  description: The last lines that C(xl) has written on each side.
  type: dict
  returned: always
  sample:
    source: ["xl: Migration successful."]
    destination: []
  contains:
    source:
      description: Lines of C(xl migrate).
      type: list
      elements: str
      sample: []
    destination:
      description: Lines of C(xl migrate-receive).
      type: list
      elements: str
      sample: []
code:
  description: Stable name of the error.
  type: str
  returned: failure
  sample: running_nowhere
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._action_specs import VERDICT


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=VERDICT, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.migration_verdict does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
