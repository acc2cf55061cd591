# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What xl says of a guest that was asked to suspend, and has not (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import GuestIgnoresSuspend

# tools/libs/light/libxl_dom_suspend.c, which waits a minute for the one, and then a minute for the other. That a domain
# "did not respond to suspend request" (libxl_stream_write.c) is said of every stream that breaks before the first.
_AGREED_TO_NOTHING = "guest didn't acknowledge suspend"
_STAYED_AWAKE = "guest did not suspend"
_LINES = 10


def stayed_awake(said: t.Iterable[str]) -> bool:
    """Return whether the guest agreed to suspend, and had not when ``xl`` gave up."""
    return any(_STAYED_AWAKE in line for line in said)


def unsuspended(said: t.Sequence[str], remedy: str | None = None) -> GuestIgnoresSuspend | None:
    """Return the error where these lines of ``xl`` say that it is the guest's; None where they say nothing of it."""
    if stayed_awake(said):
        text = "the guest agreed to suspend, and did not suspend before xl gave up"
    elif any(_AGREED_TO_NOTHING in line for line in said):
        text = "the guest did not answer when it was asked to suspend"
    else:
        return None
    return GuestIgnoresSuspend(text, remedy=remedy, stderr="\n".join(said[-_LINES:]))
