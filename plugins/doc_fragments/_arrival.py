# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options about what a domain is to be at the destination."""

from __future__ import annotations


class ModuleDocFragment:
    """Names and state at the destination."""

    # For the two sides of a session.
    DOCUMENTATION = r"""
options:
  mapped:
    description:
      - What the destination calls by another name than the source, as C(plan.mapped) of
        RV(dom0.xen.migration_check#module:plan).
      - The receiver changes these names in the configuration that it hands to C(xl), and nothing else. The sender tells
        them in its status.
    type: list
    elements: dict
    default: []
    suboptions:
      what: {type: str, required: true, choices: [bridge, disk], description: What it is.}
      from: {type: str, required: true, description: "Its name in the domain's configuration on the source."}
      to: {type: str, required: true, description: Its name at the destination.}
  leave_paused:
    description:
      - Whether the domain is given its name and left paused when it has arrived (C(xl migrate-receive -p)). Both sides
        of a session need the same.
    type: bool
    default: false
  keep_domid:
    description:
      - Number of the domain (domid), which it is to keep at the destination, as C(plan.keep_domid) of
        RV(dom0.xen.migration_check#module:plan). V(0) for whichever is free there.
      - The receiver writes it into the configuration that it hands to C(xl), as C(xl migrate -D) would have. It does
        not begin when the number is in use on its host, or was a minute ago. The sender does not begin when the domain
        has another one.
    type: int
    default: 0
  after_tasks:
    description:
      - Whether the caller has tasks that are to be run after the move. That is on record from the beginning, and they
        count as owed until M(dom0.xen.migration_settle) has put on record that they were run. So they are not lost with
        the run that began the move.
    type: bool
    default: false
"""

    # For the checks.
    NAMES = r"""
options:
  map_bridges:
    description:
      - What the destination calls the bridges of the domain, by the names that the source has for them. Those that are
        left out have the same name there.
    type: dict
    default: {}
  map_disks:
    description:
      - The same for the absolute paths of its disks. Both paths must be the same storage. What cannot be compared is
        refused, unless V(disk_unproven) is waived.
    type: dict
    default: {}
  preserve_domid:
    description:
      - Whether the domain keeps its number (domid). It must be free at the destination, which needs Xen 4.14 or newer.
    type: bool
    default: false
"""
