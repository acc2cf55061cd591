# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain somebody means by a name or a UUID (pure; private to the collection).

A domid is neither: it belongs to one host, and to another domain after each move.
"""

from __future__ import annotations

import uuid


def uuid_in(text: str) -> str | None:
    """Return a UUID as Xen's tools print it, in whichever form it is given; None for what is none, such as a name."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def means(wanted: str, domain_uuid: str | None, name: str | None) -> bool:
    """Say whether ``wanted`` is the domain with this UUID and name, of which either may not be known.

    Capitals count in a name, as they do for xl: ``Web`` and ``web`` are two domains (tools/xl/xl_utils.c find_domain).
    """
    identity = uuid_in(wanted)
    if identity is not None:
        return (domain_uuid or "").lower() == identity
    return name is not None and name == wanted
