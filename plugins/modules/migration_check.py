#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_check
short_description: Check whether a domain can be moved, and decide what to do
version_added: 0.1.0
description:
  - Looks at the facts of both hosts and of the domain, and fails with everything that speaks against the move, each
    finding with its host and its remedy. A host that did not answer is one of the findings.
  - Decides between three actions. A move that is under way already is to be watched, a domain that is at the
    destination already is left alone, everything else is to be migrated.
  - Nothing is changed and no host is asked.
options:
  domain: {type: str, required: true, description: Name or UUID of the domain.}
  source:
    description:
      - Name of the source in the inventory. Empty when no host but, at most, the destination has the domain.
    type: str
    default: ""
  destination:
    description:
      - Name of the destination in the inventory.
    type: str
    required: true
  source_info:
    description: What M(dom0.xen.host_info) returned for the source, also when it failed or the host was unreachable.
    type: dict
    default: {}
  destination_info:
    description: The same for the destination.
    type: dict
    default: {}
  domain_info:
    description: What M(dom0.xen.domain_info) returned for the domain on the source.
    type: dict
    default: {}
  inventory:
    description:
      - Names of all dom0s in the inventory. A host that is not among them is refused.
    type: list
    elements: str
    required: true
  destination_address:
    description:
      - Address or name at which the source reaches the destination, where no O(network) is asked for.
    type: str
    required: true
  listen_address:
    description:
      - Address that the receiver is to listen on.
      - When it is empty, O(destination_address) if that is an address of the destination, else every address of its
        kind. With O(network) it is the address there, and another one is refused.
    type: str
    default: ""
  source_journal_path:
    {type: path, default: /var/lib/dom0-xen, description: Folder for the journals on the source.}
  destination_journal_path:
    {type: path, default: /var/lib/dom0-xen, description: Folder for the journals on the destination.}
  allow_same_host: {type: bool, default: false, description: Whether source and destination may be one host.}
  method:
    description:
      - How the domain is to be moved. V(live) sends its memory while it runs, and suspends it for the last of it.
        V(suspend) suspends it for the whole of the transfer.
      - V(cold) shuts it down, and starts it at the destination from its configuration file.
      - V(auto) is V(live), but V(suspend) for a PV domain on a Xen without shadow paging, and V(cold) where its memory
        cannot be sent and O(allow_cold) is set.
    type: str
    choices: [auto, live, suspend, cold]
    default: auto
  transport:
    description:
      - How the bytes travel. V(tls) encrypts everything. With V(tcp) both ends prove themselves under TLS, and what
        follows is neither encrypted nor protected against changes; it is refused without O(allow_plain). With V(ssh)
        TLS goes through the destination's sshd, which takes paramiko on the source.
    type: str
    choices: [tls, ssh, tcp]
    default: tls
    version_added: 0.1.0
  allow_plain:
    description:
      - Whether O(transport=tcp) is meant, which lets everybody on the way read and change the memory of the domain.
    type: bool
    default: false
    version_added: 0.1.0
  allow_cold: {type: bool, default: false, description: "Whether V(auto) of O(method) may be V(cold), as the last way."}
  config_path: {type: str, default: "", description: "As given to M(dom0.xen.domain_info)."}
  memory_reserve_mib:
    description:
      - MiB of memory that must stay free at the destination.
    type: int
    default: 0
  dom0_memory_min_mib:
    description:
      - MiB of memory that dom0 at the destination must keep, where C(xl) may shrink it to make room (autoballoon).
    type: int
    default: 512
  follow_config:
    {type: bool, default: true, description: "Whether the domain's configuration file goes with it."}
  waive:
    description:
      - Codes of findings that are not to refuse the move, as a list or as a text with commas between them. Somebody
        takes each of them upon himself; there is none for all of them.
      - A finding that is waived is told as a warning, and keeps its place in RV(findings).
      - A code that no finding has, and one that must not be waived, refuse the move. The collection's guide to the
        check lists all of them.
    type: raw
    default: []
  leave_paused:
    {type: bool, default: false, description: Whether one that is paused there has arrived.}
  result_path:
    description:
      - File on the controller to which a refusal is written, as JSON with RV(findings). Empty for none.
      - That of an earlier run is removed first. Nothing is removed or written in check mode.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    details:
      - In check mode C(changed) tells whether a migration would begin.
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
  - dom0.xen._arrival.names
  - dom0.xen._path.network
seealso:
  - module: dom0.xen.host_info
  - module: dom0.xen.domain_info
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Check the move
  dom0.xen.migration_check:
    domain: centos
    source: xen1
    destination: xen2
    source_info: "{{ source_facts }}"
    destination_info: "{{ destination_facts }}"
    domain_info: "{{ domain_facts }}"
    inventory: "{{ groups['dom0'] }}"
    destination_address: 192.0.2.12
  register: check
"""

RETURN = r"""
action:
  description:
    - What to do, one of V(migrate), V(adopt) for a session from this source to this destination that is under way,
      V(already_there).
    - V(refuse) on failure.
  type: str
  returned: always
  sample: migrate
findings:
  description:
    - Everything that was found. Those with the severity V(error) forbid a migration; V(warning) do not, and V(waived)
      do not because of O(waive).
  type: list
  elements: dict
  returned: unless the file for the result cannot be written
  sample:
    - code: bridge_missing
      severity: error
      host: xen2
      message: "network card 0 of centos is on the bridge 'xenbr1', which xen2 does not have; its bridges are: xenbr0."
      remedy: Make the bridge 'xenbr1' on xen2, or put the card on another one on xen1 first.
      details: {bridge: xenbr1, bridges: [xenbr0]}
  contains:
    code: {type: str, description: Stable name of the finding.}
    severity: {type: str, description: "V(error), V(warning) or V(waived)."}
    host: {type: str, description: The host that it is about.}
    message: {type: str, description: "What was found, for people."}
    remedy: {type: str, description: "What to do about it, for people."}
    details: {type: dict, description: The same in values for programs. Its keys depend on the code.}
accepted:
  description: Those of RV(findings) that a migration begins with. Empty unless RV(action) is V(migrate).
  type: list
  elements: dict
  returned: unless the file for the result cannot be written
  sample: []
plan:
  description:
    - What would be done, memory in KiB. Null when it is not known which domain is meant.
    - C(method) is V(live), V(suspend) or V(cold), C(method_reason) why.
    - C(config_path) is the file that it is made from (V(cold)), or described by there, C(config_digest) its SHA-256
      where it is that of O(config_path). Empty for none.
    - C(autostart) names the files on the source that would make a second copy of the domain at its next boot.
    - C(mapped) tells what of the domain the destination calls by another name, C(leave_paused) that it is not started
      there, C(keep_domid) the number that it keeps there, or V(0).
    - C(path) is the way of the bytes. C(network) is the one of O(network), or empty; C(source) and C(destination) have
      C(address), empty where the host chooses it by its routes, and C(interface), null where that is not known.
  type: dict
  returned: unless the file for the result cannot be written
  sample:
    already_there: false
    source: xen1
    destination: xen2
    same_host: false
    method: live
    method_reason: nothing speaks against it
    transport: tls
    domain: {uuid: 1c2d3e4f-0000-4000-8000-00000000002a, name: centos, domid: 3, type: pvh, memory_max_kib: 131072}
    memory_needed_kib: 141312
    memory_free_kib: 900000
    balloon_kib: 0
    addresses: []
    autostart: [/etc/xen/auto/centos.cfg]
    mapped: [{what: bridge, from: xenbr0, to: xenbr1}]
    leave_paused: false
    keep_domid: 0
    path:
      network: 192.0.2.0/24
      source: {address: 192.0.2.11, interface: xenbr1}
      destination: {address: 192.0.2.12, interface: xenbr1}
session:
  description:
    - The session to begin with V(migrate), to watch with V(adopt), the last one that is known with V(already_there),
      or null.
  type: dict
  returned: success
  sample:
    session: 0123456789abcdef
    status_path: /run/dom0-xen/0123456789abcdef.sender/status.json
    result_path: /var/lib/dom0-xen/0123456789abcdef.sender/result.json
    pid: 4242
domain:
  description: The domain, memory in KiB.
  type: dict
  returned: success
  sample: {uuid: 1c2d3e4f-0000-4000-8000-00000000002a, name: centos, memory_kib: 131072, memory_max_kib: 131072}
source:
  description:
    - The source, its folders, the copies of the domain that were seen there, and the address to connect from, or empty.
  type: dict
  returned: success
  sample:
    {name: xen1, runtime_path: /run/dom0-xen, journal_path: /var/lib/dom0-xen, copies: [], address: 192.0.2.11}
destination:
  description:
    - The destination, its folders and addresses, and the copies of the domain that were seen there.
    - C(cpu_policy) is the most that Xen there shows a domain of this type, to compare the guest's with, or empty;
      C(features) are in its place those of its processor, empty for none.
  type: dict
  returned: success
  sample:
    name: xen2
    runtime_path: /run/dom0-xen
    journal_path: /var/lib/dom0-xen
    copies: []
    address: 192.0.2.12
    listen_address: 192.0.2.12
    features: 078bfbfd:80802001:2193fbff:00000005:00000000:00000000:00000000:00000100
    cpu_policy: {}
same_host: {type: bool, returned: success, sample: false, description: Whether both hosts are one machine.}
msg:
  description: One sentence for people on success, all findings on failure.
  type: str
  returned: always
  sample: centos can be moved from xen1 to xen2 (live, over TLS from 192.0.2.11 on xenbr1 to 192.0.2.12 on xenbr1).
code:
  description:
    - That of the first of RV(findings) with the severity V(error), or V(refused) when there is none.
    - V(result_not_written) when O(result_path) cannot be written.
  type: str
  returned: failure
  sample: bridge_missing
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import CHECK


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=CHECK, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.migration_check does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
