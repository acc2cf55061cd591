#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_send
short_description: Start the sender of one migration on the source
version_added: 0.1.0
description:
  - Starts a sender on the source dom0, which connects to the receiver and then runs C(xl migrate) with itself as the
    transport. Returns when the receiver has admitted it and C(xl) has been started.
  - The sender is detached from Ansible. The migration goes on, to its end and in accordance with the ownership rules,
    whatever happens to the controller. Its status file says how far it is, its result file how it ended.
  - The domain is paused only by C(xl) itself, for the last round. The permission to run the domain at the
    destination is held until it is on the disks of both hosts.
  - M(dom0.xen.migration_credentials) must have written the key of this session and role on the same host before.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._places
  - dom0.xen._arrival
  - dom0.xen._budget
  - dom0.xen._path
attributes:
  check_mode:
    support: none
    details:
      - There is nothing to predict; the checks of M(dom0.xen.migration_check) come before it.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - A session is started once; its credentials are used up by it.
  platform:
    support: full
    platforms: posix
options:
  session:
    description: Identity of the session, 16 hexadecimal digits, as M(dom0.xen.migration_credentials) returned it.
    type: str
    required: true
  uuid: {type: str, required: true, description: UUID of the domain to send. It becomes a domid at the last moment.}
  name: {type: str, required: true, description: Its name; compared with the configuration that C(xl) sends.}
  memory_kib: {type: int, required: true, description: "The domain's memory in KiB, from which progress is reckoned."}
  destination_address: {type: str, required: true, description: Address at which this host reaches the destination.}
  source_address:
    {type: str, default: "", description: "Address of this host to connect from. Empty: its routes choose one."}
  port: {type: int, required: true, description: TCP port that the receiver listens on.}
  peer_certificate:
    description: Certificate of the receiver in PEM, as M(dom0.xen.migration_credentials) returned it. It is not secret.
    type: str
    required: true
  connect_timeout: {type: int, default: 15, description: "How long to try to reach the receiver, in seconds."}
  peer_host:
    {type: str, default: "", description: "What the inventory calls the destination, for the record and who settles."}
  link_timeout:
    {type: int, default: 30, description: "Seconds without a connection while the guest runs, all together."}
  stop_link_timeout:
    description:
      - The same from the request to suspend on, while the guest stands still, in seconds. They add up until something
        moves, whatever connections come. With O(method=cold) O(link_timeout) holds.
      - Once the permission was asked for, no time limit ends a session.
    type: int
    default: 10
  ready_timeout:
    description:
      - Seconds with a connection in which nothing moves while the guest stands still, from the last byte or step; with
        O(method=cold) longer by the time that it has to shut down. Then the migration is given up, and a C(xl) that
        does not end within as long is killed. Once the permission was asked for, the session only says that it is late.
    type: int
    default: 180
  stall_timeout: {type: int, default: 14400, description: "The same while the guest runs, in seconds."}
  gate:
    description:
      - Who decides at the gate, when the domain stands still here and is complete at the destination.
      - V(engine) lets sender and receiver decide, within milliseconds.
      - V(controller) waits for M(dom0.xen.migration_gate).
    type: str
    choices: [engine, controller]
    default: engine
  gate_timeout:
    description: Seconds from when the permission is held, with O(gate=controller). Then the migration is given up.
    type: int
    default: 120
  method:
    description:
      - V(live) starts C(xl migrate), which sends the memory while the domain runs. V(suspend) starts C(xl save -p) when
        the destination has made its domain; the domain stands still from then on, and is paused here until it runs
        there.
      - V(cold) shuts the guest down when the destination is prepared, and makes the domain there from the file
        O(config_path). Where that fails it is started here again, from the same file.
    type: str
    choices: [live, suspend, cold]
    default: live
  destination_features:
    description:
      - Features of the destination's processor, as C(hw_caps) of C(xl info) there, which M(dom0.xen.migration_check)
        returns. A domain whose guest was shown others is not sent, as the stream says before any memory, while the
        domain runs. When it is empty, nothing is compared.
    type: str
    default: ""
  destination_cpu_policy:
    description:
      - The most that Xen there shows a domain of this type, as M(dom0.xen.migration_check) returns it, to compare with
        in place of O(destination_features). When it is empty, nothing is compared.
    type: dict
    default: {}
  config_path:
    description:
      - The domain's configuration file, needed for O(method=cold). Otherwise the one that describes the domain at the
        destination in place of its own configuration (C(xl migrate -C)), if it is not empty.
    type: str
    default: ""
  config_digest:
    {type: str, default: "", description: "SHA-256 that O(config_path) must have, if not empty."}
  shutdown_timeout: {type: int, default: 300, description: "Seconds for the guest to shut down, for O(method=cold)."}
  compression:
    description:
      - How the stream is packed for the way. V(none) sends it as it is; V(zeros) leaves runs of zeros out; V(zstd1),
        V(zstd3) and V(zstd6) are levels of zstd, for which both hosts need python3-zstandard, else it is V(zeros).
      - V(auto) takes what moves most of the stream in a second, by what each costs and what the network carries.
    type: str
    choices: [auto, none, zeros, zstd1, zstd3, zstd6]
    default: auto
  rate_limit:
    description: The most of the network that may be used while the guest runs, in Mbit/s; V(0) for no limit.
    type: float
    default: 0.0
  progress_interval:
    description:
      - How often whoever watches the session is called to look at it, in seconds, at least 1. On a move longer than 20
        intervals it is 5 % of the time gone by, at most 60 seconds. Nobody is called while the guest stands still.
    type: float
    default: 5.0
  transport:
    description:
      - How the bytes travel; both sides of a session need the same. V(tls) encrypts everything. With V(tcp) both ends
        prove themselves under TLS, and what follows is neither encrypted nor protected against changes. With V(ssh)
        TLS goes through the destination's sshd, which takes paramiko on this host.
    type: str
    choices: [tls, ssh, tcp]
    default: tls
  ssh_user:
    {type: str, default: root, version_added: 0.1.0, description: "Account there to come as, with O(transport=ssh)."}
  ssh_port:
    {type: int, default: 22, version_added: 0.1.0, description: "TCP port of its sshd, with O(transport=ssh)."}
  ssh_host_keys:
    description:
      - The host keys that the destination's sshd may show, as M(dom0.xen.migration_receive) returned them. With
        O(transport=ssh) nothing is sent to one that shows another.
    type: list
    elements: str
    default: []
  follow_config:
    description:
      - Whether the domain's configuration file and what starts it at boot go with it. The file is sent while the domain
        runs. It gets another name here (with C(.moved-SESSION) behind) once the destination is known to run the domain.
    type: bool
    default: true
  liveness:
    description:
      - Whether the destination is told what it needs to look after the move whether the domain is alive, and what has
        changed about it. It is that of M(dom0.xen.migration_receive).
    type: bool
    default: true
seealso:
  - module: dom0.xen.migration_receive
  - module: dom0.xen.migration_info
"""

EXAMPLES = r"""
- name: Suspend the guest and stream its state
  dom0.xen.migration_send:
    session: "{{ credentials.session }}"
    uuid: 1c2d3e4f-0000-4000-8000-00000000002a
    name: centos
    memory_kib: 131072
    destination_address: "{{ receiver.address }}"
    port: "{{ receiver.port }}"
    peer_certificate: "{{ receiver_credentials.certificate }}"
  delegate_to: xen1
  register: sender
"""

RETURN = r"""
admitted: {description: "Whether the receiver has admitted the sender.", returned: success, type: bool, sample: true}
domid: {description: "The domain's domid on the source.", returned: success, type: int, sample: 7}
status_path:
  description: File that says how far the migration is, while it runs. M(dom0.xen.migration_info) describes its keys.
  returned: success
  type: str
  sample: /run/dom0-xen/0123456789abcdef.sender/status.json
result_path:
  description: File that says how the session ended, once it has. It has the same keys.
  returned: success
  type: str
  sample: /var/lib/dom0-xen/0123456789abcdef.sender/result.json
pid: {description: "Process of the sender.", returned: success, type: int, sample: 1234}
code: {description: Stable name of the error., returned: failure, type: str, sample: port_unreachable}
remedy:
  description: What to do about the error.
  returned: failure
  type: str
  sample: Open the port range from the source dom0 to the destination dom0.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import AUTO, WAYS
from ansible_collections.dom0.xen.plugins.module_utils._session.launch import launch, prepare
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.addresses import numeric
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import ARRIVAL, BUDGET, PATH, PLACES
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import find_binary
from ansible_collections.dom0.xen.plugins.module_utils._transports import TLS, TRANSPORTS

STARTING_S = 60.0
BYTES_PER_MBIT = 125_000
# Options that are settings of the sender under the same name.
AS_THEY_ARE = (
    *("session", "name", "peer_certificate", "link_timeout", "peer_host", "port", "connect_timeout"),
    *("stop_link_timeout", "memory_kib", "gate_timeout", "method", "destination_features", "destination_cpu_policy"),
    *("transport", "ssh_user", "ssh_port", "ssh_host_keys", "follow_config", "liveness", "config_path"),
    *("config_digest", "mapped", "leave_paused", "keep_domid", "ready_timeout", "stall_timeout", "source_address"),
    *("planned_interface", "compression", *BUDGET, "after_tasks"),
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **PLACES,
            "session": {"type": "str", "required": True},
            "uuid": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "memory_kib": {"type": "int", "required": True},
            "destination_address": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "peer_certificate": {"type": "str", "required": True},
            "connect_timeout": {"type": "int", "default": 15},
            "peer_host": {"type": "str", "default": ""},
            "link_timeout": {"type": "int", "default": 30},
            "stop_link_timeout": {"type": "int", "default": 10},
            "ready_timeout": {"type": "int", "default": 180},
            "stall_timeout": {"type": "int", "default": 14400},
            "gate": {"type": "str", "choices": ["engine", "controller"], "default": "engine"},
            "gate_timeout": {"type": "int", "default": 120},
            "method": {"type": "str", "choices": ["live", "suspend", "cold"], "default": "live"},
            "config_path": {"type": "str", "default": ""},
            "config_digest": {"type": "str", "default": ""},
            "shutdown_timeout": {"type": "int", "default": 300},
            "destination_features": {"type": "str", "default": ""},
            "destination_cpu_policy": {"type": "dict", "default": {}},
            "progress_interval": {"type": "float", "default": 5.0},
            "transport": {"type": "str", "choices": list(TRANSPORTS), "default": TLS},
            "ssh_user": {"type": "str", "default": "root"},
            "ssh_port": {"type": "int", "default": 22},
            "ssh_host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "follow_config": {"type": "bool", "default": True},
            "liveness": {"type": "bool", "default": True},
            "compression": {"type": "str", "choices": [AUTO, *WAYS], "default": AUTO},
            "rate_limit": {"type": "float", "default": 0.0},
            "source_address": {"type": "str", "default": ""},
            **ARRIVAL,
            **BUDGET,
            **PATH,
        },
    )
    params = module.params
    try:
        places = prepare(params["runtime_path"], params["journal_path"], params["session"], "sender")
        settings = SenderSettings(
            uuid=params["uuid"].lower(),
            runtime_folder=places.runtime,
            journal_folder=places.journal,
            xl=find_binary("xl"),
            destination_address=numeric(params["destination_address"]),
            gate_held=params["gate"] == "controller",
            progress_interval=max(1.0, params["progress_interval"]),
            shutdown_timeout=float(params["shutdown_timeout"]),
            rate_limit=params["rate_limit"] * BYTES_PER_MBIT,
            **{name: params[name] for name in AS_THEY_ARE},
        )
        answer = launch(places, "sender", settings, params["connect_timeout"] + STARTING_S)
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    module.log("dom0.xen {}: sender of {} was admitted".format(params["session"], params["name"]))
    module.exit_json(changed=True, status_path=places.status_path, result_path=places.result_path, **answer)


if __name__ == "__main__":
    main()
