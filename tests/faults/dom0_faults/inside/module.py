# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interpreter that modules run with in a campaign: a session they start gets points put into it."""

from __future__ import annotations

import os
import runpy
import sys

sys.executable = os.environ["DOM0_FAULTS_DAEMON"]
sys.argv = sys.argv[1:]
if sys.argv and sys.argv[0].startswith("-"):
    os.execv(os.environ["DOM0_FAULTS_PYTHON"], [os.environ["DOM0_FAULTS_PYTHON"], *sys.argv])
if sys.argv:
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    sys.argv = [""]
    exec(compile(sys.stdin.read(), "<stdin>", "exec"), {"__name__": "__main__"})
