# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the domain keep its number at the destination? (pure; private to the collection)"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import DOMID_ASKED_SINCE, DOMID_KEPT_S

_WITHOUT = "leave out migrate_preserve_domid"


def kept(case: Case) -> t.Iterator[Finding]:
    """The domain's number is free at the destination, and Xen's tools there can give it to a domain.

    Those of the source need not know of it: the receiver puts it into the configuration.
    """
    if not case.request.preserve_domid or case.domain is None or case.domain.domid == 0:
        return
    host, domid = case.request.destination, case.domain.domid
    if case.same_host:
        yield case.error(
            "domid_same_host",
            host,
            f"the copy cannot have the domid {domid} too: both are on {host} until one of them is destroyed.",
            f"Within one host {_WITHOUT}.",
            domid=domid,
        )
        return
    if case.destination is None:
        return
    xen = case.destination.xen
    if xen is not None and (xen.major, xen.minor) < DOMID_ASKED_SINCE:
        yield case.error(
            "domid_unsupported",
            host,
            f"Xen {xen.version} on {host} gives a domain the next free number; 4.14 is the first that gives it the one"
            " that is asked for.",
            f"Move it to a host with a newer Xen, or {_WITHOUT}.",
            domid=domid,
            version=xen.version,
        )
    other = next((row for row in case.destination.domains if row.domid == domid), None)
    if other is not None:
        yield case.error(
            "domid_taken",
            host,
            f"{other.name!r} has the domid {domid} on {host}, which {case.domain.name} was to keep.",
            f"Move {other.name} to another host and back, which gives it another domid, or {_WITHOUT}.",
            domid=domid,
            name=other.name,
            uuid=other.uuid,
        )
    elif domid in case.destination.equipment.recent_domids:
        yield case.error(
            "domid_recent",
            host,
            f"a domain with the domid {domid}, which {case.domain.name} was to keep, has been destroyed on {host} a"
            " moment ago.",
            f"Run this again in {DOMID_KEPT_S} s, or {_WITHOUT}.",
            domid=domid,
        )
