#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_credentials
short_description: Make the short-lived credentials of one migration
version_added: 0.1.0
description:
  - Makes an ECDSA key and a self-signed certificate for one side of one session on the controller, and writes both
    into a
    folder on the host of the task that only the remote user (root) can enter and that lies on a C(tmpfs).
  - The key travels through the standard input of one command. It is never an option, never part of a command, never
    in a
    result, and never on the disk of the controller or of the host. This holds with pipelining on and off.
  - The sender or receiver loads the key when it starts and removes the file at once.
  - Certificates are pinned for the session and hold from the year 2000 to 9999, since clocks of dom0s are often
    wrong.
options:
  role:
    description:
      - The side of the session that the host is.
    type: str
    required: true
    choices: [sender, receiver]
  session:
    description:
      - Identity of the session, 16 hexadecimal digits.
      - A new one is made when it is omitted. Required with O(state=absent).
    type: str
  ssh:
    description:
      - Whether to make an Ed25519 key for sshd as well, for a session over the transport V(ssh). It travels with the
        other one.
    type: bool
    default: false
    version_added: 0.1.0
  state:
    description:
      - With V(present) the credentials are made. A folder that is there already is refused, since a session is used
        once.
      - With V(absent) the credentials are removed, and the folder of the session in O(runtime_path) unless its
        process still runs.
    type: str
    default: present
    choices: [present, absent]
  runtime_path:
    description:
      - Folder on the host for what lives only as long as a session; RV(dom0.xen.host_info#module:host.runtime_path)
        is the one to use.
      - It must lie on a C(tmpfs) or C(ramfs), else the task fails. Nothing else is tried.
  journal_path:
    description:
      - Not used by this module; it is accepted so that C(module_defaults) can set it for the whole group.
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - O(state=absent) is. O(state=present) makes new credentials each time.
requirements:
  - cryptography, on the controller
notes:
  - The connection must give commands a standard input (C(ssh) and C(local) do), without a terminal forced by its
    arguments.
  - C(become) works without a password and, with C(sudo), with one. C(su) with a password does not, since it wants a
    terminal.
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
  - dom0.xen._places
seealso:
  - module: dom0.xen.migration_receive
  - module: dom0.xen.migration_send
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
- name: Make the receiver's credentials
  dom0.xen.migration_credentials:
    role: receiver
    runtime_path: /run/dom0-xen
  delegate_to: xen2
  register: receiver

- name: Make the sender's credentials for the same session
  dom0.xen.migration_credentials:
    role: sender
    session: "{{ receiver.session }}"
    runtime_path: /run/dom0-xen
  delegate_to: xen1

- name: Remove the receiver's credentials
  dom0.xen.migration_credentials:
    role: receiver
    session: "{{ receiver.session }}"
    state: absent
  delegate_to: xen2
"""

RETURN = r"""
session:
  description: Identity of the session.
  type: str
  returned: success
  sample: 0f1e2d3c4b5a6978
certificate:
  description: The certificate that the other side must pin, in PEM format. It is public.
  type: str
  returned: O(state=present)
  sample: |
    -----BEGIN CERTIFICATE-----
    MIIBtjCCAVugAwIBAgIUBjD7AFr6i2e5DpUpZ83uDsTZNZEwCgYIKoZIzj0EAwIw
    -----END CERTIFICATE-----
ssh_public_key:
  description: The public key that the other side's sshd must let in, or null without O(ssh).
  type: str
  returned: O(state=present)
  sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH3fFmf1bzv1cNQaQ3pyXxN0ps1Q9l0wV3xk1H3c9p7b
kept:
  description: Whether the folder was left in place because the process of the session still runs.
  type: bool
  returned: O(state=absent), outside check mode
  sample: false
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import CREDENTIALS, CREDENTIALS_REQUIRED_IF


def main() -> None:
    """Say that this file is documentation: an action plugin of the same name does the work."""
    module = AnsibleModule(argument_spec=CREDENTIALS, required_if=CREDENTIALS_REQUIRED_IF, supports_check_mode=True)
    module.fail_json(
        msg="The action plugin dom0.xen.migration_credentials does the work; this module cannot be run by itself."
    )


if __name__ == "__main__":
    main()
