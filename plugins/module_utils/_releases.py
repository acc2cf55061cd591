# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How releases of Xen resume a guest that has suspended (pure; private to the collection)."""

from __future__ import annotations

# tools/xl/xl_cmdtable.c: xl resume is new in this release.
RESUME_SINCE = (4, 20)
# They resume a PV or PVH guest as if it had been restored elsewhere, which its kernel does not survive: libxl forgets
# that the suspend was cancelled (tools/libxl/libxl_dom_suspend.c libxl__domain_resume). 4.15 has the fix
# ("tools/libs/light: fix xl save -c handling").
RESUMES_ANEW = ((4, 13), (4, 14))
