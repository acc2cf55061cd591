# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the machine of one host: ``machine.py READY_FD [LIFELINE_FD]``, with the host named in the environment."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from dom0_double.machine.server import main  # noqa: E402

main(*[int(argument) for argument in sys.argv[1:]])
