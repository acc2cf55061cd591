# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed session has left to be read is taken for what it says, and for no more."""

from __future__ import annotations

import json
import pathlib
import types
import typing as t

import pytest
from dom0_faults import truth
from dom0_faults.names import SOURCE


@pytest.mark.parametrize(("watches", "end_state"), [(True, None), (False, "stayed")])
def test_a_session_that_watches_has_not_ended(tmp_path: pathlib.Path, watches: bool, end_state: str | None) -> None:
    """Its guest may go down while nobody starts it again; only one that has ended can be wrong about that."""
    said = {"owner": "source", "end_state": "stayed", "watches": watches, "error": {"code": "guest_ignores_shutdown"}}
    for folder in ("lib", "run"):
        (tmp_path / folder / "a.sender").mkdir(parents=True)
    (tmp_path / "lib" / "a.sender" / "journal").write_text(f"{json.dumps({'step': 'ended'})}\n")
    (tmp_path / "run" / "a.sender" / "status.json").write_text(json.dumps(said))
    world: t.Any = types.SimpleNamespace(
        session="a", journal=lambda name: str(tmp_path / "lib"), runtime=lambda name: str(tmp_path / "run")
    )
    expected = truth.Session(("ended",), "source", end_state, "guest_ignores_shutdown")
    assert truth.session(world, SOURCE) == expected
