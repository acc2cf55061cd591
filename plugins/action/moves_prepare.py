# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Begin with the moves of a plan; documented in plugins/modules/moves_prepare.py."""

from __future__ import annotations

import os
import secrets
import time
import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import MOVES_PREPARE
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host
from ansible_collections.dom0.xen.plugins.plugin_utils._applying import forks, rounds, steps
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.board import Board, Limits
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import interrupted
from ansible_collections.dom0.xen.plugins.plugin_utils._planning import NamesTaken

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Facts and moves in, moves with their states out; what serves them meets at a file on the controller."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return ``steps``, ``sessions`` and ``board``; fail when the moves do not fit what is there."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(MOVES_PREPARE)
        given = task_vars or {}
        hosts = facts_by_host(options["hosts"])
        limits = Limits(_numbers(options["departures"]), _numbers(options["arrivals"]), options["parallel"])
        try:
            planned = steps.steps_of(rounds.without(options["moves"], options["leave_out"]), NamesTaken(given))
            uuids = {step.uuid for step in planned}
            left = [each for each in interrupted(hosts) if each.uuid in uuids]
            found = steps.sort_out(planned, hosts, {each.uuid for each in left})
            if found.changed:
                raise steps.outdated(found.changed, options["plan"])
            to_do = [step for step in found.steps if step.state != steps.DONE]
            said = forks.objections(to_do, limits, int(given.get("ansible_forks") or 5), options["rows"])
        except Dom0XenError as exc:
            # A round that cannot be begun does nothing.
            result.update(failed=True, steps=[], to_do=[], sessions=[], **exc.as_result())
            return result
        if said:
            result["warnings"] = said
        folder = os.path.join(constants.DEFAULT_LOCAL_TMP, f"dom0-xen-moves-{secrets.token_hex(4)}")
        for_s = options["deadline"]
        deadline = time.monotonic() + for_s if for_s else None
        Board(folder).set_up(found.steps, limits, deadline)
        result.update(
            changed=False,
            steps=[step.to_result() for step in found.steps],
            to_do=[step.to_result() for step in to_do],
            sessions=[each.to_result() for each in left],
            board=folder,
            begin_by=time.time() + for_s if for_s else 0.0,
            msg=_words(found.steps, to_do),
        )
        return result


def _numbers(given: t.Mapping[t.Any, t.Any]) -> dict[str, int]:
    return {str(host): int(number) for host, number in given.items() if number}


def _words(planned: t.Sequence[steps.Step], to_do: t.Sequence[steps.Step]) -> str:
    head = f"Moves planned: {len(planned)}, of which {len(planned) - len(to_do)} are done."
    ways = {steps.UNDER_WAY: "under way: ", steps.TO_DO: ""}
    return "\n".join([head, *(f"{step.number}. {ways[step.state]}{step.words}" for step in to_do)])
