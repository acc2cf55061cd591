# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look for settling, on a move within one host: which copy is whose."""

from __future__ import annotations

import os
import pathlib
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.journal import Journal
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import settle
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import ABSENT, PAUSED, RUNNING
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import NAME, UUID, Dom0, Make

SESSION = "0123456789abcdef"


@pytest.fixture
def dom0(make: Make) -> Dom0:
    """The host that is both."""
    return make()


@pytest.fixture
def sender(tmp_path: pathlib.Path) -> Here:
    """The source's side, whose process is gone, and which has started no xl."""
    (tmp_path / "run").mkdir()
    here = Here(str(tmp_path / "run"), str(tmp_path / "lib"), SESSION, "sender", UUID, NAME, "settler")
    for side in (here, here.other):
        os.makedirs(side.journal)
        note(side, "opened", boot_id=_procfs.boot_id())
    return here


def note(side: Here, step: str, **details: object) -> None:
    """Put something on record."""
    journal = Journal(side.journal)
    journal.write(step, details)
    journal.close()


def copies(dom0: Dom0, sender: Here) -> tuple[str, str]:
    """Return the copies of source and destination, as settling sees them."""
    source, destination = (settle.look(side, dom0.xl, 0) for side in (sender, replace(sender, role="receiver")))
    return source.copy, destination.copy


def test_a_guest_that_never_left_is_the_sources(dom0: Dom0, sender: Here) -> None:
    """It was never sent, so that nothing but the destination's own copy is the destination's."""
    dom0.start()
    assert copies(dom0, sender) == (RUNNING, ABSENT)


def test_the_destinations_copy_is_known_by_its_name(dom0: Dom0, sender: Here) -> None:
    """Nobody has put its domid on record, and the source's neither."""
    dom0.restored()
    dom0.start()
    assert copies(dom0, sender)[1] == PAUSED


def test_once_it_was_sent_the_domid_counts(dom0: Dom0, sender: Here) -> None:
    """What else has the UUID is the destination's, whatever it is called."""
    domid = dom0.start()
    note(sender, "xl_started", domid=domid)
    assert copies(dom0, sender) == (RUNNING, ABSENT)
    note(sender, "xl_started", domid=domid + 1)
    assert copies(dom0, sender) == (ABSENT, RUNNING)
