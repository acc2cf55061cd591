# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How moves are to be planned."""

from __future__ import annotations


class ModuleDocFragment:
    """What every plan is asked for; the spec is ``PLANNING`` in ``module_utils/_specs/actions.py``."""

    DOCUMENTATION = r"""
options:
  planner:
    description:
      - V(builtin) takes a second or two. V(optimal) needs the Python library C(ortools) on the controller and takes up
        to a minute where domains have to make room for others, to move less memory for that.
    type: str
    choices: [builtin, optimal]
    default: builtin
  method:
    description:
      - How domains are to be moved, as for M(dom0.xen.migration_check).
    type: str
    choices: [auto, live, suspend, cold]
    default: auto
  transport:
    description:
      - How the bytes are to travel, as for M(dom0.xen.migration_check).
    type: str
    choices: [tls, ssh, tcp]
    default: tls
  allow_plain:
    description:
      - Whether O(transport=tcp) is meant; it is refused otherwise.
    type: bool
    default: false
  allow_cold:
    description:
      - Whether V(auto) of O(method) may be V(cold) where a domain cannot move while it runs.
    type: bool
    default: false
  memory_reserve_mib:
    description:
      - MiB of memory that must stay free on each host. What C(dom0_xen_host) says of a host counts if it is more.
    type: int
    default: 0
  dom0_memory_min_mib:
    description:
      - MiB of memory that dom0 must keep where C(xl) may shrink it to make room (autoballoon).
    type: int
    default: 512
  vcpus_per_cpu:
    description:
      - How many vCPUs a host may have for each of its processors, 0 for any number. A host that has more receives none.
    type: float
    default: 0.0
  waive:
    description:
      - Codes of findings that are not to count, as for M(dom0.xen.migration_check).
    type: raw
    default: []
  follow_config: {type: bool, default: true, description: Whether a domain's configuration file is to go with it.}
  network:
    description:
      - Networks of which the first that both hosts are in is to carry the bytes, as for M(dom0.xen.migration_check).
    type: raw
    default: []
  map_bridges: {type: dict, default: {}, description: The destination's names of bridges by the source's.}
  map_disks: {type: dict, default: {}, description: The destination's names of disks by the source's.}
"""
