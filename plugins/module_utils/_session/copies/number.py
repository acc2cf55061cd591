# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The number that a domain keeps on a move (private to the collection).

A number that the configuration asks for (``c_info.domid``, which xl migrate -D sends) is the one that the domain gets,
or libxl makes none (tools/libs/light/libxl_create.c libxl__domain_make). The receiver puts it in, and not the source's
``xl``: it is right for each way in which the header comes about, and a number that was not looked for is not used.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment import recent_domids
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import DOMID_KEPT_S

# When the guest reboots, xl makes the domain anew with the number that its configuration asks for, two seconds after it
# has destroyed it under this very number (tools/xl/xl_vmcontrol.c create_domain): libxl would refuse that, and the
# domain would be gone. The process that does so inherits this from the xl that receives the domain.
ENVIRONMENT: t.Mapping[str, str] = {"LIBXL_DOMID_REUSE_TIMEOUT": "1"}


class DomidTaken(Dom0XenError):
    """Another domain of the destination has the number."""

    code = "domid_taken"
    remedy = "Move that domain to another host and back, or leave out migrate_preserve_domid."


class DomidRecent(Dom0XenError):
    """The destination had a domain of this number a moment ago."""

    code = "domid_recent"
    remedy = f"Run this again in {DOMID_KEPT_S} s, or leave out migrate_preserve_domid."


class DomidChanged(Dom0XenError):
    """The domain has another number than it had when the move was checked."""

    code = "domid_changed"
    remedy = "Run this again: its guest has rebooted since the check."


def require_free(domid: int, present: t.Container[int]) -> None:
    """See that this host can give a domain this number; ``present`` are those of its domains.

    libxl's own look at what is too recent is not enough: :data:`ENVIRONMENT` makes it short. Raises DomidTaken or
    DomidRecent.
    """
    if domid in present:
        raise DomidTaken(f"another domain has the domid {domid} here", domid=domid)
    if domid in recent_domids():
        raise DomidRecent(f"a domain with the domid {domid} was destroyed here a moment ago", domid=domid)
