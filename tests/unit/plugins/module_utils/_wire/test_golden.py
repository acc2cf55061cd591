# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole streams kept as files, with the figures they must give: each ``data/NAME.xz`` with its ``data/NAME.json``.

``measure.py`` makes both from a capture.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import measure

STREAMS = sorted((Path(__file__).parent / "data").glob("*.xz"))


def test_there_are_streams() -> None:
    """An empty folder would let every other test here pass."""
    assert STREAMS
    assert all(path.stat().st_size < 500_000 for path in STREAMS)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_figures_of_kept_streams(path: Path) -> None:
    """Parser and generator could go wrong together; these bytes do not move with them."""
    expected = json.loads(path.with_suffix(".json").read_text())
    assert measure.measure(measure.chunks(path)) == expected
