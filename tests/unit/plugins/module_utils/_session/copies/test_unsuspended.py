# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move that failed because of the guest says so, and one that failed of something else does not."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.copies.unsuspended import unsuspended

LIBXL = "libxl: error: libxl_dom_suspend.c:"
SILENT = f"{LIBXL}270:domain_suspend_common_pvcontrol_suspending: Domain 3:guest didn't acknowledge suspend, cancelling"
AWAKE = f"{LIBXL}372:suspend_common_wait_guest_timeout: Domain 3:guest did not suspend, timed out"
# Of every stream that breaks before the guest has agreed, whatever broke it.
BROKEN = "libxl: error: libxl_stream_write.c:347: Domain 3:saving domain: domain did not respond to suspend request"
LAST = "Migration failed, failed to suspend at sender."


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([SILENT, BROKEN, LAST], "did not answer"),
        ([AWAKE, LAST], "agreed to suspend"),
        ([BROKEN, LAST], None),
        ([f"{LIBXL}338:suspend_common_wait_guest_check: Domain 3:guest we were suspending has been destroyed"], None),
        ([], None),
    ],
)
def test_what_xl_says_of_the_guest(said: list[str], words: str | None) -> None:
    """The lines are kept, since the last of them is not the one that tells."""
    error = unsuspended(said)
    if words is None:
        assert error is None
    else:
        assert error is not None and error.code == "guest_ignores_suspend"
        assert words in error.message and error.remedy
        assert error.details == {"stderr": "\n".join(said)}


def test_the_lines_that_are_kept_are_the_last_ones() -> None:
    """An error travels over the link."""
    error = unsuspended([SILENT, *(f"line {number}" for number in range(20))])
    assert error is not None and error.details["stderr"].splitlines()[0] == "line 10"
