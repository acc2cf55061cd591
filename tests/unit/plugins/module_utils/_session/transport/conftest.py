# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the way from host to host have in common."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.transport.doors import THEIRS


@pytest.fixture(name="keys")
def make_keys(tmp_path: pathlib.Path) -> pathlib.Path:
    """An authorized_keys with lines of people, the last one without its newline."""
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    path = folder / "authorized_keys"
    path.write_text(THEIRS)
    path.chmod(0o640)
    return path
