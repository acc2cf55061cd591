# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person writes for the ports of a move is read as it was meant, or refused with an example."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PortRangeInvalid, port_range


def test_ports() -> None:
    """A range, or one port."""
    assert port_range("49152-49215") == (49152, 49215)
    assert port_range("49152") == (49152, 49152)
    assert port_range("1-65535") == (1, 65535)


@pytest.mark.parametrize("text", ["", "-", "a-b", "49152-", "-49152", "0-9", "49215-49152", "1-65536", "1-2-3", "1,2"])
def test_what_is_no_range_of_ports(text: str) -> None:
    """No receiver is started that would listen on other ports than those that somebody has opened."""
    with pytest.raises(PortRangeInvalid, match="is not a range of ports") as caught:
        port_range(text)
    assert "49152-49215" in caught.value.remedy
