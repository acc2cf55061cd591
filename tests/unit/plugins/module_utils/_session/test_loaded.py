# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process loads what it runs: on a slow host each hundred files that it does not need cost seconds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PLUGINS = "ansible_collections.dom0.xen.plugins."
SESSION = f"{PLUGINS}module_utils._session."
SENDS, RECEIVES = f"{SESSION}sending.sender", f"{SESSION}receiving.receiver"
LOADED = "import json, sys; print(json.dumps([name for name in sys.modules if name.startswith('ansible_collections')]))"


def _loaded(*names: str) -> set[str]:
    imports = "".join(f"import {name}; " for name in names)
    done = subprocess.run([sys.executable, "-c", imports + LOADED], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("module", ["migration_send", "migration_receive"])
def test_a_module_that_starts_a_session_does_not_load_it(module: str) -> None:
    """The session's process has its own copy of the code, and is the only one to run it."""
    assert not _loaded(f"{PLUGINS}modules.{module}") & {SENDS, RECEIVES, f"{SESSION}daemon"}


@pytest.mark.parametrize(("role", "other"), [(SENDS, RECEIVES), (RECEIVES, SENDS)])
def test_a_session_loads_its_own_role(role: str, other: str) -> None:
    """The sender has no use for the receiver, nor the other way round."""
    loaded = _loaded(f"{SESSION}daemon", role)
    assert role in loaded and other not in loaded
