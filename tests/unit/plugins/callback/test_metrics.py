# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No line of what a run did is lost where the disk is full for a while."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS

# A file of 40 bytes at most, and then of any size; another run comes in between.
APPENDS = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.callback.metrics import _append
lines = ['{"event": "migration", "n": 1}\\n', '{"event": "migration", "n": 2}\\n']
resource.setrlimit(resource.RLIMIT_FSIZE, (40, resource.RLIM_INFINITY))
try:
    _append(sys.argv[2], lines)
except OSError as exc:
    print(exc.strerror)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
_append(sys.argv[2], ['{"event": "run_ended"}\\n'])
_append(sys.argv[2], lines)
"""


def test_a_line_that_was_cut_off_is_told_and_written_again(tmp_path: pathlib.Path) -> None:
    """And it takes no other line with it."""
    path = tmp_path / "events.jsonl"
    words = [sys.executable, "-c", APPENDS, str(COLLECTIONS), str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "No space left on device\n"
    assert path.read_text().splitlines() == [
        '{"event": "migration", "n": 1}',
        '{"event":',
        '{"event": "run_ended"}',
        '{"event": "migration", "n": 2}',
    ]
