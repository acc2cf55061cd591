# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of the double, and who runs playbooks against them; which hosts these are each module says with ``site``."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from dom0_double.driver.fixture import make_site
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.reader import Reader
from ansible_collections.dom0.xen.tests.unit.playbooks.user import User
from ansible_collections.dom0.xen.tests.unit.sshd import Sshd

__all__ = ["make_site"]


@pytest.fixture
def user(site: Site, tmp_path: pathlib.Path) -> User:
    """Somebody with an empty folder."""
    (tmp_path / "user").mkdir()
    return User(site, tmp_path / "user")


@pytest.fixture
def reader(site: Site, tmp_path: pathlib.Path) -> Reader:
    """Somebody who types what pages show."""
    (tmp_path / "reader").mkdir()
    return Reader(site, tmp_path / "reader")


@pytest.fixture
def sshd(tmp_path: pathlib.Path) -> t.Iterator[Sshd]:
    """What stands for the destination's sshd."""
    with Sshd(tmp_path / "sshd") as sshd:
        sshd.authorized_keys.write_text("# of somebody else\n")
        yield sshd
