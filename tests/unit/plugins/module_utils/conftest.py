# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of several rooms need."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._xenstore.daemon import Daemon


@pytest.fixture
def xenstored(tmp_path: pathlib.Path) -> t.Iterator[Daemon]:
    """A XenStore daemon that speaks the real protocol, with two domains in it."""
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.kill()
