# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that take long on a host that a run has claimed (private to the collection)."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation that modules take over."""

    DOCUMENTATION = r"""
options:
  token:
    description:
      - Identity of the run that has claimed the host with M(dom0.xen.host_claim), 16 hexadecimal digits. The claim is
        kept alive while the module works. Empty for none.
    type: str
    default: ""
"""
