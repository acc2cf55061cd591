# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on the link (private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError


class LinkError(Dom0XenError):
    """Something went wrong between sender and receiver."""

    code = "link_error"


class LinkLost(LinkError):
    """The connection broke; the link may be made again."""

    code = "link_lost"
    remedy = "Check the network between the two dom0s, then run the migration again."


class FrameError(LinkError):
    """The peer sent something that is not a frame of this link."""

    code = "link_frame"
    remedy = "Both dom0s must be served by the same release of dom0.xen, and nothing else may talk on its port."


class PeerRefused(LinkError):
    """The peer refused this connection and said why."""

    code = "link_refused"
    remedy = "Start the migration again; each session's credentials are good for that session only."


class Unreachable(LinkError):
    """No connection could be made to the receiver's port."""

    code = "port_unreachable"
    remedy = (
        "Open the port range (migrate_port_range) from the source dom0 to the destination dom0, "
        "or name a reachable address with the host variable dom0_xen_address."
    )


class NobodyListens(Unreachable):
    """The receiver's host answers, and nothing listens on that port; or a filter says so in its place."""

    remedy = (
        "A receiver to which no sender comes within migrate_admission_timeout ends by itself: start the migration "
        "again, with a longer one where the hosts are slow. Or a filter refuses the connection: open the port range "
        "(migrate_port_range) from the source dom0 to the destination dom0."
    )


class SourceAddressMissing(Unreachable):
    """The address that the connection is to come from is not this host's, for now or at all."""

    code = "source_address_missing"
    remedy = (
        "See with ip address that the source dom0 still has it; its interface must be up. Which one it is comes from "
        "migrate_network or the source's host variable dom0_xen_address."
    )


class PeerNotPinned(LinkError):
    """The peer did not show the certificate made for this session."""

    code = "certificate_mismatch"
    remedy = "Start the migration again; if this repeats, something else answers on that address."
