# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """For how long a move may take, and a guest may stand still."""

    DOCUMENTATION = r"""
options:
  timeout_per_gib:
    description:
      - Seconds that a move may take while the guest runs, for each GiB of its memory or part of one; V(0) for no limit.
      - Counted from the sender's admission to the request to suspend. Then the migration is given up (C(too_slow)), and
        the guest was never paused.
    type: int
    default: 0
  max_stop_ms:
    description:
      - For how long the guest may stand still, in milliseconds; V(0) for no limit.
      - What it will come to is predicted while the guest runs, from what it has written while its memory was sent, what
        the network carries, and how long earlier moves have taken beside that.
        RV(dom0.xen.migration_verdict#module:stop_prediction) tells it.
    type: int
    default: 0
  on_over_budget:
    description:
      - What happens where the prediction is more than O(max_stop_ms).
      - With V(abort) the migration is given up before the guest is suspended (C(stop_over_budget)). Nothing is
        predicted for V(suspend) and V(cold) of O(method), and neither is begun then.
      - With V(continue) it goes on, and the result tells.
    type: str
    choices: [abort, continue]
    default: abort
  rehearse:
    description:
      - Whether the session ends where the guest would be suspended (C(rehearsed)). Nobody asks it to suspend.
      - For V(live) of O(method). O(max_stop_ms) ends nothing before then; the prediction says whether it would have.
    type: bool
    default: false
"""
