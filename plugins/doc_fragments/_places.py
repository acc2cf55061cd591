# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options shared by everything that touches the collection's folders on a dom0."""

from __future__ import annotations


class ModuleDocFragment:
    """The places of a session on a dom0; the spec is ``PLACES`` in ``module_utils/_specs/shared.py``."""

    DOCUMENTATION = r"""
options:
  runtime_path:
    description:
      - Folder on the dom0 that holds what lives only as long as a session.
      - It must lie on a C(tmpfs), since the keys of a session are in it and must never reach a disk.
      - When it cannot be used, C(/dev/shm/dom0-xen) is taken instead.
    type: path
    default: /run/dom0-xen
  journal_path:
    description:
      - Folder on the dom0 that keeps the journal and the result of each session.
      - It must survive a restart of the host.
    type: path
    default: /var/lib/dom0-xen
"""
