# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between the source and the destination's sshd, beyond what may be tried again.

Private to the collection.
"""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkError


class ParamikoMissing(LinkError):
    """The source's Python has no paramiko."""

    code = "paramiko_missing"
    remedy = (
        "Install paramiko for the source's Python (Debian and Ubuntu: python3-paramiko), for example with the role"
        " dom0.xen.prepare and prepare_ssh: true; or use the transport tls."
    )


class HostKeyMismatch(LinkError):
    """The sshd that answers is not the one whose host keys the controller has read."""

    code = "ssh_host_key_mismatch"
    remedy = (
        "Find out who answers there. The keys that were expected are those in the .pub files beside the destination's"
        " host keys: see that each belongs to its key. If it is another sshd of the destination, name its port"
        " (migrate_ssh_port) and configuration (migrate_sshd_config)."
    )


class KeyRefused(LinkError):
    """sshd does not accept the key made for this session."""

    code = "ssh_key_refused"
    remedy = (
        "Look at sshd's log on the destination. The account (migrate_ssh_user) must be let in with a key:"
        " PubkeyAuthentication yes, for root PermitRootLogin prohibit-password, no AuthenticationMethods that ask for"
        " more, and an AuthorizedKeysFile. A receiver to which no sender came within migrate_admission_timeout has"
        " taken the session's key away."
    )


class ForwardingOff(LinkError):
    """sshd does not forward connections."""

    code = "ssh_forwarding_off"
    remedy = (
        "Allow it in sshd's configuration on the destination, at least for the account in question:"
        " AllowTcpForwarding local (or yes), DisableForwarding no, PermitOpen any. Or use the transport tls."
    )
