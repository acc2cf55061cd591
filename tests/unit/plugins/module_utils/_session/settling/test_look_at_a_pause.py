# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look for settling, on a source whose guest is paused: by its session, or by somebody for something else."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.journal import Journal
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import settle
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import PAUSED, SUSPENDED
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import NAME, UUID, Make

LATER = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("boot_id", "more", "on_record", "seen"),
    [
        (None, 0, True, SUSPENDED),
        # The destination had not made its domain yet, so that no xl save was begun.
        (None, 0, False, PAUSED),
        # The guest has rebooted since, or its host.
        (None, 1, True, PAUSED),
        (LATER, 0, True, PAUSED),
    ],
)
def test_whose_pause_it_is(
    make: Make, tmp_path: pathlib.Path, boot_id: str | None, more: int, on_record: bool, seen: str
) -> None:
    """Settling takes away only what is the session's."""
    dom0 = make()
    domid = dom0.start()
    dom0.xl.pause(domid)
    (tmp_path / "run").mkdir()
    here = Here(str(tmp_path / "run"), str(tmp_path / "lib"), "0123456789abcdef", "sender", UUID, NAME, "settler")
    os.makedirs(here.journal)
    journal = Journal(here.journal)
    journal.write("opened", {"boot_id": boot_id or _procfs.boot_id(), "method": "suspend"})
    journal.write("xl_started", {"domid": domid - more})
    if on_record:
        journal.write("suspending")
    journal.close()
    assert settle.look(here, dom0.xl, 0).copy == seen
