# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every question about a domain, whoever asks it, means the same one by the same word."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._meant import means, uuid_in

UUID = "77c0ffee-0000-4000-8000-00000000ce05"


@pytest.mark.parametrize(
    ("wanted", "so"),
    [
        ("centos", True),
        ("CentOS", False),
        ("centos--incoming", False),
        ("", False),
        ("7", False),
        (UUID, True),
        (UUID.upper(), True),
        (UUID.replace("-", ""), True),
        (UUID.replace("77", "78"), False),
    ],
)
def test_by_name_or_uuid(wanted: str, so: bool) -> None:
    """Of two domains whose names differ in a capital only one is moved, or settled; a UUID has many forms."""
    assert means(wanted, UUID, "centos") is so
    assert means(wanted, UUID.upper(), "centos") is so


def test_what_is_not_known_is_not_meant() -> None:
    """A session whose journal is spoilt tells neither."""
    assert not means("centos", UUID, None) and not means("", None, None)
    assert not means(UUID, None, "centos")


def test_a_name_that_looks_like_a_uuid_is_one() -> None:
    """It means what everybody takes it for."""
    assert not means(UUID, None, UUID) and uuid_in(UUID.upper()) == UUID and uuid_in("centos") is None
