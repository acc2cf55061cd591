# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xl save -p`` whose stream nobody wants any more: it is read to its end, which may take long."""

from __future__ import annotations

import pathlib
import signal
import subprocess

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.save_paused import SavePaused
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

SCRIPTS = {
    "long": ("for n in 1 2 3 4 5 6 7 8 9; do printf x; sleep 0.5; done >$4", 3.0, 0),
    "silent": ("exec sleep 600 >$4", 0.2, -signal.SIGKILL),
    "hangs behind its last byte": ("printf x >$4; exec sleep 600", 0.2, -signal.SIGKILL),
    "fails": ("printf x >$4; exit 3", None, 3),
}


@pytest.mark.parametrize(("script", "limit", "status"), SCRIPTS.values(), ids=list(SCRIPTS))
def test_end(tmp_path: pathlib.Path, script: str, limit: float | None, status: int) -> None:
    """Only an xl that stands still is killed: it would leave the guest suspended."""
    xl = tmp_path / "xl"
    xl.write_text(f"#!/bin/sh\n{script}\n")
    xl.chmod(0o755)
    save = SavePaused(Xl(subprocess_runner(), str(xl)), 7)
    save.start(subprocess.DEVNULL)
    save.end(limit)
    save.close()
    assert save.status == status
