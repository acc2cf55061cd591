# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the facts of a fleet are kept."""

from __future__ import annotations


class ModuleDocFragment:
    """The folder on the controller; the spec is ``FLEET_PATH`` in ``module_utils/_specs/actions.py``."""

    DOCUMENTATION = r"""
options:
  path:
    description:
      - Folder on the controller that the facts of a fleet are kept in, a file for each dom0, for their owner only.
      - When it is empty, C(dom0-xen/facts) in Ansible's own folder, which is C(~/.ansible) unless C(ANSIBLE_HOME) says
        otherwise.
    type: str
    default: ""
"""
