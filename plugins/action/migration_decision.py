# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide about an interrupted session; documented in plugins/modules/migration_decision.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._records import SessionDomain
from ansible_collections.dom0.xen.plugins.module_utils._settling.by_hand import depends_on_others
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import DONE, ask
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import DECISION
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import of_all
from ansible_collections.dom0.xen.plugins.plugin_utils._decision import others, side, told
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import Interrupted
from ansible_collections.dom0.xen.plugins.plugin_utils._inventory import of_this_run
from ansible_collections.dom0.xen.plugins.plugin_utils._owed import are_owed, sentence

VOUCHED = {"unknown": None, "yes": True, "no": False}


class ActionModule(ActionBase):
    """Pure deciding on the controller: what both hosts show, and all others, in; the next step out."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the decision, and a message for people."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(DECISION)
        source, destination = (
            side(options[role], options[f"{role}_look"], options["gone"], VOUCHED[options["ran"]], options["latest"])
            for role in ("source", "destination")
        )
        domain = SessionDomain(options["uuid"].lower(), options["name"])
        answers = of_all(options["hosts"])
        beside = others(answers, domain, source, destination, options["gone"])
        made = decide(source, destination, beside)
        if options["may_ask"] and not answers and depends_on_others(source, made):
            made = ask(source, destination)
        inventory = of_this_run(task_vars)
        result.update(changed=False, **told(made, domain, source, destination, inventory, options["repeat"]))
        owing = made.next == DONE and are_owed((source.after_tasks, destination.after_tasks))
        session = source.session or destination.session
        what = Interrupted(session, options["uuid"], options["name"], options["source"], options["destination"])
        result["owed"] = sentence(what, inventory, options["repeat"]) if owing else ""
        return result
