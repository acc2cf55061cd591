# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What xl gets before all of a stream is known to be right."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._restoring.xl_restore import HELD, hold_back

STREAM = bytes(range(100))


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 50, 99, 100, 200])
def test_all_but_the_end_and_then_the_end(size: int) -> None:
    """Whatever the pieces are, the last bytes come last, by themselves, and nothing is lost."""
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    found = list(hold_back(pieces))
    assert [piece for piece, dummy in found] == [*pieces, b""]
    assert b"".join(passed for dummy, passed in found) == STREAM
    assert found[-1][1] == STREAM[-HELD:]
    assert sum(len(passed) for dummy, passed in found[:-1]) == len(STREAM) - HELD
