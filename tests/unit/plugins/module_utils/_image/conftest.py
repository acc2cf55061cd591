# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A busy machine is no failure: hypothesis sets no deadline here.

For a long run: ``DOM0_XEN_EXAMPLES=5000 make unit ARGS="--timeout=0 tests/unit/plugins/module_utils/_image"``.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("dom0_xen", deadline=None, max_examples=int(os.environ.get("DOM0_XEN_EXAMPLES", "100")))
settings.load_profile("dom0_xen")
