# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The destination's name is looked up where it is used: on the source, once, before anything is started."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.transport.addresses import NameUnknown, numeric


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "fe80::1%lo"])
def test_an_address_stays_as_it_is(address: str) -> None:
    """Nobody is asked for it."""
    assert numeric(address) == address


def test_a_name_becomes_an_address() -> None:
    """Of the kind that the receiver listens on for a name."""
    assert numeric("localhost") == "127.0.0.1"


@pytest.mark.parametrize("name", ["a..b", "x" * 300])
def test_a_name_that_nobody_knows_is_told_with_the_variable(name: str) -> None:
    """Not as a connection that does not come up."""
    with pytest.raises(NameUnknown) as caught:
        numeric(name)
    assert name in caught.value.message and "dom0_xen_address" in caught.value.remedy
