#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_receive
short_description: Start the receiver of one migration on the destination
version_added: 0.1.0
description:
  - Starts C(xl migrate-receive) on the destination dom0 under a receiver that belongs to this session only, and returns
    when the banner of C(xl) was verified and the receiver listens.
  - The receiver is detached from Ansible. It ends by itself, with no copy of the domain left behind, when no sender
    comes within O(admission_timeout), or when the migration fails before the permission to run the domain was given.
  - It accepts one peer, which must show O(peer_certificate), and one domain, which must have O(uuid), O(name) and at
    most O(memory_max_kib). Nothing reaches C(xl) before that was compared.
  - M(dom0.xen.migration_credentials) must have written the key of this session and role on the same host before.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._places
  - dom0.xen._arrival
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
  uuid: {type: str, required: true, description: UUID of the domain that may be received.}
  name: {type: str, required: true, description: Name of the domain that may be received.}
  memory_max_kib: {type: int, required: true, description: "The most memory it may be configured with, in KiB."}
  allow_closed:
    description:
      - Whether it begins though its host is closed to arrivals (M(dom0.xen.host_arrivals)), as where that was waived,
        or where the domain is on that host already. Otherwise it does not, even if the host was open when it was asked
        before.
    type: bool
    default: false
  listen_address:
    description: Address to listen on, IPv4 or IPv6. It should be the address of the migration network.
    type: str
    required: true
  port_range:
    description: First and last TCP port to try, with a dash between them; the first free one is taken.
    type: str
    default: 49152-49215
  peer_certificate:
    description: Certificate of the sender in PEM, as M(dom0.xen.migration_credentials) returned it. It is not secret.
    type: str
    required: true
  admission_timeout: {type: int, default: 120, description: "How long to wait for the sender, in seconds."}
  banner_timeout:
    description: How long C(xl migrate-receive) may take to say its banner, in seconds.
    type: int
    default: 60
  peer_host:
    description:
      - What the inventory calls the source. It is put on record, so that whoever settles an interrupted session
        finds the other host.
    type: str
    default: ""
  link_timeout:
    description: Seconds without a connection, all together until something comes, before the migration is given up.
    type: int
    default: 30
  transport:
    description:
      - How the bytes travel; both sides of a session need the same. V(tls) encrypts everything. With V(tcp) both ends
        prove themselves under TLS, and what follows is neither encrypted nor protected against changes. With V(ssh) the
        receiver listens on the loopback address only, and TLS comes through the host's sshd.
    type: str
    choices: [tls, ssh, tcp]
    default: tls
    version_added: 0.1.0
  ssh_user:
    description:
      - Account that the sender comes as, with O(transport=ssh). A line in its C(authorized_keys) lets the session's key
        come to the receiver's port and to no other, for as long as the receiver runs. It may also listen on Unix
        sockets where the account may write, unless sshd has C(AllowStreamLocalForwarding no); better not as root.
    type: str
    default: root
    version_added: 0.1.0
  ssh_public_key:
    description:
      - The sender's key for sshd, as M(dom0.xen.migration_credentials) returned it. Needed with O(transport=ssh).
    type: str
    default: ""
    version_added: 0.1.0
  sshd_config:
    description:
      - Configuration of the sshd that the sender comes through, when it is not that of the distribution. It is asked
        where the account's C(authorized_keys) and its host keys are.
    type: str
    default: ""
    version_added: 0.1.0
  follow_config:
    description:
      - Whether the configuration file that comes with the domain is put into C(/etc/xen), and what starts it at boot
        into the folder for that, once the domain runs here. Nothing that is there is written over. A file whose name is
        taken gets C(.dom0-xen-SESSION) behind it.
    type: bool
    default: true
  liveness:
    description:
      - Whether the receiver looks, after the move, whether the domain is alive, and what has changed about it.
    type: bool
    default: true
  liveness_address:
    description:
      - What must answer this dom0 for the domain to count as alive, a TCP connection for C(ADDRESS:PORT) (for IPv6
        C([ADDRESS]:PORT)), else one C(ping). Each try has a second. Empty for nothing.
    type: str
    default: ""
  liveness_timeout: {type: int, default: 15, description: "How long to look for signs of life, in seconds."}
  method:
    description:
      - How the domain comes, as for M(dom0.xen.migration_send). With V(cold) its configuration file comes, from which
        it is made.
    type: str
    choices: [live, suspend, cold]
    default: live
seealso:
  - module: dom0.xen.migration_send
"""

EXAMPLES = r"""
- name: Start the receiver and verify its banner
  dom0.xen.migration_receive:
    session: "{{ credentials.session }}"
    uuid: 1c2d3e4f-0000-4000-8000-00000000002a
    name: centos
    memory_max_kib: 131072
    listen_address: 192.0.2.12
    peer_certificate: "{{ sender_credentials.certificate }}"
  delegate_to: xen2
  register: receiver
"""

RETURN = r"""
address:
  description: Address that the receiver listens on.
  returned: success
  type: str
  sample: 192.0.2.12
port:
  description: TCP port that the receiver listens on.
  returned: success
  type: int
  sample: 49152
ssh_host_keys:
  description:
    - The host keys that sshd may show to the sender, each with its type. Empty unless O(transport=ssh).
  returned: success
  type: list
  elements: str
  sample: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH3fFmf1bzv1cNQaQ3pyXxN0ps1Q9l0wV3xk1H3c9p7b]
banner_verified:
  description: Whether C(xl migrate-receive) said its banner, byte for byte as C(xl migrate) expects it.
  returned: success
  type: bool
  sample: true
status_path:
  description: File that says how far the receiver is, while it runs. M(dom0.xen.migration_info) describes its keys.
  returned: success
  type: str
  sample: /run/dom0-xen/0123456789abcdef.receiver/status.json
result_path:
  description: File that says how the session ended, once it has. It has the same keys.
  returned: success
  type: str
  sample: /var/lib/dom0-xen/0123456789abcdef.receiver/result.json
pid:
  description: Process of the receiver.
  returned: success
  type: int
  sample: 1234
code:
  description: Stable name of the error.
  returned: failure
  type: str
  sample: banner_wrong
remedy:
  description: What to do about the error.
  returned: failure
  type: str
  sample: Run `xl migrate-receive </dev/null` on the destination and look at what it prints.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._mapping import of_entries
from ansible_collections.dom0.xen.plugins.module_utils._marks.arrivals import require_open
from ansible_collections.dom0.xen.plugins.module_utils._session.launch import launch, prepare
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.liveness import checked
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import ARRIVAL, PATH, PLACES, port_range
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import find_binary
from ansible_collections.dom0.xen.plugins.module_utils._transports import TLS, TRANSPORTS

STARTING_S = 30.0


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **PLACES,
            "session": {"type": "str", "required": True},
            "uuid": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "memory_max_kib": {"type": "int", "required": True},
            "allow_closed": {"type": "bool", "default": False},
            "listen_address": {"type": "str", "required": True},
            "port_range": {"type": "str", "default": "49152-49215"},
            "peer_certificate": {"type": "str", "required": True},
            "admission_timeout": {"type": "int", "default": 120},
            "banner_timeout": {"type": "int", "default": 60},
            "peer_host": {"type": "str", "default": ""},
            "link_timeout": {"type": "int", "default": 30},
            "transport": {"type": "str", "choices": list(TRANSPORTS), "default": TLS},
            "ssh_user": {"type": "str", "default": "root"},
            "ssh_public_key": {"type": "str", "default": "", "no_log": False},
            "sshd_config": {"type": "str", "default": ""},
            "follow_config": {"type": "bool", "default": True},
            "liveness": {"type": "bool", "default": True},
            "liveness_address": {"type": "str", "default": ""},
            "liveness_timeout": {"type": "int", "default": 15},
            "method": {"type": "str", "choices": ["live", "suspend", "cold"], "default": "live"},
            **ARRIVAL,
            **PATH,
        },
    )
    params = module.params
    try:
        first, last = port_range(params["port_range"])
        address = checked(params["liveness_address"])
        if not params["allow_closed"]:
            require_open(params["journal_path"])
        places = prepare(params["runtime_path"], params["journal_path"], params["session"], "receiver")
        settings = ReceiverSettings(
            session=params["session"],
            uuid=params["uuid"].lower(),
            name=params["name"],
            runtime_folder=places.runtime,
            journal_folder=places.journal,
            peer_certificate=params["peer_certificate"],
            xl=find_binary("xl"),
            link_timeout=params["link_timeout"],
            peer_host=params["peer_host"],
            memory_max_kib=params["memory_max_kib"],
            listen_address=params["listen_address"],
            port_first=first,
            port_last=last,
            admission_timeout=params["admission_timeout"],
            banner_timeout=params["banner_timeout"],
            transport=params["transport"],
            ssh_user=params["ssh_user"],
            ssh_public_key=params["ssh_public_key"].strip(),
            sshd_config=params["sshd_config"],
            follow_config=params["follow_config"],
            liveness=params["liveness"],
            liveness_address=address,
            liveness_timeout=max(0, params["liveness_timeout"]),
            method=params["method"],
            mapped=of_entries(params["mapped"]).entries(),
            leave_paused=params["leave_paused"],
            keep_domid=params["keep_domid"],
            planned_interface=params["planned_interface"],
            after_tasks=params["after_tasks"],
        )
        answer = launch(places, "receiver", settings, params["banner_timeout"] + STARTING_S)
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    module.log(
        "dom0.xen {}: receiver of {} listens on port {}".format(params["session"], params["name"], answer["port"])
    )
    module.exit_json(changed=True, status_path=places.status_path, result_path=places.result_path, **answer)


if __name__ == "__main__":
    main()
