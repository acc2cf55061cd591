# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what is left on hosts that are to be emptied; documented in plugins/modules/evacuation_look.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import EVACUATION_LOOK
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host
from ansible_collections.dom0.xen.plugins.plugin_utils._applying import rounds
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.refusing import selected

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Pure reading of facts on the controller."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return what is left; hosts that told nothing are in ``silent``, and no failure."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(EVACUATION_LOOK)
        try:
            empty = selected(options["empty"], options["inventory"], (task_vars or {}).get("groups") or {})
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        found = rounds.look(facts_by_host(options["hosts"]), empty)
        history = rounds.remember(options["history"], options["outcomes"])
        given_up = rounds.given_up(history, options["retries"])
        course = rounds.course(found, given_up, options["tried"], bool(self._task.check_mode))
        result.update(
            changed=False,
            selected=list(empty),
            **found.to_result(),
            empty=found.empty,
            history=history,
            given_up=list(given_up),
            **course.to_result(),
            # Sessions give a host that has gone half a minute, unless told otherwise.
            wait=20 if found.waiting else 0,
            msg=_words(found, history),
        )
        return result


def _words(found: rounds.Look, history: rounds.History) -> str:
    lines = [f"{name} does not answer: what it has is not known." for name in found.silent]
    for guest in found.guests:
        entry = history.get(guest.uuid)
        text = f"{guest.host} still has {guest.name} ({guest.state.replace('_', ' ')}, domid {guest.domid})"
        lines.append(f"{text}: {entry['why']}" if entry else f"{text}.")
    lines += [f"{each.name} ({each.source} to {each.destination}) has to be settled." for each in found.sessions]
    lines += [f"{each['name']} is being moved from {each['source']} to {each['destination']}." for each in found.moves]
    return "\n".join(lines) or "The hosts are empty."
