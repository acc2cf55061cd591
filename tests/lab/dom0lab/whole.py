# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of figures that are whole at any moment: a run of hours may be stopped while it writes."""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Mapping
from pathlib import Path


def save(path: Path, document: Mapping[str, t.Any]) -> None:
    """Write it as JSON; whoever reads the file sees this or what was there before. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.half")
    half.write_text(json.dumps(document, indent=1) + "\n")
    os.replace(half, path)
